"""Cubic spline interpolation on a uniform grid, the baseline of audio super-resolution.

A cubic spline through samples one unit apart is a sum of cubic B-splines; their coefficients are a
recursive filter of the samples (Unser, Aldroubi, Eden, "B-spline signal processing", 1993), and
the values between two samples are four coefficients times a fixed matrix. A sample's influence
decays by 0.27 from each sample to the next: away from the ends, a row of samples, the one behind
it, and one number each for all that lie before and behind these give all values along the row by
one matrix. Both ends take the not-a-knot condition of FITPACK; the result is that of
``scipy.interpolate.splrep`` and ``splev``, in a small part of their time.
"""

from functools import lru_cache

import numpy as np
from scipy.signal import lfilter

from shellac.transforms.windowed import windowed_product

# Root of z + 1/z = -4 inside the unit circle: the B-spline's filter is 1 / ((z + 4 + 1/z) / 6).
_POLE = np.sqrt(3.0) - 2.0
_REACH = 23  # samples after which an influence has decayed to 1e-13
_SAMPLES_PER_ROW = 32  # low-rate samples that share one row of the matrix product


def upsample(
    low: np.ndarray,
    factor: int,
    length: int | None = None,
    dtype: type[np.floating] = np.float64,
) -> np.ndarray:
    """Interpolate between samples: (..., M) -> ``dtype`` (..., M * factor), cut to ``length``.

    Output sample ``i`` is the spline at position ``i / factor``; the samples of ``low`` come back
    at every ``factor``-th place. The last ``factor - 1`` samples lie beyond the last knot and
    continue the last piece. With fewer than four samples there is no cubic: three are joined by
    their parabola, two by a line, one is repeated. A ``dtype`` of single precision is that of the
    arithmetic too: it is off by a few roundings.

    Raises :class:`ValueError` for no samples, a factor below 1, or a ``length`` above
    ``M * factor``.
    """
    low = np.asarray(low, dtype=np.float64)
    samples = low.shape[-1] if low.ndim else 0
    if samples == 0:
        raise ValueError("a spline needs at least one sample")
    if factor < 1:
        raise ValueError(f"the factor of a spline is {factor}: it must be 1 or more")
    length = samples * factor if length is None else length
    if not 0 <= length <= samples * factor:
        raise ValueError(f"{length} samples asked of a spline that has {samples * factor}")
    if samples < 4:
        return _polynomial(low, factor)[..., :length].astype(dtype)
    rows = np.ascontiguousarray(low).reshape(-1, samples)
    if samples < 4 * _REACH:
        high = _solved(rows, factor).astype(dtype)
    else:
        high = _filtered(rows, factor, dtype)
    return high.reshape(*low.shape[:-1], -1)[..., :length]


def _polynomial(low: np.ndarray, factor: int) -> np.ndarray:
    """Evaluate the one polynomial through all of two or three samples (or one), in place of a
    spline: (..., M) -> (..., M * factor)."""
    samples = low.shape[-1]
    powers = np.arange(samples)
    positions = np.arange(samples * factor) / factor
    vandermonde = np.arange(samples, dtype=np.float64)[:, None] ** powers
    return low @ (positions[:, None] ** powers @ np.linalg.inv(vandermonde)).T


def _coefficients(low: np.ndarray) -> np.ndarray:
    """Solve for the B-spline coefficients c[-1] ... c[M + 1]: (R, M) -> (R, M + 3).

    They fulfil ``c[i - 1] + 4 c[i] + c[i + 1] = 6 y[i]`` at all samples, and have no fourth
    difference around samples 1, M - 2 (not-a-knot) and M - 1 (the last piece continued).
    """
    rows, samples = low.shape
    c = np.zeros((rows, samples + 3))
    # One solution of the M equations, from zero states at either end ...
    causal = lfilter([6.0], [1.0, -_POLE], low)
    c[:, samples:0:-1] = lfilter([-_POLE], [1.0, -_POLE], causal[:, ::-1])
    c[:, 0] = _POLE * c[:, 1]
    # ... plus the two that solve them for y = 0, which decay from the ends inwards, in the
    # amounts that remove the fourth differences.
    fourth = np.array([1.0, -4.0, 6.0, -4.0, 1.0])
    near = _POLE ** np.arange(5) @ fourth
    far = _POLE ** np.arange(samples - 3, samples + 2) @ fourth
    excess = np.stack((c[:, :5] @ fourth, c[:, samples - 3 : samples + 2] @ fourth))
    amounts = np.linalg.solve([[near, far], [far, near]], -excess)[..., np.newaxis]
    # Beyond 30 samples they are below the rounding of a double.
    decay = _POLE ** np.arange(min(30, samples + 2))
    c[:, : len(decay)] += amounts[0] * decay
    c[:, samples + 2 - len(decay) : samples + 2] += amounts[1] * decay[::-1]
    c[:, -1] = -(c[:, -5:-1] @ fourth[:-1])
    return c


