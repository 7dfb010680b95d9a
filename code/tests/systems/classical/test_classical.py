"""The classical system as a chain's member, in Python and on the command line."""

import json

import numpy as np
import pytest
from sounds import tone

import shellac
from shellac import audio, networks
from shellac.commands.systems import describe
from shellac.errors import AudioError, UsageError
from shellac.metrics import si_sdr_db, snr_db
from shellac.systems import registry
from shellac.systems.edges import edge_seconds
from shellac.systems.restorer import Restorer

RATE = 16000


def noisy(seconds=8.0, channels=1, rate=RATE, seed=0):
    """Music, and the same with hiss, clicks and mains hum: (C, T) each."""
    rng = np.random.default_rng(seed)
    music = tone(seconds, rate, channels, seed=seed)
    added = 0.02 * rng.standard_normal(music.shape)
    for row in added:
        for start in rng.integers(0, len(row) - 10, int(8 * seconds)):
            row[start : start + 6] += rng.choice((-0.4, 0.4)) * rng.random(6)
    added += 0.01 * np.sin(2 * np.pi * 50 * np.arange(music.shape[1]) / rate)
    return music, (music + added).astype(np.float32)


@pytest.mark.parametrize("system", ["classical", "classical/declick", "classical/denoise"])
def test_noise_goes_and_music_stays(system):
    music, heard = noisy(12.0)
    out = shellac.load(system, device="cpu").restore(heard, RATE)
    gain_db = si_sdr_db(music, out.waveform) - si_sdr_db(music, heard)
    assert gain_db > {"classical": 6.0}.get(system, 1.5)
    assert np.array_equal(out.residual, heard - out.waveform)


def test_a_given_profile_of_seconds_or_of_a_file_is_used(tmp_path):
    music, heard = noisy()
    hiss = (0.02 * np.random.default_rng(7).standard_normal((1, RATE))).astype(np.float32)
    audio.write(tmp_path / "hiss.wav", hiss, RATE, "FLOAT")
    led = np.concatenate([hiss, heard], axis=1)
    by_file, by_span = (
        shellac.load("classical/denoise", noise_profile=profile, device="cpu").restore(led, RATE)
        for profile in (tmp_path / "hiss.wav", "0-1")
    )
    assert np.allclose(by_file.waveform, by_span.waveform, atol=1e-6)
    assert si_sdr_db(music, by_span.waveform[:, RATE:]) > si_sdr_db(music, heard) + 2


def test_a_profile_outside_the_recording_is_refused():
    restorer = shellac.load("classical", noise_profile="20-21", device="cpu")
    with pytest.raises(AudioError, match=r"20-21 s: 0\.000 s of sound"):
        restorer.restore(noisy(2.0)[1], RATE)


def test_declicking_leaves_other_samples_bit_for_bit_also_where_chunks_are_joined():
    music = tone(7.0, RATE, 2)
    clicked = music.copy()
    clicked[0, 50_000:50_005] += 0.5
    out = shellac.load("classical/declick", device="cpu").restore(clicked, RATE, segment_seconds=1)
    touched = np.flatnonzero((out.waveform != clicked).any(axis=0))
    assert 0 < len(touched) < 200
    assert snr_db(music[:, 49_990:50_010], out.waveform[:, 49_990:50_010]) > 20
    assert np.array_equal(out.waveform[1, 49_000:51_000], clicked[1, 49_000:51_000])


def test_chunks_join_without_a_seam():
    _, heard = noisy(20.0, channels=2, seed=3)
    restorer = shellac.load("classical", device="cpu")
    whole = restorer.restore(heard, RATE, segment_seconds=60).waveform
    for seconds in (2.7, 5.0):
        parts = restorer.restore(heard, RATE, segment_seconds=seconds).waveform
        assert snr_db(whole, parts) > 60


def test_its_edge_is_within_what_it_claims():
    _, heard = noisy(12.0)
    ready = prepared(shellac.load("classical", device="cpu"), heard)
    import torch

    programme = torch.from_numpy(heard)
    measured = edge_seconds(ready.process, programme, RATE, ready.grid)
    assert 0 < measured <= ready.card.edge_seconds


def prepared(restorer, waveform):
    """The only member of a chain, ready for one recording."""
    from contextlib import nullcontext

    def read(start, stop):
        return waveform[:, start:stop]

    whole = restorer.prepared(
        lambda: nullcontext(read), waveform.shape[1], RATE, float(np.abs(waveform).max())
    )
    return whole.members[0]


def test_there_is_no_delay():
    _, heard = noisy(4.0)
    out = shellac.load("classical", device="cpu").restore(heard, RATE).waveform
    spectra = [np.fft.rfft(x[0], 2 * x.shape[1]) for x in (heard, out)]
    assert np.argmax(np.fft.irfft(spectra[1] * spectra[0].conj())) == 0


def test_channels_are_restored_apart():
    _, heard = noisy(4.0, channels=2)
    restorer = shellac.load("classical", device="cpu")
    both = restorer.restore(heard, RATE).waveform
    for channel in (0, 1):
        alone = restorer.restore(heard[channel], RATE).waveform
        assert np.allclose(both[channel], alone[0], atol=1e-5)


