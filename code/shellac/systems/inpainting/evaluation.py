"""Evaluation on held-out recordings: what is damaged, the baselines, and every trained network.

Segments of spectrograms are scored as published and with their intact frames put back; gaps cut
into waveforms are scored inside the gaps, after synthesis.
"""

import itertools
import time
from collections import defaultdict
from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from shellac import networks, paths, weights
from shellac.config import Settings
from shellac.datasets import corpora
from shellac.datasets.corpora import Recording
from shellac.datasets.mono import mono_at
from shellac.degradations import draws
from shellac.degradations.gaps import Interval, cut_gaps, draw_gaps
from shellac.errors import DataError
from shellac.files import atomic_path, write_csv, write_json
from shellac.metrics import gap_lsd, gap_snr_db
from shellac.systems import summaries
from shellac.systems.inpainting import (
    fragments,
    preparation,
    representation,
    segment_metrics,
)
from shellac.systems.inpainting.baselines import BASELINES
from shellac.systems.inpainting.correction import corrector
from shellac.systems.inpainting.filling import Correction, Method, fill, interpolations
from shellac.systems.inpainting.network import fuse
from shellac.systems.inpainting.preparation import Conversion
from shellac.systems.inpainting.segments import normalisation
from shellac.systems.inpainting.settings import InpaintingSettings
from shellac.systems.inpainting.summaries import (
    AUTOREGRESSIVE,
    HIGHER_IS_BETTER,
    LAYOUT,
    PUBLISHED,
    SEGMENT,
    TWO_ORDERS,
    gap_unit,
    nested,
)
from shellac.systems.inpainting.summaries import BASELINES as TO_BEAT
from shellac.training import determinism

Candidates = dict[str, Method | Correction]  # rows of the table by name
DAMAGED = "damaged"
EXAMPLES = 3  # segments kept to be looked at
COLUMNS = ("genre", "track", "unit", "method", "metric", "value")


def methods(settings: Settings) -> Candidates:
    """Return every row of the table: functions of damaged segments, baselines first.

    What corrects autoregression works on waveforms, and has no score on segments.
    """
    task: InpaintingSettings = settings.systems["inpainting"]
    device = determinism.device(settings.compute.device)
    found: Candidates = {name: _baseline(run) for name, run in BASELINES.items()}
    for name in task.networks:
        path = weights.trained_path(settings.profile, f"inpainting/{name}")
        found[name] = _network(*weights.load(path), device)
    return found


def _baseline(run: Callable[[Tensor, Tensor], Tensor]) -> Method:
    return lambda damaged, lost: run(damaged[:, 0], lost)[:, None]


def _network(
    state: dict[str, Tensor], card: weights.Card, device: torch.device
) -> Method | Correction:
    network = networks.build(card.network, **card.settings)
    weights.fill(network, state, card.network)
    network = fuse(network).to(device)
    conversion = Conversion.from_card(card.extra)
    if conversion.corrects:
        return corrector(network, conversion, device)
    return lambda damaged, lost: preparation.restored(network, conversion, damaged, lost, device)


def _of_segments(candidates: Candidates) -> dict[str, Method]:
    return {name: run for name, run in candidates.items() if not isinstance(run, Correction)}


def held_out_segments(
    recording: Recording, task: InpaintingSettings, seed: int
) -> tuple[Tensor, Tensor]:
    """Return (whole segments (S, 1, N, F), lost (S, N)) of a recording, the same at every call."""
    waveform = mono_at(recording, task.sample_rate)
    whole = fragments.segments(waveform, representation.get(task.representation))
    places = range(len(whole))
    drawn = [fragments.draw_mask(task, seed, recording.sha256, place) for place in places]
    frames = whole.shape[2]
    return whole, torch.from_numpy(np.array(drawn, dtype=bool).reshape(-1, frames))


def put_back(restored: Tensor, whole: Tensor, lost: Tensor) -> Tensor:
    """Return ``restored`` (S, 1, N, F) with the frames that were not ``lost`` as they were."""
    return torch.where(lost[:, None, :, None], restored, whole)


