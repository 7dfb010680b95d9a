"""Fragments for super-resolution: one HDF5 file per split in the published layout, with an index.

``data`` holds the spline-interpolated low-rate patches, ``label`` the originals, both
(patches, dimension, 1) float32, contiguous and uncompressed, as in the published preparation.
Beside each file an index names every patch's source recording, its SHA-256, the offset, and the
filter before decimation.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import h5py
import numpy as np
from tqdm import tqdm

from shellac import paths
from shellac.config import Settings
from shellac.datasets import corpora
from shellac.datasets.corpora import Recording
from shellac.datasets.signals import mono_at
from shellac.errors import DataError
from shellac.files import atomic_folder, atomic_path, write_csv
from shellac.systems.superres.preparation import degrade, patches
from shellac.systems.superres.settings import ALIASED, SuperResolutionSettings
from shellac.training.checkpoints import key
from shellac.transforms.decimation import EDGE

SPLITS = ("train", "validation")
_SHORT = {"train": "train", "validation": "val"}  # as the published file names have it
INDEX_COLUMNS = ("patch", "role", "file", "sha256", "offset", "low_pass", "edge")
DRAWN_EDGES = (0.6, 0.95)  # of the low rate's Nyquist frequency


def file_name(settings: Settings, task: SuperResolutionSettings, split: str) -> str:
    """``<set>-<split>.<scale>.<sample rate>.<dimension>.<stride>.h5``, the published pattern."""
    numbers = (task.scale, task.sample_rate, task.dimension, task.stride)
    return f"{settings.profile}-{_SHORT[split]}.{'.'.join(map(str, numbers))}.h5"


def pair(
    recording: Recording, task: SuperResolutionSettings, family: str, edge: float = EDGE
) -> tuple[np.ndarray, np.ndarray]:
    """Return (low-rate version after the spline, original), both (T,) at the task's rate.

    The end is cut to a multiple of the scale. Filtering is done on the whole file, before any
    cutting into patches, as published. ``family`` and ``edge`` are the filter's; the family
    ``none`` drops samples without one. Raises :class:`DataError` for a recording of no length.
    """
    label = mono_at(recording, task.sample_rate)
    label = label[: len(label) // task.scale * task.scale]
    if len(label) < 4 * task.scale:
        raise DataError(f"{recording.path}: too short for super-resolution")
    filtered = family != ALIASED
    return degrade(label, task.scale, filtered, family=family, edge=edge), label


def drawn_low_pass(task: SuperResolutionSettings, seed: int, digest: str) -> tuple[str, float]:
    """Return (family, edge) of the filter that a recording with this SHA-256 is trained with.

    A single family keeps the published edge. Of several, one is drawn, and the edge uniformly
    from 0.6 to 0.95 of the low rate's Nyquist frequency: both follow from seed and content
    alone, whatever else there is in the corpus.
    """
    families = task.trained_low_pass
    if len(families) == 1:
        return families[0], EDGE
    rng = np.random.default_rng([seed, int(digest[:16], 16)])
    return families[rng.integers(len(families))], round(float(rng.uniform(*DRAWN_EDGES)), 4)


def training_pair(
    recording: Recording, task: SuperResolutionSettings, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """:func:`pair` under the filter that this recording is trained (or validated) with."""
    return pair(recording, task, *drawn_low_pass(task, seed, recording.sha256))


def build(settings: Settings) -> None:
    """Build the fragments of every split; shards of a killed build are taken up again."""
    task: SuperResolutionSettings = settings.systems["superres"]
    named = {"sample_rate", "scale", "low_pass", "training_low_pass"}
    parameters = {**task.model_dump(include=named), "seed": settings.seed}
    shards = paths.scratch() / f"fragments-superres-{key(**parameters)}"
    shards.mkdir(parents=True, exist_ok=True)
    with atomic_folder(paths.fragments(settings.profile, "superres")) as folder:
        for split in SPLITS:
            found = list(corpora.recordings(settings, task.roles, split, task.corpora))
            target = folder / file_name(settings, task, split)
            ready = list(_with_shards(found, task, shards, settings))
            _assemble(target, ready, task, split, settings.seed)
    for shard in shards.iterdir():
        shard.unlink()
    shards.rmdir()


def _with_shards(
    found: list[Recording], task: SuperResolutionSettings, folder: Path, settings: Settings
) -> Iterator[tuple[Recording, Path]]:
    """Prepare every recording into a (2, T) array on disk; threads, since the work is in C."""

    def prepare(recording: Recording) -> Path:
        path = folder / f"{recording.sha256}.npy"
        if not path.exists():
            with atomic_path(path) as temporary:
                np.save(temporary, np.stack(training_pair(recording, task, settings.seed)))
        return path

    with ThreadPoolExecutor(settings.compute.threads) as pool:
        ready = pool.map(prepare, found)
        bar = tqdm(zip(found, ready, strict=True), total=len(found), desc="fragments", disable=None)
        yield from bar


def _assemble(
    target: Path,
    shards: list[tuple[Recording, Path]],
    task: SuperResolutionSettings,
    split: str,
    seed: int,
) -> None:
    cut = [
        patches(*np.load(path, mmap_mode="r"), task.dimension, task.stride) for _, path in shards
    ]
    total = sum(len(data) for data, _ in cut)
    if not total:
        raise DataError(
            f"super-resolution: no recording of the roles {', '.join(task.roles)} is long enough"
            f" for {split} (at least {task.dimension / task.sample_rate:.2f} s each); add more"
        )
    rows = []
    with h5py.File(target, "w") as file:
        shape = (total, task.dimension, 1)
        stored = [file.create_dataset(name, shape, "float32") for name in ("data", "label")]
        for (recording, _), both in zip(shards, cut, strict=True):
            first, count = len(rows), len(both[0])
            for dataset, part in zip(stored, both, strict=True):
                dataset[first : first + count] = part
            source = (recording.role, recording.file, recording.sha256)
            filtered = drawn_low_pass(task, seed, recording.sha256)
            for number in range(count):
                row = (first + number, *source, number * task.stride, *filtered)
                rows.append(dict(zip(INDEX_COLUMNS, row, strict=True)))
    write_csv(target.with_suffix(".index.csv"), rows, INDEX_COLUMNS)
