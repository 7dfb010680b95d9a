"""A file that is not whole yet, the hashes it must have, and the pace at which it grows."""

import fcntl
import hashlib
import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from shellac.errors import DataError

_BLOCK = 1 << 20


class Partial:
    """An incomplete download beside its final name: hidden, locked, and resumable.

    Entering it takes up what an earlier process left; leaving it keeps what there is. Raises
    :class:`DataError` where another process holds it.
    """

    def __init__(self, target: Path):
        self._target = target
        self.path = target.with_name(f".{target.name}.partial")
        self._note = target.with_name(f".{target.name}.partial.json")
        self.size = 0
        self.validator = ""

    def __enter__(self) -> Self:
        self._file = self.path.open("ab")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._file.close()
            raise DataError(f"{self._target}: is being fetched by another process") from error
        if self._target.exists():  # by a process that ended since: the lock may be on that file
            self._file.close()
            raise DataError(f"{self._target}: another process has just fetched it; run this again")
        self.size = os.fstat(self._file.fileno()).st_size
        try:
            self.validator = str(json.loads(self._note.read_text())["validator"])
        except (OSError, ValueError, KeyError, TypeError):
            self.validator = ""
        return self

    def __exit__(self, *_: object) -> None:
        if not self.size and not self._file.closed:  # locked still, so it is this process's own
            self.path.unlink(missing_ok=True)
            self._note.unlink(missing_ok=True)
        self._file.close()

    def append(self, block: bytes) -> None:
        """Write further bytes through to the system, where a kill cannot lose them."""
        self._file.write(block)
        self._file.flush()
        self.size += len(block)

    def clear(self) -> None:
        """Start anew."""
        self._file.truncate(0)
        self.size, self.validator = 0, ""
        self._note.unlink(missing_ok=True)

    def keep_validator(self, headers: Mapping[str, str]) -> None:
        """Note by what the server will know this version again (RFC 9110, section 13.1.5)."""
        if self.size:
            return
        tag = headers.get("ETag", "")
        self.validator = headers.get("Last-Modified", "") if tag.startswith("W/") else tag
        self.validator = self.validator or headers.get("Last-Modified", "")
        self._note.write_text(json.dumps({"validator": self.validator}))

    def finish(self) -> None:
        """Give the file its name."""
        os.fsync(self._file.fileno())
        self.path.replace(self._target)
        self._note.unlink(missing_ok=True)
        self._file.close()


class Pace:
    """Tells whether a stream has fallen below so many bytes in a window of time."""

    def __init__(self, window_seconds: float, window_bytes: int):
        self._window_seconds, self._window_bytes = window_seconds, window_bytes
        self._since, self._bytes = time.monotonic(), 0

    def too_slow(self, count: int) -> bool:
        """Count further bytes; return whether a window has ended with too few of them."""
        self._bytes += count
        now = time.monotonic()
        if now - self._since < self._window_seconds:
            return False
        slow = self._bytes < self._window_bytes
        self._since, self._bytes = now, 0
        return slow


class Digests:
    """Hashes of a file: SHA-256, and whatever else is known of it."""

    def __init__(self, checksums: Mapping[str, str], path: Path):
        self._wanted = checksums
        hashes = {name: hashlib.new(name, usedforsecurity=False) for name in (*checksums, "sha256")}
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                for each in hashes.values():
                    each.update(block)
        self._found = {name: each.hexdigest() for name, each in hashes.items()}
        self.sha256 = self._found["sha256"]

    def misfit(self) -> str:
        """Say which hash is not the one expected, or nothing."""
        for name, expected in self._wanted.items():
            if self._found[name] != expected.lower():
                return f"its {name} is {self._found[name]}, {expected} is expected"
        return ""
