"""Archives, unpacked without trusting them: zip, tar and tar.gz.

An archive may name places outside of its folder, hold links and devices, name a file twice, or
claim little and unpack to more than any disk holds. All that is refused, by name, before or while
unpacking; what was unpacked by then lies in a hidden folder beside the target, which appears whole
or not at all. A killed unpacking goes on with what it finds there.
"""

import gzip
import shutil
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from tqdm import tqdm

from shellac.errors import DataError

_BLOCK = 1 << 20
_MOST_READ = 1 << 20
_SPARE_BYTES = 1 << 24
_KEPT_BYTES = 512
_UNDECODED = dict.fromkeys(range(0xDC80, 0xDD00))  # bytes of a name that are no UTF-8
_MAX_NAME_BYTES, _MAX_PART_BYTES, _MAX_DEPTH = 1000, 255, 40
_COMPRESSIONS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2}
_TAR_KINDS = {tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.DIRTYPE}
_BROKEN = (
    tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, gzip.BadGzipFile, struct.error,
    NotImplementedError, RuntimeError, UnicodeError, ValueError, OverflowError,
)  # fmt: skip


@dataclass(frozen=True)
class Caps:
    """The most that an archive may unpack to: bytes, bytes per byte of archive, members.

    ``directory_bytes`` bounds a zip's list of members, which is read whole. Ratios count from
    ``free_bytes`` on, below which they say little.
    """

    total_bytes: int = 1 << 41
    ratio: float = 50.0
    members: int = 400_000
    directory_bytes: int = 48 << 20
    free_bytes: int = 1 << 24


@dataclass(frozen=True)
class _Member:
    """A file in an archive: its path, checked, its size, and how to read it."""

    path: PurePosixPath
    size: int
    source: zipfile.ZipInfo | tarfile.TarInfo


def extract(archive: Path, target: Path, digest: str, caps: Caps | None = None) -> None:
    """Unpack an archive into the folder ``target``, whole or not at all.

    ``digest`` names the archive's content (its SHA-256): what an earlier, killed call unpacked
    from the same one is compared and kept. A target that is there is left alone. Raises
    :class:`DataError` in one line for an archive that is broken, hostile, beyond the caps, or
    larger than the room on the disk.
    """
    archive, target, caps = Path(archive), Path(target), caps or Caps()
    if target.exists():
        return
    partial = target.with_name(f".{target.name}.{digest[:12]}.partial")
    partial.mkdir(parents=True, exist_ok=True)
    try:
        with _opened(archive, caps) as members:
            _unpack(members, partial, archive, caps)
    except _Refused as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise DataError(f"{archive}: {error}; nothing of it was kept") from error
    except _BROKEN as error:
        shutil.rmtree(partial, ignore_errors=True)
        words = " ".join(str(error).split())[:200] or type(error).__name__
        raise DataError(f"{archive}: is no sound archive ({words})") from error
    partial.replace(target)


class _Refused(Exception):
    """What an archive wants is not done; the message says what that is."""


Reading = tuple[_Member, IO[bytes] | None]


@contextmanager
def _opened(archive: Path, caps: Caps) -> Iterator[Iterator[Reading]]:
    """Yield the members of an archive with their content, in the order of the archive."""
    with archive.open("rb") as file:
        magic = file.read(4)
    if magic[:2] == b"PK":
        _check_directory(archive, caps)
        with zipfile.ZipFile(archive) as opened:
            yield _of_zip(opened, archive, caps)
    elif magic[:2] == b"\x1f\x8b":
        with gzip.open(archive) as unzipped:
            yield _of_tar(unzipped, archive, caps)
    else:
        with archive.open("rb") as file:
            yield _of_tar(file, archive, caps)


