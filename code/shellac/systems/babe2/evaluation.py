"""Evaluation on held-out recordings under filters that are known.

Every test track gives its loudest segment; it is coloured by a filter drawn from the family, noise
is added, and four versions are scored: what was heard, the equaliser that matches average spectra
alone, the restoration under the true filter, and the blind one.
"""

import itertools
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from shellac import metrics, paths, weights
from shellac.config import Settings
from shellac.datasets import corpora
from shellac.datasets.corpora import Recording
from shellac.errors import DataError
from shellac.files import write_csv, write_json
from shellac.systems import summaries
from shellac.systems.babe2 import scores
from shellac.systems.babe2.filters import Filter, respond
from shellac.systems.babe2.fragments import mono_at
from shellac.systems.babe2.prior import Prior, Sampling
from shellac.systems.babe2.remaking import Remaking
from shellac.systems.babe2.restoration import prior_of
from shellac.systems.babe2.settings import Babe2Settings
from shellac.systems.babe2.summaries import LAYOUT, TO_BEAT, nested
from shellac.training import determinism

INPUT, MATCHED, INFORMED, BLIND = "input", "ltas", "informed", "blind"
COLUMNS = ("role", "track", "network", "method", "metric", "value")
FRECHET_COLUMNS = ("network", "method", "embedding", "mean", "low", "high", "tracks")
CURVE_COLUMNS = ("network", "track", "hz", "true_db", "ltas_db", "blind_db")
_CURVE_POINTS = 96


@dataclass(frozen=True)
class Judged:
    """One track's segment in all versions, (T,) each at one level, and the responses in dB."""

    versions: dict[str, np.ndarray]
    hz: np.ndarray
    true_db: np.ndarray
    found_db: dict[str, np.ndarray]


def draw_filter(task: Babe2Settings, rng: np.random.Generator) -> Filter:
    """Draw a filter: it falls above one corner, less steeply below another, with walls outside."""
    chosen, top = task.evaluation, task.sample_rate / 2
    corner = float(np.exp(rng.uniform(*np.log(chosen.corner_hz))))
    corner = min(corner, 0.6 * top)
    return Filter.of(
        {
            "fref": min(800.0, 0.8 * corner),
            "fc_p": [corner, 0.95 * top],
            "fc_m": [float(rng.uniform(150, 350)), 40.0],
            "A_p": [0.0, -float(rng.uniform(*chosen.slope_db)), -80.0],
            "A_m": [0.0, float(rng.uniform(*chosen.slope_db)) / 2, 80.0],
        }
    )


