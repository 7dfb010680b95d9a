"""Fragments built a recording at a time, straight into their place, and taken up after a kill.

How many fragments a recording gives follows from its length, so that every row of an array has its
place before the first recording is read: the file is laid out, then recordings are prepared in any
order, several at once, each written where it belongs, and noted down as done. Building needs the
memory of the recordings at hand, whatever the size of the corpus, and no disk beyond the result.
"""

import fcntl
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from typing import TypeVar

import numpy as np
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from shellac.datasets.corpora import Recording
from shellac.errors import DataError, OutputError, UsageError
from shellac.files import atomic_path
from shellac.training.checkpoints import key

CLUSTER = "SHELLAC_DASK"
Item, Result = TypeVar("Item"), TypeVar("Result")
_MOST_PIECES = 512  # of one system call; the systems allow 1024


@contextmanager
def resumed(target: Path, **parameters: object) -> Iterator[Path]:
    """Yield a hidden folder beside ``target`` that replaces it on success.

    A build that was killed finds there what it had, if the ``parameters``, which must be all that
    decides the result, and the code are the same; what others left is removed. One process builds
    at a time. Raises :class:`OutputError` where nothing can be written.
    """
    folder = target.with_name(f".{target.name}.{key(**parameters)}.partial")
    try:
        with _alone(target):
            folder.mkdir(exist_ok=True)
            for other in target.parent.glob(f".{target.name}.*.partial"):
                if other != folder:
                    shutil.rmtree(other, ignore_errors=True)
            yield folder
            for note in folder.rglob(".*"):  # journals, and what a kill left
                note.unlink()
            if target.exists():
                shutil.rmtree(target)
            folder.replace(target)
    except OSError as error:
        raise OutputError(f"cannot write {target}: {error.strerror or error}") from error


@contextmanager
def _alone(target: Path) -> Iterator[None]:
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.with_name(f".{target.name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"{target.name}: another process builds this already; waiting", file=sys.stderr)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@dataclass(frozen=True)
class Rows:
    """Rows of float32 that lie one after the other in a file, from ``offset`` on."""

    path: Path
    offset: int
    row_size: int

    def write(self, first: int, pieces: Sequence[np.ndarray]) -> None:
        """Write contiguous float32 arrays, one behind the other, from row ``first`` on."""
        place = self.offset + 4 * self.row_size * first
        file = os.open(self.path, os.O_WRONLY)
        try:
            for start in range(0, len(pieces), _MOST_PIECES):
                part = pieces[start : start + _MOST_PIECES]
                size, written = sum(x.nbytes for x in part), os.pwritev(file, part, place)
                while written < size:  # a signal, or a disk that is about to be full
                    written += os.pwrite(file, b"".join(part)[written:], place + written)
                place += size
        finally:
            os.close(file)


def npy_rows(path: Path, shape: tuple[int, ...]) -> Rows:
    """Lay out a float32 .npy of this shape, or find the one that is there."""
    if not path.exists():
        with atomic_path(path) as temporary, temporary.open("wb") as file:
            header = {"descr": "<f4", "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(file, header)
            file.truncate(file.tell() + 4 * int(np.prod(shape)))
    return Rows(path, path.stat().st_size - 4 * int(np.prod(shape)), int(np.prod(shape[1:])))


@dataclass(frozen=True)
class Job:
    """A recording, how many fragments it gives, and the row of the first."""

    recording: Recording
    count: int
    first: int


def jobs(recordings: Sequence[Recording], count: Callable[[Recording], int]) -> list[Job]:
    """Give every recording its rows, in their order."""
    counts = [count(recording) for recording in recordings]
    firsts = accumulate(counts, initial=0)
    return [Job(*each) for each in zip(recordings, counts, firsts, strict=False)]


def carry_out(
    todo: Sequence[Job],
    work: Callable[[Job], list[float]],
    journal: Path,
    threads: int,
) -> list[list[float]]:
    """Do the work of every job that the journal does not list; return what each job returned.

    As :func:`spread` does it. ``journal`` must lie in a folder of :func:`resumed` and begin with a
    dot.
    """
    noted = _read_journal(journal)
    left = [number for number in range(len(todo)) if number not in noted]
    with journal.open("ab", buffering=0) as notes:

        def note(place: int, result: list[float]) -> None:
            notes.write(json.dumps([left[place], *result]).encode() + b"\n")

        results = spread(work, [todo[number] for number in left], threads, note)
        bar = tqdm(results, "fragments", len(todo), initial=len(noted), disable=None)
        noted.update(zip(left, bar, strict=True))
    return [noted[number] for number in range(len(todo))]


def spread(
    work: Callable[[Item], Result],
    items: Sequence[Item],
    threads: int,
    note: Callable[[int, Result], None] = lambda number, result: None,
) -> Iterator[Result]:
    """Yield what the work makes of every item, in order: in threads, since the work is in C.

    Or by a Dask cluster, whose scheduler's address the environment variable ``SHELLAC_DASK`` has:
    its workers need this package, and see the same files under the same names. What a worker did
    not finish another does again, which must not matter to the result. ``note`` is called in this
    process with (number, result) as soon as an item is done.
    """
    if address := os.environ.get(CLUSTER):
        yield from _spread_over_cluster(work, items, address, note)
        return

    _one_blas_thread()

    def noted(number: int) -> Result:
        result = work(items[number])
        note(number, result)
        return result

    with ThreadPoolExecutor(threads) as pool:
        yield from pool.map(noted, range(len(items)))


def _spread_over_cluster(
    work: Callable[[Item], Result],
    items: Sequence[Item],
    address: str,
    note: Callable[[int, Result], None],
) -> Iterator[Result]:
    try:
        import distributed
    except ImportError as error:
        raise UsageError(f"{CLUSTER} is set, but Dask is not installed") from error
    try:
        client = distributed.Client(address)
    except (OSError, ValueError) as error:
        raise UsageError(f"{CLUSTER}={address}: no Dask scheduler answers there") from error

    def pinned(item: Item) -> Result:
        _one_blas_thread()  # the worker's: nobody knows how it was started
        return work(item)

    with client:
        futures = client.map(pinned, items, pure=False)
        numbers, ready, given = {each.key: i for i, each in enumerate(futures)}, {}, 0
        try:
            for future in distributed.as_completed(futures):
                number = numbers[future.key]
                ready[number] = future.result()
                note(number, ready[number])
                while given in ready:
                    yield ready.pop(given)
                    given += 1
        except distributed.KilledWorker as error:
            raise DataError(f"workers of the cluster died again and again: {error}") from error


@lru_cache(maxsize=1)
def _one_blas_thread() -> None:
    """Let NumPy's products be the same to the last bit whatever cores a process has.

    For good: items that are done at a time share the setting.
    """
    threadpool_limits(1, "blas")


def _read_journal(path: Path) -> dict[int, list[float]]:
    noted = {}
    for line in path.read_text().splitlines() if path.exists() else []:
        with suppress(ValueError):  # a line that a kill cut
            number, *result = json.loads(line)
            noted[number] = result
    return noted


def check(job: Job, count: int) -> None:
    """Raise :class:`DataError` if a recording gives another number of fragments than planned."""
    if count != job.count:
        raise DataError(
            f"{job.recording.path}: is not as long as its index says; run shellac download again"
        )
