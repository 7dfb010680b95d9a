"""Scratch checkpoints of unfinished trainings: keyed by what determines them, one owner at a time.

A pipeline runner that is killed leaves its training process behind as an orphan; the next run
must neither fight it for the checkpoint nor start afresh. The folder is therefore locked: who
comes second waits, then takes up what the first one left.
"""

import fcntl
import hashlib
import json
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO, Any

import torch

from shellac.errors import OutputError, one_line
from shellac.files import atomic_path

_CHECKPOINT, _LOCK = "checkpoint.pt", "lock"


@cache
def code_version() -> str:
    """Hash of this package's sources: a checkpoint is taken up only by the code that wrote it."""
    package = Path(__file__).resolve().parents[1]
    digest = hashlib.sha256()
    for source in sorted(package.rglob("*.py")):
        digest.update(source.relative_to(package).as_posix().encode())
        digest.update(source.read_bytes())
    return digest.hexdigest()


def key(**parts: object) -> str:
    """Return a short name for everything that determines a result (JSON-serialisable parts)."""
    text = json.dumps({**parts, "code": code_version()}, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


@dataclass(frozen=True)
class Scratch:
    """The checkpoint of one training, in a folder of its own."""

    folder: Path

    def load(self) -> dict[str, Any] | None:
        """Return the last whole checkpoint, or None; a damaged one counts as none."""
        path = self.folder / _CHECKPOINT
        if not path.exists():
            return None
        try:
            return torch.load(path, map_location="cpu", weights_only=True)
        except Exception as error:
            first = one_line(str(error).partition(". ")[0])  # torch goes on with advice
            words = f"{type(error).__name__}: {first}".removesuffix(": ")
            print(f"checkpoint unreadable, beginning again ({words})", file=sys.stderr)
            return None

    def save(self, state: dict[str, Any]) -> None:
        """Replace the checkpoint; a kill leaves the old one or the new one, never half.

        Raises :class:`OutputError` where it cannot be written.
        """
        path = self.folder / _CHECKPOINT
        with atomic_path(path) as temporary:
            try:
                torch.save(state, temporary)
            except RuntimeError as error:  # what torch makes of a disk that is full
                raise OutputError(f"cannot write {path}: is the disk full?") from error


@contextmanager
def opened(root: Path, name: str, run_key: str) -> Iterator[Scratch]:
    """Own the scratch folder of (name, key); it is deleted when the block ends without error."""
    folder = root / f"{name.replace('/', '-')}-{run_key}"
    with _locked(folder, name):
        yield Scratch(folder)
        shutil.rmtree(folder, ignore_errors=True)  # while nobody else can have it


def _locked(folder: Path, name: str) -> IO[str]:
    """Return the open lock of a folder, which is made; wait while another process has it.

    The one before clears the folder away, so a lock counts only if it still lies there.
    """
    path = folder / _LOCK
    while True:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lock = path.open("w")
        except (FileNotFoundError, FileExistsError):  # cleared away at this moment
            if folder.is_file():
                raise
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"{name}: another process trains this already; waiting", file=sys.stderr)
            fcntl.flock(lock, fcntl.LOCK_EX)
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(lock.fileno()), path.stat()):
                return lock
        lock.close()
