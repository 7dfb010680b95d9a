import numpy as np
import pytest
from scipy import signal

from shellac.transforms import decimation
from shellac.transforms.decimation import decimate


@pytest.mark.parametrize("scale", [2, 3, 4, 6, 48])
@pytest.mark.parametrize("samples", [100, 4001, 100003])
def test_equals_scipy_in_double_precision_whatever_the_input(rng, samples, scale):
    x = (3 + rng.standard_normal((2, samples))).astype(np.float32)
    want = signal.decimate(x.astype(np.float64), scale)
    got = decimate(x, scale)
    assert got.dtype == np.float64
    np.testing.assert_allclose(got, want, atol=1e-11 * np.abs(x).max())


@pytest.mark.parametrize("scale", [2, 3, 4, 5])
def test_equals_scipy_around_the_length_where_the_method_changes(rng, scale):
    limit = decimation._design(scale).reach
    for samples in (limit - 1, limit, limit + 1, limit + scale, limit + 100):
        x = rng.standard_normal(samples).cumsum()
        error = decimate(x, scale) - signal.decimate(x, scale)
        assert np.abs(error).max() < 1e-11 * np.abs(x).max()


def test_leading_axes_are_independent_signals(rng):
    x = rng.standard_normal((2, 3, 9000))
    got = decimate(x, 4)
    assert got.shape == (2, 3, 2250)
    np.testing.assert_allclose(got[1, 2], decimate(x[1, 2], 4), atol=1e-12)


def gain_db(low, place, scale):
    """Level of a complex sine at ``place`` of the old Nyquist rate, away from the ends."""
    n = np.arange(len(low))[500:-500] * scale
    return 20 * np.log10(abs(np.mean(low[500:-500] * np.exp(-1j * np.pi * place * n))))


@pytest.mark.parametrize(("place", "want"), [(0, -0.10), (0.2, -0.10), (0.25, -50.1)])
def test_passes_and_stops_where_the_published_filter_does(place, want):
    sine = np.exp(1j * np.pi * place * np.arange(40000))
    low = decimate(sine.real, 4) + 1j * decimate(sine.imag, 4)
    assert gain_db(low, place, 4) == pytest.approx(want, abs=0.1)


def test_has_no_delay():
    n = np.arange(8000)
    assert np.argmax(decimate(np.exp(-(((n - 4000) / 40) ** 2)), 4)) == 1000


@pytest.mark.parametrize("samples", [1, 2, 5, 27, 28])
def test_short_signals_are_extended_by_what_they_have(samples):
    low = decimate(np.linspace(0.1, 0.5, samples), 4)
    assert len(low) == -(-samples // 4) and np.isfinite(low).all()


@pytest.mark.parametrize("scale", [-1, 0, 1, 2.5])
def test_scales_that_are_none_and_empty_signals_are_refused(scale):
    with pytest.raises(ValueError, match="scale"):
        decimate(np.ones(100), scale)
    with pytest.raises(ValueError, match="no samples"):
        decimate(np.empty((2, 0)), 4)
