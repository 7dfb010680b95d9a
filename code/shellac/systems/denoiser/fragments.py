"""Fragments for the denoiser: clean recordings and noise, one .npy each per split, with an index.

``<split>_clean.npy`` and ``<split>_noise.npy`` hold mono recordings end to end, (samples,) float32
at the task's rate, each divided by its peak as published; the index beside each says where one
lies. Noise is chosen, extended and mixed when a segment is read (:mod:`.mixtures`), so that no
mixture is ever stored. A split for which there is no noise gets synthesised noise.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from shellac import paths
from shellac.config import Settings
from shellac.datasets import corpora
from shellac.datasets.corpora import Recording
from shellac.datasets.mono import mono_at
from shellac.degradations.record_noise import draw_settings, record_noise
from shellac.errors import DataError
from shellac.files import write_csv
from shellac.systems import building
from shellac.systems.building import Job
from shellac.systems.denoiser.mixing import least_samples
from shellac.systems.denoiser.settings import DenoiserSettings
from shellac.transforms.resampling import converted_length

SPLITS = ("train", "validation", "test")
CLEAN, NOISE = "clean", "noise"
INDEX_COLUMNS = ("role", "genre", "label", "file", "sha256", "start", "samples")
_SYNTHESISED, _SYNTHESISED_SECONDS = 8, 10.0  # pieces for a split without noise


def array_path(folder: Path, split: str, kind: str) -> Path:
    """Where the samples of a split lie; ``kind`` is ``clean`` or ``noise``."""
    return folder / f"{split}_{kind}.npy"


def index_path(folder: Path, split: str, kind: str) -> Path:
    """Where the recordings of :func:`array_path` are listed."""
    return folder / f"{split}_{kind}.index.csv"


def build(settings: Settings) -> None:
    """Build the fragments of every split; a killed build goes on where it was.

    Tests use recordings whole, so that there is only noise in the split ``test``.
    """
    task: DenoiserSettings = settings.systems["denoiser"]
    roles = {CLEAN: task.roles, NOISE: ["noise"]}
    found = {
        (split, kind): _usable(settings, kind, roles[kind], split)
        for split in SPLITS
        for kind in roles
        if (split, kind) != ("test", CLEAN)
    }
    decisive = {
        "sample_rate": task.sample_rate,
        "seed": settings.seed,
        "sources": [[*place, *map(asdict, each)] for place, each in found.items()],
    }
    with building.resumed(paths.fragments(settings.profile, "denoiser"), **decisive) as folder:
        for (split, kind), recordings in found.items():
            if recordings:
                _fill(folder, split, kind, recordings, settings)
            elif kind == NOISE:
                _synthesise(folder, split, task.sample_rate, settings.seed)
            else:
                raise DataError(
                    f"denoiser: there is no recording for {split} of the roles that params.yaml"
                    " names (denoiser.roles); add some"
                )


def _usable(settings: Settings, kind: str, roles: list[str], split: str) -> list[Recording]:
    """List the recordings of a split; of noise, those long enough to be repeated."""
    task: DenoiserSettings = settings.systems["denoiser"]
    least = least_samples(task.sample_rate) if kind == NOISE else 1
    found = corpora.recordings(settings, roles, split, task.corpora)
    return [each for each in found if _samples_of(each, task.sample_rate) >= least]


def _samples_of(recording: Recording, sample_rate: int) -> int:
    return converted_length(recording.samples, recording.sample_rate, sample_rate)


def _fill(
    folder: Path, split: str, kind: str, recordings: Sequence[Recording], settings: Settings
) -> None:
    """Write one kind of a split, end to end, then its index."""
    rate = settings.systems["denoiser"].sample_rate
    planned = building.jobs(recordings, lambda each: _samples_of(each, rate))
    total = sum(job.count for job in planned)
    rows = building.npy_rows(array_path(folder, split, kind), (total,))

    def work(job: Job) -> list[float]:
        whole = mono_at(job.recording, rate)
        building.check(job, len(whole))
        rows.write(job.first, [_normalised(whole)])
        return []

    journal = folder / f".{split}-{kind}"
    building.carry_out(planned, work, journal, settings.compute.threads)
    sources = [
        {name: getattr(job.recording, name) for name in INDEX_COLUMNS[:-2]}
        | {"start": job.first, "samples": job.count}
        for job in planned
    ]
    write_csv(index_path(folder, split, kind), sources, INDEX_COLUMNS)


def _normalised(waveform: np.ndarray) -> np.ndarray:
    peak = float(np.abs(waveform).max(initial=0))
    return np.ascontiguousarray(waveform / peak if peak > 0 else waveform, dtype=np.float32)


def _synthesise(folder: Path, split: str, sample_rate: int, seed: int) -> None:
    """Make noise for a split that has none; the three splits get different records."""
    samples = int(_SYNTHESISED_SECONDS * sample_rate)
    whole, sources = np.zeros((_SYNTHESISED, samples), np.float32), []
    for number, row in enumerate(whole):
        rng = np.random.default_rng([seed, SPLITS.index(split), number])
        row[:] = _normalised(record_noise(draw_settings(rng), samples, sample_rate, rng))
        name = f"synthesised-{split}-{number:03d}"
        digest = hashlib.sha256(row.tobytes()).hexdigest()
        source = ("noise", "synthesised", name, name, digest, number * samples, samples)
        sources.append(dict(zip(INDEX_COLUMNS, source, strict=True)))
    np.save(array_path(folder, split, NOISE), whole.reshape(-1))
    write_csv(index_path(folder, split, NOISE), sources, INDEX_COLUMNS)
