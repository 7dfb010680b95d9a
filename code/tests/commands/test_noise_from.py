"""``shellac noise-from``: segments and their table, a folder corpus as it stands."""

import json

import numpy as np
import pytest
from sounds import tone

from shellac import audio
from shellac.cli import main
from shellac.datasets import folder
from shellac.files import read_csv, sha256

RATE = 22050


@pytest.fixture
def disc(tmp_path):
    """Two seconds of hiss, three of music, two of hiss; stereo, 16 bit."""
    rng = np.random.default_rng(5)
    waveform = 0.01 * rng.standard_normal((2, 7 * RATE))
    waveform[:, 2 * RATE : 5 * RATE] += tone(3.0, RATE, 2)
    path = tmp_path / "discs" / "side a.wav"
    audio.write(path, 0.5 * waveform, RATE, subtype="PCM_16")
    return path


def run(*arguments):
    return main(["noise-from", *map(str, arguments)])


def test_segments_are_the_disc_s_own_samples_and_a_corpus(disc, tmp_path, capsys):
    out = tmp_path / "noise"
    assert run(disc, "-o", out) == 0
    assert "0.00 to " in capsys.readouterr().out
    whole, _ = audio.read(disc)
    rows = read_csv(out / folder.MANIFEST)
    assert len(rows) == 2
    for row in rows:
        segment, rate = audio.read(out / row["file"])
        start, stop = (round(float(row[key]) * RATE) for key in ("start_seconds", "stop_seconds"))
        assert rate == RATE
        assert np.array_equal(segment, whole[:, start:stop])
        assert row["source"] == "side a.wav"
        assert audio.inspect(out / row["file"]).subtype == "PCM_16"
    assert float(rows[0]["stop_seconds"]) <= 2.01
    assert float(rows[1]["start_seconds"]) > 4.98
    scanned = folder.scan(out)
    assert [file.role for file in scanned] == ["noise", "noise"]
    assert {file.recording for file in scanned} == {sha256(disc)}


def test_a_recording_without_noise_is_named_and_the_others_are_done(disc, tmp_path, capsys):
    audio.write(disc.parent / "clean.wav", tone(4.0, RATE), RATE)
    (disc.parent / "notes.txt").write_text("no audio")
    assert run(disc.parent, "-o", tmp_path / "noise", "--json") == 2
    told = capsys.readouterr()
    (record,) = json.loads(told.out)
    assert record["source"].endswith("side a.wav")
    assert told.err.count("\n") == 1
    assert "clean.wav: no noise alone was found" in told.err


def test_nothing_found_leaves_nothing(tmp_path, capsys):
    audio.write(tmp_path / "clean.wav", tone(4.0, RATE), RATE)
    assert run(tmp_path / "clean.wav", "-o", tmp_path / "noise") == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert not (tmp_path / "noise").exists()


def contents(out):
    return {path.name: path.read_bytes() for path in out.iterdir()}


def test_a_run_goes_on_where_one_before_it_ended(disc, tmp_path, capsys):
    out = tmp_path / "noise"
    assert run(disc, "-o", out, "--json") == 0
    told, before = capsys.readouterr().out, contents(out)
    times = {path: path.stat().st_mtime_ns for path in out.iterdir()}
    assert run(disc, "-o", out, "--json") == 0
    assert capsys.readouterr().out == told
    assert {path: path.stat().st_mtime_ns for path in out.iterdir()} == times  # nothing was cut
    (out / folder.MANIFEST).unlink()  # it is written last
    assert run(disc, "-o", out) == 0
    assert contents(out) == before
    sorted(out.glob("*.flac"))[0].unlink()
    assert run(disc, "-o", out) == 0
    assert contents(out) == before


def test_a_second_recording_joins_the_first(disc, tmp_path):
    out, other = tmp_path / "noise", tmp_path / "discs" / "side b.wav"
    waveform, rate = audio.read(disc)
    audio.write(other, 0.9 * waveform, rate, subtype="PCM_16")
    assert run(disc, "-o", out) == 0
    assert run(other, "-o", out) == 0
    assert run(disc, other, "-o", tmp_path / "both") == 0
    assert contents(out) == contents(tmp_path / "both")


def test_a_copy_under_another_name_is_cut_too(disc, tmp_path):
    disc.with_name("copy.wav").write_bytes(disc.read_bytes())
    assert run(disc.parent, "-o", tmp_path / "noise") == 0
    assert sorted(path.name for path in (tmp_path / "noise").glob("*001*")) == [
        "copy.noise-001.flac",
        "side a.noise-001.flac",
    ]


def test_other_files_stay(disc, tmp_path, capsys):
    out = tmp_path / "noise"
    out.mkdir()
    (out / "side a.noise-001.flac").write_bytes(b"another")
    assert run(disc, "-o", out) == 2
    assert "exists already" in capsys.readouterr().err
    assert contents(out) == {"side a.noise-001.flac": b"another"}
    (out / folder.MANIFEST).write_text("file,role\nx.wav,clean\n")
    before = contents(out)
    assert run(disc, "-o", out) == 2
    assert "is no table of shellac noise-from" in capsys.readouterr().err
    assert contents(out) == before


def test_short_and_narrow_recordings_are_told(tmp_path, capsys):
    audio.write(tmp_path / "short.wav", np.zeros((1, 100), np.float32), RATE)
    assert run(tmp_path / "short.wav", "-o", tmp_path / "noise") == 2
    assert "no noise alone was found" in capsys.readouterr().err
    audio.write(tmp_path / "narrow.wav", tone(2.0, 6000), 6000)
    assert run(tmp_path / "narrow.wav", "-o", tmp_path / "noise") == 2
    assert "8000 Hz are needed" in capsys.readouterr().err
