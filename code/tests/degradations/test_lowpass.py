"""Low-pass families: pass below, stop above, no delay, any shape."""

import numpy as np
import pytest
from scipy import signal

from shellac.degradations.lowpass import FAMILIES, low_pass
from shellac.errors import UsageError

RATE = 16000


def gain_db(family, cutoff_hz, tone_hz, rate=RATE):
    time = np.arange(rate) / rate
    x = np.sin(2 * np.pi * tone_hz * time)
    y = low_pass(x, rate, cutoff_hz, family).astype(np.float64)
    middle = slice(rate // 4, 3 * rate // 4)
    # projection on the input: a delay would turn the phase and show as a loss
    return 20 * np.log10(np.abs(y[middle] @ x[middle] / (x[middle] @ x[middle])) + 1e-9)


@pytest.mark.parametrize("family", FAMILIES)
def test_passes_below_stops_above_without_delay(family):
    assert gain_db(family, 3000, 2000) == pytest.approx(0.0, abs=0.15)
    assert gain_db(family, 3000, 5000) < -60


@pytest.mark.parametrize(
    ("family", "loss_db"), [("chebyshev", -0.1), ("butterworth", -3.01), ("sinc", -6.02)]
)
def test_gain_at_the_cutoff_is_as_documented(family, loss_db):
    assert gain_db(family, 3000, 3000) == pytest.approx(loss_db, abs=0.06)


def test_brickwall_keeps_the_last_bin_and_removes_the_next():
    assert gain_db("brickwall", 3000, 2990) == pytest.approx(0.0, abs=0.05)
    assert gain_db("brickwall", 3000, 3010) < -40


def test_a_codec_drops_bins_frame_by_frame_and_keeps_the_rest(rng):
    assert gain_db("codec", 3000, 2900) == pytest.approx(0.0, abs=0.05)
    assert gain_db("codec", 3000, 3100) < -30
    burst = np.zeros(RATE)
    burst[8000] = 1.0
    spread = np.flatnonzero(np.abs(low_pass(burst, RATE, 3000, "codec")) > 1e-4)
    assert 8000 - 2048 < spread.min() and spread.max() < 8000 + 2048  # no further than a frame


def test_chebyshev_is_the_filter_of_scipy_decimate(rng):
    x = rng.standard_normal(4000)
    ours = low_pass(x, RATE, 0.8 * RATE / 2 / 4, "chebyshev")[::4]
    theirs = signal.decimate(x, 4)
    assert np.abs(ours - theirs)[50:-50].max() < 1e-5


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("shape", [(1,), (2, 1), (2, 2), (1, 3), (6, 50), (2, 3, 400)])
def test_any_shape_keeps_a_constant(family, shape):
    y = low_pass(np.ones(shape, np.float32), RATE, 1000.0, family)
    assert y.shape == shape
    assert y.dtype == np.float32
    assert y == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize("family", FAMILIES)
def test_nothing_to_remove_at_half_the_rate(family, rng):
    x = rng.standard_normal((2, 300)).astype(np.float32)
    assert np.array_equal(low_pass(x, RATE, 8000.0, family), x)


def test_wrong_use_is_named():
    with pytest.raises(UsageError, match="chebyshev"):
        low_pass(np.zeros(9), RATE, 1000.0, "elliptic")
    with pytest.raises(UsageError, match="above 0 Hz"):
        low_pass(np.zeros(9), RATE, 0.0)
    with pytest.raises(UsageError, match="above 0 Hz"):
        low_pass(np.zeros(9), RATE, float("nan"))
