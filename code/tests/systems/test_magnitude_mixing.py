"""Mixing an input with what a generative system made of it."""

import numpy as np
import pytest

from shellac.systems.magnitude_mixing import mixed


def mix(x, made, strength):
    def reader(signal):
        return lambda start, stop: signal[:, start:stop]

    blocks = list(mixed(reader(x), reader(made), x.shape[1], strength))
    return np.concatenate(blocks, axis=1)


@pytest.mark.parametrize("samples", [1, 700, 5000, 300_000])
def test_the_ends_are_the_input_and_the_result(rng, samples):
    x, made = (rng.standard_normal((2, samples)).astype(np.float32) for _ in range(2))
    np.testing.assert_array_equal(mix(x, made, 0.0), x)
    np.testing.assert_array_equal(mix(x, made, 1.0), made)
    np.testing.assert_allclose(mix(x, x, 0.5), x, atol=1e-4)


def test_an_inverted_result_does_not_cancel(rng):
    x = rng.standard_normal((1, 20000)).astype(np.float32)
    halfway = mix(x, -x, 0.4)
    assert halfway.shape == x.shape
    assert np.std(halfway[:, 4000:-4000]) == pytest.approx(1.0, rel=0.05)


def test_levels_go_from_the_one_to_the_other(rng):
    x = rng.standard_normal((1, 40000)).astype(np.float32)
    halfway = mix(x, 3 * x, 0.5)
    np.testing.assert_allclose(halfway, 2 * x, atol=1e-3)
