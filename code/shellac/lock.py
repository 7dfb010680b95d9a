"""What DVC's lock records of the pipeline's outputs, and their hashes as DVC takes them."""

import hashlib
import json
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from shellac import paths
from shellac.errors import DataError

NAME = "dvc.lock"
_IGNORED = "__pycache__"  # as .dvcignore says


def stages(committed: bytes | None = None) -> dict[str, Any]:
    """Return what is recorded of every stage, by its name; of this run unless a commit's is given.

    Raises :class:`DataError` where nothing was run yet, or the lock is damaged.
    """
    if committed is not None:
        return _read(committed, f"{NAME} of the last commit", "commit a whole one")
    place = paths.root() / NAME
    if not place.is_file():
        raise DataError(f"{NAME}: not there; run make all first")
    # from HEAD: git takes nothing out of an index that a merge left in conflict
    return _read(place.read_bytes(), NAME, f"git checkout HEAD {NAME}")


def _read(content: bytes, name: str, cure: str) -> dict[str, Any]:
    try:
        told = YAML(typ="safe").load(content.decode("utf-8"))
        found = told.get("stages") if isinstance(told, dict) else None
        if not isinstance(found, dict):
            raise ValueError("it has no stages")
        for stage, recorded in found.items():
            _check(stage, recorded)
    except (YAMLError, ValueError) as error:
        words = " ".join(str(error).split())
        raise DataError(f"{name}: not readable ({words}): {cure}") from error
    return found


def _check(stage: object, recorded: object) -> None:
    """Raise :class:`ValueError` where a stage is not laid out as DVC does it."""
    if not (isinstance(stage, str) and isinstance(recorded, dict)):
        raise ValueError(f"stage {stage} is no mapping")
    for kind in ("deps", "outs"):
        listed = recorded.get(kind, [])
        if not isinstance(listed, list):
            raise ValueError(f"{kind} of stage {stage} are no list")
        for item in listed:
            known = isinstance(item, dict) and isinstance(item.get("path"), str)
            if not (known and isinstance(item.get("md5", ""), str)):
                raise ValueError(f"{kind} of stage {stage} name no files and hashes")


def outputs(recorded: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Return hash and stage of every output of :func:`stages`, by its path."""
    return {
        out["path"]: (out["md5"], name)
        for name, stage in recorded.items()
        for out in stage.get("outs", ())
        if "md5" in out
    }


def md5(path: Path) -> str:
    """Hash a file, or a folder, as DVC does: by the list of its files and their hashes."""
    if not path.is_dir():
        with path.open("rb") as file:
            return hashlib.file_digest(file, "md5").hexdigest()
    listed = [
        {"md5": md5(file), "relpath": file.relative_to(path).as_posix()}
        for file in path.rglob("*")
        if file.is_file() and _IGNORED not in file.parts
    ]
    listed.sort(key=lambda entry: entry["relpath"])
    text = json.dumps(listed, sort_keys=True).encode()
    return hashlib.md5(text, usedforsecurity=False).hexdigest() + ".dir"
