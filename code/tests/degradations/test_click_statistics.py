"""The click detector: planted clicks are found, real records give the published table."""

import numpy as np
import pytest
import shared_audio
from scipy import signal

from shellac import audio
from shellac.degradations.click_statistics import detect, summarise
from shellac.errors import DataError

RATE = 44100

# robust RMS dBFS, events per minute above 8 sigma, above 12 RMS, above 30 RMS, kurtosis,
# median duration in ms, median amplitude in RMS
TABLE = {
    "vinyl_runoff_groove": (-51.4, 1790, 904, 70, 185, 0.14, 12),
    "vinyl_old": (-53.4, 4417, 534, 149, 7, 0.18, 3.8),
    "vinyl_crackle_analogue": (-49.3, 7391, 738, 280, 10, 0.14, 8.2),
    "vinyl_hiss_loop": (-44.5, 1388, 128, 8, 27, 0.07, 4.4),
    "film_optical_static": (-46.9, 57, 48, 3, 24, 0.07, 15),
    "edison_cylinder_leadin": (-40.7, 0, 0, 0, 5.4, np.nan, np.nan),
}


def coloured_noise(rng, seconds=8.0):
    return signal.lfilter([0.1], [1, -1.2, 0.5], rng.standard_normal(int(seconds * RATE)))


def test_planted_clicks_are_found_where_they_are_and_nothing_else(rng):
    x = coloured_noise(rng)
    sigma = x.std()
    places = np.sort(rng.choice(np.arange(20, 170), 40, replace=False)) * 2000
    for place in places:
        x[place : place + 4] += 40 * sigma * np.array([1.0, -0.8, 0.6, -0.4])
    clicks = detect(x, RATE)
    assert len(clicks.start) == 40
    assert np.all(np.abs(clicks.start - places) <= 1)
    assert np.median(clicks.amplitude) == pytest.approx(40, rel=0.1)
    assert np.median(clicks.duration_ms) == pytest.approx(1000 * 4 / RATE, abs=2.5 * 1000 / RATE)
    assert clicks.per_minute(12.0) == pytest.approx(40 / 8 * 60)
    assert clicks.per_minute(60.0) == 0


def test_gaussian_noise_holds_no_clicks(rng):
    found = summarise(coloured_noise(rng), RATE)
    assert found.per_minute == 0
    assert found.kurtosis == pytest.approx(3.0, abs=0.3)
    assert found.robust_rms_dbfs == pytest.approx(found.rms_dbfs, abs=0.5)


@pytest.mark.parametrize(("distance_ms", "events"), [(0.4, 1), (1.2, 2)])
def test_exceedances_closer_than_0_7_ms_are_one_event(rng, distance_ms, events):
    x = 0.01 * rng.standard_normal(RATE)
    for place in (20000, 20000 + round(distance_ms * RATE / 1000)):
        x[place] += 1.0
    assert len(detect(x, RATE).start) == events


def test_silence_is_finite_and_too_little_is_refused():
    assert detect(np.zeros(RATE), RATE).per_minute() == 0
    with pytest.raises(DataError, match="50 ms"):
        detect(np.zeros(100), RATE)


@pytest.mark.parametrize("name", TABLE)
def test_real_noises_give_the_published_table(name):
    waveform, rate = audio.read(shared_audio.require() / "noise" / f"{name}.flac")
    found = summarise(waveform.mean(axis=0), rate)
    robust, events, above_12, above_30, kurtosis, duration, amplitude = TABLE[name]
    assert found.robust_rms_dbfs == pytest.approx(robust, abs=0.1)
    assert found.per_minute == pytest.approx(events, rel=0.01, abs=1)
    assert found.per_minute_above_12 == pytest.approx(above_12, rel=0.01, abs=1)
    assert found.per_minute_above_30 == pytest.approx(above_30, rel=0.03, abs=1)
    assert found.kurtosis == pytest.approx(kurtosis, rel=0.03)
    assert found.duration_ms[1] == pytest.approx(duration, abs=0.006, nan_ok=True)
    assert found.amplitude[0] == pytest.approx(amplitude, rel=0.03, nan_ok=True)
