import numpy as np
import pytest
from scipy import interpolate

from shellac.transforms.spline import upsample


def scipy_upsample(low, factor):
    knots = np.arange(len(low)) * factor
    return interpolate.splev(np.arange(len(low) * factor), interpolate.splrep(knots, low))


@pytest.mark.parametrize("factor", [2, 3, 4, 7, 48])
@pytest.mark.parametrize("samples", [4, 5, 6, 7, 8, 9, 16, 31, 60, 1000, 10007])
def test_equals_scipy_including_the_extrapolated_end(rng, samples, factor):
    low = rng.standard_normal(samples)
    want = scipy_upsample(low, factor)
    got = upsample(low, factor)
    assert got.dtype == np.float64
    np.testing.assert_allclose(got, want, atol=1e-12 * np.abs(want).max())


def test_a_cubic_is_reproduced_beyond_the_last_sample():
    def cubic(t):
        return 0.5 * t**3 - 2 * t**2 + 3 * t - 1

    np.testing.assert_allclose(
        upsample(cubic(np.arange(9.0)), 5), cubic(np.arange(45) / 5), atol=1e-10
    )


def test_given_samples_come_back(rng):
    low = rng.standard_normal(500).astype(np.float32)
    np.testing.assert_allclose(upsample(low, 4)[::4], low, atol=1e-13)


@pytest.mark.parametrize("samples", [1, 3, 4, 700])
def test_leading_axes_are_independent_signals(rng, samples):
    low = rng.standard_normal((2, 3, samples))
    got = upsample(low, 4)
    assert got.shape == (2, 3, samples * 4)
    for i in np.ndindex(2, 3):
        np.testing.assert_allclose(got[i], upsample(low[i], 4), atol=1e-13)


def test_many_samples_cross_the_blocks_of_the_matrix_product(rng):
    low = rng.standard_normal((2, 20011))
    got = upsample(low, 2)
    np.testing.assert_allclose(got[1], scipy_upsample(low[1], 2), atol=1e-11)


def test_single_precision_is_off_by_a_few_roundings(rng):
    low = rng.uniform(-1, 1, 20011)
    got = upsample(low, 4, dtype=np.float32)
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, upsample(low, 4), atol=5e-7)


def test_fewer_than_four_samples_take_the_polynomial_through_them():
    np.testing.assert_allclose(upsample(np.array([3.0]), 2), [3, 3])
    np.testing.assert_allclose(upsample(np.array([0.0, 1.0]), 2), [0, 0.5, 1, 1.5])
    np.testing.assert_allclose(upsample(np.array([0.0, 1, 4]), 2), [0, 0.25, 1, 2.25, 4, 6.25])


def test_length_cuts_the_end(rng):
    low = rng.standard_normal(10)
    np.testing.assert_array_equal(upsample(low, 4, 37), upsample(low, 4)[:37])
    with pytest.raises(ValueError, match="41 samples"):
        upsample(low, 4, 41)


def test_nothing_and_impossible_factors_are_refused():
    with pytest.raises(ValueError, match="at least one sample"):
        upsample(np.empty(0), 4)
    with pytest.raises(ValueError, match="factor"):
        upsample(np.ones(5), 0)