def loudest_segment(waveform: np.ndarray, samples: int) -> np.ndarray:
    """Return the segment (samples,) with the most energy, of those half a segment apart."""
    padded = np.pad(waveform, (0, max(0, samples - len(waveform))))
    starts = range(0, len(padded) - samples + 1, max(1, samples // 2))
    best = max(starts, key=lambda start: float(np.square(padded[start : start + samples]).sum()))
    return padded[best : best + samples]


def judged(
    recording: Recording, settings: Settings, prior: Prior, sampling: Sampling
) -> Judged | None:
    """Degrade and restore the loudest segment of a recording; None where it is silent."""
    task: Babe2Settings = settings.systems["babe2"]
    clean = loudest_segment(mono_at(recording, task.sample_rate), task.samples)
    if np.std(clean) < 1e-6:
        return None
    rng = np.random.default_rng([settings.seed, int(recording.sha256[:16], 16)])
    truth, grid = draw_filter(task, rng), prior.grid(sampling)
    response = respond(truth, grid)
    whole = torch.from_numpy(np.ascontiguousarray(clean))[None]
    dull = grid.apply(response.tensor(whole), whole)[0].numpy()
    noise = rng.standard_normal(len(dull)) * np.std(dull) * 10 ** (-task.evaluation.noise_db / 20)
    heard = (dull + noise).astype(np.float32)
    with tempfile.TemporaryDirectory() as folder:
        blind = _remaking(prior, sampling, heard, Path(folder) / BLIND, settings.seed)
        informed = _remaking(prior, sampling, heard, Path(folder) / INFORMED, settings.seed, truth)
        made = {
            INPUT: heard,
            MATCHED: np.array(blind.equalised[0]),
            INFORMED: np.array(informed.read(0, len(heard))[0]),
            BLIND: np.array(blind.read(0, len(heard))[0]),
        }
        hz, total = blind.colour().gain_db(prior, sampling)
        matching = replace(blind.colour(), shape=_flat(truth)).gain_db(prior, sampling)[1]
    versions = {name: scores.levelled(clean, x).astype(np.float32) for name, x in made.items()}
    found = {INPUT: np.zeros_like(hz), MATCHED: matching, BLIND: total}
    return Judged({"reference": clean, **versions}, hz, response.gain_db, found)


def _remaking(
    prior: Prior,
    sampling: Sampling,
    heard: np.ndarray,
    folder: Path,
    seed: int,
    known: Filter | None = None,
) -> Remaking:
    return Remaking(prior, sampling, heard[None], folder, seed, known=known)


def _flat(shape: Filter) -> Filter:
    parts = {name: part.copy() for name, part in shape.parts().items()}
    parts["A_p"][:] = parts["A_m"][:] = 0.0
    return Filter.of(parts)


def track_scores(found: Judged, sample_rate: int) -> Iterator[tuple[str, str, float]]:
    """Yield (method, metric, value) of one track."""
    clean = found.versions["reference"]
    for method, gain in found.found_db.items():
        yield method, "filter_error_db", scores.filter_error_db(found.hz, gain, found.true_db)
    for method, x in found.versions.items():
        if method == "reference":
            continue
        yield method, "lsd", metrics.lsd(clean, x)
        for band, value in scores.band_errors_db(clean, x, sample_rate).items():
            yield method, f"band_error_{band}_db", value
        yield method, "onset_correlation", scores.onset_correlation(clean, x)
        yield method, "chroma_similarity", scores.chroma_similarity(clean, x, sample_rate)


def load_prior(settings: Settings, name: str) -> tuple[Prior, Sampling]:
    """Load a trained prior and how evaluation samples from it."""
    task: Babe2Settings = settings.systems["babe2"]
    state, card = weights.load(weights.trained_path(settings.profile, f"babe2/{name}"))
    prior = prior_of(state, card, determinism.device(settings.compute.device))
    sampling = Sampling.from_card(card.extra["sampling"])
    return prior, replace(sampling, steps=task.evaluation.steps)


def _judged_tracks(settings: Settings, name: str, count: int) -> Iterator[tuple[Recording, Judged]]:
    task: Babe2Settings = settings.systems["babe2"]
    prior, sampling = load_prior(settings, name)
    tracks = itertools.islice(corpora.recordings(settings, task.roles, "test", task.corpora), count)
    for recording in tracks:
        found = judged(recording, settings, prior, sampling)
        if found is not None:
            yield recording, found


def evaluate(settings: Settings) -> None:
    """Score every prior on the test tracks.

    ``babe2.csv`` has a row per track and score, ``-summary.csv`` means over tracks, ``-paired.csv``
    differences to the equaliser alone, ``-frechet.csv`` distances of sets, ``-filters.csv`` the
    true and the estimated responses.
    """
    task: Babe2Settings = settings.systems["babe2"]
    determinism.pin(settings.compute)
    rows, curves, frechet = [], [], []
    for name in task.networks:
        sets: dict[str, list[np.ndarray]] = {}
        tracks = _judged_tracks(settings, name, task.evaluation.tracks)
        for recording, found in tqdm(tracks, desc=f"evaluate babe2/{name}", disable=None):
            place = (recording.role, recording.track, name)
            rows += [
                dict(zip(COLUMNS, (*place, *row), strict=True))
                for row in track_scores(found, task.sample_rate)
            ]
            curves += list(_curves(name, recording.track, found))
            for method, x in found.versions.items():
                sets.setdefault(method, []).append(scores.embedding(x, task.sample_rate))
        frechet += list(_frechet(name, sets, task.evaluation.resamples, settings.seed))
    if not rows:
        raise DataError(f"babe2: no test recording of {', '.join(task.roles)} that is not silent")
    folder = paths.results(settings.profile, "metrics")
    resamples, seed = task.evaluation.resamples, settings.seed
    summary = summaries.means(rows, LAYOUT, resamples, seed)
    paired = summaries.paired(rows, LAYOUT, TO_BEAT, resamples, seed)
    write_csv(folder / "babe2.csv", rows, COLUMNS)
    write_csv(folder / "babe2-summary.csv", summary, LAYOUT.mean_columns)
    write_csv(folder / "babe2-paired.csv", paired, LAYOUT.paired_columns)
    write_csv(folder / "babe2-frechet.csv", frechet, FRECHET_COLUMNS)
    write_csv(folder / "babe2-filters.csv", curves, CURVE_COLUMNS)
    write_json(folder / "babe2.json", nested(summary))


def _curves(name: str, track: str, found: Judged) -> Iterator[dict[str, object]]:
    places = np.geomspace(40.0, found.hz[-1], _CURVE_POINTS)
    drawn = [np.interp(places, found.hz, gain) for gain in
             (found.true_db, found.found_db[MATCHED], found.found_db[BLIND])]  # fmt: skip
    level = drawn[0].max()
    # responses are known up to a level: all are drawn with the true one's mean
    drawn = [gain - gain.mean() + drawn[0].mean() - level for gain in drawn]
    for row in zip(places, *drawn, strict=True):
        numbers = (round(float(value), 4) for value in row)
        yield dict(zip(CURVE_COLUMNS, (name, track, *numbers), strict=True))


def _frechet(
    name: str, sets: dict[str, list[np.ndarray]], resamples: int, seed: int
) -> Iterator[dict[str, object]]:
    """Yield the distance of every method's set to the references', with a bootstrap interval.

    Tracks are drawn anew with replacement, the same ones of a method and of the references.
    """
    references = sets.get("reference", [])
    for method, found in sets.items():
        if method == "reference":
            continue
        rng = np.random.default_rng(seed)
        draws = [rng.integers(len(found), size=len(found)) for _ in range(min(resamples, 200))]
        values = [
            scores.frechet_distance(*(np.concatenate([x[i] for i in draw])
                                      for x in (found, references)))
            for draw in draws
        ]  # fmt: skip
        mean = scores.frechet_distance(np.concatenate(found), np.concatenate(references))
        low, high = np.quantile(values, (0.025, 0.975))
        row = (name, method, scores.EMBEDDING, mean, float(low), float(high), len(found))
        yield dict(zip(FRECHET_COLUMNS, row, strict=True))


def versions(settings: Settings) -> Iterator[tuple[str, str, dict[str, np.ndarray], int]]:
    """Yield (track, role, version name -> waveform (T,), sample rate) of the first test tracks.

    The first prior of the settings restores.
    """
    task: Babe2Settings = settings.systems["babe2"]
    determinism.pin(settings.compute)
    name = next(iter(task.networks))
    for recording, found in _judged_tracks(settings, name, task.stimuli.tracks):
        yield recording.track, recording.role, found.versions, task.sample_rate
