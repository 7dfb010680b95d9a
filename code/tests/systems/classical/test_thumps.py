"""Thumps: told from the bass, and from drums, by when they begin and how they die away."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import signal
from sounds import tone

import shellac
from shellac.degradations import record_noise
from shellac.metrics import snr_db
from shellac.systems.classical import declick, thumps

RATE = 22050


def bass(x):
    return signal.sosfiltfilt(signal.butter(4, 150, fs=RATE, output="sos"), x)


@pytest.fixture(scope="module")
def scratched():
    """Music with bass, and the same with scratches that move the tone arm."""
    rng = np.random.default_rng(8)
    seconds = np.arange(10 * RATE) / RATE
    music = 0.2 * tone(10.0, RATE)[0].astype(np.float64)
    for start in np.arange(0.3, 10, 0.7):  # plucked bass notes, between the scratches
        after = np.clip(seconds - start, 0, None)
        music += 0.03 * np.where(after > 0, np.sin(2 * np.pi * 65 * after) * np.exp(-3 * after), 0)
    settings = replace(record_noise.draw_settings(rng), thumps_per_minute=40.0)
    noise = 0.01 * record_noise.thumps(settings, len(music), RATE, rng)
    return music[None].astype(np.float32), (music + noise)[None].astype(np.float32)


def test_the_swing_after_a_scratch_goes_and_the_bass_stays(scratched):
    music, heard = scratched
    clicks = declick.detect(heard, RATE)
    repaired = declick.repair(heard, clicks)
    result, begun = thumps.remove(heard, repaired, clicks, RATE)
    assert len(begun[0]) >= 2
    before, after = (snr_db(bass(music[0]), bass(x[0])) for x in (repaired, result))
    assert after > before + 2


def test_music_without_scratches_is_left_alone(scratched):
    music, _ = scratched
    clicked = music.copy()
    clicked[0, int(0.45 * RATE) :: RATE] += (
        0.6  # clicks at the notes and between them, and no swing
    )
    clicks = declick.detect(clicked, RATE)
    assert len(clicks[0]) >= 9
    repaired = declick.repair(clicked, clicks)
    result, begun = thumps.remove(clicked, repaired, clicks, RATE)
    assert len(begun[0]) == 0
    assert np.array_equal(result, repaired)


def test_the_chain_says_how_many_there_were_and_joins_without_a_seam(scratched):
    _, heard = scratched
    restorer = shellac.load("classical/dethump", device="cpu")
    whole = restorer.restore(heard, RATE, segment_seconds=60).waveform
    parts = restorer.restore(heard, RATE, segment_seconds=2.3).waveform
    assert snr_db(whole, parts) > 60
    alone = shellac.load("classical/declick", device="cpu").restore(heard, RATE).waveform
    assert snr_db(alone, whole) < 30  # the swings are gone


def test_near_the_ends_and_in_silence_nothing_breaks():
    heard = np.zeros((2, RATE // 5), np.float32)
    heard[:, 10:14] = 0.8
    heard[:, -5:-2] = -0.8
    clicks = declick.detect(heard, RATE)
    result, begun = thumps.remove(heard, declick.repair(heard, clicks), clicks, RATE)
    assert np.isfinite(result).all() and len(begun) == 2
