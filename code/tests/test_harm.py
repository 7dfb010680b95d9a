"""What a restoration takes away: measures against signals whose loss is known."""

import numpy as np
import pytest
from sounds import tone

from shellac.errors import AudioError
from shellac.harm import clicks_per_minute, leakage_db, onsets, transients_lost

RATE = 22050


def struck(seconds=4.0, every=0.5):
    """Notes that begin sharply, and where they do."""
    samples = int(seconds * RATE)
    waveform, starts = np.zeros(samples), np.arange(0.25, seconds - 0.3, every)
    for number, start in enumerate(starts):
        time = np.arange(samples) / RATE - start
        hz = 440 * 2 ** (number / 12)
        waveform += np.where(time >= 0, np.exp(-8 * time) * np.sin(2 * np.pi * hz * time), 0)
    return 0.3 * waveform, np.round(starts * RATE).astype(int)


def test_onsets_are_found_where_notes_begin():
    waveform, starts = struck()
    found = onsets(waveform, RATE)
    assert len(found) == len(starts)
    assert np.abs(found - starts).max() < 0.012 * RATE
    assert len(onsets(np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE), RATE)) == 0
    assert len(onsets(np.zeros(100), RATE)) == 0


def test_a_transient_is_lost_when_less_than_half_is_left(rng):
    waveform, starts = struck()
    damaged = waveform.copy()
    for start in starts[:2]:  # of seven
        damaged[start - 50 : start + 700] *= 0.3
    noise = 0.05 * rng.standard_normal(len(waveform))
    assert len(starts) == 7
    assert transients_lost(waveform, waveform + noise, RATE) == 0.0
    assert transients_lost(waveform, 0.6 * waveform, RATE) == 0.0
    # what noise remains over a lost attack does not stand in for it
    assert transients_lost(waveform, damaged + noise, RATE) == pytest.approx(100 * 2 / 7)
    assert transients_lost(waveform, np.zeros_like(waveform), RATE) == 100.0
    assert transients_lost(np.zeros(9000), np.zeros(9000), RATE) == 0.0


def test_leakage_is_the_share_of_the_programme_in_the_residual(rng):
    music = tone(4.0, RATE)[0].astype(np.float64)
    noise = 0.05 * rng.standard_normal(len(music))
    heard = music + noise
    assert leakage_db(music, heard, heard) == -100.0
    assert leakage_db(music, 0.9 * music, music) == pytest.approx(-20.0, abs=0.01)
    assert leakage_db(music, 0.9 * music, heard) == pytest.approx(-20.0, abs=1.0)
    # noise alone is no programme, but for chance
    assert leakage_db(music, music, heard) < -25.0
    stereo = leakage_db(np.stack((music, music)), np.stack((music, music)) * 0.9,
                        np.stack((music, music)))  # fmt: skip
    assert stereo == pytest.approx(-20.0, abs=0.01)
    with pytest.raises(AudioError, match="differ in shape"):
        leakage_db(music, music[:-1], music)


def test_clicks_are_counted_by_the_minute(rng):
    hiss = 0.01 * rng.standard_normal(6 * RATE)
    clicked = hiss.copy()
    clicked[RATE // 2 :: RATE] += 0.8
    assert clicks_per_minute(hiss, RATE) < 5
    assert clicks_per_minute(clicked, RATE) == pytest.approx(60, abs=5)
    assert clicks_per_minute(np.stack((hiss, clicked)), RATE) == pytest.approx(30, abs=5)