def _check_directory(archive: Path, caps: Caps) -> None:
    """Refuse a zip whose list of members is too large to be read (APPNOTE 4.3.14 to 4.3.16)."""
    with archive.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - 65_557 - 20))
        tail = file.read()
        at = tail.rfind(b"PK\x05\x06")
        if at < 0 or len(tail) < at + 22:
            raise zipfile.BadZipFile("it has no end record")
        listed = struct.unpack("<I", tail[at + 12 : at + 16])[0]
        if at >= 20 and tail[at - 20 : at - 16] == b"PK\x06\x07":
            file.seek(size - len(tail) + at - 20 - 56)  # right before its locator
            record = file.read(56)
            if record[:4] != b"PK\x06\x06" or len(record) < 56:
                raise zipfile.BadZipFile("its 64-bit end record is not where it should be")
            long = struct.unpack("<Q", record[40:48])[0]
            listed = long if listed == 0xFFFFFFFF else max(listed, long)
    if listed > caps.directory_bytes:
        raise _Refused(
            f"its list of members has {listed} bytes, {caps.directory_bytes} are the most"
        )


def _of_zip(opened: zipfile.ZipFile, archive: Path, caps: Caps) -> Iterator[Reading]:
    seen = _Seen(archive, caps)
    listed = opened.infolist()
    for info in listed:  # all of them before the first is unpacked
        kind = stat.S_IFMT(info.external_attr >> 16)
        if kind and not (stat.S_ISREG(kind) or stat.S_ISDIR(kind)):
            raise _Refused(f"holds a link or device, {_short(info.filename)}")
        if info.flag_bits & 1:
            raise _Refused(f"{_short(info.filename)} is encrypted")
        if info.compress_type not in _COMPRESSIONS:
            raise _Refused(f"{_short(info.filename)} is packed by method {info.compress_type}")
        if "\\" in info.orig_filename or "\0" in info.orig_filename:
            raise _Refused(f"names a place that it may not, {_short(info.orig_filename)}")
        seen.add(info.filename, info.file_size, info.is_dir())
    yield from _sized(opened, listed, seen)


def _sized(
    opened: zipfile.ZipFile, listed: list[zipfile.ZipInfo], seen: "_Seen"
) -> Iterator[Reading]:
    seen.ask_for_room()
    for info in listed:
        member = _Member(_checked(info.filename), info.file_size, info)
        if info.is_dir():
            yield member, None
        else:
            with opened.open(info) as content:
                yield member, content


class _Bounded:
    """A tar's bytes: no single read is large, and none is beyond the caps.

    The library reads extended headers whole, whatever size they claim. It also steps back by one
    byte before most headers, for which a compressed file would be read again from its start: the
    last bytes are kept.
    """

    def __init__(self, file: IO[bytes], most: int):
        self._file, self._most = file, most
        self._at, self._tail = 0, b""

    def read(self, size: int) -> bytes:
        if not 0 <= size <= _MOST_READ:
            raise _Refused("holds a header of more than a megabyte")
        behind = self._file.tell() - self._at
        if not 0 <= behind <= len(self._tail):
            self._file.seek(self._at)
            behind, self._tail = 0, b""
        kept = self._tail[len(self._tail) - behind :]
        data = kept[:size]
        if len(data) < size:
            data += self._file.read(size - len(data))
            self._tail = data[-_KEPT_BYTES:]
        self._at += len(data)
        return data

    def seek(self, position: int) -> None:
        if position > self._most:
            raise _Refused(f"unpacks to more than {self._most} bytes")
        self._at = position

    def tell(self) -> int:
        return self._at


def _of_tar(file: IO[bytes], archive: Path, caps: Caps) -> Iterator[Reading]:
    seen = _Seen(archive, caps)
    headers = 2 * 512 * (caps.members + 1)
    bounded = _Bounded(file, seen.most_bytes + headers)
    with tarfile.open(fileobj=bounded, mode="r:") as opened:
        while (info := opened.next()) is not None:
            opened.members = []  # which would otherwise grow without end
            if info.type not in _TAR_KINDS or info.sparse:
                raise _Refused(f"holds a link, device or sparse file, {_short(info.name)}")
            seen.add(info.name, info.size, info.isdir())
            seen.ask_for_room(info.size)
            member = _Member(_checked(info.name), info.size, info)
            yield member, None if info.isdir() else opened.extractfile(info)
        bounded.seek(opened.offset)
        if bounded.read(512).strip(b"\0"):
            raise tarfile.ReadError("what follows its last sound member is no member")


