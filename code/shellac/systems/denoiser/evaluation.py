"""Evaluation on held-out recordings: the input, classical rows, every network, an oracle mask."""

import itertools
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from tqdm import tqdm

from shellac import metrics, paths, weights
from shellac.config import Settings
from shellac.datasets import corpora
from shellac.datasets.corpora import Recording
from shellac.errors import DataError
from shellac.files import write_csv, write_json
from shellac.harm import clicks_per_minute, leakage_db, transients_lost
from shellac.systems import summaries
from shellac.systems.classical.profile import Excerpt
from shellac.systems.classical.restoration import estimator
from shellac.systems.denoiser.items import Item, held_out_noises, items
from shellac.systems.denoiser.restoration import FRAMINGS, member
from shellac.systems.denoiser.settings import DenoiserSettings
from shellac.systems.denoiser.summaries import (
    CLASSICAL,
    CLEAN,
    LAYOUT,
    TO_BEAT,
    best_classical,
    nested,
    with_means,
)
from shellac.systems.restorer import Restorer
from shellac.training import determinism

Method = Callable[[Item], np.ndarray]
NOISY, DECLICKED, ORACLE = "noisy", "declicked", "oracle_mask"
REFERENCE = "reference"
COLUMNS = ("role", "track", "sha256", "snr_db", "method", "metric", "value")
_BINS = {22050: 513, 44100: 1025}


def methods(settings: Settings) -> dict[str, Method]:
    """Return every row of the table as a function of an item; baselines come first.

    ``classical_profile`` is told that the lead holds noise alone; ``declicked`` repairs clicks
    and does no more; ``oracle_mask`` is told the music and the noise.
    """
    task: DenoiserSettings = settings.systems["denoiser"]
    device = determinism.device(settings.compute.device)
    lead = Excerpt(0.0, task.evaluation.lead_seconds)
    automatic, given = CLASSICAL
    found: dict[str, Method] = {
        NOISY: lambda item: item.noisy,
        DECLICKED: _restoring(Restorer([estimator("classical/declick", device)])),
        automatic: _restoring(Restorer([estimator("classical/full", device)])),
        given: _restoring(Restorer([estimator("classical/full", device, lead)])),
    }
    for name in task.networks:
        state, card = weights.load(weights.trained_path(settings.profile, f"denoiser/{name}"))
        found[name] = _restoring(Restorer([member(state, card, device)]))
    return found | {ORACLE: oracle_mask}


def _restoring(restorer: Restorer) -> Method:
    return lambda item: restorer.restore(item.noisy, item.sample_rate).waveform[0]


def oracle_mask(item: Item) -> np.ndarray:
    """Return what an ideal ratio mask leaves, (T,): the most that a magnitude mask could reach.

    The mask is the music's share of the power of music and noise in every bin, on the frames of
    the published network.
    """
    framing = FRAMINGS[_BINS[item.sample_rate]]
    parts = torch.from_numpy(np.stack((item.clean, item.noise, item.noisy)))
    clean, noise, noisy = framing.analyse(torch.nn.functional.pad(parts, (framing.frame, 0)))
    power, other = clean.abs().square(), noise.abs().square()
    masked = noisy * (power / (power + other).clamp_min(1e-20))
    samples = framing.frame + len(item.clean)
    return framing.synthesise(masked[None], samples)[0, framing.frame :].numpy()


def scores(item: Item, restored: np.ndarray, kept_band_hz: float) -> Iterator[tuple[str, float]]:
    """Yield (metric, value) of one restored item (T,).

    Music without noise has one: the ratio of the music to what was done to it.
    """
    clean, rate = item.clean, item.sample_rate
    if item.condition == CLEAN:
        yield "clean_snr_db", metrics.snr_db(clean, restored)
        return
    for name in ("si_sdr_db", "snr_db", "lsd", "lsd_reference"):
        yield name, metrics.METRICS[name].function(clean, restored)
    yield "kept_band_snr_db", metrics.kept_band_snr_db(clean, restored, rate, kept_band_hz)
    yield "transients_lost", transients_lost(clean, restored, rate)
    yield "leakage_db", leakage_db(clean, restored, item.noisy)
    yield "clicks_per_minute", clicks_per_minute(restored, rate)