@pytest.mark.parametrize("rate", [1000, 8000, 44100, 192000])
@pytest.mark.parametrize("samples", [1, 2, 999, 50_000])
def test_silence_and_dc_of_any_length_and_rate_stay_finite(samples, rate):
    restorer = shellac.load("classical", device="cpu")
    silent = restorer.restore(np.zeros((2, samples), np.float32), rate).waveform
    assert silent.shape == (2, samples) and not silent.any()
    steady = restorer.restore(np.full((1, samples), 0.25, np.float32), rate).waveform
    assert steady.shape == (1, samples) and np.isfinite(steady).all()
    assert np.abs(steady).max() < 0.5


def test_a_chain_prepares_each_member_on_what_those_before_it_leave():
    _, heard = noisy(6.0)
    chain = shellac.load("classical/declick,classical/denoise", device="cpu")
    steps = heard
    for system in ("classical/declick", "classical/denoise"):
        steps = shellac.load(system, device="cpu").restore(steps, RATE).waveform
    together = chain.restore(heard, RATE, segment_seconds=2.0).waveform
    assert snr_db(steps, together) > 60


def test_nothing_needs_building_and_the_registry_says_so():
    listed = {record["name"]: record for record in describe()}
    record = listed["classical/full"]
    assert (record["weights"], record["parameters"], record["sample_rate"]) == ([], 0, None)
    assert "classical" not in registry.learning() and "superres" in registry.learning()
    with pytest.raises(UsageError, match="classical/full is no network"):
        networks.build("classical")
    with pytest.raises(UsageError, match="leave out --weights"):
        shellac.load("classical", weights="trained")
    assert isinstance(shellac.load("classical"), Restorer)


def run(capsys, *arguments):
    from shellac.cli import main

    status = main(["restore", *map(str, arguments)])
    told = capsys.readouterr()
    return status, told.out, told.err


def test_the_command_needs_no_weights_and_tells_what_it_found(tmp_path, capsys):
    _, heard = noisy(16.0, channels=2)
    audio.write(tmp_path / "in.flac", heard / 2, RATE, "PCM_16")
    status, _, error = run(capsys, tmp_path / "in.flac", "-o", tmp_path, "--system", "classical")
    assert (status, error) == (0, "")
    told = json.loads((tmp_path / "in.json").read_text())
    assert told["weights"] == []
    (found,) = told["estimates"]
    assert found["network"] == "classical/full"
    assert all(50 < clicks < 200 for clicks in found["clicks_repaired"])
    assert [round(line["frequency_hz"]) for line in found["hum_lines"]] == [50]
    assert found["noise_profile"]["from"] == "quietest frames"
    assert audio.inspect(tmp_path / "in.restored.flac").samples == heard.shape[1]
    again = run(capsys, tmp_path / "in.flac", "-o", tmp_path, "--system", "classical", "--skip-done")
    assert "1 done before" in again[1]


def test_too_short_for_a_profile_is_said_aloud(tmp_path, capsys):
    audio.write(tmp_path / "in.wav", noisy(0.5)[1], RATE, "FLOAT")
    status, _, error = run(capsys, tmp_path / "in.wav", "-o", tmp_path, "--system", "classical")
    assert status == 0
    assert "hiss was left alone" in error


def test_a_chain_with_a_network_takes_weights_for_the_network_alone(
    tmp_path, capsys, small_weights
):
    audio.write(tmp_path / "in.wav", noisy(4.0, rate=22050)[1], 22050, "FLOAT")
    for system in ("classical,superres", "superres,classical"):
        status, _, error = run(capsys, tmp_path / "in.wav", "-o", tmp_path, "--system", system,
                               "--weights", small_weights, "--segment-seconds", "2")  # fmt: skip
        assert (status, error) == (0, "")
        told = json.loads((tmp_path / "in.json").read_text())
        assert [member["network"] for member in told["weights"]] == ["superres/audiounet"]
        assert [member["network"] for member in told["estimates"]] == ["classical/full"]
        assert audio.inspect(tmp_path / "in.restored.wav").samples == 4 * 22050


def test_options_that_do_not_fit_are_refused(tmp_path, capsys, small_weights):
    audio.write(tmp_path / "in.wav", noisy(1.0)[1], RATE, "FLOAT")
    for arguments, message in (
        (("--system", "classical", "--weights", "trained"), "leave out --weights"),
        (("--system", "classical", "--noise-profile", "3-2"), "ends before it starts"),
        (("--system", "superres", "--weights", small_weights, "--noise-profile", "0-1"),
         "takes a --noise-profile"),
        (("--system", "superres"), "--system classical, which needs none"),
    ):  # fmt: skip
        status, _, error = run(capsys, tmp_path / "in.wav", "-o", tmp_path / "out", *arguments)
        assert status == 2 and message in error and error.count("\n") == 1
        assert not (tmp_path / "out").exists()