class _Seen:
    """What an archive has named so far, held against the caps."""

    def __init__(self, archive: Path, caps: Caps):
        self._folder, self._caps = archive.parent, caps
        size = archive.stat().st_size
        self.most_bytes = int(min(caps.total_bytes, max(caps.free_bytes, caps.ratio * size)))
        self._bytes, self._members = 0, 0
        self._files: set[str] = set()
        self._folders: set[str] = set()

    def add(self, name: str, size: int, is_folder: bool) -> None:
        """Refuse a name, a size or a number of members that may not be."""
        path = _checked(name)
        self._members += 1
        self._bytes += size
        if self._members > self._caps.members:
            raise _Refused(f"holds more than {self._caps.members} members")
        if size < 0 or self._bytes > self.most_bytes:
            raise _Refused(f"unpacks to more than {self.most_bytes} bytes")
        place = str(path)
        if place in self._files or (place in self._folders and not is_folder):
            raise _Refused(f"names {_short(name)} twice")
        (self._folders if is_folder else self._files).add(place)
        above = place.rpartition("/")[0]
        while above and above not in self._folders:
            if above in self._files:
                raise _Refused(f"names {_short(name)} twice, as a file and as a folder")
            self._folders.add(above)
            above = above.rpartition("/")[0]

    def ask_for_room(self, needed: int | None = None) -> None:
        """Refuse what the disk has no room for: all that was added, or so many bytes."""
        needed = self._bytes if needed is None else needed
        free = shutil.disk_usage(self._folder).free
        if free < needed + _SPARE_BYTES:
            raise _Refused(
                f"needs {needed / 1e9:.2f} GB of disk, {free / 1e9:.2f} GB are free there"
            )


def _short(name: str) -> str:
    return repr(name if len(name) <= 100 else name[:97] + "...")


def _checked(name: str) -> PurePosixPath:
    """Return a member's path if it stays inside; refuse it otherwise."""
    raw = name.encode("utf-8", "surrogateescape")
    path = PurePosixPath(name)
    wrong = (
        "\\" in name
        or not (name.isprintable() or name.translate(_UNDECODED).isprintable())
        or path.is_absolute()
        or ".." in path.parts
        or (path.parts and path.parts[0][1:2] == ":")
        or len(raw) > _MAX_NAME_BYTES
        or len(path.parts) > _MAX_DEPTH
        or any(
            len(part.encode("utf-8", "surrogateescape")) > _MAX_PART_BYTES for part in path.parts
        )
    )
    if wrong or not name.strip():
        raise _Refused(f"names a place that it may not, {_short(name)}")
    return path


def _unpack(members: Iterator[Reading], folder: Path, archive: Path, caps: Caps) -> None:
    working = folder / ".member.partial"
    with tqdm(desc=f"unpack {archive.name}", unit="B", unit_scale=True, disable=None) as bar:
        for member, content in members:
            path = folder / member.path
            if content is None:
                path.mkdir(parents=True, exist_ok=True)
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            known = path.is_file() and path.stat().st_size == member.size
            if known and _same(path, content):
                bar.update(member.size)
                continue
            if known:
                raise _Refused(f"{_short(str(member.path))} changed since it was unpacked")
            with working.open("wb") as file:
                written = 0
                while block := content.read(_BLOCK):
                    written += len(block)
                    if written > member.size:
                        raise _Refused(f"{_short(str(member.path))} is larger than it says")
                    file.write(block)
                    bar.update(len(block))
            if written != member.size:
                raise _Refused(f"{_short(str(member.path))} is shorter than it says")
            working.replace(path)
    working.unlink(missing_ok=True)


def _same(path: Path, content: IO[bytes]) -> bool:
    """Whether a file holds what an earlier, killed unpacking should have left."""
    with path.open("rb") as file:
        while block := content.read(_BLOCK):
            if file.read(len(block)) != block:
                return False
        return not file.read(1)
