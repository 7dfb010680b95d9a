import numpy as np
import pytest
import torch

from shellac.transforms.sparse import Sparse


def entries(rows, columns, count, seed=0):
    rng = np.random.default_rng(seed)
    places = rng.choice(rows * columns, count, replace=False)
    return places // columns, places % columns, rng.standard_normal(count)


def dense(where, shape):
    matrix = np.zeros(shape)
    matrix[where[0], where[1]] = where[2]
    return torch.from_numpy(matrix).to(torch.complex128)


@pytest.mark.parametrize("count", [1, 12, 40])
def test_product_and_gradients_are_those_of_the_dense_matrix(count):
    shape, where = (7, 9), entries(7, 9, count)
    sparse = Sparse(*where, shape, torch.device("cpu"), torch.float64)
    matrix = dense(where, shape)
    x = torch.randn(3, 2, 9, dtype=torch.complex128, requires_grad=True)
    torch.testing.assert_close(sparse(x), x @ matrix.T)
    assert torch.autograd.gradcheck(sparse, x)
    assert torch.autograd.gradgradcheck(sparse, x)


def test_conjugates_that_were_not_computed_yet_are_read_as_such():
    where = entries(5, 5, 9)
    sparse = Sparse(*where, (5, 5), torch.device("cpu"), torch.float64)
    x = torch.randn(5, dtype=torch.complex128)
    torch.testing.assert_close(sparse(x.conj()), dense(where, (5, 5)) @ x.conj())
