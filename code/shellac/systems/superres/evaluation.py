"""Evaluation on held-out recordings: the spline, a band copy, and every trained network.

Each track is degraded by every low-pass family that the settings name, since networks of this
kind fail on filters that training did not hear.
"""

import itertools
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from tqdm import tqdm

from shellac import metrics, paths, weights
from shellac.config import Settings
from shellac.datasets import corpora
from shellac.datasets.corpora import Recording
from shellac.errors import DataError
from shellac.files import write_csv, write_json
from shellac.systems import summaries
from shellac.systems.restorer import Restorer
from shellac.systems.superres.fragments import pair
from shellac.systems.superres.preparation import band_copy, patches
from shellac.systems.superres.restoration import member
from shellac.systems.superres.settings import SuperResolutionSettings
from shellac.systems.superres.summaries import (
    BASELINES,
    FILE,
    LAYOUT,
    PATCH,
    nested,
    whole_files,
)
from shellac.training import determinism

Method = Callable[[np.ndarray], np.ndarray]
COLUMNS = ("role", "track", "low_pass", "unit", "method", "metric", "value")
_OF_PATCHES = (metrics.snr_reference_db, metrics.lsd_reference)


def methods(settings: Settings) -> dict[str, Method]:
    """Return every row of the table as a function (T,) -> (T,) of the spline-interpolated input."""
    task: SuperResolutionSettings = settings.systems["superres"]
    device = determinism.device(settings.compute.device)
    found: dict[str, Method] = {
        "spline": lambda spline: spline,
        "band_copy": lambda spline: band_copy(spline, task.sample_rate, task.scale),
    }
    for name in task.networks:
        path = weights.trained_path(settings.profile, f"superres/{name}")
        state, card = weights.load(path)
        found[name] = _restoring(Restorer([member(state, card, device)]), task.sample_rate)
    return found


def _restoring(restorer: Restorer, sample_rate: int) -> Method:
    return lambda spline: restorer.restore(spline, sample_rate).waveform[0]


def scores(
    reference: np.ndarray, restored: np.ndarray, task: SuperResolutionSettings, per_patch: bool
) -> Iterator[tuple[str, str, float]]:
    """Yield (unit, metric, value) of one restored track (T,).

    ``file``: every metric over the whole track. ``patch``: the published convention, the mean of
    the published metrics over patches of ``dimension`` samples at the profile's stride, cut out
    of the restored track. Digitally silent patches, of which no ratio can be given, do not count.
    """
    for name, value in metrics.score(reference, restored, task.sample_rate, task.cutoff_hz).items():
        yield FILE, name, float(value)
    if not per_patch:
        return
    cut = [part[..., 0] for part in patches(restored, reference, task.dimension, task.stride)]
    heard = np.abs(cut[1]).max(axis=1, initial=0) > 0
    if heard.any():
        for metric in _OF_PATCHES:  # patches stand as channels, over which a metric averages
            yield PATCH, metric.__name__, metric(cut[1][heard], cut[0][heard])


def evaluate(settings: Settings) -> None:
    """Score every method on every test track under every filter; write tables and intervals.

    ``superres.csv`` has a row per track and score, ``superres-summary.csv`` the means over
    tracks, ``superres-paired.csv`` the means of paired differences between methods. Patches are
    scored under the first filter alone, that of the published results.
    """
    task: SuperResolutionSettings = settings.systems["superres"]
    determinism.pin(settings.compute)
    tracks = list(corpora.recordings(settings, task.roles, "test", task.corpora))
    if not tracks:
        raise DataError(f"super-resolution: no test recording of {', '.join(task.roles)}")
    candidates, rows = methods(settings), []
    with ThreadPoolExecutor(settings.compute.threads) as pool:
        for recording in tqdm(tracks, desc="evaluate superres", disable=None):
            rows += _rows(recording, task, candidates, pool)
    folder = paths.results(settings.profile, "metrics")
    resamples, seed = task.evaluation.resamples, settings.seed
    summary = summaries.means(rows, LAYOUT, resamples, seed)
    write_csv(folder / "superres.csv", rows, COLUMNS)
    write_csv(folder / "superres-summary.csv", summary, LAYOUT.mean_columns)
    paired = summaries.paired(whole_files(rows), LAYOUT, BASELINES, resamples, seed)
    write_csv(folder / "superres-paired.csv", paired, LAYOUT.paired_columns)
    write_json(folder / "superres.json", nested(summary))


def _rows(
    recording: Recording,
    task: SuperResolutionSettings,
    candidates: dict[str, Method],
    pool: ThreadPoolExecutor,
) -> list[dict]:
    """Restore one track under every filter by every method, and score it in threads."""
    waiting = []
    for family in task.tested_low_pass:
        spline, reference = pair(recording, task, family)
        per_patch = family == task.tested_low_pass[0]
        for method, run in candidates.items():
            arguments = (reference, run(spline), task, per_patch)
            told = pool.submit(lambda arguments: list(scores(*arguments)), arguments)
            waiting.append((family, method, told))
    return [
        dict(
            zip(
                COLUMNS,
                (recording.role, recording.track, family, unit, method, metric, value),
                strict=True,
            )
        )
        for family, method, told in waiting
        for unit, metric, value in told.result()
    ]


def versions(settings: Settings) -> Iterator[tuple[str, str, dict[str, np.ndarray], int]]:
    """Yield (track, role, version name -> waveform (T,), sample rate) of the first test tracks.

    The filter before decimation is the first of those that tests use.
    """
    task: SuperResolutionSettings = settings.systems["superres"]
    determinism.pin(settings.compute)
    candidates = methods(settings)
    tracks = corpora.recordings(settings, task.roles, "test", task.corpora)
    for recording in itertools.islice(tracks, task.stimuli.tracks):
        spline, reference = pair(recording, task, task.tested_low_pass[0])
        made = {name: run(spline) for name, run in candidates.items()}
        yield recording.track, recording.role, {"reference": reference, **made}, task.sample_rate