def evaluate(settings: Settings) -> None:
    """Score every method on every test track; write tables, intervals and ranks.

    ``inpainting.csv`` has a row per track and score, ``-summary.csv`` the means over tracks,
    ``-paired.csv`` the means of paired differences to a baseline, ``-ranks.csv`` the order that
    intervals bear out. How long each method took goes to the records.
    """
    task: InpaintingSettings = settings.systems["inpainting"]
    determinism.pin(settings.compute)
    tracks = list(corpora.recordings(settings, task.roles, "test", task.corpora))
    if not tracks:
        raise DataError(f"inpainting: no test recording of {', '.join(task.roles)}")
    candidates, rows = methods(settings), []
    scale = sum(normalisation(paths.fragments(settings.profile, "inpainting")))
    watch = Stopwatch()
    for number, recording in enumerate(tqdm(tracks, desc="evaluate inpainting", disable=None)):
        found = segment_scores(recording, settings, candidates, scale, watch)
        if number < task.evaluation.waveform.tracks:
            found = itertools.chain(found, waveform_scores(recording, settings, candidates))
        place = (recording.genre, recording.track)
        rows += [dict(zip(COLUMNS, (*place, *row), strict=True)) for row in found]
    if not rows:
        raise DataError("inpainting: every test recording is shorter than a segment")
    folder = paths.results(settings.profile, "metrics")
    resamples, seed = task.evaluation.resamples, settings.seed
    summary = summaries.means(rows, LAYOUT, resamples, seed)
    paired = [
        row for each in TO_BEAT for row in summaries.paired(rows, LAYOUT, each, resamples, seed)
    ]
    ranks = summaries.ranks(rows, LAYOUT, HIGHER_IS_BETTER, resamples, seed)
    write_csv(folder / "inpainting.csv", rows, COLUMNS)
    write_csv(folder / "inpainting-summary.csv", summary, LAYOUT.mean_columns)
    write_csv(folder / "inpainting-paired.csv", paired, LAYOUT.paired_columns)
    write_csv(folder / "inpainting-ranks.csv", ranks, LAYOUT.rank_columns)
    write_json(folder / "inpainting.json", nested(summary))
    shown = examples(tracks, settings, candidates)
    with atomic_path(folder / "inpainting-segments.npz") as temporary:
        np.savez(temporary, **shown)
    write_json(paths.record(settings.profile, "inpainting-speed"), watch.record())


def examples(
    tracks: list[Recording], settings: Settings, candidates: Candidates
) -> dict[str, np.ndarray]:
    """Return the loudest segments of the first track that has any, in every version.

    ``reference`` and each method (S, N, F), intact frames put back, and ``lost`` (S, N).
    """
    task: InpaintingSettings = settings.systems["inpainting"]
    cut = (held_out_segments(recording, task, settings.seed) for recording in tracks)
    whole, lost = next(each for each in cut if len(each[0]))
    loudest = whole.square().sum((1, 2, 3)).argsort(descending=True, stable=True)[:EXAMPLES]
    whole, lost = whole[loudest], lost[loudest]
    damaged = whole * ~lost[:, None, :, None]
    chosen = _of_segments(candidates)
    made = {name: put_back(run(damaged, lost), whole, lost) for name, run in chosen.items()}
    shown = {name: x[:, 0].numpy() for name, x in {"reference": whole, **made}.items()}
    return {**shown, "lost": lost.numpy()}


class Stopwatch:
    """Seconds that methods took, over how many segments."""

    def __init__(self) -> None:
        self._seconds, self._segments = defaultdict(float), defaultdict(int)

    def timed(self, name: str, run: Method, damaged: Tensor, lost: Tensor) -> Tensor:
        """Run a method and note what it took."""
        started = time.perf_counter()
        result = run(damaged, lost)
        self._seconds[name] += time.perf_counter() - started
        self._segments[name] += len(damaged)
        return result

    def record(self) -> dict[str, float]:
        """Milliseconds per segment by method."""
        return {
            name: round(1000 * seconds / self._segments[name], 4)
            for name, seconds in self._seconds.items()
        }


