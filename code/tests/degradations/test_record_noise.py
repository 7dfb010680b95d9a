"""Generated record noise: inside the tables of real records, and each component by itself."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import signal

from shellac.degradations.click_statistics import summarise
from shellac.degradations.record_noise import (
    clicks,
    crackle,
    draw_settings,
    hiss,
    hiss_gain_db,
    hum,
    record_noise,
    thumps,
)

RATE = 44100
SEEDS = range(6)
SECONDS = 20


@pytest.fixture(scope="module")
def statistics():
    found = []
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        settings = draw_settings(rng)
        noise = record_noise(settings, SECONDS * RATE, RATE, rng)
        found.append((settings, summarise(noise, RATE)))
    return found


def test_click_rates_are_those_of_the_settings_and_of_real_records(statistics):
    for settings, found in statistics:
        # Poisson counts of 20 s; crackle under the 12-fold limit may add a little
        expected = settings.clicks_per_minute * SECONDS / 60
        counted = found.per_minute_above_12 * SECONDS / 60
        assert abs(counted - expected) < 4 * np.sqrt(expected) + 0.15 * expected
        assert 30 < found.per_minute_above_12 < 1000
        assert 0 < found.per_minute_above_30 < 410
        assert 0.7 < found.gap_cv < 1.4


def test_durations_amplitudes_and_kurtosis_are_those_of_real_records(statistics):
    for _, found in statistics:
        p10, p50, p90, p99 = found.duration_ms
        assert p10 == pytest.approx(0.0227, abs=0.001)
        assert 0.02 <= p50 <= 0.18
        assert 0.07 < p90 <= 0.86
        assert 0.25 < p99 <= 3.6
        assert 3.8 <= found.amplitude[0] < 20
        assert 5 < found.amplitude[1] < 60
        assert 20 < found.amplitude[2] < 163
        assert 5 <= found.kurtosis <= 750
    middle = np.median([found.duration_ms for _, found in statistics], axis=0)
    assert 0.05 <= middle[1] <= 0.18
    assert 0.23 <= middle[2] <= 0.86
    assert 0.5 <= middle[3] <= 3.6


def test_level_is_that_of_the_settings(statistics):
    for settings, found in statistics:
        if not settings.hum_db:  # hum is heard above 60 Hz as well
            assert found.robust_rms_dbfs == pytest.approx(settings.level_dbfs, abs=1.5)


def test_hiss_spectrum_follows_its_curve(rng):
    settings = replace(draw_settings(rng), wander_db=0.0, rotation_db=0.0)
    x = hiss(settings, 30 * RATE, RATE, rng)
    frequency_hz, power = signal.welch(x, RATE, nperseg=8192)
    for centre_hz in (150, 400, 1000, 2500, 5000, 9000, 15000):
        band = (frequency_hz > centre_hz / 1.1) & (frequency_hz < centre_hz * 1.1)
        wanted = hiss_gain_db(settings, frequency_hz[band])
        found = 10 * np.log10(power[band])
        offset = (found - wanted).mean()
        if centre_hz == 150:
            first = offset
        assert offset == pytest.approx(first, abs=0.7)


def test_acoustic_hiss_falls_by_the_drawn_amount_over_one_octave():
    settings = replace(
        draw_settings(np.random.default_rng(0)),
        low_hz=200.0, high_hz=4000.0, fall_db=17.0, slope_db_per_octave=-1.0,
        low_slope_db_per_octave=12.0, ripple_db=(0.0,) * 8,
    )  # fmt: skip
    gain = hiss_gain_db(settings, np.array([100.0, 200.0, 400.0, 4000.0, 8000.0, 16000.0]))
    assert gain == pytest.approx([-12.0, 0.0, -1.0, -4.3219, -22.3219, -23.3219], abs=1e-3)


def test_hum_stands_over_the_floor_by_its_height(rng):
    settings = replace(draw_settings(rng), hum_hz=60.0, hum_db=(20.0, 25.0), wander_db=0.0,
                       rotation_db=0.0, low_slope_db_per_octave=0.0)  # fmt: skip
    samples = 40 * RATE
    x = hiss(settings, samples, RATE, rng) + hum(settings, samples, RATE, rng)
    frequency_hz, power = signal.welch(x, RATE, nperseg=65536)
    for line_hz, height_db in ((60.0, 20.0), (120.0, 25.0)):
        near = np.abs(frequency_hz - line_hz) < 12
        floor = np.median(power[near & (np.abs(frequency_hz - line_hz) > 3)])
        line = power[np.abs(frequency_hz - line_hz) < 2].max()
        assert 10 * np.log10(line / floor) == pytest.approx(height_db, abs=2.5)


def test_scratches_return_with_the_rotation(rng):
    settings = replace(draw_settings(rng), rpm=78.0, locked_fraction=1.0, clicks_per_minute=300.0)
    x = np.abs(clicks(settings, 30 * RATE, RATE, rng))
    envelope = np.add.reduceat(x, np.arange(0, len(x), RATE // 250))
    envelope -= envelope.mean()
    correlation = signal.correlate(envelope, envelope, method="fft")[len(envelope) - 1 :]
    turn = round(60 / 78 * 250)
    background = np.median(np.abs(correlation[turn // 2 : turn - 5]))
    assert correlation[turn - 1 : turn + 2].max() > 5 * background


def test_crackle_is_weak_and_thumps_are_low(rng):
    settings = replace(draw_settings(rng), crackles_per_minute=5000.0, thumps_per_minute=10.0)
    weak = crackle(settings, 10 * RATE, RATE, rng)
    assert 2 < np.abs(weak).max() <= 16  # two may meet
    low = thumps(settings, 60 * RATE, RATE, rng)
    power = np.abs(np.fft.rfft(low)) ** 2
    frequency_hz = np.fft.rfftfreq(len(low), 1 / RATE)
    assert power[frequency_hz < 100].sum() > 0.8 * power.sum()


@pytest.mark.parametrize("sample_rate", [8000, 22050, 192000])
@pytest.mark.parametrize("samples", [0, 1, 7, 5000])
def test_any_rate_and_length(sample_rate, samples, rng):
    x = record_noise(draw_settings(rng), samples, sample_rate, rng)
    assert x.shape == (samples,)
    assert x.dtype == np.float32
    assert np.isfinite(x).all()


def test_the_seed_decides_everything():
    def make(seed):
        rng = np.random.default_rng(seed)
        return record_noise(draw_settings(rng), RATE, RATE, rng)

    assert np.array_equal(make(4), make(4))
    assert not np.array_equal(make(4), make(5))


def slope_db_per_octave(x, low_hz, high_hz, bins):
    """The measure of the reference tables: a line through the medians of logarithmic bins."""
    frequency_hz, power = signal.welch(x, RATE, nperseg=8192)
    edges = np.geomspace(low_hz, high_hz, bins + 1)
    points = [
        (np.log2(np.sqrt(low * high)), 10 * np.log10(np.median(power[inside])))
        for low, high in zip(edges[:-1], edges[1:], strict=True)
        if (inside := (frequency_hz >= low) & (frequency_hz < high)).any()
    ]
    return np.polyfit(*np.array(points).T, 1)[0]


def test_spectral_slopes_are_those_of_real_records():
    slopes = []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        x = record_noise(draw_settings(rng), 10 * RATE, RATE, rng)
        slopes.append((slope_db_per_octave(x, 200, 8000, 24), slope_db_per_octave(x, 20, 200, 11)))
    middle, low = np.array(slopes).T
    assert -5.3 <= middle.min()
    assert middle.max() <= 0.9
    assert -11.4 <= low.min()
    assert low.max() <= 13.5
    assert np.ptp(low) > 6  # some transfers rumble, others are high-passed


def test_the_hiss_breathes_with_the_rotation(rng):
    settings = replace(draw_settings(rng), rpm=78.0, rotation_db=3.0, wander_db=0.0)
    level = 10 * np.log10(
        np.square(hiss(settings, 60 * RATE, RATE, rng)).reshape(-1, RATE // 50).mean(1)
    )
    line = np.abs(np.fft.rfft(level - level.mean()))
    frequency_hz = np.fft.rfftfreq(len(level), 1 / 50)
    assert frequency_hz[np.argmax(line)] == pytest.approx(78 / 60, abs=0.02)
