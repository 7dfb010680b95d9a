"""The recipes of ``shellac degrade``: every shape, truthful records, and what each one does."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal
from sounds import tone

from shellac.degradations.recipes import RECIPES

RATE = 16000


def apply(name, waveform, seed=0, rate=RATE):
    return RECIPES[name](waveform, rate, np.random.default_rng(seed))


def band_power(x, low_hz, high_hz, rate=RATE):
    frequency_hz, power = signal.welch(x, rate, nperseg=1024)
    return power[..., (frequency_hz >= low_hz) & (frequency_hz < high_hz)].sum(axis=-1)


@pytest.mark.parametrize("name", RECIPES)
@settings(max_examples=15, deadline=None)
@given(
    channels=st.sampled_from([1, 2, 6]),
    samples=st.one_of(st.integers(1, 40), st.integers(41, 6000)),
    rate=st.sampled_from([8000, 11025, 16000, 44100, 192000]),
    silent=st.booleans(),
    seed=st.integers(0, 1000),
)
def test_any_shape_stays_finite_and_is_described(name, channels, samples, rate, silent, seed):
    x = np.random.default_rng(1).normal(0, 0.1, (channels, samples)).astype(np.float32)
    x *= 0.0 if silent else 1.0
    before = x.copy()
    y, applied = apply(name, x, seed, rate)
    assert y.shape == x.shape
    assert y.dtype == np.float32
    assert np.isfinite(y).all()
    assert np.array_equal(x, before)
    json.dumps(applied, allow_nan=False)


@pytest.mark.parametrize("name", RECIPES)
def test_the_seed_decides_everything(name):
    x = tone(1.0, RATE, channels=2)
    first, told = apply(name, x, 5)
    again, told_again = apply(name, x, 5)
    assert np.array_equal(first, again)
    assert told == told_again
    if name != "decimate":  # the one recipe without a draw
        assert not np.array_equal(first, apply(name, x, 6)[0])


def test_record_noise_has_the_ratio_it_says():
    x = tone(4.0, RATE, channels=2)
    for seed in range(4):
        y, applied = apply("record-noise", x, seed)
        noise = (y - x).astype(np.float64)
        found = 10 * np.log10(np.square(x.astype(np.float64)).mean() / np.square(noise).mean())
        assert applied["snr_db"] == pytest.approx(found, abs=0.05)
        assert 1.5 < found < 20.5
        difference = np.square(noise[0] - noise[1]).mean() / np.square(noise).mean()
        assert 0 < difference < 0.05


def test_low_pass_empties_the_band_above_its_cutoff(rng):
    x = rng.standard_normal((1, 4 * RATE)).astype(np.float32)
    for seed in range(8):
        y, applied = apply("low-pass", x, seed)
        cutoff_hz = applied["cutoff_hz"]
        assert 2000 <= cutoff_hz <= 6000
        kept = band_power(y, 100, 0.8 * cutoff_hz) / band_power(x, 100, 0.8 * cutoff_hz)
        lost = band_power(y, 1.3 * cutoff_hz, 8000) / band_power(x, 1.3 * cutoff_hz, 8000)
        assert kept == pytest.approx(1.0, abs=0.05)
        assert lost < 1e-4


def test_decimation_keeps_the_low_band_in_place():
    x = tone(2.0, RATE)
    y, applied = apply("decimate", x)
    low = signal.butter(6, 800, fs=RATE, output="sos")
    kept, wanted = signal.sosfiltfilt(low, y), signal.sosfiltfilt(low, x)
    error = np.square(kept - wanted)[:, 100:-100].mean() / np.square(wanted).mean()
    assert error < 1e-4
    assert applied["low_sample_rate"] == 4000
    assert band_power(y, 3000, 8000) < 0.05 * band_power(x, 3000, 8000)


def test_gaps_are_where_the_record_says():
    x = tone(2.0, RATE, channels=2) + np.float32(0.7)
    y, applied = apply("gaps", x)
    silent = np.zeros(x.shape[1], bool)
    for start, stop in applied["gaps"]:
        silent[start:stop] = True
    assert np.array_equal(y == 0, np.broadcast_to(silent, y.shape))
    assert silent.mean() > 0.02


def test_gramophone_is_narrow_mono_and_turns():
    x = tone(6.0, 44100, channels=2)
    y, applied = apply("gramophone", x, 1, 44100)
    assert 80 <= applied["horn"]["low_hz"] < applied["horn"]["high_hz"] <= 5000
    assert 0 < applied["wow"]["speed_deviation"] <= 0.003
    difference = np.square(y[0] - y[1]).mean() / np.square(y).mean()
    assert difference < 0.02
    # a steady tone comes back with its frequency swinging by the amount written down
    steady = np.sin(2 * np.pi * 1000 * np.arange(6 * 44100) / 44100).astype(np.float32)[None]
    loud, applied = apply("gramophone", steady, 2, 44100)
    narrow = signal.sosfiltfilt(
        signal.butter(2, [900, 1100], "bandpass", fs=44100, output="sos"), loud[0]
    )
    pitch = np.diff(np.unwrap(np.angle(signal.hilbert(narrow)))) * 44100 / 2 / np.pi
    smooth = np.convolve(pitch, np.ones(4410) / 4410, mode="valid")[4410:-4410]
    swing = (smooth.max() - smooth.min()) / 2 / 1000
    assert swing == pytest.approx(applied["wow"]["speed_deviation"], rel=0.35, abs=2e-4)


def test_silence_gets_noise_at_its_own_level():
    y, applied = apply("record-noise", np.zeros((1, RATE), np.float32))
    assert applied["snr_db"] is None
    assert -60 < 20 * np.log10(y.std()) < -20
