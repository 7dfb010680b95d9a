"""Contiguous gaps: samples that a scratch, a drop-out or a cut has erased."""

import numpy as np

from shellac.errors import UsageError

Interval = tuple[int, int]  # first sample, and one past the last


def draw_gaps(
    samples: int,
    sample_rate: int,
    rng: np.random.Generator,
    gap_ms: tuple[float, float] = (5.0, 50.0),
    per_second: float = 2.0,
) -> list[Interval]:
    """Draw gaps that do not touch each other, in order.

    The time is cut into equal cells of 1 / ``per_second``; every cell holds one gap, of a
    duration uniform in ``gap_ms``, somewhere inside, so that at least a tenth of a cell survives
    between gaps wherever the durations allow. A clip too short for one cell holds one gap.

    Parameters
    ----------
    samples, sample_rate : int
    rng : numpy.random.Generator
    gap_ms : (shortest, longest) in milliseconds
    per_second : float

    Returns
    -------
    list of (start, stop) in samples; empty for clips of fewer than three samples

    Raises
    ------
    UsageError
        If durations or rate are not positive and in order, or do not leave a tenth of the sound.
    """
    shortest, longest = gap_ms
    if not 0 < shortest <= longest or not per_second > 0:
        raise UsageError("gap durations and their rate must be positive, the shorter one first")
    if longest * per_second > 900.0:
        raise UsageError(f"{per_second:g} gaps of {longest:g} ms in a second leave no sound")
    if samples < 3:
        return []
    cells = int(np.clip(samples / sample_rate * per_second, 1, samples // 3))
    edges = np.linspace(0, samples, cells + 1).astype(int)
    lengths = np.round(rng.uniform(shortest, longest, cells) * sample_rate / 1000.0).astype(int)
    places = rng.random(cells)
    gaps = []
    for left, right, length, place in zip(edges[:-1], edges[1:], lengths, places, strict=True):
        cell = int(right - left)
        length = int(max(1, min(length, 9 * cell // 10, cell - 2)))
        start = int(left + 1 + place * (cell - 2 - length))
        gaps.append((start, start + length))
    return gaps


def cut_gaps(x: np.ndarray, gaps: list[Interval]) -> np.ndarray:
    """Return a copy of ``x`` (..., T) with silence in every gap."""
    out = np.array(x)
    for start, stop in gaps:
        out[..., start:stop] = 0
    return out
