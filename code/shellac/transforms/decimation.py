"""Low-pass and keep every n-th sample, as :func:`scipy.signal.decimate` does by default.

The filter is Chebyshev type I of order 8, ripple 0.05 dB, edge at 0.8 of the new Nyquist rate,
run forwards and backwards (zero phase). SciPy runs its recursion over every sample, most of which
are then dropped. Here the recursion runs over the kept samples alone, which is the same filter:
with N(z) / A(z) = N(z) M(z) / A'(z^n), where A' has the n-th powers of the poles and M = A' / A is
a polynomial, all of N and M is one FIR filter that need only be computed at the kept samples.
"""

from functools import lru_cache

import numpy as np
from scipy import signal

from shellac.transforms.windowed import windowed_product

ORDER = 8
RIPPLE_DB = 0.05
EDGE = 0.8  # of the new Nyquist rate
EDGE_SAMPLES = 27  # odd extension at both ends: three times the filter's length
_LOW_SAMPLES_PER_ROW = 16
_FORGOTTEN = 1e-13  # what is left of a disturbance after the filter's ``reach``


def decimate(x: np.ndarray, scale: int) -> np.ndarray:
    """Filter and keep every ``scale``-th sample: (..., T) -> float64 (..., ceil(T / scale)).

    Double precision whatever the input, equal to SciPy's to 1e-11 of the largest sample. Ends are
    extended by 27 samples, or by as many as a shorter signal has. Raises :class:`ValueError` for
    a scale that is no whole number above 1, or no samples.
    """
    x = np.asarray(x)
    check(x, scale)
    samples = x.shape[-1]
    rows = x.reshape(-1, samples)
    reach = _reach(scale)
    if samples < 6 * reach:
        low = _filtered(rows, scale)
    else:
        low = _recursion_at_the_low_rate(rows, scale)
        # The ends depend on how the signal is continued there: those are filtered as SciPy does.
        ends, start = reach // scale, (samples - 2 * reach) // scale * scale
        both = np.stack((rows[:, : samples - start], rows[:, start:]))
        first, last = _filtered(both.reshape(-1, samples - start), scale).reshape(2, len(rows), -1)
        low[:, :ends] = first[:, :ends]
        low[:, -ends:] = last[:, -ends:]
    return low.reshape(*x.shape[:-1], -1)


def check(x: np.ndarray, scale: int) -> None:
    """Raise :class:`ValueError` for what no function here can bring to a lower rate."""
    if scale < 2 or scale != int(scale):
        raise ValueError(f"scale is {scale}: it must be a whole number of 2 or more")
    if x.ndim == 0 or x.shape[-1] == 0:
        raise ValueError("there are no samples to bring to a lower rate")


@lru_cache(maxsize=8)
def _sections(scale: int) -> np.ndarray:
    return signal.cheby1(ORDER, RIPPLE_DB, EDGE / scale, output="sos")


def _filtered(rows: np.ndarray, scale: int) -> np.ndarray:
    """Filter every sample, then drop: the plain way."""
    padding = min(EDGE_SAMPLES, rows.shape[1] - 1)
    filtered = signal.sosfiltfilt(_sections(scale), np.asarray(rows, np.float64), padlen=padding)
    return np.ascontiguousarray(filtered[:, ::scale])


@lru_cache(maxsize=8)
def _reach(scale: int) -> int:
    """Samples from the ends within which :func:`_recursion_at_the_low_rate` is not exact.

    It leaves out some low-rate samples at either end; the filter then has to forget that.
    """
    slowest = np.abs(signal.cheby1(ORDER, RIPPLE_DB, EDGE / scale, output="zpk")[1]).max()
    left_out = ORDER + _LOW_SAMPLES_PER_ROW
    return (int(np.ceil(np.log(_FORGOTTEN) / np.log(slowest) / scale)) + left_out) * scale


@lru_cache(maxsize=8)
def _design(scale: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the FIR part as a matrix for :func:`windowed_product`, the recursion as sections."""
    zeros, poles, gain = signal.cheby1(ORDER, RIPPLE_DB, EDGE / scale, output="zpk")
    taps = gain * np.poly(zeros).astype(complex)
    for pole in poles:
        taps = np.convolve(taps, pole ** np.arange(scale))
    zero_phase = np.convolve(taps.real, taps.real[::-1])  # 2 * ORDER * scale + 1 taps
    per_row = _LOW_SAMPLES_PER_ROW
    matrix = np.zeros(((per_row - 1) * scale + len(zero_phase), per_row))
    for i in range(per_row):
        matrix[i * scale : i * scale + len(zero_phase), i] = zero_phase
    return matrix, signal.zpk2sos([], poles**scale, 1.0)


def _recursion_at_the_low_rate(rows: np.ndarray, scale: int) -> np.ndarray:
    """Filter all but the ends: (R, T) -> (R, ceil(T / scale)), exact beyond the reach from them."""
    matrix, sections = _design(scale)
    low = np.zeros((len(rows), -(-rows.shape[1] // scale)))
    inside = windowed_product(rows, matrix, hop=_LOW_SAMPLES_PER_ROW * scale)
    low[:, ORDER : ORDER + inside.shape[1]] = inside
    forwards = signal.sosfilt(sections, low)
    return np.ascontiguousarray(signal.sosfilt(sections, forwards[:, ::-1])[:, ::-1])
