"""Evaluation on held-out recordings: the low-passed input, a band copy, and every trained network.

Each track is low-passed by every family that the settings name, and once left as it is: a network
should do no harm to a recording that lacks nothing.
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
from shellac.datasets.mono import mono_at
from shellac.errors import DataError
from shellac.files import write_csv, write_json
from shellac.systems import summaries
from shellac.systems.behm_gan import degradation
from shellac.systems.behm_gan.degradation import FULL_BAND
from shellac.systems.behm_gan.restoration import member
from shellac.systems.behm_gan.settings import BehmGanSettings
from shellac.systems.behm_gan.summaries import BAND_COPY, BASELINES, LAYOUT, LOW_PASSED, nested
from shellac.systems.restorer import Restorer
from shellac.training import determinism
from shellac.transforms.band_copy import band_copy

Method = Callable[[np.ndarray, float], np.ndarray]  # (T,) and the cut-off in Hz -> (T,)
COLUMNS = ("role", "track", "low_pass", "cutoff_hz", "method", "metric", "value")


def methods(settings: Settings) -> dict[str, Method]:
    """Return every row of the table as a function of the low-passed input; baselines come first.

    The band copy is told the cut-off, networks are not.
    """
    task: BehmGanSettings = settings.systems["behm_gan"]
    device = determinism.device(settings.compute.device)
    found: dict[str, Method] = {
        LOW_PASSED: lambda heard, cutoff_hz: heard,
        BAND_COPY: lambda heard, cutoff_hz: band_copy(heard, task.sample_rate, cutoff_hz),
    }
    for name in task.networks:
        state, card = weights.load(weights.trained_path(settings.profile, f"behm_gan/{name}"))
        found[name] = _restoring(Restorer([member(state, card, device)]), task.sample_rate)
    return found


def _restoring(restorer: Restorer, sample_rate: int) -> Method:
    return lambda heard, cutoff_hz: restorer.restore(heard, sample_rate).waveform[0]


def pair(
    recording: Recording, settings: Settings, family: str
) -> tuple[np.ndarray, np.ndarray, float]:
    """Return (low-passed, original, cut-off in Hz) of a test track's beginning, (T,) each.

    :data:`.degradation.FULL_BAND` leaves it as it is, and has a cut-off to score by all the same.
    """
    task: BehmGanSettings = settings.systems["behm_gan"]
    whole = mono_at(recording, task.sample_rate)
    reference = whole[: int(task.evaluation.seconds * task.sample_rate)]
    drawn = (settings.seed, recording.sha256)
    heard = degradation.degraded(reference, task.sample_rate, family, *drawn)
    return heard, reference, degradation.held_out_cutoff_hz(family, *drawn)


def evaluate(settings: Settings) -> None:
    """Score every method on every test track under every filter; write tables and intervals.

    ``behm_gan.csv`` has a row per track and score, ``behm_gan-summary.csv`` the means over tracks,
    ``behm_gan-paired.csv`` the means of paired differences between methods.
    """
    task: BehmGanSettings = settings.systems["behm_gan"]
    determinism.pin(settings.compute)
    tracks = list(corpora.recordings(settings, task.roles, "test", task.corpora))
    if not tracks:
        raise DataError(f"behm_gan: no test recording of {', '.join(task.roles)}")
    candidates, rows = methods(settings), []
    with ThreadPoolExecutor(settings.compute.threads) as pool:
        for recording in tqdm(tracks, desc="evaluate behm_gan", disable=None):
            rows += _rows(recording, settings, candidates, pool)
    folder = paths.results(settings.profile, "metrics")
    resamples, seed = task.evaluation.resamples, settings.seed
    summary = summaries.means(rows, LAYOUT, resamples, seed)
    paired = summaries.paired(rows, LAYOUT, BASELINES, resamples, seed)
    write_csv(folder / "behm_gan.csv", rows, COLUMNS)
    write_csv(folder / "behm_gan-summary.csv", summary, LAYOUT.mean_columns)
    write_csv(folder / "behm_gan-paired.csv", paired, LAYOUT.paired_columns)
    write_json(folder / "behm_gan.json", nested(summary))


def _rows(
    recording: Recording,
    settings: Settings,
    candidates: dict[str, Method],
    pool: ThreadPoolExecutor,
) -> list[dict]:
    """Restore one track under every filter by every method, and score it in threads."""
    task: BehmGanSettings = settings.systems["behm_gan"]
    waiting = []
    for family in (*task.evaluation.low_pass, FULL_BAND):
        heard, reference, cutoff_hz = pair(recording, settings, family)
        for method, run in candidates.items():
            arguments = (reference, run(heard, cutoff_hz), task.sample_rate, cutoff_hz)
            told = pool.submit(metrics.score, *arguments)
            waiting.append((family, round(cutoff_hz, 1), method, told))
    return [
        dict(
            zip(
                COLUMNS,
                (recording.role, recording.track, family, cutoff_hz, method, metric, float(value)),
                strict=True,
            )
        )
        for family, cutoff_hz, method, told in waiting
        for metric, value in told.result().items()
    ]


def versions(settings: Settings) -> Iterator[tuple[str, str, dict[str, np.ndarray], int]]:
    """Yield (track, role, version name -> waveform (T,), sample rate) of the first test tracks.

    The low-pass is the first of those that are tested.
    """
    task: BehmGanSettings = settings.systems["behm_gan"]
    determinism.pin(settings.compute)
    candidates = methods(settings)
    tracks = corpora.recordings(settings, task.roles, "test", task.corpora)
    for recording in itertools.islice(tracks, task.stimuli.tracks):
        heard, reference, cutoff_hz = pair(recording, settings, task.evaluation.low_pass[0])
        made = {name: run(heard, cutoff_hz) for name, run in candidates.items()}
        yield recording.track, recording.role, {"reference": reference, **made}, task.sample_rate
