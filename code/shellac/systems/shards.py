"""Recordings made into arrays one by one, on disk, where a killed build finds them again.

Fragments of a corpus of any size need the memory of a few recordings: each is prepared by itself
into a shard, and shards are read back one after the other. They lie in a scratch folder that is
named after everything that decides what they hold.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from shellac import paths
from shellac.datasets.corpora import Recording
from shellac.files import atomic_path
from shellac.training.checkpoints import key


@dataclass(frozen=True)
class Shard:
    """What was made of one recording; ``shape`` is known without reading it."""

    recording: Recording
    path: Path
    shape: tuple[int, ...]

    def load(self) -> np.ndarray:
        """Return the array, mapped from disk; it is closed when nobody refers to it."""
        return np.load(self.path, mmap_mode="r")


@contextmanager
def folder(system: str, **parameters: object) -> Iterator[Path]:
    """Yield the scratch folder for shards of a system; it is removed on success, else kept.

    ``parameters`` are all settings that decide what a shard holds beside its recording.
    """
    found = paths.scratch() / f"fragments-{system}-{key(**parameters)}"
    found.mkdir(parents=True, exist_ok=True)
    yield found
    for path in found.iterdir():
        path.unlink()
    found.rmdir()


def prepare(
    recordings: Sequence[Recording],
    make: Callable[[Recording], np.ndarray],
    scratch: Path,
    threads: int,
) -> list[Shard]:
    """Make the shard of every recording that has none in ``scratch``; threads, since the work is in C."""

    def prepared(recording: Recording) -> Shard:
        path = scratch / f"{recording.sha256}.npy"
        if not path.exists():
            with atomic_path(path) as temporary:
                np.save(temporary, make(recording))
        # a map of every shard at once would need as many open files
        return Shard(recording, path, np.load(path, mmap_mode="r").shape)

    with ThreadPoolExecutor(threads) as pool:
        ready = pool.map(prepared, recordings)
        return list(tqdm(ready, total=len(recordings), desc="fragments", disable=None))


@contextmanager
def npy_writer(path: Path, shape: tuple[int, ...]) -> Iterator[Callable[[np.ndarray], None]]:
    """Write a float32 .npy of this shape in order; yields what appends rows.

    A file that is written, unlike one that is mapped, does not stay in memory.
    """
    with path.open("wb") as file:
        header = {"descr": "<f4", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)
        yield lambda rows: file.write(np.ascontiguousarray(rows, "<f4").data)
