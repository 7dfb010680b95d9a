import numpy as np
import pytest

from shellac.transforms.windowed import windowed_product


@pytest.mark.parametrize(("samples", "width", "hop"), [(20, 5, 3), (5, 5, 3), (9000, 4, 4)])
def test_every_window_meets_the_matrix(rng, samples, width, hop):
    x, matrix = rng.standard_normal((2, samples)), rng.standard_normal((width, 3))
    got = windowed_product(x, matrix, hop)
    starts = range(0, samples - width + 1, hop)
    want = np.concatenate([x[:, s : s + width] @ matrix for s in starts], axis=1)
    np.testing.assert_allclose(got, want, atol=1e-12)
