"""Where a recording is damaged: the samples of gaps, and those that were clipped.

Everything here counts samples at the rate of the recording.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from shellac.degradations.gaps import Interval
from shellac.errors import UsageError

AUTO = "auto"
_FLAT_TOP = 3  # so many samples in a row at the very peak have been clipped
_NEAR = 1 - 1e-4  # what lies so near the limit is at it
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Limits:
    """What a recording was clipped to; infinite where it was not."""

    low: float = -np.inf
    high: float = np.inf

    @property
    def any(self) -> bool:
        """Whether there is a limit at all."""
        return np.isfinite(self.low) or np.isfinite(self.high)

    def above(self, x: np.ndarray) -> np.ndarray:
        """Return which samples were cut at the top."""
        return x >= self.high * _NEAR

    def below(self, x: np.ndarray) -> np.ndarray:
        """Return which samples were cut at the bottom."""
        return x <= self.low * _NEAR


def declip_level(text: str) -> float | str:
    """Read the value of ``--declip``: ``auto``, or a share of full scale; or raise."""
    if text == AUTO:
        return AUTO
    try:
        level = float(text)
    except ValueError:
        level = np.nan
    if not 0 < level <= 1:
        raise UsageError(f"--declip is {text!r}: it must be auto, or a level above 0 and up to 1")
    return level


def limits(x: np.ndarray, level: float | str) -> Limits:
    """Return what a recording (C, T), which may lie on disk, was clipped to.

    ``auto``: the largest value, and the smallest one, where three samples in a row have it.
    """
    if level != AUTO:
        return Limits(-float(level), float(level))
    blocks = [x[:, start : start + _BLOCK] for start in range(0, x.shape[1], _BLOCK)]
    peaks = Limits(min(float(b.min()) for b in blocks), max(float(b.max()) for b in blocks))
    low, high = -np.inf, np.inf
    if peaks.high > 0 and any(_flat(peaks.above(block)) for block in blocks):
        high = peaks.high
    if peaks.low < 0 and any(_flat(peaks.below(block)) for block in blocks):
        low = peaks.low
    return Limits(low, high)


def _flat(flags: np.ndarray) -> bool:
    runs = np.lib.stride_tricks.sliding_window_view(flags, min(_FLAT_TOP, flags.shape[1]), axis=1)
    return flags.shape[1] >= _FLAT_TOP and bool(runs.all(axis=-1).any())


def runs(x: np.ndarray, gaps: Sequence[Interval], clipped: Limits) -> np.ndarray:
    """Return the stretches (R, 2) of (C, T) in which any channel is damaged, in order, merged."""
    places = []
    for start in range(0, x.shape[1], _BLOCK) if clipped.any else ():
        block = x[:, start : start + _BLOCK]
        places.append(start + np.flatnonzero((clipped.above(block) | clipped.below(block)).any(0)))
    places += [np.arange(*gap) for gap in gaps]
    found = np.unique(np.concatenate(places)) if places else np.zeros(0, int)
    if not len(found):
        return np.zeros((0, 2), int)
    breaks = np.flatnonzero(np.diff(found) > 1)
    return np.stack([found[np.r_[0, breaks + 1]], found[np.r_[breaks, -1]] + 1], axis=1)


@dataclass(frozen=True)
class Window:
    """A part of the recording that is heard at once, and the stretches (R, 2) mended in it."""

    start: int
    runs: np.ndarray


def windows(found: np.ndarray, samples: int, length: int, align: int) -> list[Window]:
    """Lay windows of ``length`` over stretches, each whole and an eighth from a window's ends.

    Windows begin at multiples of ``align``; only at the ends of a recording a stretch may lie
    nearer. Raises :class:`IndexError` with the number of a stretch that is too long.
    """
    made, margin, first = [], length // 8, 0
    while first < len(found):
        last_start = -(-max(0, samples - length) // align) * align  # may reach beyond the end
        start = min(max(0, int(found[first, 0]) - margin) // align * align, last_start)
        stop = samples if start + length >= samples else start + length - margin
        last = int(np.searchsorted(found[:, 1], stop, side="right"))
        if last <= first:
            raise IndexError(first)
        made.append(Window(start, found[first:last]))
        first = last
    return made
