"""Every path of the compendium, from the repository root.

The root is ``SHELLAC_ROOT`` if that is set, else the nearest folder upwards from the working
directory that holds ``dvc.yaml``, else the repository that this package was installed from.
"""

import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from shellac.errors import DataError, UsageError

_MARKER = "dvc.yaml"


def root() -> Path:
    """Return the repository root; raise :class:`UsageError` outside a compendium."""
    if named := os.environ.get("SHELLAC_ROOT"):
        return Path(named).resolve()
    here = Path.cwd().resolve()
    installed_from = Path(__file__).resolve().parents[2]
    for folder in (here, *here.parents, installed_from):
        if (folder / _MARKER).is_file():
            return folder
    raise UsageError("not inside the compendium: run this in a clone, or set SHELLAC_ROOT to one")


def path(text: str) -> Path:
    """Parse a path of the command line; raise :class:`ValueError` for an empty one.

    Empty is what a variable of the shell that was never set leaves; ``.`` is the folder here.
    """
    if not text:
        raise ValueError("a path without a name")
    return Path(text)


def params() -> Path:
    """``params.yaml``, the only configuration."""
    return root() / "params.yaml"


def profiles() -> Path:
    """The overlays that ``shellac profile`` lays over the committed configuration."""
    return root() / "code" / "profiles"


def raw(profile: str, corpus: str) -> Path:
    """A downloaded, synthesised or catalogued corpus; never changed once it is there."""
    return root() / "data" / "raw" / profile / corpus


def responses(profile: str) -> Path:
    """What listeners answered to the listening test of a profile."""
    return root() / "data" / "responses" / profile


def published(place: str) -> Path:
    """Archives of a published data set and what was unpacked from them, for all profiles."""
    return root() / "data" / "published" / place


def fragments(profile: str, task: str) -> Path:
    """The training fragments of one task."""
    return root() / "data" / "fragments" / profile / task


def results(profile: str, *parts: str) -> Path:
    """A place under ``results/<profile>``."""
    return root().joinpath("results", profile, *parts)


def record(profile: str, *parts: str) -> Path:
    """What a stage, or a part of it, cost: of no hash, since nothing may depend on it."""
    name = "-".join(part.replace("/", "-") for part in parts)
    return results(profile, "records", f"{name}.json")


def names(found: Iterable[tuple[str, str]], flat: bool = False) -> dict[str, PurePosixPath]:
    """Name the results of recordings, given as (folder, file in it): by file, without a suffix.

    ``box/01`` for ``box/01.wav``, or ``01`` where all results lie in one folder (``flat``). Where
    several would share a name, each gets a folder called as its file: ``box/01.wav/01``. Raises
    :class:`DataError` for one file in two folders, since tables know a recording by its file.
    """
    folders: dict[str, str] = {}
    for folder, file in found:
        if file in folders:
            raise DataError(
                f"{folders[file]}/{file} and {folder}/{file} have one name in two corpora: rename"
                " one of them"
            )
        folders[file] = folder
    plain = {file: PurePosixPath(file).with_suffix("") for file in folders}
    if flat:
        plain = {file: PurePosixPath(name.name) for file, name in plain.items()}
    # some file systems ignore case
    uses = Counter(str(name).casefold() for name in plain.values())
    return {
        file: name if uses[str(name).casefold()] == 1 else PurePosixPath(file, name.name)
        for file, name in plain.items()
    }


def scratch() -> Path:
    """Untracked working space: checkpoints of unfinished trainings."""
    return root() / ".scratch"


def notebooks() -> Path:
    """The notebook sources."""
    return root() / "notebooks"


def manuscript() -> Path:
    """The manuscript's sources and its output folder."""
    return root() / "manuscript"


def cache() -> Path:
    """Downloaded weights, shared by all clones of one user."""
    if named := os.environ.get("SHELLAC_CACHE"):
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "shellac"