def evaluate(settings: Settings) -> None:
    """Score every method on every test track at every ratio; write tables and intervals.

    ``denoiser.csv`` has a row per track, ratio and score, ``-summary.csv`` the means over tracks,
    ``-paired.csv`` the means of paired differences to both classical rows. How long each method
    took goes to the records.
    """
    task: DenoiserSettings = settings.systems["denoiser"]
    determinism.pin(settings.compute)
    tracks = list(corpora.recordings(settings, task.roles, "test", task.corpora))
    if not tracks:
        raise DataError(f"denoiser: no test recording of {', '.join(task.roles)}")
    candidates, noises, rows = methods(settings), held_out_noises(settings), []
    watch = Stopwatch()
    with ThreadPoolExecutor(settings.compute.threads) as pool:
        for recording in tqdm(tracks, desc="evaluate denoiser", disable=None):
            made = items(recording, settings, noises, task.evaluation.snr_db)
            rows += _rows(recording, made, candidates, task, pool, watch)
    rows = with_means(rows)
    resamples, seed = task.evaluation.resamples, settings.seed
    summary = summaries.means(rows, LAYOUT, resamples, seed)
    paired = []
    for baseline in CLASSICAL:
        against = dict.fromkeys(TO_BEAT, baseline)
        paired += summaries.paired(rows, LAYOUT, against, resamples, seed)
    folder = paths.results(settings.profile, "metrics")
    write_csv(folder / "denoiser.csv", rows, COLUMNS)
    write_csv(folder / "denoiser-summary.csv", summary, LAYOUT.mean_columns)
    write_csv(folder / "denoiser-paired.csv", paired, LAYOUT.paired_columns)
    tree = {"best_classical": best_classical(summary), "means": nested(summary)}
    write_json(folder / "denoiser.json", tree)
    write_json(paths.record(settings.profile, "denoiser-speed"), watch.record())


class Stopwatch:
    """Seconds of processor time and of sound, by method."""

    def __init__(self) -> None:
        self._spent, self._heard = defaultdict(float), defaultdict(float)

    def timed(self, name: str, run: Method, item: Item) -> np.ndarray:
        """Run a method and note what it took."""
        started = time.perf_counter()
        result = run(item)
        self._spent[name] += time.perf_counter() - started
        self._heard[name] += len(item.noisy) / item.sample_rate
        return result

    def record(self) -> dict[str, float]:
        """Seconds per second of sound, by method."""
        return {name: round(self._spent[name] / self._heard[name], 5) for name in self._spent}


def _rows(
    recording: Recording,
    made: Iterator[Item],
    candidates: dict[str, Method],
    task: DenoiserSettings,
    pool: ThreadPoolExecutor,
    watch: Stopwatch,
) -> list[dict]:
    """Restore one track's items by every method; score them in threads meanwhile."""
    band, waiting = task.evaluation.kept_band_hz, []
    for item in made:
        for name, run in candidates.items():
            restored = watch.timed(name, run, item)
            told = pool.submit(lambda *given: list(scores(*given)), item, restored, band)
            waiting.append((item.condition, name, told))
        if item.condition != CLEAN:
            rate = clicks_per_minute(item.clean, item.sample_rate)
            waiting.append((item.condition, REFERENCE, [("clicks_per_minute", rate)]))
    place = (recording.role, recording.track, recording.sha256)
    return [
        dict(zip(COLUMNS, (*place, condition, name, metric, value), strict=True))
        for condition, name, told in waiting
        for metric, value in (told if isinstance(told, list) else told.result())
    ]


def versions(settings: Settings) -> Iterator[tuple[str, str, dict[str, np.ndarray], int]]:
    """Yield (track, role, version name -> waveform (T,), sample rate) of the first test tracks.

    All at the ratio that ``stimuli`` names, without the lead.
    """
    task: DenoiserSettings = settings.systems["denoiser"]
    determinism.pin(settings.compute)
    candidates, noises = methods(settings), held_out_noises(settings)
    tracks = corpora.recordings(settings, task.roles, "test", task.corpora)
    lead = round(task.evaluation.lead_seconds * task.sample_rate)
    for recording in itertools.islice(tracks, task.stimuli.tracks):
        item = next(items(recording, settings, noises, [task.stimuli.snr_db]))
        made = {REFERENCE: item.clean} | {name: run(item) for name, run in candidates.items()}
        heard = {name: waveform[lead:] for name, waveform in made.items()}
        yield recording.track, recording.role, heard, task.sample_rate
