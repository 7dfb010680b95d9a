"""Low-pass and keep every n-th sample, as :func:`scipy.signal.decimate` does by default.

The filter is Chebyshev type I of order 8, ripple 0.05 dB, edge at 0.8 of the new Nyquist rate,
run forwards and backwards (zero phase). SciPy runs its recursions over every sample, most of which
are then dropped. Here both passes together are taken apart into their poles: with H the filter,

    H(z) H(1/z) = d + sum over k of c_k (1 / (1 - p_k / z) + 1 / (1 - p_k z) - 1),

so that what lies before a block of samples acts on it through one number per pole, and so does
what lies behind it. A block's kept samples, and what it leaves to others, are one matrix product.
Beyond its ends SciPy takes the signal for constant, and then what the forward pass made of it: the
first is a state to start from, the second adds a few fading terms.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import signal

from shellac.transforms.windowed import windowed_product

ORDER = 8
RIPPLE_DB = 0.05
EDGE = 0.8  # of the new Nyquist rate
EDGE_SAMPLES = 27  # odd extension at both ends: three times the filter's length
_LOW_SAMPLES_PER_ROW = 16
_FORGOTTEN = 1e-13  # what is left of a disturbance after the filter's reach


def decimate(x: np.ndarray, scale: int) -> np.ndarray:
    """Filter and keep every ``scale``-th sample: (..., T) -> float64 (..., ceil(T / scale)).

    Double precision whatever the input, equal to SciPy's to 1e-11 of the largest sample. Ends are
    extended by 27 samples, or by as many as a shorter signal has. Raises :class:`ValueError` for
    a scale that is no whole number above 1, or no samples.
    """
    x = np.asarray(x)
    check(x, scale)
    rows = x.reshape(-1, x.shape[-1])
    low = (_filtered if rows.shape[1] < _design(scale).reach else _by_blocks)(rows, scale)
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
    before, behind = _continued(rows, padding)
    sections, rest = _sections(scale)
    filtered = np.concatenate((before, rows, behind), axis=1)
    for _ in range(2):  # forwards, then backwards; each pass starts as if it had always been there
        filtered = signal.sosfilt(sections, filtered, zi=rest * filtered[:, :1])[0][:, ::-1]
    return np.ascontiguousarray(filtered[:, padding : padding + rows.shape[1] : scale])


def _continued(rows: np.ndarray, samples: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the odd extension before and behind (R, T): float64 (R, ``samples``) each."""
    first = rows[:, : samples + 1].astype(np.float64)
    last = rows[:, rows.shape[1] - 1 - samples :].astype(np.float64)
    return 2 * first[:, :1] - first[:, :0:-1], 2 * last[:, -1:] - last[:, -2::-1]


@dataclass(frozen=True)
class _Design:
    """The filter taken apart; of each pair of conjugate poles one stands for both.

    reach : samples after which the filter has forgotten a disturbance, a multiple of ``scale``
    fading : complex (reach + 28, 4), the poles to the power of 0, 1, 2 ...
    block : (16 * scale, 16 + 16), from a block of samples to its kept ones, and to what it leaves
        to the blocks behind it and to those before it
    takes : (16, 16), from what others have left to kept samples
    turn : complex (8, 4), from the forward pass's poles (and their conjugates), as far as they are
        from rest at the last sample, to what the backward pass hears of their not coming to rest
    """

    reach: int
    fading: np.ndarray
    block: np.ndarray
    takes: np.ndarray
    turn: np.ndarray


