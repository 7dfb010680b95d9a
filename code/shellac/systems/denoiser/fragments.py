"""Fragments for the denoiser: clean recordings and noise, one .npy each per split, with an index.

``<split>_clean.npy`` and ``<split>_noise.npy`` hold mono recordings end to end, (samples,) float32
at the task's rate, each divided by its peak as published; the index beside each says where one
lies. Noise is chosen, extended and mixed when a segment is read (:mod:`.mixtures`), so that no
mixture is ever stored. A split for which there is no noise gets synthesised noise.
"""

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.lib.format import open_memmap
from tqdm import tqdm

from shellac import paths
from shellac.config import Settings
from shellac.datasets import corpora
from shellac.datasets.corpora import Recording
from shellac.datasets.mono import mono_at
from shellac.degradations.record_noise import draw_settings, record_noise
from shellac.errors import DataError
from shellac.files import atomic_folder, atomic_path, write_csv
from shellac.systems.denoiser.mixing import least_samples
from shellac.systems.denoiser.settings import DenoiserSettings
from shellac.training.checkpoints import key

SPLITS = ("train", "validation", "test")
CLEAN, NOISE = "clean", "noise"
INDEX_COLUMNS = ("role", "genre", "label", "file", "sha256", "start", "samples")
_SYNTHESISED, _SYNTHESISED_SECONDS = 8, 10.0  # pieces for a split without noise


@dataclass(frozen=True)
class Source:
    """One recording of an index; a synthesised noise is named by what it was drawn from."""

    role: str
    genre: str
    label: str
    file: str
    sha256: str


def array_path(folder: Path, split: str, kind: str) -> Path:
    """Where the samples of a split lie; ``kind`` is ``clean`` or ``noise``."""
    return folder / f"{split}_{kind}.npy"


def index_path(folder: Path, split: str, kind: str) -> Path:
    """Where the recordings of :func:`array_path` are listed."""
    return folder / f"{split}_{kind}.index.csv"


def build(settings: Settings) -> None:
    """Build the fragments of every split; recordings that a killed build prepared are kept.

    Tests use recordings whole, so that there is only noise in the split ``test``.
    """
    task: DenoiserSettings = settings.systems["denoiser"]
    shards = paths.scratch() / f"fragments-denoiser-{key(sample_rate=task.sample_rate)}"
    shards.mkdir(parents=True, exist_ok=True)
    with atomic_folder(paths.fragments(settings.profile, "denoiser")) as folder:
        for split in SPLITS:
            if split != "test":
                clean = list(corpora.recordings(settings, task.roles, split, task.corpora))
                ready = list(_with_shards(clean, task, shards, settings.compute.threads))
                _assemble(folder, split, CLEAN, ready)
            noise = list(corpora.recordings(settings, ["noise"], split, task.corpora))
            ready = list(_with_shards(noise, task, shards, settings.compute.threads))
            usable = [each for each in ready if _lasts(each[1], task.sample_rate)]
            if not usable:
                usable = _synthesised(split, task.sample_rate, settings.seed, shards)
            _assemble(folder, split, NOISE, usable)
    for shard in shards.iterdir():
        shard.unlink()
    shards.rmdir()


def _lasts(shard: Path, sample_rate: int) -> bool:
    """Whether a noise can be repeated: by whole revolutions of a disc, or is heard at all."""
    samples = np.load(shard, mmap_mode="r")
    return len(samples) >= least_samples(sample_rate) and bool(samples.any())


def _with_shards(
    found: list[Recording], task: DenoiserSettings, folder: Path, threads: int
) -> Iterator[tuple[Source, Path]]:
    """Bring every recording to the task's rate, in an array on disk; the work is in C."""

    def prepare(recording: Recording) -> Path:
        path = folder / f"{recording.sha256}.npy"
        if not path.exists():
            with atomic_path(path) as temporary:
                np.save(temporary, _normalised(mono_at(recording, task.sample_rate)))
        return path

    with ThreadPoolExecutor(threads) as pool:
        ready = pool.map(prepare, found)
        bar = tqdm(zip(found, ready, strict=True), total=len(found), desc="fragments", disable=None)
        for recording, path in bar:
            named = (recording.role, recording.genre, recording.label, recording.file)
            yield Source(*named, recording.sha256), path


def _normalised(waveform: np.ndarray) -> np.ndarray:
    peak = float(np.abs(waveform).max(initial=0))
    return (waveform / peak if peak > 0 else waveform).astype(np.float32)


def _synthesised(
    split: str, sample_rate: int, seed: int, folder: Path
) -> list[tuple[Source, Path]]:
    """Make noise for a split that has none; the three splits get different records."""
    made = []
    for number in range(_SYNTHESISED):
        rng = np.random.default_rng([seed, SPLITS.index(split), number])
        samples = int(_SYNTHESISED_SECONDS * sample_rate)
        noise = _normalised(record_noise(draw_settings(rng), samples, sample_rate, rng))
        name = f"synthesised-{split}-{number:03d}"
        path = folder / f"{name}.npy"
        with atomic_path(path) as temporary:
            np.save(temporary, noise)
        digest = hashlib.sha256(noise.tobytes()).hexdigest()
        made.append((Source("noise", "synthesised", name, name, digest), path))
    return made


def _assemble(folder: Path, split: str, kind: str, shards: list[tuple[Source, Path]]) -> None:
    """Write one kind of a split: samples end to end, and the index."""
    parts = [np.load(path, mmap_mode="r") for _, path in shards]
    total = sum(map(len, parts))
    if not total:
        raise DataError(
            f"denoiser: there is no recording for {split} of the roles that params.yaml names"
            " (denoiser.roles); add some"
        )
    kept = open_memmap(array_path(folder, split, kind), "w+", np.float32, (total,))
    rows, start = [], 0
    for (source, _), part in zip(shards, parts, strict=True):
        kept[start : start + len(part)] = part
        rows.append(vars(source) | {"start": start, "samples": len(part)})
        start += len(part)
    kept.flush()
    write_csv(index_path(folder, split, kind), rows, INDEX_COLUMNS)
