"""Whole files or none."""

import json
import os
import subprocess
import sys

import pytest

from shellac.errors import OutputError
from shellac.files import (
    atomic_folder,
    atomic_path,
    read_csv,
    sha256,
    temporary_path,
    write_csv,
    write_json,
    write_text,
)


def test_success_moves_into_place_and_failure_leaves_the_old(tmp_path):
    path = tmp_path / "deep" / "a.txt"
    write_text(path, "one")
    with pytest.raises(RuntimeError), atomic_path(path) as temporary:
        temporary.write_text("two")
        raise RuntimeError
    assert path.read_text() == "one"
    assert [file.name for file in path.parent.iterdir()] == ["a.txt"]


def test_a_folder_is_replaced_whole(tmp_path):
    target = tmp_path / "set"
    with atomic_folder(target) as folder:
        (folder / "old").touch()
    with pytest.raises(RuntimeError), atomic_folder(target) as folder:
        (folder / "half").touch()
        raise RuntimeError
    assert [file.name for file in target.iterdir()] == ["old"]
    with atomic_folder(target) as folder:
        (folder / "new").touch()
    assert [file.name for file in target.iterdir()] == ["new"]
    assert list(tmp_path.iterdir()) == [target]


def test_what_a_killed_process_left_of_a_folder_is_removed(tmp_path):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    left = tmp_path / f".set.{dead.pid}.0a1b2c.partial"
    others = [tmp_path / f".set.{os.getpid()}.0a1b2c.partial",
              tmp_path / f".another.{dead.pid}.0a1b2c.partial"]  # fmt: skip
    for folder in (left, *others):
        folder.mkdir()
        (folder / "half").touch()
    with atomic_folder(tmp_path / "set") as folder:
        (folder / "new").touch()
    assert sorted(tmp_path.iterdir()) == sorted([*others, tmp_path / "set"])


def test_an_unwritable_place_is_told_in_our_words(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot write"):
        write_text(tmp_path / "file" / "below.txt", "x")


def test_temporary_paths_are_gone_afterwards(tmp_path):
    with temporary_path(tmp_path, ".raw") as path:
        path.write_bytes(b"x")
    assert not list(tmp_path.iterdir())


def test_what_a_killed_process_left_beside_a_file_is_removed(tmp_path):
    script = (
        "import os, sys; from pathlib import Path; from shellac.files import atomic_path\n"
        "with atomic_path(Path(sys.argv[1])) as temporary:\n"
        "    temporary.touch(); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", script, tmp_path / "a.wav"], check=False)
    (left,) = tmp_path.iterdir()
    with temporary_path(tmp_path) as running:
        running.touch()
        assert not left.exists()
        write_text(tmp_path / "a.txt", "x")
        assert running.exists()
    other = tmp_path / "below" / left.name.replace(left.name[1:7], "0" * 6)
    write_text(other, "of another machine")
    write_text(other.with_name("b.txt"), "x")
    assert other.exists()


def test_json_and_csv_are_stable_and_readable(tmp_path):
    write_json(tmp_path / "a.json", {"b": 1, "a": "é"})
    assert json.loads((tmp_path / "a.json").read_text("utf-8")) == {"a": "é", "b": 1}
    first = sha256(tmp_path / "a.json")
    write_json(tmp_path / "a.json", {"a": "é", "b": 1})
    assert sha256(tmp_path / "a.json") == first
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "b.json", float("nan"))
    write_csv(tmp_path / "a.csv", [{"name": 'a,"b"\nc', "value": 1}], ["name", "value"])
    assert read_csv(tmp_path / "a.csv") == [{"name": 'a,"b"\nc', "value": "1"}]
    assert not (tmp_path / "b.json").exists()
