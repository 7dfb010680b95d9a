"""What DVC's lock records of the pipeline's outputs, and their hashes as DVC takes them."""

import hashlib
import json
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from shellac import paths
from shellac.errors import DataError

NAME = "dvc.lock"
_IGNORED = "__pycache__"  # as .dvcignore says


def stages(text: str | None = None) -> dict[str, Any]:
    """Return what is recorded of every stage, by its name; of this run unless ``text`` is given.

    Raises :class:`DataError` where nothing was run yet.
    """
    if text is None:
        place = paths.root() / NAME
        if not place.is_file():
            raise DataError(f"{NAME}: not there; run make all first")
        text = place.read_text(encoding="utf-8")
    return YAML(typ="safe").load(text)["stages"]


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
