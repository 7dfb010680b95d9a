"""One matrix applied to every window of a signal: FIR filters that change the rate, fast."""

import numpy as np
from numpy.lib.stride_tricks import as_strided

_WINDOWS_PER_BLOCK = 512  # keeps the copied windows in the cache


def windowed_product(
    x: np.ndarray, matrix: np.ndarray, hop: int, dtype: type[np.floating] = np.float64
) -> np.ndarray:
    """Multiply windows of ``width`` samples, ``hop`` apart, by a matrix: (R, G * n) of ``dtype``.

    ``x`` is (R, (G - 1) * hop + width) and ``matrix`` (width, n); the n results of window g stand
    at g * n. A filter with few taps per result is far below the speed of the machine; with several
    results to a row of the matrix it is an ordinary matrix product. Computed in the precision of
    the result, in blocks that stay in the cache: a whole signal in double precision would not.
    """
    x = np.ascontiguousarray(x)
    width, results = matrix.shape
    rows, groups = len(x), (x.shape[1] - width) // hop + 1
    strides = (x.strides[0], hop * x.itemsize, x.itemsize)
    windows = as_strided(x, (rows, groups, width), strides, writeable=False)
    product, matrix = np.empty((rows, groups, results), dtype), matrix.astype(dtype)
    for start in range(0, groups, _WINDOWS_PER_BLOCK):
        block = slice(start, start + _WINDOWS_PER_BLOCK)
        np.matmul(np.ascontiguousarray(windows[:, block], dtype), matrix, out=product[:, block])
    return product.reshape(rows, groups * results)
