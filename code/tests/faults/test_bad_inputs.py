"""Every kind of bad input to every command that reads a recording: one line, and no file."""

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile
from faults.conftest import TRAINED
from sounds import BAD, tone, write_good

from shellac.cli import main


def _half_mp3(path: Path) -> None:
    soundfile.write(path, tone(4.0, 16000, 2).T, 16000, format="MP3", subtype="MPEG_LAYER_III")
    path.write_bytes(path.read_bytes()[:1500])


def _many_channels(path: Path) -> None:
    raw = bytearray(write_good(path).read_bytes())
    raw[22:24] = (1025).to_bytes(2, "little")
    path.write_bytes(raw)


KINDS = BAD | {
    "folder.wav": lambda path: path.mkdir(),
    "dangling.wav": lambda path: path.symlink_to(path.with_name("nowhere")),
    "loop.wav": lambda path: path.symlink_to(path),
    "pipe.wav": os.mkfifo,
    "device.wav": lambda path: path.symlink_to("/dev/zero"),
    "zeros.flac": lambda path: path.write_bytes(bytes(50_000)),
    "random.ogg": lambda path: path.write_bytes(np.random.default_rng(3).bytes(50_000)),
    "half.mp3": _half_mp3,
    "many_channels.wav": _many_channels,
}
COMMANDS = {
    "restore classical": ("restore", "BAD", "-o", "OUT", "--system", "classical"),
    "restore network": ("restore", "BAD", "-o", "OUT", "--system", "superres",
                        "--weights", "WEIGHTS"),
    "restore chain": ("restore", "BAD", "-o", "OUT", "--system", "classical,superres",
                      "--weights", "WEIGHTS", "--mono", "mix", "--keep-input", "--pictures"),
    "restore published": ("restore", "BAD", "-o", "OUT", "--system", "superres", "--weights",
                          "WEIGHTS", "--rate", "network"),
    "noise profile": ("restore", "GOOD", "-o", "OUT", "--system", "classical",
                      "--noise-profile", "BAD"),
    "degrade": ("degrade", "BAD", "-o", "OUT", "--recipe", "gramophone"),
    "score reference": ("score", "BAD", "GOOD"),
    "score restored": ("score", "GOOD", "BAD"),
    "noise-from": ("noise-from", "BAD", "-o", "OUT"),
    "example": ("example", "BAD", "-o", "OUT", "--weights", "WEIGHTS"),
}  # fmt: skip


@pytest.fixture(scope="module")
def kinds(tmp_path_factory):
    """A folder with one file of every kind, and a good one."""
    folder = tmp_path_factory.mktemp("bad")
    write_good(folder / "good.wav")
    for kind, make in KINDS.items():
        make(folder / kind)
    return folder


def contents(folder):
    """What plain files hold."""
    plain = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    return {path: path.read_bytes() for path in plain}


@pytest.mark.parametrize("command", COMMANDS)
def test_bad_input_is_one_line_that_names_it_and_leaves_nothing(
    house, forks, kinds, capsys, monkeypatch, command
):
    monkeypatch.chdir(kinds)
    names = {"OUT": "out", "WEIGHTS": house / TRAINED, "GOOD": "good.wav"}
    before, held = {*kinds.rglob("*")}, contents(kinds)
    for kind in KINDS:
        status = main([str(names.get(word, kind if word == "BAD" else word))
                       for word in COMMANDS[command]])  # fmt: skip
        told = capsys.readouterr()
        assert (status, told.out) == (2, ""), kind
        assert told.err.count("\n") == 1 and kind in told.err, told.err
        assert {*kinds.rglob("*")} == before, kind
    assert contents(kinds) == held