@lru_cache(maxsize=8)
def _design(scale: int) -> _Design:
    zeros, poles, gain = signal.cheby1(ORDER, RIPPLE_DB, EDGE / scale, output="zpk")
    pole = poles[poles.imag > 0]
    others = np.where(poles == pole[:, None], 0.0, poles)
    residue = gain * np.prod(1 - zeros / pole[:, None], axis=1)
    residue = residue / np.prod(1 - others / pole[:, None], axis=1)
    weight = 2 * residue * gain * np.prod(1 - zeros * pole[:, None], axis=1)
    weight = weight / np.prod(1 - poles * pole[:, None], axis=1)
    at_zero_hz = (gain * np.prod(1 - zeros) / np.prod(1 - poles)).real ** 2
    direct_part = at_zero_hz - (weight * (1 + pole) / (1 - pole)).real.sum()
    reach = int(np.ceil(np.log(_FORGOTTEN) / np.log(np.abs(pole).max()) / scale)) * scale
    fading = pole ** np.arange(reach + EDGE_SAMPLES + 1)[:, None]
    samples = _LOW_SAMPLES_PER_ROW * scale
    kept, every = np.arange(0, samples, scale), np.arange(samples)
    response = (weight * fading[:samples]).real.sum(axis=1)
    response[0] += direct_part
    leaves = np.concatenate((fading[samples - 1 - every], fading[every]), axis=1)
    response = response[np.abs(kept - every[:, None])]
    block = np.concatenate((response, leaves.view(np.float64)), axis=1)
    takes = np.concatenate((weight * fading[kept + 1], weight * fading[samples - kept]), axis=1)
    takes = takes.conj().view(np.float64).T
    all_poles = np.concatenate((pole, pole.conj()))[:, None]
    turn = 2 * np.concatenate((residue, residue.conj()))[:, None] * residue
    turn *= 1 / (1 - pole) - all_poles / (1 - all_poles * pole)
    return _Design(reach, fading, block, takes, turn)


def _by_blocks(rows: np.ndarray, scale: int) -> np.ndarray:
    """Filter by matrix products: (R, T) -> (R, ceil(T / scale)), for T of the reach or more."""
    design, samples = _design(scale), rows.shape[1]
    size, columns = design.block.shape
    before, behind = _continued(rows, EDGE_SAMPLES)
    whole = samples // size
    rest = np.concatenate((rows[:, whole * size :], behind), axis=1)
    rest = np.pad(rest, ((0, 0), (0, -rest.shape[1] % size)), mode="edge")
    parts = [
        windowed_product(part, design.block, hop=size).reshape(len(rows), -1, columns)
        for part in (rows[:, : whole * size], rest)
    ]
    left = np.concatenate([part[..., _LOW_SAMPLES_PER_ROW:] for part in parts], axis=1)
    low = _states(left.view(np.complex128), before, behind, design) @ design.takes
    low[:, :whole] += parts[0][..., :_LOW_SAMPLES_PER_ROW]
    low[:, whole:] += parts[1][..., :_LOW_SAMPLES_PER_ROW]
    low = low.reshape(len(rows), -1)[:, : -(-samples // scale)]
    end = np.concatenate((rows[:, -design.reach :], behind), axis=1)
    kept = design.fading[EDGE_SAMPLES + 1 + (samples - 1) % scale :: scale]
    low[:, : -1 - len(kept) : -1] += (_beyond(end, design) @ kept.T).real
    return low


def _states(
    left: np.ndarray, before: np.ndarray, behind: np.ndarray, design: _Design
) -> np.ndarray:
    """Return what all before, and all behind each block, have left to it: float64 (R, G, 16).

    ``left``, complex (R, G, 8), is what each block leaves. The first block follows on ``before``,
    (R, 27), and that on its first sample without beginning; the last one holds the end of
    ``behind``, whose last sample goes on without end.
    """
    poles, fading = len(design.turn) // 2, design.fading
    state = np.empty_like(left)
    state[:, 0, :poles] = before @ fading[EDGE_SAMPLES - 1 :: -1]
    state[:, 0, :poles] += before[:, :1] * fading[EDGE_SAMPLES] / (1 - fading[1])
    state[:, 0, poles:] = behind[:, -1:] / (1 - fading[1])
    state[:, 1:, :poles] = left[:, :-1, :poles]
    state[:, 1:, poles:] = left[:, :0:-1, poles:]
    reached, decay = 1, np.tile(fading[len(design.block)], 2)
    while reached < state.shape[1] and np.abs(decay).max() > np.finfo(float).eps:
        state[:, reached:] += decay * state[:, :-reached]
        reached, decay = 2 * reached, decay**2
    state[..., poles:] = state[:, ::-1, poles:].copy()
    return state.view(np.float64)


def _beyond(end: np.ndarray, design: _Design) -> np.ndarray:
    """Return what the backward pass hears too much from beyond the end: complex (R, 4).

    There the last sample of ``end``, (R, N), goes on, and the forward pass would come to rest: the
    backward pass takes it to stay as it was at that sample.
    """
    state = end @ design.fading[end.shape[1] - 1 :: -1] - end[:, -1:] / (1 - design.fading[1])
    return np.concatenate((state, state.conj()), axis=1) @ design.turn
