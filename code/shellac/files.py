"""Writing files so that a reader never sees half of one, and naming them by content."""

import contextlib
import csv
import errno
import hashlib
import json
import os
import re
import secrets
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import IO

from shellac.errors import OutputError


@contextlib.contextmanager
def temporary_path(folder: Path, suffix: str = "") -> Iterator[Path]:
    """Yield an unused name in ``folder``, which is made if need be; what is there is removed.

    So is what killed processes of this machine left in the folder, once in a process. Raises
    :class:`OutputError` where the folder cannot be made or written.
    """
    name = f".{_node()}-{os.getpid()}.{secrets.token_hex(3)}.partial{suffix}"
    temporary = Path(folder) / name
    try:
        temporary.parent.mkdir(parents=True, exist_ok=True)
        _sweep(temporary.parent.absolute())
        yield temporary
    except OSError as error:
        raise OutputError(f"cannot write in {folder}: {error.strerror or error}") from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary name beside ``path``; move it there on success, remove it on failure.

    The temporary name keeps the suffix, since writers choose the format by it.
    """
    path = Path(path)
    with temporary_path(path.parent, path.suffix) as temporary:
        yield temporary
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        temporary.replace(path)


@contextlib.contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Yield an empty temporary folder beside ``path``; on success it replaces ``path`` whole.

    What a killed process of this machine left of the same folder is removed first.
    """
    path = Path(path)
    temporary = _hidden(path)
    try:
        _remove_left_behind(path)
        temporary.mkdir(parents=True)
        yield temporary
        _take_place(temporary, path)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _take_place(folder: Path, path: Path) -> None:
    """Give ``folder`` the name ``path``, whatever has it, and whoever else does the same."""
    while True:
        try:
            folder.replace(path)
            return
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
        aside = _hidden(path)
        with contextlib.suppress(FileNotFoundError):  # somebody else has moved it
            path.replace(aside)
            shutil.rmtree(aside, ignore_errors=True)


def _hidden(path: Path) -> Path:
    return path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(3)}.partial")


def _remove_left_behind(path: Path) -> None:
    pattern = re.compile(rf"\.{re.escape(path.name)}\.(\d+)\.[0-9a-f]{{6}}\.partial")
    for folder in path.parent.glob(".*.partial"):
        if (told := pattern.fullmatch(folder.name)) and _is_dead(told[1]):
            shutil.rmtree(folder, ignore_errors=True)


@cache
def _sweep(folder: Path) -> None:
    """Remove temporary files of dead processes of this machine; others may share the disk."""
    pattern = re.compile(rf"\.{_node()}-(\d+)\.[0-9a-f]{{6}}\.partial(\..*)?", re.DOTALL)
    with os.scandir(folder) as entries:
        left = [entry.path for entry in entries if entry.name.startswith(f".{_node()}-")]
    for path in left:
        if (told := pattern.fullmatch(os.path.basename(path))) and _is_dead(told[1]):  # noqa: PTH119
            with contextlib.suppress(OSError):
                os.unlink(path)  # noqa: PTH108


@cache
def _node() -> str:
    return hashlib.sha256(os.uname().nodename.encode()).hexdigest()[:6]


def _is_dead(number: str) -> bool:
    """Whether no process of this machine has this number."""
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except (PermissionError, OverflowError):
        return False  # somebody else's process
    return False


def write_csv(path: Path, rows: Iterable[Mapping[str, object]], columns: Sequence[str]) -> None:
    """Write rows as CSV with a header and Unix line ends, atomically."""
    with atomic_path(path) as temporary, _text(temporary, "w") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def read_csv(path: Path) -> list[dict[str, str]]:
    """Read a CSV with a header into one mapping per row."""
    with _text(path, "r") as file:
        return list(csv.DictReader(file))


def _text(path: Path, mode: str) -> IO[str]:
    # names of old archives need not be UTF-8; what cannot be decoded is kept as it is
    return Path(path).open(mode, newline="", encoding="utf-8", errors="surrogateescape")


def write_text(path: Path, text: str) -> None:
    """Write ``text`` as UTF-8, atomically."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: object) -> None:
    """Write ``value`` as indented JSON with a final newline, atomically; NaN is refused."""
    text = json.dumps(value, indent=1, sort_keys=True, allow_nan=False)
    write_text(path, text + "\n")


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file's content, as hexadecimal digits."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
