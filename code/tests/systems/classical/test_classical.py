"""The classical system as a chain's member."""

from contextlib import nullcontext

import numpy as np
import pytest
import torch
from sounds import RECORD_RATE as RATE
from sounds import noisy, tone

import shellac
from shellac import audio, networks
from shellac.commands.systems import describe
from shellac.errors import AudioError, UsageError
from shellac.metrics import si_sdr_db, snr_db
from shellac.systems import registry
from shellac.systems.edges import edge_seconds
from shellac.systems.restorer import Restorer


@pytest.mark.parametrize(
    ("system", "least_db"),
    [("classical", 6.0), ("classical/declick", 0.8), ("classical/denoise", 1.5)],
)
def test_noise_goes_and_music_stays(system, least_db):
    music, heard = noisy(12.0)
    out = shellac.load(system, device="cpu").restore(heard, RATE)
    gain_db = si_sdr_db(music, out.waveform) - si_sdr_db(music, heard)
    assert gain_db > least_db
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
    heard = np.concatenate(noisy(9.0, seed=3))
    restorer = shellac.load("classical", device="cpu")
    whole = restorer.restore(heard, RATE, segment_seconds=60).waveform
    for seconds in (2.2, 3.1):
        parts = restorer.restore(heard, RATE, segment_seconds=seconds).waveform
        assert snr_db(whole, parts) > 60


def test_its_edge_is_within_what_it_claims():
    _, heard = noisy(12.0)
    ready = prepared(shellac.load("classical", device="cpu"), heard)
    programme = torch.from_numpy(heard)
    measured = edge_seconds(ready.process, programme, RATE, ready.grid)
    assert 0 < measured <= ready.card.edge_seconds


def prepared(restorer, waveform):
    """The only member of a chain, ready for one recording."""

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


def test_channels_share_profile_and_gain():
    """What is heard in the middle stays there, whatever the noise of either channel."""
    _, heard = noisy(4.0)
    restorer = shellac.load("classical", device="cpu")
    alone = restorer.restore(heard, RATE).waveform[0]
    twice = restorer.restore(np.repeat(heard, 2, axis=0), RATE).waveform
    assert np.allclose(twice, alone, atol=1e-6)
    panned = np.concatenate([heard, 0.25 * heard])
    left, right = shellac.load("classical/denoise", device="cpu").restore(panned, RATE).waveform
    assert np.allclose(right, 0.25 * left, atol=1e-6)


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
