"""Two walls of one groove: delay, sign and level found, and one channel made of them."""

import numpy as np
import pytest
from scipy import signal
from sounds import tone

from shellac.metrics import snr_db
from shellac.transforms.groove_walls import LEAST_CORRELATION, survey

RATE = 22050


def delayed(x, samples):
    """Shift by a fraction of a sample, by the phase of its spectrum."""
    hz = np.fft.rfftfreq(len(x))
    return np.fft.irfft(np.fft.rfft(x) * np.exp(-2j * np.pi * hz * samples), len(x))


def walls(delay, sign=1, gain=1.0, noise=0.01, clicks=False, seed=0):
    rng = np.random.default_rng(seed)
    music = tone(6.0, RATE)[0].astype(np.float64)
    music = signal.sosfiltfilt(signal.butter(4, 5000, fs=RATE, output="sos"), music)
    both = np.stack([music, sign * gain * delayed(music, delay)])
    both += noise * rng.standard_normal(both.shape)
    if clicks:
        for row in both:
            for start in rng.integers(0, len(row) - 10, 60):
                row[start : start + 8] += rng.uniform(-0.5, 0.5, 8)
    return music[None], both.astype(np.float32)


def joined(both, mode, block=None):
    def read(start, stop):
        return both[:, start:stop]

    found = survey(read, both.shape[1], RATE, mode)
    one = found.joined(read, both.shape[1])
    edges = [*range(0, both.shape[1], block or both.shape[1]), both.shape[1]]
    parts = [one(a, b) for a, b in zip(edges[:-1], edges[1:], strict=True)]
    return found, np.concatenate(parts, axis=1)


@pytest.mark.parametrize("delay", [-12.3, -0.4, 0.0, 0.25, 1.0, 7.62])
@pytest.mark.parametrize("sign", [1, -1])
def test_delay_sign_and_level_are_found(delay, sign):
    _, both = walls(delay, sign, gain=0.8)
    found, _ = joined(both, "quieter")
    assert found.delay == pytest.approx(delay, abs=0.02)
    assert found.sign == sign
    assert found.gain == pytest.approx(1 / 0.8, rel=0.02)
    assert found.correlation > 0.95


def test_the_mean_of_aligned_walls_has_3_db_less_noise_and_the_treble_stays():
    music, both = walls(5.4, noise=0.02)
    _, mean = joined(both, "mix")
    inside = slice(200, -200)
    alone = snr_db(music[:, inside], both[:1, inside])
    assert snr_db(music[:, inside], mean[:, inside]) == pytest.approx(alone + 3.0, abs=0.3)
    blunt = (both[:1] + both[1:]) / 2  # what a mixture without alignment makes of it
    assert (
        snr_db(music[:, inside], mean[:, inside]) > snr_db(music[:, inside], blunt[:, inside]) + 3
    )


def test_the_quieter_wall_speaks_where_the_other_clicks():
    music, both = walls(3.3, gain=0.9, noise=0.003, clicks=True)
    _, mean = joined(both, "mix")
    _, quieter = joined(both, "quieter")
    inside = slice(200, -200)
    assert (
        snr_db(music[:, inside], quieter[:, inside]) > snr_db(music[:, inside], mean[:, inside]) + 6
    )


@pytest.mark.parametrize("mode", ["mix", "quieter", "left", "right"])
def test_blocks_join_to_the_same_samples(mode):
    _, both = walls(2.7, clicks=True)
    whole, parts = (joined(both, mode, block)[1] for block in (None, 1000))
    assert whole.shape == (1, both.shape[1])
    assert np.allclose(whole, parts, atol=1e-6)
    if mode in ("left", "right"):
        assert np.array_equal(whole[0], both[int(mode == "right")])


def test_two_instruments_are_no_two_walls():
    both = tone(3.0, RATE, 2)
    both[1] = np.random.default_rng(1).permutation(both[1])
    found, mean = joined(both, "mix")
    assert found.correlation < LEAST_CORRELATION
    assert found.delay == 0.0
    assert np.allclose(mean, both.mean(axis=0), atol=1e-6)


@pytest.mark.parametrize("samples", [1, 5, 300])
def test_silence_and_very_short_ones_stay_finite(samples):
    for both in (np.zeros((2, samples), np.float32), tone(1.0, RATE, 2)[:, :samples]):
        for mode in ("mix", "quieter"):
            assert np.isfinite(joined(both, mode)[1]).all()
