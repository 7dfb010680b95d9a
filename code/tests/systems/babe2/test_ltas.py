"""Average spectra, and the equaliser that matches them."""

import numpy as np
import pytest

from shellac.systems.babe2 import ltas

RATE, N_FFT = 22050, 1024


def coloured(rng, samples=60000):
    spectrum = np.fft.rfft(rng.standard_normal(samples))
    hz = np.fft.rfftfreq(samples, 1 / RATE)
    return np.fft.irfft(spectrum / (1 + (hz / 900) ** 2), samples)[None].astype(np.float32)


def test_an_equalised_recording_has_the_average_spectrum(rng):
    dull, bright = coloured(rng), rng.standard_normal((1, 60000)).astype(np.float32) * 0.01
    wanted = ltas.power(bright, N_FFT)
    difference = ltas.difference_db(ltas.power(dull, N_FFT), wanted, RATE)
    made = np.concatenate(list(ltas.equalised(dull, 10 ** (-difference / 20))), axis=1)
    left = ltas.difference_db(ltas.power(made, N_FFT), wanted, RATE)
    free = difference > ltas.LEAST_DIFFERENCE_DB
    assert abs(difference[free]).max() > 10 and abs(left[free][3:]).max() < 1.5


@pytest.mark.parametrize("samples", [1, 100, 1023, 5000, 300_001])
def test_equal_gains_give_back_any_length(rng, samples):
    x = rng.standard_normal((2, samples)).astype(np.float32)
    blocks = list(ltas.equalised(x, np.ones(N_FFT // 2 + 1)))
    np.testing.assert_allclose(np.concatenate(blocks, axis=1), x, atol=1e-5)


def test_the_equaliser_lifts_by_20_db_at_most(rng):
    quiet = 1e-6 * rng.standard_normal((1, 30000))
    loud = ltas.power(rng.standard_normal((1, 30000)), N_FFT)
    assert ltas.difference_db(ltas.power(quiet, N_FFT), loud, RATE).max() == -20.0
    assert ltas.difference_db(loud, ltas.power(quiet, N_FFT), RATE).min() > 100
    assert np.isfinite(ltas.difference_db(np.zeros(513), loud, RATE)).all()


def test_smoothing_keeps_a_flat_spectrum_and_spreads_a_line():
    np.testing.assert_allclose(ltas.smooth(np.full(513, 3.0), RATE), 3.0)
    line = np.zeros(513)
    line[100] = 1.0
    spread = ltas.smooth(line, RATE)
    assert 90 < np.flatnonzero(spread > spread.max() / 2).size + 90 < 140
    assert spread[50] < 1e-3 * spread[100]
