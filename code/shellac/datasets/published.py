"""Published data sets on this machine: found, or fetched, verified, unpacked and indexed."""

import json
import re
import shutil
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from shellac import paths
from shellac.config import Settings
from shellac.datasets import index
from shellac.datasets.catalogue import CATALOGUE
from shellac.datasets.catalogue.entry import DataSet, RemoteFile
from shellac.datasets.layouts import LAYOUTS
from shellac.datasets.layouts.collections import ITEM_NOTE
from shellac.datasets.layouts.request import Request
from shellac.download import archives, transfer
from shellac.download.transfer import Limits, Wanted
from shellac.errors import DataError
from shellac.files import write_json

_PINS = "pins.json"
_ARCHIVE_ORG = "https://archive.org"
_MOST_ITEM_BYTES = 1 << 24


def obtain(
    settings: Settings, name: str, target: Path, limits: Limits | None = None
) -> list[index.Recording]:
    """Return the index of a published data set, which is brought here first if need be.

    The recordings stay under ``data/published`` or in the user's own copy (``data.local``);
    only such as are made out of arrays are written into ``target``. Raises :class:`DataError`,
    in one line, where the set cannot be had, is a wrong one, or is not laid out as published.
    """
    entry = CATALOGUE[name]
    root = _local(settings, entry) or _fetched(settings, entry, limits or Limits())
    select = tuple(settings.data.select.get(name, ()))
    found = LAYOUTS[entry.layout](Request(name, root, select, settings.seed, target))
    if not found:
        wanted = f" labelled {', '.join(select)}" if select else ""
        raise DataError(f"{name}: {root} holds no recording{wanted}")
    made_here = all(item.path.is_relative_to(target) for item in found)
    base = target if made_here else root
    origin = paths.raw(settings.profile, name) if made_here else root
    return index.build(settings, _told(origin), base, found, judged=False)


def _told(origin: Path) -> str:
    """Write a place relative to the repository, if it lies inside it."""
    inside = origin.is_relative_to(paths.root())
    return (origin.relative_to(paths.root()) if inside else origin).as_posix()


def _local(settings: Settings, entry: DataSet) -> Path | None:
    """Return the root of the user's own copy: unpacked, or with the archives unpacked here."""
    named = settings.data.local.get(entry.name)
    if named is None:
        return None
    copy = paths.root() / named
    if not copy.is_dir():
        raise DataError(f"data.local.{entry.name}: there is no folder {copy}")
    packed = [file for file in entry.files if file.is_archive and (copy / file.name).is_file()]
    if not packed:
        return copy
    place = paths.published(entry.place)
    for file in entry.files:
        if (copy / file.name).is_file():
            digest = transfer.fetch(_wanted(settings, entry, file, place), copy)
            _pin(place, file, digest)
            if file.is_archive:
                _unpack(copy / file.name, place, file, digest)
            elif not (place / file.name).exists():
                (place / file.name).symlink_to((copy / file.name).resolve())
    return place


def _fetched(settings: Settings, entry: DataSet, limits: Limits) -> Path:
    """Return the root of what is under ``data/published``, downloading what is not there."""
    place = paths.published(entry.place)
    missing = [file for file in entry.files if not _is_here(settings, place, file)]
    absent = [file for file in missing if not (place / file.name).is_file()]
    if absent or not entry.files:
        _check_allowed(settings, entry)
    if entry.items:
        _fetch_items(settings, entry, place, limits)
    wanted = [_wanted(settings, entry, file, place) for file in missing]
    for file, digest in zip(
        missing, transfer.fetch_all(wanted, place, limits).values(), strict=True
    ):
        _pin(place, file, digest)
        if file.is_archive:
            _unpack(place / file.name, place, file, digest)
    return place


def _check_allowed(settings: Settings, entry: DataSet) -> None:
    """Refuse to fetch what has no licence or no address; a mirror is the user's own choice."""
    if settings.data.mirror and (entry.files or entry.items):
        return
    if entry.by_hand:
        raise DataError(f"{entry.name} cannot be downloaded by a program: {entry.by_hand}")
    if not entry.licence:
        places = " or ".join(address for file in entry.files for address in file.addresses)
        raise DataError(
            f"{entry.name}: its publisher states no licence, so it is not downloaded; if you may"
            f" use it, fetch it yourself from {places} and set data.local.{entry.name}=FOLDER,"
            " or name a mirror"
        )


