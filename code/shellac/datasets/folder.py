"""The folder corpus: a user's own recordings, laid out by role or listed in a table.

Either sub-folders named by role (``piano/ music/ speech/ noise/ historical/``, files at any depth
below), or a ``MANIFEST.csv`` with the columns ``file`` and ``role`` and, if wanted, ``recording``
(or ``source_sha256``): a key that excerpts of one source recording share, so that they never
meet across a split, and ``licence``: what the index will say of that recording.
"""

import csv
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from shellac.audio import SUFFIXES
from shellac.errors import DataError
from shellac.files import sha256

CLEAN_ROLES = ("piano", "music", "speech")
ROLES = (*CLEAN_ROLES, "noise", "historical")
MANIFEST = "MANIFEST.csv"
_RECORDING_COLUMNS = ("recording", "source_sha256")


@dataclass(frozen=True)
class FolderFile:
    """One recording: where it lies, what it is for, and the source it was taken from.

    ``recording`` is the table's key, or the SHA-256 of the content: two copies are one recording.
    """

    path: Path
    role: str
    recording: str
    licence: str = ""


@dataclass(frozen=True)
class FolderScan(Sequence[FolderFile]):
    """The recordings of a folder in a fixed order, and how many files were no audio."""

    files: tuple[FolderFile, ...]
    ignored: int

    def __getitem__(self, index: int) -> FolderFile:
        return self.files[index]

    def __len__(self) -> int:
        return len(self.files)

    def __iter__(self) -> Iterator[FolderFile]:
        return iter(self.files)


def scan(folder: Path) -> FolderScan:
    """List the recordings of a folder corpus.

    Parameters
    ----------
    folder : Path
        Its ``MANIFEST.csv`` decides where there is one, else its sub-folders do. Files that are
        no audio, and hidden ones, are ignored and counted.

    Returns
    -------
    FolderScan
        A sequence of :class:`FolderFile`, sorted by path.

    Raises
    ------
    DataError
        If the folder is missing or holds no recording; a role is unknown; a listed file is
        missing, listed twice, or lies outside of the folder. The message names line and file.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder; data.folder must name one with recordings")
    manifest = folder / MANIFEST
    listed = _from_manifest(manifest) if manifest.is_file() else _from_folders(folder)
    audio = [entry for entry in listed if _is_audio(entry[0])]
    if not audio:
        raise DataError(
            f"{folder}: holds no recordings; put them into sub-folders {', '.join(ROLES)},"
            f" or list them in {MANIFEST}"
        )
    files = [
        FolderFile(path, role, key or _content_key(path), licence)
        for path, role, key, licence in audio
    ]
    files.sort(key=lambda file: file.path.as_posix())
    return FolderScan(tuple(files), ignored=len(listed) - len(audio))


def _is_audio(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".")


def _content_key(path: Path) -> str:
    try:
        return sha256(path)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error


Entry = tuple[Path, str, str, str]  # path, role, key of the source recording, licence


def _check_inside(path: Path, folder: Path, where: str) -> None:
    if not path.resolve().is_relative_to(folder.resolve()):
        raise DataError(f"{where}: {path} leads out of the folder; recordings must lie inside it")


def _from_manifest(manifest: Path) -> list[Entry]:
    entries: list[Entry] = []
    seen: dict[Path, int] = {}
    try:
        with manifest.open(newline="", encoding="utf-8-sig") as file:
            rows = csv.DictReader(file)
            columns = rows.fieldnames or []
            if missing := {"file", "role"} - set(columns):
                raise DataError(f"{manifest}: lacks the column {' and '.join(sorted(missing))}")
            for row in rows:
                where = f"{manifest}, line {rows.line_num}"
                entry = _manifest_entry(row, manifest.parent, where)
                if (first := seen.setdefault(entry[0].resolve(), rows.line_num)) != rows.line_num:
                    raise DataError(f"{where}: {row['file']} is listed in line {first} already")
                entries.append(entry)
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{manifest}: not a CSV table in UTF-8 ({error})") from error
    return entries


def _manifest_entry(row: dict[str, str | None], folder: Path, where: str) -> Entry:
    name, role = (row["file"] or "").strip(), (row["role"] or "").strip()
    if not name:
        raise DataError(f"{where}: no file is named")
    if role not in ROLES:
        raise DataError(f"{where}: {name} has the role {role!r}; use one of {', '.join(ROLES)}")
    if "\0" in name:
        raise DataError(f"{where}: the file name holds a zero byte")
    path = folder / name
    _check_inside(path, folder, where)
    if not path.is_file():
        raise DataError(f"{where}: {name} is missing")
    key = next((row[column] for column in _RECORDING_COLUMNS if row.get(column)), None)
    return path, role, (key or "").strip(), (row.get("licence") or "").strip()


def _unreadable(error: OSError) -> None:
    raise DataError(f"{error.filename}: {error.strerror}") from error


def _from_folders(folder: Path) -> list[Entry]:
    entries: list[Entry] = []
    for parent, folders, names in os.walk(folder, onerror=_unreadable):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in folders:
            if (Path(parent) / name).is_symlink():
                raise DataError(
                    f"{Path(parent) / name}: is a link to a folder, which is not followed; move the"
                    f" recordings here, or set data.folder to where they are"
                )
        inside = Path(parent).relative_to(folder)
        role = inside.parts[0] if inside.parts else ""
        for name in names:
            path = Path(parent) / name
            if _is_audio(path):
                _check_inside(path, folder, str(folder))
                if role not in ROLES:
                    raise DataError(
                        f"{path}: is in no folder of a known role; move it to one of"
                        f" {', '.join(ROLES)}, or list it in {MANIFEST}"
                    )
            entries.append((path, role, "", ""))
    return entries
