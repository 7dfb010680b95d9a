"""``shellac restore --system babe2``: any length, resumed after a kill, and honest about itself."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from sounds import tone
from systems.babe2 import small

from shellac import audio
from shellac.cli import main
from shellac.files import read_csv, sha256
from shellac.systems.babe2.prior import Sampling, chosen
from shellac.systems.babe2.remaking import Remaking, cuts


@pytest.fixture
def restore(tmp_path, monkeypatch, capsys):
    """Run the command with a cache of its own; return (status, output, error)."""
    monkeypatch.setenv("SHELLAC_CACHE", str(tmp_path / "cache"))
    path = small.store(tmp_path / "small.safetensors")

    def run(*arguments):
        status = main(["restore", "--system", "babe2", "--weights", str(path), "--device", "cpu",
                       *map(str, arguments)])  # fmt: skip
        told = capsys.readouterr()
        return status, told.out, told.err

    return run


def test_cuts_cover_all_and_end_where_the_recording_does():
    for samples in (1, 99, 100, 101, 190, 191, 1000):
        found = cuts(samples, 100, 10)
        assert found[0].start == 0 and found[0].known == 0
        for before, cut in zip(found, found[1:], strict=False):
            assert cut.known == before.start + 100 - cut.start >= 10
        assert found[-1].start + 100 == max(samples, 100)


@pytest.mark.parametrize(("sample_rate", "channels"), [(11025, 1), (44100, 2), (8000, 1)])
def test_length_rate_and_channels_stay(tmp_path, restore, sample_rate, channels):
    waveform = 0.5 * tone(1.3, sample_rate, channels)
    audio.write(tmp_path / "in.wav", waveform, sample_rate, "PCM_24")
    status, _, error = restore(tmp_path / "in.wav", "-o", tmp_path / "out", "--steps", 2)
    assert status == 0 and "babe2: 2 segments of 0.74 s" in error
    facts = audio.inspect(tmp_path / "out" / "in.restored.wav")
    assert (facts.sample_rate, facts.channels, facts.samples) == (
        sample_rate, channels, waveform.shape[1]
    )  # fmt: skip
    assert list((tmp_path / "cache" / "unfinished").iterdir()) == []


def test_it_says_that_it_generates_and_what_filter_it_found(tmp_path, restore):
    audio.write(tmp_path / "in.wav", 0.5 * tone(1.0, 11025), 11025)
    status, _, _ = restore(tmp_path / "in.wav", "-o", tmp_path / "out", "--quality", "fast",
                           "--steps", 2, "--seed", 5)  # fmt: skip
    assert status == 0
    told = json.loads((tmp_path / "out" / "in.json").read_text())
    assert told["generated"] is True and "generated" in told["residual"]
    assert told["estimates"][0]["sampling"]["steps"] == 2
    assert told["estimates"][0]["sampling"]["order"] == 2
    rows = read_csv(tmp_path / "out" / told["outputs"]["filter"])
    hz = [float(row["frequency_hz"]) for row in rows]
    assert hz == sorted(hz) and hz[-1] == pytest.approx(11025 / 2)
    assert (tmp_path / "out" / told["outputs"]["curve"]).read_bytes().startswith(b"%PDF")
    for kind, name in told["outputs"].items():
        assert sha256(tmp_path / "out" / name) == told["sha256"][kind]


def test_seeds_differ_and_a_seed_repeats(tmp_path, restore):
    audio.write(tmp_path / "in.wav", 0.5 * tone(0.5, 11025), 11025)
    found = []
    for number, seed in enumerate((1, 1, 2)):
        out = tmp_path / str(number)
        assert restore(tmp_path / "in.wav", "-o", out, "--seed", seed, "--steps", 2)[0] == 0
        found.append((out / "in.restored.wav").read_bytes())
    assert found[0] == found[1] != found[2]


def test_no_strength_gives_the_input(tmp_path, restore):
    audio.write(tmp_path / "in.wav", 0.5 * tone(0.9, 11025), 11025)
    restore(tmp_path / "in.wav", "-o", tmp_path / "out", "--strength", 0, "--steps", 2)
    before, after = (audio.read(tmp_path / name)[0] for name in ("in.wav", "out/in.restored.wav"))
    np.testing.assert_allclose(after, before, atol=1e-4)


def test_silence_stays_silence(tmp_path, restore):
    audio.write(tmp_path / "in.wav", np.zeros((1, 20000), np.float32), 11025)
    assert restore(tmp_path / "in.wav", "-o", tmp_path / "out", "--steps", 2)[0] == 0
    assert not audio.read(tmp_path / "out" / "in.restored.wav")[0].any()


@pytest.mark.parametrize("wrong", [["--steps", "1"], ["--steps", "5000"]])
def test_bad_options_are_refused_in_one_line(tmp_path, restore, wrong):
    audio.write(tmp_path / "in.wav", 0.5 * tone(0.5, 11025), 11025)
    status, _, error = restore(tmp_path / "in.wav", "-o", tmp_path / "out", *wrong)
    assert status == 2 and error.startswith("shellac: --steps") and error.count("\n") == 1


def test_steps_are_for_systems_that_sample(tmp_path, capsys):
    audio.write(tmp_path / "in.wav", 0.5 * tone(0.5, 11025), 11025)
    status = main(["restore", str(tmp_path / "in.wav"), "-o", str(tmp_path / "out"),
                   "--system", "classical", "--quality", "fast"])  # fmt: skip
    assert status == 2 and "babe2" in capsys.readouterr().err


def test_a_killed_restoration_goes_on_to_the_same_bytes(tmp_path):
    """Killed with -9 after its second segment: seen by its file, not by the clock."""
    weights = small.store(tmp_path / "small.safetensors")
    audio.write(tmp_path / "in.wav", 0.5 * tone(5.0, 11025), 11025)

    def command(out, cache):
        environment = {**os.environ, "SHELLAC_CACHE": str(tmp_path / cache), "OMP_NUM_THREADS": "1",
                       "PYTHONPATH": str(Path(__file__).resolve().parents[3])}  # fmt: skip
        arguments = [sys.executable, "-m", "shellac", "restore", str(tmp_path / "in.wav"), "-o",
                     str(tmp_path / out), "--system", "babe2", "--weights", str(weights),
                     "--device", "cpu"]  # fmt: skip
        return subprocess.Popen(arguments, env=environment, stderr=subprocess.PIPE)

    whole = command("whole", "first")
    assert whole.wait() == 0, whole.stderr.read()
    killed = command("resumed", "second")
    unfinished = tmp_path / "second" / "unfinished"
    while killed.poll() is None and not list(unfinished.glob("*/segment-000001.npy")):
        time.sleep(0.01)
    if killed.poll() is None:
        killed.send_signal(signal.SIGKILL)
    killed.wait()
    kept = {path: path.stat().st_mtime_ns for path in unfinished.glob("*/segment-*.npy")}
    assert killed.returncode == -signal.SIGKILL and len(kept) >= 2
    assert not (tmp_path / "resumed" / "in.restored.wav").exists()

    again = command("resumed", "second")
    assert again.wait() == 0, again.stderr.read()
    for name in ("in.restored.wav", "in.residual.wav", "in.filter.csv", "in.json"):
        assert sha256(tmp_path / "whole" / name) == sha256(tmp_path / "resumed" / name)


def test_finished_segments_are_not_made_again(tmp_path):
    x = 0.5 * tone(2.0, small.RATE)
    prior, sampling = small.prior(), chosen(Sampling.from_card(small.SAMPLING), None, 2)
    steps = []
    first = Remaking(prior, sampling, x, tmp_path / "work", 3, steps.append)
    made = np.concatenate(list(first.blocks()), axis=1)
    # one for the filter, and each segment
    assert len(steps) == 2 * (1 + len(first.cuts)) and made.shape == x.shape
    again = Remaking(prior, sampling, x, tmp_path / "work", 3, steps.append)
    np.testing.assert_array_equal(np.concatenate(list(again.blocks()), axis=1), made)
    assert len(steps) == 2 * (1 + len(first.cuts))


@pytest.mark.parametrize("guidance", ["published", "likelihood"])
def test_channels_share_the_filter_and_the_gain_but_nothing_else(tmp_path, guidance):
    x = 0.5 * tone(1.5, small.RATE)
    prior = small.prior()
    sampling = Sampling.from_card({**small.SAMPLING, "guidance": guidance})
    both = Remaking(prior, sampling, np.concatenate([x, x]), tmp_path / "two", 3)
    made = np.concatenate(list(both.blocks()), axis=1)
    alone = Remaking(prior, sampling, x, tmp_path / "one", 3)
    np.testing.assert_allclose(
        np.concatenate(list(alone.blocks()), axis=1)[0], made[0], rtol=1e-3, atol=1e-4
    )
    assert np.abs(made[0] - made[1]).max() > 0  # drawn with noise of their own


def test_a_chain_may_begin_and_end_with_something_else(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("SHELLAC_CACHE", str(tmp_path / "cache"))
    path = small.store(tmp_path / "small.safetensors")
    audio.write(tmp_path / "in.wav", 0.5 * tone(1.5, 11025), 11025)
    arguments = [tmp_path / "in.wav", "-o", tmp_path / "out", "--weights", path, "--steps", 2]
    chain = ["--system", "classical,babe2,classical"]
    status = main(["restore", *map(str, arguments), *chain])
    assert status == 0, capsys.readouterr().err
    facts = audio.inspect(tmp_path / "out" / "in.restored.wav")
    assert facts.samples == int(1.5 * 11025)


@pytest.mark.parametrize("samples", [1, 2, 20, 100])
def test_scraps_that_tell_nothing_of_their_colour_are_restored(tmp_path, samples):
    # spread over a segment their power lies below the noise: there is no bin to fit a filter to
    changed = {"guidance": "likelihood", "observation_noise": 0.1}
    sampling = Sampling.from_card(small.SAMPLING | changed)
    x = 0.5 * tone(1.0, small.RATE)[:, :samples]
    remaking = Remaking(small.prior(), sampling, x, tmp_path / "work", 3)
    made = np.concatenate(list(remaking.blocks()), axis=1)
    assert made.shape == x.shape and np.isfinite(made).all()