def _wanted(settings: Settings, entry: DataSet, file: RemoteFile, place: Path) -> Wanted:
    """Say what must be fetched: with the user's hash, else the catalogue's, else the pinned."""
    vouched = settings.data.checksums.get(file.name)
    if vouched:
        kind, _, digits = vouched.partition(":")
        checksums, size = {kind: digits}, None
    else:
        pinned = _pins(place).get(file.name)
        checksums = dict(file.checksums) or ({"sha256": pinned} if pinned else {})
        size = file.size
    mirror = settings.data.mirror.rstrip("/")
    addresses = (f"{mirror}/{quote(file.name)}",) if mirror else file.addresses
    return Wanted(file.name, addresses, checksums, size, file.most_bytes)


def _unpacked(place: Path, file: RemoteFile, digest: str) -> Path:
    return place / "unpacked" / f"{file.stem}-{digest[:12]}"


def _is_here(settings: Settings, place: Path, file: RemoteFile) -> bool:
    """Whether an archive was unpacked before from the content that is wanted."""
    pinned = _pins(place).get(file.name, "")
    if not file.is_archive or not _unpacked(place, file, pinned).is_dir():
        return False
    vouched = settings.data.checksums.get(file.name, "")
    return not vouched.startswith("sha256:") or vouched == f"sha256:{pinned}"


def _unpack(archive: Path, place: Path, file: RemoteFile, digest: str) -> None:
    target = _unpacked(place, file, digest)
    target.parent.mkdir(parents=True, exist_ok=True)
    archives.extract(archive, target, digest)
    of_this = re.compile(rf"\.?{re.escape(file.stem)}-[0-9a-f]{{12}}(\.[0-9a-f]{{12}}\.partial)?")
    for other in target.parent.iterdir():  # versions that were replaced
        if other != target and of_this.fullmatch(other.name):
            shutil.rmtree(other)


def _pins(place: Path) -> dict[str, str]:
    try:
        return json.loads((place / _PINS).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise DataError(f"{place / _PINS}: is damaged; remove it to trust files anew") from error


def _pin(place: Path, file: RemoteFile, digest: str) -> None:
    pins = _pins(place)
    if pins.get(file.name) != digest:
        write_json(place / _PINS, pins | {file.name: digest})


def _fetch_items(settings: Settings, entry: DataSet, place: Path, limits: Limits) -> None:
    """Fetch Internet Archive items: first what each holds, then its Ogg Vorbis files."""
    mirror = settings.data.mirror.rstrip("/")
    notes = []
    for item in entry.items:
        address = f"{mirror}/{item}/{ITEM_NOTE}" if mirror else f"{_ARCHIVE_ORG}/metadata/{item}"
        note = Wanted(f"{item}/{ITEM_NOTE}", (address,), most_bytes=_MOST_ITEM_BYTES)
        notes.append(note)
    transfer.fetch_all(notes, place, limits)
    wanted = []
    for item in entry.items:
        base = f"{mirror}/{item}" if mirror else f"{_ARCHIVE_ORG}/download/{item}"
        wanted += _recordings_of(place / item / ITEM_NOTE, item, base)
    transfer.fetch_all(wanted, place, limits)


def _recordings_of(note: Path, item: str, base: str) -> list[Wanted]:
    """Read what an item holds; a name that leads elsewhere is refused."""
    try:
        listed = json.loads(note.read_text(encoding="utf-8"))["files"]
        recordings = [file for file in listed if str(file["name"]).lower().endswith(".ogg")]
        wanted = []
        for file in recordings:
            name = str(file["name"])
            if "/" in name or "\\" in name or name.startswith(".") or not name.isprintable():
                raise DataError(f"{note}: names a file that it may not, {name[:100]!r}")
            target = PurePosixPath(item) / name
            checksum, size = {"sha1": str(file["sha1"])}, int(file["size"])
            wanted.append(Wanted(str(target), (f"{base}/{quote(name)}",), checksum, size))
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{note}: does not say what the item holds; remove it") from error
    if not wanted:
        raise DataError(f"{note}: the item holds no Ogg Vorbis file")
    return wanted
