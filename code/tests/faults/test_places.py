"""Full disks, places that cannot be written, names that trip programs, several runs at once."""

import os
import shutil
from pathlib import Path

import pytest
from faults.conftest import TRAINED

from shellac import audio
from shellac.cli import main
from shellac.files import sha256

COMMANDS = {
    "restore": ("restore", "mine/historical", "--system", "classical"),
    "restore network": ("restore", "mine/historical", "--system", "superres",
                        "--weights", str(TRAINED)),
    "degrade": ("degrade", "mine/historical", "--recipe", "low-pass"),
    "noise-from": ("noise-from", "mine/noise"),
}  # fmt: skip
PLACES = {"download": "data/raw", "fragments": "data/fragments", "train": TRAINED.parent}
MADE = {"restore": b".restored.wav", "degrade": b".degraded.wav", "noise-from": b".noise-001.flac"}
NAMES = (b"Sk\xc5\x99ivan \xe2\x99\xaa.wav", b"caf\xe9.wav", b"-o.wav", b"--help.wav", b"a\nb.wav",
         b" .wav", b"%s{0}'\".wav", b"n" * 230 + b".wav")  # fmt: skip


def files(place):
    """Every file below a place, by content."""
    return {str(path.relative_to(place)): sha256(path)
            for path in place.rglob("*") if path.is_file()}  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("limit", [2000, 60_000])
def test_a_full_disk_is_one_line_and_leaves_no_file(house, forks, tmp_path, command, limit):
    (done,) = forks.run(*COMMANDS[command], "-o", tmp_path / "out", file_bytes=limit)
    assert (done["status"], done["err"].count("\n")) == (2, 1), done["err"]
    assert "Traceback" not in done["err"]
    assert not files(tmp_path)


@pytest.mark.parametrize("stage", [
    ("fragments", "superres"), ("fragments", "denoiser"), ("fragments", "behm_gan"),
    ("fragments", "babe2"), ("fragments", "inpainting"), ("train", "superres/audiounet"),
], ids=" ".join)  # fmt: skip
def test_a_full_disk_stops_a_stage_in_one_line(house, forks, stage):
    before = files(house / "results"), files(house / "data" / "raw")
    trained = (house / TRAINED).read_bytes()
    if stage[0] == "fragments":
        shutil.rmtree(house / "data" / "fragments" / "folder" / stage[1], ignore_errors=True)
    (done,) = forks.run(*stage, file_bytes=3000)
    assert (done["status"], done["err"].count("\n")) == (2, 1), done["err"]
    assert "Traceback" not in done["err"]
    assert (house / TRAINED).read_bytes() == trained
    assert (files(house / "results"), files(house / "data" / "raw")) == before
    (done,) = forks.run(*stage)
    assert done["status"] == 0, done["err"]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_place_that_cannot_be_written_is_one_line(house, forks, tmp_path, command):
    (tmp_path / "file").write_text("here already")
    places = [tmp_path / "file", tmp_path / "file" / "below", "/proc/shellac"]
    if os.geteuid():
        (tmp_path / "closed").mkdir(mode=0o555)
        places.append(tmp_path / "closed")
    for place in places:
        (done,) = forks.run(*COMMANDS[command], "-o", place)
        assert (done["status"], done["err"].count("\n")) == (2, 1), (place, done["err"])
    assert (tmp_path / "file").read_text() == "here already"
    assert files(tmp_path).keys() == {"file"}


@pytest.mark.parametrize("command", ["restore", "restore network", "degrade"])
def test_several_at_once_into_one_folder_make_what_one_makes(house, forks, tmp_path, command):
    (done,) = forks.run(*COMMANDS[command], "-o", tmp_path / "alone")
    assert done["status"] == 0, done["err"]
    for done in forks.run(*COMMANDS[command], "-o", tmp_path / "together", times=3):
        assert done["status"] == 0, done["err"]
    assert files(tmp_path / "together") == files(tmp_path / "alone")


@pytest.mark.parametrize("stage", [
    ("download", "folder"), ("fragments", "superres"), ("fragments", "babe2"),
    ("train", "superres/audiounet"),
], ids=" ".join)  # fmt: skip
def test_two_runs_at_once_in_one_workspace(house, forks, stage):
    place = PLACES[stage[0]]
    (done,) = forks.run(*stage)
    assert done["status"] == 0, done["err"]
    alone = files(house / place)
    for done in forks.run(*stage, times=2):
        assert done["status"] == 0, done["err"]
    assert files(house / place) == alone


@pytest.mark.parametrize("command", ["restore", "degrade", "noise-from"])
def test_any_name_and_any_link_will_do(house, tmp_path, capsys, command):
    source = house / ("mine/noise/hiss.wav" if command == "noise-from" else
                      "mine/historical/disc.wav")  # fmt: skip
    folder = os.fsencode(tmp_path / "in")
    os.mkdir(folder)  # noqa: PTH102
    for name in NAMES:
        shutil.copy(source, os.path.join(folder, name))  # noqa: PTH118
    os.symlink(source, os.path.join(folder, b"link.wav"))  # noqa: PTH118, PTH211
    os.symlink(folder, os.path.join(folder, b"round"))  # noqa: PTH118, PTH211
    words = [word for word in COMMANDS[command] if not word.startswith("mine")]
    status = main([words[0], str(tmp_path / "in"), *words[1:], "-o", str(tmp_path / "out")])
    told = capsys.readouterr()
    assert status == 0, told.err
    assert len(told.err.splitlines()) <= len(NAMES) + 1  # a warning each, at most
    made = {os.fsencode(path.name) for path in (tmp_path / "out").iterdir()}
    kind = MADE[command]
    stems = {os.fsencode(Path(os.fsdecode(name)).stem) for name in (*NAMES, b"link.wav")}
    assert made >= {stem + kind for stem in stems}
    assert audio.inspect(source).samples


@pytest.mark.parametrize("command", ["restore", "degrade"])
def test_a_name_of_255_bytes_is_told_before_work(house, tmp_path, capsys, command):
    name = "n" * 251 + ".wav"
    shutil.copy(house / "mine/historical/disc.wav", tmp_path / name)
    words = [word for word in COMMANDS[command] if not word.startswith("mine")]
    out = tmp_path / "out"
    status = main([words[0], str(tmp_path / name), *words[1:], "-o", str(out)])
    told = capsys.readouterr()
    assert (status, told.err.count("\n")) == (2, 1)
    assert not out.exists()
