"""Gaps found in a recording: stretches of digital silence, and drop-outs.

A gap differs from a rest in how it begins and ends: within a millisecond or so, while music dies
away. Both kinds must lie between sound, and last no longer than half a second.
"""

from collections.abc import Callable

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from shellac.degradations.gaps import Interval

_LONGEST_SECONDS = 0.5
_SHORTEST_SECONDS = 0.001
_SHORTEST_SAMPLES = 8
_FLANK_SECONDS = 0.005  # next to a gap, where there must be sound
_FLANK_STEPS = 8  # of quantisation: sound below it crosses zero in whole runs of samples
_FAINT = 1e-4  # full scale = 1: what is no sound
_BLOCK_SECONDS = 0.0005  # over which the power of drop-outs is taken
_FLANK_BLOCKS = 10  # 5 ms
_SHORTEST_BLOCKS = 4  # 2 ms
_LONGEST_BLOCKS = 1000  # 0.5 s
_DEPTH = 1e-3  # of a drop-out's power, against that on both sides
_MARGIN_BLOCKS = 2  # by which drop-outs are widened, since they begin and end softly
_SCAN_SECONDS = 20.0


def find_gaps(waveform: np.ndarray, sample_rate: int) -> list[Interval]:
    """Find digital silence and drop-outs that all channels of (C, T) share, in order.

    *Digital silence*: zeros for 1 ms to 0.5 s, with sound (RMS over 5 ms above -80 dBFS and above
    8 steps of quantisation) on both sides. *Drop-out*: 2 ms to 0.5 s whose power, over 0.5 ms,
    stays 30 dB under the median of the 5 ms before and of the 5 ms after.
    """
    silences = _digital_silence(waveform, sample_rate)
    silent = np.zeros(waveform.shape[1], dtype=bool)
    for start, stop in silences:
        silent[start:stop] = True
    others = (gap for gap in _drop_outs(waveform, sample_rate) if not silent[slice(*gap)].any())
    return sorted([*silences, *others])


def scan(read: Callable[[int, int], np.ndarray], samples: int, sample_rate: int) -> list[Interval]:
    """:func:`find_gaps` in a recording of any length, block by block.

    ``read(start, stop)`` gives (C, stop - start); its starts never decrease.
    """
    size = _block_samples(sample_rate)
    reach = (_LONGEST_BLOCKS + 4 * _FLANK_BLOCKS) * size
    step = round(_SCAN_SECONDS * sample_rate) // size * size
    found = []
    for first in range(0, samples, step):
        start = max(0, first - reach)
        block = read(start, min(samples, first + step + reach))
        inside = ((start + a, start + b) for a, b in find_gaps(block, sample_rate))
        found += [gap for gap in inside if first <= gap[0] < first + step]
    return found


def _runs(flags: np.ndarray) -> np.ndarray:
    """Return (n, 2) first and past-the-last places of the runs of True."""
    edges = np.diff(np.concatenate(([False], flags, [False])).astype(np.int8))
    return np.stack((np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)), axis=1)


def _digital_silence(waveform: np.ndarray, sample_rate: int) -> list[Interval]:
    loudest = np.abs(waveform).max(axis=0)
    runs = _runs(loudest == 0)
    shortest = max(_SHORTEST_SAMPLES, round(_SHORTEST_SECONDS * sample_rate))
    length = runs[:, 1] - runs[:, 0]
    runs = runs[(length >= shortest) & (length <= _LONGEST_SECONDS * sample_rate)]
    audible = loudest[loudest > 0]
    if not len(runs) or not len(audible):
        return []
    least = max(_FAINT, _FLANK_STEPS * float(audible.min()))
    flank = max(1, round(_FLANK_SECONDS * sample_rate))
    return [
        (int(start), int(stop))
        for start, stop in runs
        if _rms(waveform[:, max(0, start - flank) : start]) > least
        and _rms(waveform[:, stop : stop + flank]) > least
    ]


def _rms(part: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(part, dtype=np.float64)))) if part.size else 0.0


def _drop_outs(waveform: np.ndarray, sample_rate: int) -> list[Interval]:
    size = _block_samples(sample_rate)
    count = waveform.shape[1] // size
    if count <= 2 * _FLANK_BLOCKS:
        return []
    squares = np.square(waveform[:, : count * size], dtype=np.float64).mean(axis=0)
    power = squares.reshape(count, size).mean(axis=1)
    # a median, so that a click is not taken for sound around a gap
    flank = np.median(sliding_window_view(power, _FLANK_BLOCKS), axis=1)
    before = np.concatenate((np.zeros(_FLANK_BLOCKS), flank))  # of the blocks that precede each
    falls = (power < _DEPTH * before[:count]) & (before[:count] > _FAINT**2)
    found, done = [], 0
    for start in np.flatnonzero(falls):
        if start < done:
            continue
        floor = _DEPTH * before[start]
        risen = np.flatnonzero(power[start : start + _LONGEST_BLOCKS + 1] >= floor)
        if not len(risen):
            continue
        stop = start + risen[0]
        done = stop
        loud_after = stop < len(flank) and power[start:stop].max() < _DEPTH * flank[stop]
        if stop - start >= _SHORTEST_BLOCKS and loud_after:
            margin = _MARGIN_BLOCKS
            found.append((int(start - margin) * size, int(stop + margin) * size))
    return found


def _block_samples(sample_rate: int) -> int:
    return max(1, round(_BLOCK_SECONDS * sample_rate))
