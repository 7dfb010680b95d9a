"""Sparse real matrices with a few entries in every row, applied by gathering, differentiable.

The gradient of a gather is an addition at scattered places, which is slow; here it is the gather of
the transposed matrix, whose list of places is made once.
"""

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

_FULL = 0.5  # a list with entries for fewer rows than this share is added at its places instead


class Sparse:
    """A matrix of shape (M, N): called with complex (..., N), it returns (..., M).

    ``values`` (E,) stand at ``rows``, ``columns`` (E,). ``dtype`` is the real type of what it will
    be called with. Differentiable any number of times.
    """

    def __init__(
        self,
        rows: np.ndarray,
        columns: np.ndarray,
        values: np.ndarray,
        shape: tuple[int, int],
        device: torch.device,
        dtype: torch.dtype,
    ):
        self._lists = _lists(rows, columns, values, shape[0], device, dtype)
        self._transposed = _lists(columns, rows, values, shape[1], device, dtype)

    def __call__(self, x: Tensor) -> Tensor:
        """Multiply."""
        return _Product.apply(x, self._lists, self._transposed)


class _List(NamedTuple):
    """One entry of each row: where it reads, and its weight, for real and imaginary part.

    ``rows`` is None where every row has one.
    """

    rows: Tensor | None
    places: Tensor
    weights: Tensor


class _Product(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, lists: list[_List], transposed: list[_List]) -> Tensor:
        ctx.back = (transposed, lists)
        return _gathered(x.resolve_conj(), lists)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        return _Product.apply(gradient, *ctx.back), None, None


def _gathered(x: Tensor, lists: list[_List]) -> Tensor:
    total = _weighted(x, lists[0])
    for each in lists[1:]:
        if each.rows is None:
            total += _weighted(x, each)
        else:
            total.index_add_(-1, each.rows, _weighted(x, each))
    return total


def _weighted(x: Tensor, entries: _List) -> Tensor:
    places = entries.places.expand(*x.shape[:-1], -1)  # as fast as reading gets: not index_select
    read = torch.view_as_real(x.gather(-1, places))
    return torch.view_as_complex(read.mul_(entries.weights))


def _lists(
    rows: np.ndarray,
    columns: np.ndarray,
    values: np.ndarray,
    count: int,
    device: torch.device,
    dtype: torch.dtype,
) -> list[_List]:
    """Deal the entries of every row out to lists; the first has all rows."""
    order = np.argsort(rows, kind="stable")
    rows, columns, values = rows[order], columns[order], values[order]
    first = np.searchsorted(rows, rows)  # where the entries of the same row begin
    ranks = np.arange(len(rows)) - first
    found = []
    for rank in range(int(ranks.max(initial=0)) + 1):
        chosen = ranks == rank
        where, reads, weights = rows[chosen], columns[chosen], values[chosen]
        full = rank == 0 or len(where) > _FULL * count
        if full:
            every_read, every_weight = np.zeros(count, np.int64), np.zeros(count)
            every_read[where], every_weight[where] = reads, weights
            reads, weights = every_read, every_weight
        pairs = torch.from_numpy(np.repeat(weights, 2).reshape(-1, 2))
        found.append(
            _List(
                None if full else torch.from_numpy(where).to(device),
                torch.from_numpy(reads).to(device),
                pairs.to(device=device, dtype=dtype),
            )
        )
    return found
