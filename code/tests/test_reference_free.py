"""Measures without a reference, on signals whose answer is known."""

import numpy as np
import pytest
from sounds import tone

from shellac.reference_free import MEASURES, band_levels_db, clicks_per_minute, measures

RATE = 16000


def noise(seconds=4.0, level=0.02, seed=0):
    rng = np.random.default_rng(seed)
    return (level * rng.standard_normal((1, int(seconds * RATE)))).astype(np.float32)


def test_noise_taken_from_music_neither_correlates_nor_follows():
    music, hiss = tone(4.0, RATE), noise()
    found = measures(music + hiss, music, hiss, RATE)
    assert set(found) == set(MEASURES)
    assert abs(found["residual_correlation"]) < 0.02
    assert abs(found["residual_following"]) < 0.1


def test_music_in_the_residual_is_told():
    music = tone(4.0, RATE)
    found = measures(music, 0.8 * music, 0.2 * music, RATE)
    assert found["residual_correlation"] == pytest.approx(1)
    assert found["residual_following"] == pytest.approx(1)
    assert found["residual_db"] == pytest.approx(20 * np.log10(0.2), abs=0.01)


def test_clicks_are_counted_and_levels_are_those_of_the_bands():
    hiss = noise(6.0)
    clicked = hiss.copy()
    clicked[:, 1000:-1000:4000] += 0.7
    count = len(range(1000, 6 * RATE - 1000, 4000))
    assert clicks_per_minute(hiss, RATE) < 10
    assert clicks_per_minute(clicked, RATE) == pytest.approx(10 * count, rel=0.1)
    time = np.arange(4 * RATE) / RATE
    levels = band_levels_db(0.1 * np.sin(2 * np.pi * 1000 * time)[None], RATE)
    assert levels["600-1200 Hz"] == pytest.approx(20 * np.log10(0.1 / np.sqrt(2)), abs=0.2)
    assert all(level < -80 for band, level in levels.items() if band != "600-1200 Hz")
    assert list(levels)[-1] == "4800-9600 Hz"  # the last that begins below 8 kHz


def test_silence_gives_numbers():
    silent = np.zeros((2, RATE), np.float32)
    found = measures(silent, silent, silent, RATE)
    assert all(np.isfinite(value) for value in found.values())
    assert found["residual_correlation"] == 0.0 and found["residual_following"] == 0.0
