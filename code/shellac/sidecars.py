"""Sidecars: the JSON beside a figure or table that says what it is and what it was made from.

``<file>.json`` holds content hashes, never times or commits. :mod:`shellac.report.provenance`
writes them; whoever asks where a file comes from reads them here, without a plotting library.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from shellac import paths
from shellac.errors import DataError
from shellac.files import sha256

UNCHANGED, CHANGED, MISSING = "unchanged", "changed since", "missing"
_KEYS = {"what", "notice", "sources", "sha256"}


def place(path: Path) -> Path:
    """Return where the sidecar of ``path`` lies, or would lie."""
    path = Path(path)
    return path.with_name(path.name + ".json")


def read(path: Path) -> dict[str, Any]:
    """Read the sidecar of a figure or table; :class:`DataError` where there is no sound one."""
    beside = place(path)
    try:
        record = json.loads(beside.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise DataError(f"{path}: has no sidecar {beside.name}; build it again") from error
    except (OSError, ValueError) as error:
        raise DataError(f"{beside}: not a provenance record; build it again") from error
    if not isinstance(record, dict) or not _KEYS <= record.keys():
        raise DataError(f"{beside}: not a provenance record; build it again")
    return record


def checked(path: Path) -> dict[str, Any]:
    """Read a sidecar; :class:`DataError` too where the file is not the one it was written for."""
    record = read(path)
    if state(Path(path), record["sha256"]) != UNCHANGED:
        raise DataError(f"{path}: missing or changed since it was made; build it again")
    return record


def sources(record: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Return path, recorded hash and present state of all that a record names, its maker first."""
    maker = [record["notebook"]] if "notebook" in record else []
    return [
        (source["path"], source["sha256"], state(paths.root() / source["path"], source["sha256"]))
        for source in (*maker, *record["sources"])
    ]


def state(path: Path, digest: str, of: Callable[[Path], str] = sha256) -> str:
    """Say whether ``path`` still has the hash ``digest`` by the function ``of``."""
    if not path.exists():
        return MISSING
    return UNCHANGED if of(path) == digest else CHANGED
