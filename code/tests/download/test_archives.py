"""Archives: what is sound comes out whole; what is hostile leaves nothing, and costs little."""

import gzip
import io
import os
import resource
import signal
import struct
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest

from shellac.download import archives
from shellac.download.archives import Caps, extract
from shellac.errors import DataError

CONTENTS = {
    f"set/{number % 3}/ünï {number}.wav": np.random.default_rng(number).bytes(
        512 * (number % 5) + number % 2
    )
    for number in range(40)
}  # sizes that are and are not whole tar blocks, zero among them
CAPS = Caps(total_bytes=50_000_000, ratio=20.0, members=1000, free_bytes=4_000_000)


def make_zip(path, contents, compression=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.mkdir("set")
        for name, content in contents.items():
            archive.writestr(name, content)
    return path


def make_tar(path, contents, mode):
    with tarfile.open(path, mode) as archive:
        folder = tarfile.TarInfo("set")
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
        for name, content in contents.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


MAKERS = {
    "a.zip": make_zip,
    "stored.zip": lambda path, contents: make_zip(path, contents, zipfile.ZIP_STORED),
    "bzip2.zip": lambda path, contents: make_zip(path, contents, zipfile.ZIP_BZIP2),
    "a.tar": lambda path, contents: make_tar(path, contents, "w"),
    "a.tar.gz": lambda path, contents: make_tar(path, contents, "w:gz"),
}


def found(folder):
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@pytest.mark.parametrize("name", MAKERS)
def test_what_went_in_comes_out(tmp_path, name):
    archive = MAKERS[name](tmp_path / name, CONTENTS)
    extract(archive, tmp_path / "out", "f" * 64)
    assert found(tmp_path / "out") == CONTENTS
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([name, "out"])


def test_a_target_that_is_there_is_left_alone(tmp_path):
    (tmp_path / "out").mkdir()
    extract(make_zip(tmp_path / "a.zip", CONTENTS), tmp_path / "out", "f" * 64)
    assert found(tmp_path / "out") == {}


CHILD = """
import os, signal, sys
from pathlib import Path
from shellac.download import archives

class Bar(archives.tqdm):
    def update(self, count):
        sys.argv[4] = str(int(sys.argv[4]) - count)
        if int(sys.argv[4]) < 0:
            os.kill(os.getpid(), signal.SIGKILL)

archives._BLOCK, archives.tqdm = 512, Bar
archives.extract(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
"""


@pytest.mark.parametrize("name", ["a.zip", "a.tar.gz"])
@pytest.mark.parametrize("killed_after", [0, 700, 9_000, 30_000])
def test_killed_while_unpacking_and_called_again_it_is_the_same(tmp_path, name, killed_after):
    archive = MAKERS[name](tmp_path / name, CONTENTS)
    died = subprocess.run(
        [sys.executable, "-c", CHILD, archive, tmp_path / "out", "f" * 64, str(killed_after)],
        env={**os.environ, "PYTHONPATH": str(Path(archives.__file__).parents[2])},
        check=False,
    )
    assert died.returncode == -signal.SIGKILL
    assert not (tmp_path / "out").exists()
    left = {path: path.stat().st_ino for path in tmp_path.rglob("*.wav")}
    extract(archive, tmp_path / "out", "f" * 64)
    assert found(tmp_path / "out") == CONTENTS
    kept = {path.stat().st_ino for path in (tmp_path / "out").rglob("*.wav")}
    assert set(left.values()) <= kept  # what was whole was not written again
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([name, "out"])


def _zip_of(path, *members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("set/a.wav", b"first")
        for info, content in members:
            archive.writestr(info, content)


def _tar_of(path, info, content=b"", mode="w:gz", **fields):
    info = tarfile.TarInfo(info)
    info.size = len(content)
    for name, value in fields.items():
        setattr(info, name, value)
    with tarfile.open(path, mode) as archive:
        first = tarfile.TarInfo("set/a.wav")
        first.size = 5
        archive.addfile(first, io.BytesIO(b"first"))
        archive.addfile(info, io.BytesIO(content))


def _zip_link(path):
    link = zipfile.ZipInfo("set/link")
    link.external_attr = 0o120777 << 16
    _zip_of(path, (link, "../../outside"))


def _twice(path):
    with pytest.warns(UserWarning, match="Duplicate"):
        _zip_of(path, ("set/a.wav", b"second"))


def _lying_size(path):
    _zip_of(path, ("set/b.wav", bytes(3_000_000)))
    raw = path.read_bytes()
    path.write_bytes(raw.replace(struct.pack("<I", 3_000_000), struct.pack("<I", 30)))


def _many_members(path):
    _zip_of(path, *((f"set/{number}", b"") for number in range(2000)))


def _huge_header(path):
    header = tarfile.TarInfo("long")
    header.type, header.size = tarfile.XHDTYPE, 400_000_000
    with gzip.open(path, "wb", 1) as file:
        file.write(header.tobuf())
        for _ in range(400):
            file.write(bytes(1_000_000))


def _endless_tar(path):
    with gzip.open(path, "wb", 1) as file:
        header = tarfile.TarInfo("set/b.wav")
        header.size = 1 << 33
        file.write(header.tobuf())
        for _ in range(100):
            file.write(bytes(1_000_000))


def _huge_directory(path):
    _zip_of(path)
    raw = bytearray(path.read_bytes())
    at = raw.rfind(b"PK\x05\x06")
    raw[at + 12 : at + 16] = struct.pack("<I", 1 << 31)
    path.write_bytes(raw)


def _damaged(path):
    make_zip(path, {"set/a.wav": np.random.default_rng(0).bytes(5000)}, zipfile.ZIP_STORED)
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)


def _cut(path):
    make_tar(path, CONTENTS, "w:gz")
    path.write_bytes(path.read_bytes()[:-2000])


HOSTILE = {
    "parent.zip": (lambda p: _zip_of(p, ("../outside", b"x")), "may not, '../outside'"),
    "absolute.zip": (lambda p: _zip_of(p, ("/tmp-outside", b"x")), "may not, '/tmp-outside'"),
    "backslash.zip": (lambda p: _zip_of(p, ("..\\outside", b"x")), "may not"),
    "link.zip": (_zip_link, "link or device, 'set/link'"),
    "twice.zip": (_twice, "names 'set/a.wav' twice"),
    "file-as-folder.zip": (lambda p: _zip_of(p, ("set/a.wav/b", b"x")), "twice"),
    "ratio.zip": (lambda p: _zip_of(p, ("set/b", bytes(40_000_000))), "more than 4000000 bytes"),
    "lying-size.zip": (_lying_size, "larger than it says|no sound archive"),
    "many.zip": (_many_members, "more than 1000 members"),
    "huge-directory.zip": (_huge_directory, "list of members has 2147483648 bytes"),
    "damaged.zip": (_damaged, "no sound archive"),
    "parent.tar.gz": (lambda p: _tar_of(p, "set/../../outside", b"x"), "may not"),
    "absolute.tar.gz": (lambda p: _tar_of(p, "/tmp-outside", b"x"), "may not"),
    "symlink.tar.gz": (
        lambda p: _tar_of(p, "set/l", type=tarfile.SYMTYPE, linkname="/etc"), "link, device",
    ),
    "hardlink.tar.gz": (
        lambda p: _tar_of(p, "set/l", type=tarfile.LNKTYPE, linkname="set/a.wav"), "link, device",
    ),
    "device.tar.gz": (lambda p: _tar_of(p, "set/d", type=tarfile.CHRTYPE), "link, device"),
    "fifo.tar.gz": (lambda p: _tar_of(p, "set/d", type=tarfile.FIFOTYPE), "link, device"),
    "twice.tar.gz": (lambda p: _tar_of(p, "set/./a.wav", b"x"), "twice"),
    "newline.tar.gz": (lambda p: _tar_of(p, "set/a\nb", b"x"), "may not"),
    "bomb.tar.gz": (_endless_tar, "unpacks to more than"),
    "huge-header.tar.gz": (_huge_header, "header of more than a megabyte"),
    "cut.tar.gz": (_cut, "no sound archive"),
    "text.zip": (lambda p: p.write_text("<html>404</html>"), "no sound archive"),
    "empty.zip": (lambda p: p.write_bytes(b""), "no sound archive"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_archive_is_one_line_and_leaves_nothing(tmp_path, name):
    make, words = HOSTILE[name]
    inside = tmp_path / "a" / "b"
    inside.mkdir(parents=True)
    make(inside / name)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(DataError, match=words) as told:
        extract(inside / name, inside / "out", "f" * 64, CAPS)
    assert "\n" not in str(told.value)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [inside / name]
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # kB


def test_no_room_is_told_before_the_first_byte(tmp_path, monkeypatch):
    usage = archives.shutil.disk_usage(tmp_path)._replace(free=0)
    monkeypatch.setattr(archives.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(DataError, match="0.00 GB are free"):
        extract(make_zip(tmp_path / "a.zip", CONTENTS), tmp_path / "out", "f" * 64)


def test_what_changed_under_a_killed_unpacking_is_not_kept(tmp_path):
    archive = make_zip(tmp_path / "a.zip", CONTENTS)
    name = next(name for name, content in CONTENTS.items() if content)
    other = tmp_path / f".out.{'f' * 12}.partial" / name
    other.parent.mkdir(parents=True)
    other.write_bytes(bytes(len(CONTENTS[name])))
    with pytest.raises(DataError, match="changed since"):
        extract(archive, tmp_path / "out", "f" * 64)
    extract(archive, tmp_path / "out", "f" * 64)
    assert found(tmp_path / "out") == CONTENTS


def test_a_compressed_tar_is_read_once(tmp_path, monkeypatch):
    archive = make_tar(tmp_path / "a.tar.gz", CONTENTS, "w:gz")
    backwards = []
    seek = gzip.GzipFile.seek

    def watched(self, position, whence=0):
        if whence == 0 and position < seek(self, 0, 1):
            backwards.append(position)
        return seek(self, position, whence)

    monkeypatch.setattr(gzip.GzipFile, "seek", watched)
    extract(archive, tmp_path / "out", "f" * 64)
    assert backwards == []
