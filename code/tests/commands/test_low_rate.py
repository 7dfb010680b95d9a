"""``shellac restore`` on recordings that really have a low rate."""

import json

import numpy as np
import pytest
from sounds import tone

import shellac
from shellac import audio
from shellac.commands.source import source
from shellac.transforms import spline


@pytest.fixture
def low(tmp_path):
    waveform = 0.5 * tone(9.0, 4000, 2)
    audio.write(tmp_path / "low.wav", waveform, 4000, "FLOAT")
    return waveform


def describe(tmp_path):
    return json.loads((tmp_path / "out" / "low.json").read_text())


def test_at_its_own_rate_a_note_says_there_is_nothing_to_gain(tmp_path, restore, low):
    status, _, error = restore(tmp_path / "low.wav", "-o", tmp_path / "out")
    assert status == 0
    assert error.count("\n") == 1
    assert "--rate network" in error
    facts = audio.inspect(tmp_path / "out" / "low.restored.wav")
    assert (facts.sample_rate, facts.samples) == (4000, low.shape[1])
    assert describe(tmp_path)["rate"] == {
        "sample_rate": 4000, "samples": 36000, "factor": 1, "raised_by": None,
    }  # fmt: skip


def test_at_the_network_s_rate_it_is_raised_by_the_spline(tmp_path, restore, low):
    status, _, error = restore(
        tmp_path / "low.wav", "-o", tmp_path / "out", "--rate", "network", "--keep-input"
    )
    assert (status, error) == (0, "")
    read = {
        kind: audio.read(tmp_path / "out" / f"low.{kind}.wav")
        for kind in ("restored", "residual", "input")
    }
    assert {rate for _, rate in read.values()} == {16000}
    raised = spline.upsample(low, 4)
    restored, residual, heard = (waveform for waveform, _ in read.values())
    assert heard == pytest.approx(raised, abs=2e-6)
    assert restored + residual == pytest.approx(raised, abs=2e-6)
    assert np.abs(residual).max() > 1e-4
    assert describe(tmp_path)["rate"]["factor"] == 4
    assert describe(tmp_path)["settings"]["rate"] == "network"
    assert "16000 Hz" in describe(tmp_path)["residual"]


@pytest.mark.parametrize("segment_seconds", [0.5, 1.7])
def test_chunks_agree_with_one_pass_over_the_raised_file(
    tmp_path, restore, small_weights, low, segment_seconds
):
    restore(tmp_path / "low.wav", "-o", tmp_path / "out", "--rate", "network",
            "--segment-seconds", segment_seconds)  # fmt: skip
    chunked, _ = audio.read(tmp_path / "out" / "low.restored.wav")
    restorer = shellac.load("superres", weights=str(small_weights), device="cpu")
    raised = spline.upsample(low, 4).astype(np.float32)
    whole = restorer.restore(raised, 16000, segment_seconds=100).waveform
    assert chunked.shape == whole.shape
    error = np.sqrt(np.mean((chunked - whole) ** 2) / np.mean(whole**2))
    assert 20 * np.log10(error + 1e-12) < -60
    spectrum = np.fft.rfft(raised[0]).conj() * np.fft.rfft(chunked[0])
    assert np.argmax(np.fft.irfft(spectrum)) == 0


def test_a_whole_fraction_below_the_low_rate_is_raised_further(tmp_path, restore):
    audio.write(tmp_path / "low.flac", tone(0.5, 2000), 2000)
    restore(tmp_path / "low.flac", "-o", tmp_path / "out", "--rate", "network")
    facts = audio.inspect(tmp_path / "out" / "low.restored.flac")
    assert (facts.sample_rate, facts.samples) == (16000, 8000)


@pytest.mark.parametrize(
    ("sample_rate", "told"), [(3000, "whole fraction"), (8000, "4000 Hz or less")]
)
def test_other_rates_are_refused_in_one_line(tmp_path, restore, sample_rate, told):
    audio.write(tmp_path / "in.wav", tone(0.5, sample_rate), sample_rate)
    status, output, error = restore(
        tmp_path / "in.wav", "-o", tmp_path / "out", "--rate", "network"
    )
    assert (status, output, error.count("\n")) == (2, "", 1)
    assert told in error
    assert not (tmp_path / "out").exists()


def test_the_level_is_that_of_the_raised_recording(tmp_path, small_weights):
    """A tone at a quarter of the rate, sampled beside its crests: the spline goes higher."""
    waveform = np.cos(np.pi / 2 * np.arange(4000) + np.pi / 4)[None].astype(np.float32)
    audio.write(tmp_path / "low.wav", waveform, 4000, "FLOAT")
    restorer = shellac.load("superres", weights=str(small_weights), device="cpu")
    facts = audio.inspect(tmp_path / "low.wav")
    raised = source(facts, restorer, "network").facts.peak
    assert raised > 1.2 * facts.peak
    assert raised == pytest.approx(np.abs(spline.upsample(waveform, 4)).max(), abs=1e-6)
