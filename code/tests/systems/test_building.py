"""Fragments of every system: killed anywhere and taken up again, in any order, in their place."""

import os
import shutil
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest
from sounds import tone

from shellac import audio, config, paths
from shellac.datasets import corpora
from shellac.datasets.index import Recording
from shellac.errors import DataError, OutputError
from shellac.files import sha256
from shellac.systems import building, registry

KILLED = """
import os, signal, sys
from pathlib import Path
from shellac import pipeline

left = int(sys.argv[2])

def counted(function):
    def call(*arguments):
        global left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments)
    return call

os.pwritev, Path.replace = counted(os.pwritev), counted(Path.replace)
pipeline.fragments(sys.argv[1])
"""
# how many files are laid out or named, and how many blocks of rows written, before each kill;
# in superres, of two recordings for training and one for validation: a file, 2 x 2 blocks, the
# index, a file, 2 blocks, the index, the folder
MOMENTS = {"superres": (0, 2, 3, 1, 2, 0), "inpainting": (2, 1, 3)}


def hashes(folder):
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): sha256(path) for path in files}


def recording(number, samples=10):
    told = ("", f"{number}.wav", "piano", "piano", "train", "yes", "", 1, 1, samples)
    return Recording(*told, sha256=str(number))


@pytest.mark.parametrize("system", MOMENTS)
def test_killed_again_and_again_a_build_ends_with_the_same_bytes(folder_root, system):
    settings = config.load()
    corpora.obtain(settings, "folder")
    registry.part(system, "fragments").build(settings)
    target = paths.fragments(settings.profile, system)
    expected = hashes(target)
    shutil.rmtree(target)
    for moment in MOMENTS[system]:
        command = [sys.executable, "-c", KILLED, system, str(moment)]
        done = subprocess.run(command, env=os.environ, capture_output=True, check=False)
        assert done.returncode == -signal.SIGKILL, done.stderr.decode()
        assert not target.exists()
    registry.part(system, "fragments").build(settings)
    assert hashes(target) == expected
    assert {path.name for path in target.parent.iterdir()} == {system, f".{system}.lock"}


def fill(target, made, fails=(), threads=1, counts=(2, 0, 3, 1), **decisive):
    """Build one array of four recordings; ``made`` gets the number of each that is prepared."""
    found = [recording(number, count) for number, count in enumerate(counts)]
    with building.resumed(target, **decisive) as folder:
        planned = building.jobs(found, lambda each: each.samples)
        rows = building.npy_rows(folder / "a.npy", (sum(counts), 5))

        def work(job):
            number = int(job.recording.sha256)
            if number in fails:
                raise DataError("no such recording")
            made.append(number)
            rows.write(job.first, [np.full(5, number + i / 8, "f4") for i in range(job.count)])
            return [number / 3]

        told = building.carry_out(planned, work, folder / ".a", threads)
    assert told == [[0.0], [1 / 3], [2 / 3], [1.0]]


def test_rows_lie_in_the_order_of_recordings_as_numpy_writes_them(tmp_path):
    fill(tmp_path / "new", [], threads=3)
    whole = np.repeat(np.array([0, 1 / 8, 2, 2 + 1 / 8, 2 + 2 / 8, 3], "f4"), 5).reshape(6, 5)
    np.save(tmp_path / "a.npy", whole)
    assert hashes(tmp_path / "new") == {"a.npy": sha256(tmp_path / "a.npy")}


def test_what_was_done_is_not_done_again_unless_something_else_is_wanted(tmp_path):
    made = []
    with pytest.raises(DataError):
        fill(tmp_path / "new", made, fails=[2], scale=4)
    assert made[:2] == [0, 1]
    (journal,) = tmp_path.glob(".new.*/.a")
    journal.write_bytes(journal.read_bytes() + b"[3, 0.")  # as a kill may leave it
    done = len(made)
    fill(tmp_path / "new", made, scale=4)
    assert sorted(made) == [0, 1, 2, 3] and 2 in made[done:]
    with pytest.raises(DataError):
        fill(tmp_path / "new", [], fails=[3], scale=4)
    made = []
    fill(tmp_path / "new", made, scale=2)
    assert sorted(made) == [0, 1, 2, 3]
    assert {path.name for path in tmp_path.iterdir()} == {"new", ".new.lock"}


def test_more_rows_than_one_system_call_takes(tmp_path):
    rows = building.npy_rows(tmp_path / "a.npy", (3000, 1))
    rows.write(0, [np.zeros(1, "f4")])
    rows.write(1, list(np.arange(1, 3000, dtype="f4")[:, None]))
    assert np.array_equal(np.load(tmp_path / "a.npy")[:, 0], np.arange(3000))


def test_half_a_write_is_completed(tmp_path, monkeypatch):
    write = os.pwritev
    monkeypatch.setattr(os, "pwritev", lambda file, parts, place: write(file, parts[:1], place))
    rows = building.npy_rows(tmp_path / "a.npy", (3, 2))
    rows.write(0, list(np.arange(6, dtype="f4").reshape(3, 2)))
    assert np.array_equal(np.load(tmp_path / "a.npy"), np.arange(6).reshape(3, 2))


def test_a_full_disk_is_one_line_and_nothing_has_the_final_name(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "pwritev", full)
    with pytest.raises(OutputError, match=r"cannot write .*new: No space left"):
        fill(tmp_path / "new", [])
    assert not (tmp_path / "new").exists()


def test_a_second_process_waits_for_the_first(tmp_path, capsys):
    made = []
    with building.resumed(tmp_path / "new"):
        second = threading.Thread(target=fill, args=(tmp_path / "new", made))
        second.start()
        while "waiting" not in capsys.readouterr().err:
            second.join(0.01)
            assert second.is_alive()
        assert not made
    second.join()
    assert sorted(made) == [0, 1, 2, 3]


def test_what_a_kill_left_is_not_in_the_result_wherever_it_lay(tmp_path):
    with pytest.raises(KeyboardInterrupt), building.resumed(tmp_path / "new") as folder:
        (folder / "filled").mkdir()
        (folder / "filled" / "whole.npy").touch()
        (folder / "filled" / ".0a1b2c.partial.npy").touch()
        (folder / ".journal").touch()
        raise KeyboardInterrupt
    with building.resumed(tmp_path / "new"):
        pass
    left = [path for path in (tmp_path / "new").rglob("*") if path.is_file()]
    assert left == [tmp_path / "new" / "filled" / "whole.npy"]


def test_a_recording_of_another_length_than_its_index_says_is_refused(folder_root):
    settings = config.load()
    rows = corpora.obtain(settings, "folder")
    for row in rows:
        if row.role == "speech" and row.used == "yes":
            audio.write(row.path, tone(1.5, 16000), 16000)
    with pytest.raises(DataError, match=r"s\d.wav: is not as long as its index says"):
        registry.part("superres", "fragments").build(settings)
    assert not paths.fragments(settings.profile, "superres").exists()