def segment_scores(
    recording: Recording,
    settings: Settings,
    candidates: Candidates,
    scale: float,
    watch: Stopwatch,
) -> Iterator[tuple[str, str, str, float]]:
    """Yield (unit, method, metric, value) of one track's segments; none of a track without any.

    ``published``: the segments as a method gives them; ``segment``: what was not lost put back.
    """
    task: InpaintingSettings = settings.systems["inpainting"]
    whole, lost = held_out_segments(recording, task, settings.seed)
    if not len(whole):
        return
    damaged = whole * ~lost[:, None, :, None]
    for method, run in _of_segments(candidates).items():
        restored = watch.timed(method, run, damaged, lost)
        units = {SEGMENT: put_back(restored, whole, lost), PUBLISHED: restored}
        for unit, heard in units.items():
            for metric, value in segment_metrics.scores(whole, heard, damaged, scale).items():
                yield unit, method, metric, value


def cut_waveform(
    recording: Recording, settings: Settings, gap_ms: float
) -> tuple[np.ndarray, list[Interval]]:
    """Return the beginning of a recording (T,) and the gaps to be cut into it.

    All gaps last ``gap_ms``; where they lie follows from seed, recording and duration.
    """
    task: InpaintingSettings = settings.systems["inpainting"]
    chosen = task.evaluation.waveform
    waveform = mono_at(recording, task.sample_rate)
    waveform = waveform[: int(chosen.seconds * task.sample_rate)]
    rng = draws.generator(settings.seed, recording.sha256, round(1000 * gap_ms))
    length = (gap_ms, gap_ms)
    return waveform, draw_gaps(len(waveform), task.sample_rate, rng, length, chosen.per_second)


def filled(
    waveform: np.ndarray,
    gaps: list[Interval],
    task: InpaintingSettings,
    candidates: Candidates,
) -> Iterator[tuple[str, np.ndarray]]:
    """Yield (method, waveform (T,) with its gaps filled); ``damaged`` leaves them silent."""
    cut, rate = cut_gaps(waveform, gaps)[None], task.sample_rate
    form, iterations = representation.get(task.representation), task.evaluation.waveform.iterations
    one, interpolated = interpolations(cut, rate, gaps)  # once for all: methods go on from it
    yield DAMAGED, cut[0]
    yield AUTOREGRESSIVE, one[0]
    yield TWO_ORDERS, fill(cut, rate, gaps, None, form, interpolated=interpolated)[0]
    for name, run in candidates.items():
        if name != DAMAGED:
            yield name, fill(cut, rate, gaps, run, form, iterations, interpolated)[0]


def waveform_scores(
    recording: Recording, settings: Settings, candidates: Candidates
) -> Iterator[tuple[str, str, str, float]]:
    """Yield (unit, method, metric, value) inside gaps of every tested duration."""
    task: InpaintingSettings = settings.systems["inpainting"]
    for gap_ms in task.evaluation.waveform.gap_ms:
        waveform, gaps = cut_waveform(recording, settings, gap_ms)
        if not gaps:
            return
        for name, heard in filled(waveform, gaps, task, candidates):
            yield gap_unit(gap_ms), name, "gap_snr_db", gap_snr_db(waveform, heard, gaps)
            yield gap_unit(gap_ms), name, "gap_lsd", gap_lsd(waveform, heard, gaps)


def versions(settings: Settings) -> Iterator[tuple[str, str, dict[str, np.ndarray], int]]:
    """Yield (track, role, version name -> waveform (T,), sample rate) of the first test tracks.

    The gaps are the longest of those that are tested.
    """
    task: InpaintingSettings = settings.systems["inpainting"]
    determinism.pin(settings.compute)
    candidates = methods(settings)
    tracks = corpora.recordings(settings, task.roles, "test", task.corpora)
    for recording in itertools.islice(tracks, task.stimuli.tracks):
        longest = max(task.evaluation.waveform.gap_ms)
        waveform, gaps = cut_waveform(recording, settings, longest)
        made = dict(filled(waveform, gaps, task, candidates))
        yield recording.track, recording.role, {"reference": waveform, **made}, task.sample_rate
