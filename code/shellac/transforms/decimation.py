"""Low-pass and keep every n-th sample, as :func:`scipy.signal.decimate` does by default.

The filter is Chebyshev type I of order 8, ripple 0.05 dB, edge at 0.8 of the new Nyquist rate,
run forwards and backwards (zero phase). SciPy runs its recursions over every sample, most of which
are then dropped. Here both passes together are taken apart into their poles: with H the filter,

    H(z) H(1/z) = d + sum over k of c_k (1 / (1 - p_k / z) + 1 / (1 - p_k z) - 1),

so that what lies before a block of samples acts on it through one number per pole, and so does
what lies behind it. A block's kept samples, and what it leaves to others, are one matrix product.
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
        low = _by_blocks(rows, scale)
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
def _sections(scale: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the filter, and its state after a constant 1 without beginning: (4, 1, 2)."""
    sections = signal.cheby1(ORDER, RIPPLE_DB, EDGE / scale, output="sos")
    return sections, signal.sosfilt_zi(sections)[:, np.newaxis]


def _filtered(rows: np.ndarray, scale: int) -> np.ndarray:
    """Filter every sample, then drop: the plain way."""
    padding = min(EDGE_SAMPLES, rows.shape[1] - 1)
    rows = np.asarray(rows, np.float64)
    before = 2 * rows[:, :1] - rows[:, padding:0:-1]
    behind = 2 * rows[:, -1:] - rows[:, -2 : -2 - padding : -1]
    sections, rest = _sections(scale)
    filtered = np.concatenate((before, rows, behind), axis=1)
    for _ in range(2):  # forwards, then backwards; each pass starts as if it had always been there
        filtered = signal.sosfilt(sections, filtered, zi=rest * filtered[:, :1])[0][:, ::-1]
    return np.ascontiguousarray(filtered[:, padding : padding + rows.shape[1] : scale])


@lru_cache(maxsize=8)
def _reach(scale: int) -> int:
    """Samples from the ends within which :func:`_by_blocks` is not exact.

    It leaves out some low-rate samples at either end; the filter then has to forget that.
    """
    slowest = np.abs(signal.cheby1(ORDER, RIPPLE_DB, EDGE / scale, output="zpk")[1]).max()
    left_out = ORDER + _LOW_SAMPLES_PER_ROW
    return (int(np.ceil(np.log(_FORGOTTEN) / np.log(slowest) / scale)) + left_out) * scale


@lru_cache(maxsize=8)
def _design(scale: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the matrices of blocks of 16 * ``scale`` samples, and the poles' decay over a block.

    The first, (16 * scale, 16 + 2 * ORDER), gives the kept samples of a block and what it leaves
    to those behind and to those before it; the second, (2 * ORDER, 16), what others have left.
    Of each pair of conjugate poles one stands for both, with a real and an imaginary part.
    """
    zeros, poles, gain = signal.cheby1(ORDER, RIPPLE_DB, EDGE / scale, output="zpk")
    pole = poles[poles.imag > 0]
    others = np.where(poles == pole[:, None], 0.0, poles)
    weight = gain**2 * np.prod(1 - zeros / pole[:, None], axis=1)
    weight = weight * np.prod(1 - zeros * pole[:, None], axis=1)
    weight = weight / np.prod(1 - others / pole[:, None], axis=1)
    weight = 2 * weight / np.prod(1 - poles * pole[:, None], axis=1)
    at_zero_hz = (gain * np.prod(1 - zeros) / np.prod(1 - poles)).real ** 2
    direct_part = at_zero_hz - (weight * (1 + pole) / (1 - pole)).real.sum()
    samples = _LOW_SAMPLES_PER_ROW * scale
    kept, every = np.arange(0, samples, scale), np.arange(samples)[:, None]
    response = (weight * pole ** np.arange(samples)[:, None]).real.sum(axis=1)
    response[0] += direct_part
    behind, before = pole ** (samples - 1 - every), pole**every
    leaves = np.concatenate((behind, before), axis=1).view(np.float64)
    block = np.concatenate((response[np.abs(kept - every)], leaves), axis=1)
    heard = weight[:, None] * pole[:, None] ** (kept + 1)
    foreseen = weight[:, None] * pole[:, None] ** (samples - kept)
    takes = np.concatenate((heard, foreseen)).conj().T.copy().view(np.float64).T
    return block, takes, pole**samples


def _by_blocks(rows: np.ndarray, scale: int) -> np.ndarray:
    """Filter all but the ends: (R, T) -> (R, ceil(T / scale)), exact beyond the reach from them."""
    block, takes, decay = _design(scale)
    per_row, poles = _LOW_SAMPLES_PER_ROW, len(decay)
    product = windowed_product(rows, block, hop=len(block))
    product = product.reshape(len(rows), -1, block.shape[1])
    left = np.ascontiguousarray(product[..., per_row:]).view(np.complex128)
    state = np.zeros_like(left)  # of each block: what all before, and all behind it, have left
    state[:, 1:, :poles] = left[:, :-1, :poles]
    state[:, 1:, poles:] = left[:, :0:-1, poles:]
    reached, both = 1, np.tile(decay, 2)
    while (np.abs(decay) ** reached).max() > np.finfo(float).eps and reached < state.shape[1]:
        state[:, reached:] += both**reached * state[:, :-reached]
        reached *= 2
    state[..., poles:] = state[:, ::-1, poles:].copy()
    inside = product[..., :per_row] + state.view(np.float64) @ takes
    low = np.zeros((len(rows), -(-rows.shape[1] // scale)))
    low[:, : inside[0].size] = inside.reshape(len(rows), -1)
    return low
