"""Autoregressive models of a signal, and missing samples interpolated by them.

Janssen, Veldhuis and Vries, "Adaptive interpolation of discrete-time signals that can be modeled
as autoregressive processes" (1986): the model of the surroundings, the missing samples that leave
the least prediction error under it, the model of the result, and so on. The model is the
autocorrelation method's, without a taper: on music it interpolates as well as the covariance
method, which costs ten times as much, and far better than with a taper. Both systems of equations
are Toeplitz (the second where the missing samples are contiguous) and solved by Levinson's
recursion.
"""

import itertools
from collections.abc import Iterator, Sequence

import numpy as np
from scipy import fft, linalg

ORDER = 512
ITERATIONS = 4
_CONTEXT_ORDERS = 6  # samples on either side that a model is made of, in multiples of its order
_SAMPLES_PER_COEFFICIENT = 3  # at least, in the whole window
_LOADING = 1e-9  # of the diagonal, for signals that are predicted without error
_MOST_MISSING = 1024  # samples of gaps near each other that are solved for together


def context(order: int = ORDER) -> int:
    """Return how many samples on either side of a gap take part in its interpolation."""
    return (_CONTEXT_ORDERS + 1) * order


def coefficients(x: np.ndarray, order: int) -> np.ndarray:
    """Return the prediction error filter (order + 1,), first 1, of (T,), by autocorrelation.

    ``x[n] + a[1] x[n - 1] + ... + a[order] x[n - order]`` is the error of the prediction. Silence
    is predicted by nothing.
    """
    points = fft.next_fast_len(len(x) + order + 1, real=True)
    power = np.abs(fft.rfft(x, points)) ** 2
    correlation = fft.irfft(power, points)[: order + 1]
    filter_ = np.zeros(order + 1)
    filter_[0] = 1.0
    if correlation[0] > 0:
        correlation /= correlation[0]
        correlation[0] += _LOADING
        filter_[1:] = -linalg.solve_toeplitz(correlation[:-1], correlation[1:])
    return filter_


def interpolate(
    signal: np.ndarray,
    gaps: Sequence[tuple[int, int]] | np.ndarray,
    order: int = ORDER,
    iterations: int = ITERATIONS,
) -> np.ndarray:
    """Return a copy of ``signal`` with its gaps filled; all other samples stay bit for bit.

    Parameters
    ----------
    signal : ndarray (..., T), floating point
        What it holds inside the gaps is not looked at. Beyond its ends it counts as silent.
    gaps : (start, stop) in samples, the same for all channels
        In any order; they may overlap.
    order : int
        Of the model; less where a signal is too short for it.
    iterations : int
        Models made; the first from a signal that is silent inside the gaps.

    Raises
    ------
    ValueError
        For a gap that does not lie inside the signal, or an order or iterations below 1.
    """
    samples = signal.shape[-1]
    if order < 1 or iterations < 1:
        raise ValueError(f"order {order} and iterations {iterations} must be 1 or more")
    missing = _missing(gaps, samples)
    result = signal.copy()
    groups = list(_groups(missing, order))
    for row in result.reshape(-1, samples):  # a view: the copy is contiguous
        x = row.astype(np.float64)
        x[missing] = 0.0
        for _ in range(iterations):
            for places in groups:
                _improve(x, places, order)
        row[missing] = x[missing]
    return result


def _missing(gaps: Sequence[tuple[int, int]] | np.ndarray, samples: int) -> np.ndarray:
    """Return the places of missing samples in order, each once."""
    steps = np.zeros(samples + 1, dtype=np.int64)
    for start, stop in np.asarray(gaps, dtype=np.int64).reshape(-1, 2):
        if not 0 <= start <= stop <= samples:
            raise ValueError(f"gap [{start}, {stop}) is not inside a signal of {samples} samples")
        steps[start] += 1
        steps[stop] -= 1
    return np.flatnonzero(np.cumsum(steps[:-1]))


def _groups(missing: np.ndarray, order: int) -> Iterator[np.ndarray]:
    """Part missing samples where none nearer than ``order`` follows, or where gaps get too many.

    Within a group the equations are solved together; a gap is never parted.
    """
    if not len(missing):
        return
    distance = np.diff(missing)
    edges = [*(np.flatnonzero(distance > 1) + 1), len(missing)]  # of gaps
    first = 0
    for start, stop in itertools.pairwise(edges):
        if distance[start - 1] > order or stop - first > _MOST_MISSING:
            yield missing[first:start]
            first = start
    yield missing[first:]


def _improve(x: np.ndarray, places: np.ndarray, order: int) -> None:
    """Replace the samples at ``places`` of (T,) by those with the least prediction error."""
    start, stop = places[0], places[-1] + 1
    reach = _CONTEXT_ORDERS * order
    window = x[max(0, start - reach) : stop + reach]
    order = min(order, max(1, len(window) // _SAMPLES_PER_COEFFICIENT))
    filter_ = coefficients(window, order)
    lags = np.correlate(filter_, filter_, "full")  # 2 * order + 1, symmetric
    left, right = max(0, start - order), stop + order
    around = np.zeros(stop - start + 2 * order)
    known = x[left:right].copy()
    known[places - left] = 0.0
    around[left - start + order :][: len(known)] = known
    wanted = -np.convolve(around, lags, "valid")
    unknowns = stop - start
    column = np.zeros(unknowns)
    column[: order + 1] = lags[order : order + unknowns]
    column[0] *= 1 + _LOADING
    if len(places) == unknowns:
        x[start:stop] = linalg.solve_toeplitz(column, wanted)
    else:
        inside = places - start
        matrix = column[np.abs(inside[:, None] - inside)]
        x[places] = linalg.solve(matrix, wanted[inside], assume_a="pos")
