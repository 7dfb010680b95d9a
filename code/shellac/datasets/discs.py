"""The recordings that ``data.discs`` lists by address: fetched once, restored, never trained on."""

from pathlib import Path, PurePosixPath
from urllib.parse import quote, unquote, urlsplit

from shellac import paths
from shellac.audio import SUFFIXES
from shellac.config import DiscSettings, Settings
from shellac.datasets import index
from shellac.datasets.index import Found, Recording
from shellac.download import transfer
from shellac.download.transfer import Wanted
from shellac.errors import DataError
from shellac.files import write_text

_PLACE = "discs"
_MOST_BYTES = 1 << 30


def obtain(settings: Settings, name: str, target: Path) -> list[Recording]:
    """Return the index of the discs, which are brought here first if need be.

    ``data.mirror``, where it is set, is asked for the last part of every address. Raises
    :class:`DataError`, in one line, where one cannot be had or is no recording by its name.
    """
    del target  # what was published stays as it is, for all profiles
    if not settings.data.discs:
        raise DataError(f"{name}: data.discs lists no recording")
    place = paths.published(_PLACE)
    wanted = [_wanted(settings, place, *item) for item in settings.data.discs.items()]
    digests = transfer.fetch_all(wanted, place)
    for file, digest in digests.items():
        write_text(_pin(place, file), digest + "\n")
    found = [
        Found(place / file.name, "historical", group=key, label=disc.title, licence=disc.licence)
        for file, (key, disc) in zip(wanted, settings.data.discs.items(), strict=True)
    ]
    origin = place.relative_to(paths.root()).as_posix()
    return index.build(settings, origin, place, found, judged=False)


def _wanted(settings: Settings, place: Path, key: str, disc: DiscSettings) -> Wanted:
    published = unquote(PurePosixPath(urlsplit(disc.address).path).name)
    suffix = PurePosixPath(published).suffix.lower()
    if suffix not in SUFFIXES:
        raise DataError(f"data.discs.{key}: {disc.address} is no recording by its name")
    name = f"{key}{suffix}"
    pin = _pin(place, name)
    digest = disc.sha256 or (pin.read_text(encoding="utf-8").strip() if pin.is_file() else "")
    mirror = settings.data.mirror.rstrip("/")
    address = f"{mirror}/{quote(published)}" if mirror else disc.address
    checksums = {"sha256": digest} if digest else {}
    return Wanted(name, (address,), checksums, most_bytes=_MOST_BYTES)


def _pin(place: Path, name: str) -> Path:
    return place / f"{name}.sha256"
