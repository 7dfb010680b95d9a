"""Anchors: what the standard asks of them."""

import numpy as np
import pytest

from shellac.listening.anchors import ANCHORS_HZ, low_pass

RATE = 48000


def response_db(cutoff_hz, frequencies_hz):
    impulse = np.zeros((1, RATE), np.float32)
    impulse[0, RATE // 2] = 1
    spectrum = np.abs(np.fft.rfft(low_pass(impulse, RATE, cutoff_hz)[0]))  # bins of 1 Hz
    return 20 * np.log10(spectrum[np.asarray(frequencies_hz, int)])


def test_the_low_anchor_fills_the_standards_mask():
    assert np.abs(response_db(3500, np.arange(20, 3501))).max() < 0.1
    assert response_db(3500, np.arange(4000, 24000)).max() < -25
    assert response_db(3500, np.arange(4500, 24000)).max() < -50


@pytest.mark.parametrize("cutoff_hz", ANCHORS_HZ.values())
def test_anchors_are_not_delayed_and_as_long(rng, cutoff_hz):
    low = np.sin(2 * np.pi * 440 * np.arange(20001) / RATE)[None].astype(np.float32)
    stereo = np.concatenate([low, -low])
    filtered = low_pass(stereo, RATE, cutoff_hz)
    assert filtered.shape == stereo.shape
    assert filtered.dtype == np.float32
    inside = slice(2000, -2000)
    assert np.abs(filtered[:, inside] - stereo[:, inside]).max() < 1e-3


def test_without_room_above_nothing_is_removed(rng):
    noise = rng.standard_normal((1, 1000)).astype(np.float32)
    assert low_pass(noise, 8000, 3500) is noise
