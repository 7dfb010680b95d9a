"""Whatever a server does: the right file, or one line that says why not."""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import loopback
import numpy as np
import pytest

from shellac.download import transfer
from shellac.download.partial import Partial
from shellac.download.transfer import Limits, Wanted, fetch, fetch_all
from shellac.errors import DataError

CONTENT = np.random.default_rng(3).bytes(3_000_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
QUICK = Limits(attempts=3, pause_seconds=0.0)


@pytest.fixture
def site():
    with loopback.serving() as site:
        yield site


def wanted(site, *faults, content=CONTENT, **known):
    address = site.put("/file", content, *faults)
    known = {"checksums": {"sha256": SHA256}} | known
    return Wanted("file", (address,), **known)


def nothing_but(folder, *names):
    return sorted(path.name for path in folder.iterdir()) == sorted(names)


PASSING = {
    "500 then fine": [loopback.status(500)],
    "503 twice": [loopback.status(503)] * 2,
    "429": [loopback.status(429)],
    "cut body": [loopback.cut(0.5)],
    "cut before its first byte": [loopback.cut(0.0)],
    "range ignored": [loopback.cut(0.5), loopback.whole_whatever_was_asked],
    "redirected": [loopback.redirect("/file")],
    "cut, then a 500, then cut": [loopback.cut(0.2), loopback.status(500), loopback.cut(0.9)],
}


@pytest.mark.parametrize("faults", PASSING.values(), ids=PASSING)
@pytest.mark.parametrize("checksum", ["known", "unknown"])
def test_what_passes_is_survived(site, tmp_path, faults, checksum):
    known = {} if checksum == "known" else {"checksums": {}}
    limits = Limits(attempts=4, pause_seconds=0.0)
    assert fetch(wanted(site, *faults, **known), tmp_path, limits) == SHA256
    assert (tmp_path / "file").read_bytes() == CONTENT
    assert nothing_but(tmp_path, "file")


LASTING = {
    "404": ([loopback.status(404)], {}, "404"),
    "500 for good": ([loopback.status(500)] * 9, {}, "500"),
    "wrong body": ([loopback.other_body] * 9, {}, "its sha256 is"),
    "wrong length": ([loopback.other_length] * 9, {"size": len(CONTENT)}, "announces 3000007"),
    "wrong checksum": ([], {"checksums": {"md5": "0" * 32}}, "its md5 is"),
    "too long": ([], {"checksums": {}, "most_bytes": 1_000_000}, "1000000 are the most"),
    "endless": ([loopback.endless], {"most_bytes": 4_000_000}, "more than 4000000"),
    "redirect loop": ([loopback.redirect("/file")] * 99, {}, "redirects more than 10 times"),
    "endless redirect": ([loopback.endless_redirect] * 99, {}, "redirects more than 10 times"),
    "redirect to a file": (
        [loopback.redirect("file:///etc/hostname")],
        {},
        "which is no web address",
    ),
    "cut for good": ([loopback.cut(0.0)] * 9, {}, "bytes"),
}


@pytest.mark.parametrize(("faults", "known", "words"), LASTING.values(), ids=LASTING)
def test_what_lasts_is_told_in_one_line_and_leaves_no_file(site, tmp_path, faults, known, words):
    with pytest.raises(DataError, match=words) as told:
        fetch(wanted(site, *faults, **known), tmp_path, QUICK)
    assert "\n" not in str(told.value)
    assert "/file: " in str(told.value)
    assert not (tmp_path / "file").exists()


def test_one_byte_a_second_is_too_slow(site, tmp_path):
    limits = Limits(window_seconds=0.2, window_bytes=1000, attempts=1)
    with pytest.raises(DataError, match="too slow: less than 1000 bytes in 0.2 s"):
        fetch(wanted(site, loopback.trickle), tmp_path, limits)
    assert not (tmp_path / "file").exists()


def test_silence_ends_a_connection(site, tmp_path):
    limits = Limits(silent_seconds=0.2, attempts=1)
    with pytest.raises(DataError, match="timed out"):
        fetch(wanted(site, loopback.stop_after(1000)), tmp_path, limits)
    assert not (tmp_path / "file").exists()


def test_a_server_that_is_not_there_is_told(tmp_path):
    with loopback.serving() as gone:
        address = gone.address
    with pytest.raises(DataError, match="refused"):
        fetch(Wanted("file", (f"{address}/file",)), tmp_path, QUICK)


def test_the_rest_alone_is_asked_for(site, tmp_path):
    fetch(wanted(site, loopback.cut(0.5)), tmp_path, QUICK)
    assert [asked for _, asked in site.requests] == ["", "bytes=1500000-"]


def test_a_file_that_changed_meanwhile_is_not_joined_to_its_old_half(site, tmp_path):
    def first_half_of_another(handler, content):
        handler.start(200, len(content), ETag='"another"')
        handler.wfile.write(bytes(len(content) // 2))

    assert fetch(wanted(site, first_half_of_another, checksums={}), tmp_path, QUICK) == SHA256


def test_a_wrong_half_on_the_disk_costs_one_more_transfer(site, tmp_path):
    (tmp_path / ".file.partial").write_bytes(bytes(1000))
    assert fetch(wanted(site), tmp_path, QUICK) == SHA256
    assert [asked for _, asked in site.requests] == ["bytes=1000-", ""]


def test_a_transfer_killed_behind_its_last_byte_asks_for_nothing_more(site, tmp_path):
    (tmp_path / ".file.partial").write_bytes(CONTENT)
    assert fetch(wanted(site), tmp_path, QUICK) == SHA256
    assert [asked for _, asked in site.requests] == ["bytes=3000000-"]


def test_the_next_address_is_tried(site, tmp_path):
    bad = site.put("/bad", CONTENT, *[loopback.other_body] * 3)
    good = site.put("/good", CONTENT)
    file = Wanted("file", (bad, good), {"sha256": SHA256})
    assert fetch(file, tmp_path, QUICK) == SHA256


def test_what_is_there_is_hashed_and_kept(site, tmp_path):
    (tmp_path / "file").write_bytes(CONTENT)
    assert fetch(wanted(site), tmp_path) == SHA256
    assert site.requests == []
    (tmp_path / "file").write_bytes(b"other")
    with pytest.raises(DataError, match="remove it"):
        fetch(wanted(site), tmp_path)
    assert (tmp_path / "file").read_bytes() == b"other"


def test_a_full_disk_is_told_before_the_transfer(site, tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)._replace(free=1 << 24)
    monkeypatch.setattr(transfer.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(DataError, match="0.02 GB are free"):
        fetch(wanted(site), tmp_path, QUICK)


def test_two_processes_do_not_write_one_file(site, tmp_path):
    with Partial(tmp_path / "file"), pytest.raises(DataError, match="another process"):
        fetch(wanted(site), tmp_path, QUICK)


def test_several_files_come_together_and_one_failure_is_told(site, tmp_path):
    files = [
        Wanted(name, (site.put(f"/{name}", name.encode() * 1000),)) for name in ("a", "b", "c")
    ]
    digests = fetch_all(files, tmp_path, QUICK)
    assert list(digests) == ["a", "b", "c"]
    assert digests["b"] == hashlib.sha256(b"b" * 1000).hexdigest()
    site.put("/b", b"b", loopback.status(410))
    with pytest.raises(DataError, match="410"):
        fetch_all(files, tmp_path / "again", QUICK)


CHILD = """
import sys
from pathlib import Path
from shellac.download.transfer import Wanted, fetch
fetch(Wanted("file", (sys.argv[1],), {"sha256": sys.argv[2]}), Path(sys.argv[3]))
"""


@pytest.mark.parametrize("moments", [[1], [300_000, 2_699_999], [70_000, 65_536, 1_000_000]])
def test_killed_at_any_byte_and_resumed_it_is_the_same_file(site, tmp_path, moments):
    partial, have = tmp_path / ".file.partial", 0
    for moment in moments:
        file = wanted(site, loopback.stop_after(moment))
        process = subprocess.Popen(
            [sys.executable, "-c", CHILD, file.addresses[0], SHA256, str(tmp_path)],
            env={**os.environ, "PYTHONPATH": str(Path(transfer.__file__).parents[2])},
        )
        have += moment
        assert have < len(CONTENT), "a whole file would be finished before it is killed"
        while not (partial.is_file() and partial.stat().st_size == have):
            assert process.poll() is None
            site.closing.wait(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert not (tmp_path / "file").exists()
    assert fetch(wanted(site), tmp_path, QUICK) == SHA256
    assert site.requests[-1] == ("/file", f"bytes={have}-")
    assert nothing_but(tmp_path, "file")
