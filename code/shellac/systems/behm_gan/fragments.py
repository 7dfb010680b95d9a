"""Fragments for bandwidth extension: one HDF5 file of clean segments per split, with an index.

``clean`` holds segments (S, T) float32 at the task's rate, those of one recording adjacent and in
order, contiguous and uncompressed. Low-pass, level and noise are drawn when segments are read.
"""

from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np

from shellac import paths
from shellac.config import Settings
from shellac.datasets import corpora
from shellac.datasets.corpora import Recording
from shellac.datasets.signals import mono_at
from shellac.errors import DataError
from shellac.files import atomic_folder, write_csv
from shellac.systems import shards
from shellac.systems.behm_gan.settings import BehmGanSettings
from shellac.systems.shards import Shard

SPLITS = ("train", "validation")
INDEX_COLUMNS = ("segment", "role", "genre", "label", "file", "sha256", "offset")


def segments_path(folder: Path, split: str) -> Path:
    """Where the segments of a split lie."""
    return folder / f"{split}.h5"


def index_path(folder: Path, split: str) -> Path:
    """Where the sources of a split's segments are listed."""
    return folder / f"{split}.index.csv"


def build(settings: Settings) -> None:
    """Build the fragments of every split; shards of a killed build are taken up again."""
    task: BehmGanSettings = settings.systems["behm_gan"]

    def make(recording: Recording) -> np.ndarray:
        return mono_at(recording, task.sample_rate)

    with (
        shards.folder("behm_gan", sample_rate=task.sample_rate) as scratch,
        atomic_folder(paths.fragments(settings.profile, "behm_gan")) as folder,
    ):
        for split in SPLITS:
            found = list(corpora.recordings(settings, task.roles, split, task.corpora))
            ready = shards.prepare(found, make, scratch, settings.compute.threads)
            _assemble(folder, ready, task, split)


def _assemble(folder: Path, ready: list[Shard], task: BehmGanSettings, split: str) -> None:
    """Write one split's segments and their index, a recording at a time."""
    counts = [shard.shape[0] // task.segment for shard in ready]
    if not sum(counts):
        raise DataError(
            f"behm_gan: no recording of the roles {', '.join(task.roles)} is long enough for"
            f" {split} (at least {task.segment_seconds:g} s each); add more"
        )
    with h5py.File(segments_path(folder, split), "w") as file:
        stored = file.create_dataset("clean", (sum(counts), task.segment), "float32")
        first = 0
        for shard, count in zip(ready, counts, strict=True):
            whole = shard.load()[: count * task.segment]
            stored[first : first + count] = whole.reshape(count, task.segment)
            first += count
    write_csv(index_path(folder, split), _index_rows(ready, counts, task), INDEX_COLUMNS)


def _index_rows(
    ready: list[Shard], counts: list[int], task: BehmGanSettings
) -> Iterator[dict[str, object]]:
    first = 0
    for shard, count in zip(ready, counts, strict=True):
        found = shard.recording
        source = (found.role, found.genre, found.label, found.file, found.sha256)
        for number in range(count):
            row = (first + number, *source, number * task.segment)
            yield dict(zip(INDEX_COLUMNS, row, strict=True))
        first += count
