"""The index: what is used for what, what is dropped and why."""

import pytest
from sounds import make_bad

from shellac import config
from shellac.datasets import corpora
from shellac.errors import DataError


def test_a_folder_is_indexed_by_role_and_every_drop_has_a_reason(folder_root):
    settings = config.load()
    found = {row.file: row for row in corpora.obtain(settings, "folder")}
    assert corpora.read_index(settings, "folder") == list(found.values())
    reasons = {name: row.reason for name, row in found.items() if row.used == "no"}
    assert set(reasons) == {"music/broken.wav", "music/narrow.wav", "speech/same.wav"}
    assert "bandwidth" in reasons["music/narrow.wav"]
    assert "same content as speech/s0.wav" in reasons["speech/same.wav"]
    assert reasons["music/broken.wav"]


def test_a_drop_s_reason_names_no_option_of_another_command(folder_root):
    make_bad(folder_root / "mine" / "speech", "half.wav")
    found = {row.file: row for row in corpora.obtain(config.load(), "folder")}
    reason = found["speech/half.wav"].reason
    assert reason.startswith("cut short, ") and "--" not in reason


def test_roles_are_respected(folder_root):
    settings = config.load()
    found = corpora.obtain(settings, "folder")
    splits = {row.file: row.split for row in found}
    assert splits["historical/disc.wav"] == ""
    assert splits["speech/same.wav"] == ""
    clean = [
        recording.role
        for split in ("train", "validation", "test")
        for recording in corpora.recordings(settings, ["speech", "music", "piano"], split)
    ]
    assert clean == ["speech"] * 4
    assert {splits[f"speech/s{number}.wav"] for number in range(4)} == {
        "train", "validation", "test",
    }  # fmt: skip


def test_tracks_of_one_name_in_several_folders_stay_apart(folder_root):
    for disc in ("a", "b"):
        (folder_root / "mine" / "speech" / disc).mkdir()
        source = folder_root / "mine" / "speech" / f"s{'ab'.index(disc)}.wav"
        source.rename(folder_root / "mine" / "speech" / disc / "01.wav")
    found = corpora.obtain(config.load(), "folder")
    assert len({row.track for row in found}) == len(found)


def test_a_linked_folder_is_told(folder_root):
    (folder_root / "elsewhere").mkdir()
    (folder_root / "mine" / "piano").symlink_to(folder_root / "elsewhere")
    with pytest.raises(DataError, match="link to a folder"):
        corpora.obtain(config.load(), "folder")


def test_nothing_usable_is_told_and_leaves_no_folder(folder_root):
    for path in (folder_root / "mine").rglob("*.wav"):
        path.write_bytes(b"RIFF")
    with pytest.raises(DataError, match="not one usable"):
        corpora.obtain(config.load(), "folder")
    raw = folder_root / "data" / "raw" / "folder"
    assert not list(raw.iterdir())


def test_unknown_and_missing_corpora_are_told(folder_root):
    with pytest.raises(DataError, match="synthesised-piano"):
        corpora.obtain(config.load(), "nothing")
    with pytest.raises(DataError, match="shellac download folder"):
        list(corpora.recordings(config.load(), ["speech"], "train"))


def test_synthesised_corpora_repeat_themselves(folder_root):
    changes = ["data.synthesis={synthesised-noise: {pieces: 3, seconds: 1, sample_rate: 16000}}"]
    settings = config.apply_profile("demo", changes)
    first = corpora.obtain(settings, "synthesised-noise")
    assert corpora.obtain(settings, "synthesised-noise") == first
    assert len({row.sha256 for row in first}) == 3
    other = config.apply_profile("demo", [*changes, "seed=1"])
    assert {row.sha256 for row in corpora.obtain(other, "synthesised-noise")}.isdisjoint(
        row.sha256 for row in first
    )


def test_every_recording_has_a_genre(folder_root):
    changes = [
        "data.synthesis={synthesised-ensemble: {pieces: 9, seconds: 1, sample_rate: 16000},"
        " synthesised-voice: {pieces: 2, seconds: 1, sample_rate: 16000}}"
    ]
    settings = config.apply_profile("demo", changes)
    music = corpora.obtain(settings, "synthesised-ensemble")
    assert len({row.genre for row in music}) == 8
    assert music[8].genre == music[0].genre
    assert {row.role for row in music} == {"music"}
    assert all(row.file.startswith(row.genre) for row in music)
    assert corpora.read_index(settings, "synthesised-ensemble") == music
    voices = corpora.obtain(settings, "synthesised-voice")
    assert [(row.role, row.genre) for row in voices] == [("speech", "bass"), ("speech", "tenor")]


def test_a_folder_s_name_is_its_genre(folder_root):
    found = corpora.obtain(config.load(), "folder")
    assert all(row.genre == row.role for row in found)