def _phase_weights(factor: int) -> np.ndarray:
    """Weights of the four coefficients around each of ``factor`` positions: (4, factor)."""
    t = np.arange(factor) / factor
    s = 1.0 - t
    return np.stack((s**3, 3 * t**3 - 6 * t**2 + 4, 3 * s**3 - 6 * s**2 + 4, t**3)) / 6.0


def _solved(low: np.ndarray, factor: int) -> np.ndarray:
    """Coefficients by recursion, then all phases of all samples: (R, M) -> (R, M * factor)."""
    around = np.lib.stride_tricks.sliding_window_view(_coefficients(low), 4, axis=1)
    return (around @ _phase_weights(factor)).reshape(len(low), -1)


def _filtered(low: np.ndarray, factor: int, dtype: type[np.floating]) -> np.ndarray:
    """Rows of samples by one matrix, and the ends by another: (R, M) -> (R, M * factor)."""
    count, samples = low.shape
    step, ends = _SAMPLES_PER_ROW, _REACH * factor
    padded = np.zeros((count, -(-samples // step), step))
    padded.reshape(count, -1)[:, :samples] = low
    fading = _POLE ** np.arange(step)
    around = np.zeros((*padded.shape[:2], step + 3))
    around[..., :step] = padded
    around[:, :-1, step] = padded[:, 1:, 0]
    around[:, 1:, step + 1] = padded[:, :-1] @ fading[::-1]
    around[:, :-1, step + 2] = padded[:, 1:, 1:] @ fading[:-1]
    matrix = _row_matrix(factor)
    high = windowed_product(around.reshape(count, -1), matrix, len(matrix), dtype)
    high = high[:, : samples * factor]
    first, last = _end_matrices(factor)
    high[:, :ends], high[:, -ends:] = low[:, : len(first)] @ first, low[:, -len(last) :] @ last
    return high


@lru_cache(maxsize=8)
def _end_matrices(factor: int) -> tuple[np.ndarray, np.ndarray]:
    """Matrices (46, 23 * factor) from the first samples to the phases of half of them, and so for
    the last: what is further away has no influence."""
    solved = _solved(np.eye(2 * _REACH), factor)
    half = _REACH * factor
    return solved[:, :half].copy(), solved[:, half:].copy()


@lru_cache(maxsize=8)
def _row_matrix(factor: int) -> np.ndarray:
    """Matrix (32 + 3, 32 * factor) from a row of samples to all phases along it.

    Its rows are the samples, the sample behind them, the fading sum of all before them, and that
    of all behind: beyond the nearest sample, each one's part is the nearer one's times the pole.
    """
    single = np.zeros((1, 4 * _REACH + 1))
    single[0, 2 * _REACH] = 1.0
    response = _solved(single, factor).reshape(-1, factor)[_REACH : 3 * _REACH + 1]
    sources = np.array([*range(_SAMPLES_PER_ROW + 1), -1, _SAMPLES_PER_ROW + 1])
    distance = np.arange(_SAMPLES_PER_ROW) - sources[:, None]
    matrix = np.zeros((len(sources), _SAMPLES_PER_ROW, factor))
    near = np.abs(distance) <= _REACH
    matrix[near] = response[distance[near] + _REACH]
    return matrix.reshape(len(sources), -1)
