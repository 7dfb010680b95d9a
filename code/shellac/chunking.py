"""Recordings of any length through processors of limited reach: the only place that cuts and joins.

A recording is cut into chunks; each carries *context* on both sides that is discarded after
processing, because a network is wrong near the edges of its input; what remains overlaps its
neighbours by a short *fade* over which two results, both right, are blended with weights that sum
to one. A chunk's start lies on a grid (*align*), so that pooling and resampling see the same
phase as in one pass over the whole file.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Layout:
    """How to cut, in samples of the recording.

    segment : new samples per chunk, at most, unless the grid or the fade is longer; the memory dial
    context : samples on each side that are processed and thrown away
    fade : overlap of neighbouring results
    align : every chunk starts at a multiple of this
    """

    segment: int
    context: int = 0
    fade: int = 0
    align: int = 1

    def __post_init__(self) -> None:
        if self.segment < 1 or self.align < 1 or self.context < 0 or self.fade < 0:
            raise ValueError(f"not a layout: {self}")
        if self.fade > self.segment:
            raise ValueError(f"fade ({self.fade}) is longer than the segment ({self.segment})")


@dataclass(frozen=True)
class Chunk:
    """Samples [read_start, read_stop) go in; of the result [keep_start, keep_stop) is kept."""

    read_start: int
    read_stop: int
    keep_start: int
    keep_stop: int


def plan(length: int, layout: Layout) -> list[Chunk]:
    """Cut ``length`` samples; kept ranges cover everything and overlap by ``fade``.

    Every chunk is read at the same length, to the sample: a processor whose input changes its
    length asks for memory of other sizes, which fit no better than new ones into what it freed. At
    most segment + fade + 2 context samples are read, unless the grid or the fade is longer. The
    first and the last, beyond which there is no context, keep more instead.
    """
    if length < 1:
        raise ValueError("nothing to cut: the recording has no samples")
    grid, around = layout.align, layout.fade + 2 * layout.context
    if length <= layout.segment + around:
        return [Chunk(0, length, 0, length)]

    # in units of the grid, so that starts lie on it: the widest step and the last chunk's start,
    # whose sum is given because the last chunk ends where the recording does
    both = (length - around) // grid
    last = math.ceil((length - layout.segment - around) / grid)
    widest = max(both - last, math.ceil(layout.fade / grid), 1)
    last = both - widest
    if last < 1:
        return [Chunk(0, length, 0, length)]
    steps = math.ceil(last / widest)
    last += (steps * widest - last) // (steps + 1)  # chunks as short as so many allow
    starts = [math.ceil(i * last / steps) * grid for i in range(steps + 1)]
    heard = length - starts[-1]
    seams = [start + layout.context for start in starts[1:]]
    return [
        Chunk(start, start + heard, keep_start, keep_stop)
        for start, keep_start, keep_stop in zip(
            starts, [0, *seams], [*(seam + layout.fade for seam in seams), length], strict=True
        )
    ]


def ramp(length: int) -> np.ndarray:
    """Rising raised-cosine weights (length,); with its mirror image it sums to one."""
    return (np.sin(np.pi / 2 * (np.arange(length) + 0.5) / max(1, length)) ** 2).astype(np.float32)


def process(
    read: Callable[[int, int], np.ndarray],
    length: int,
    function: Callable[[np.ndarray, int], np.ndarray],
    layout: Layout,
) -> Iterator[np.ndarray]:
    """Run ``function`` over a recording and yield its result in order, every sample once.

    Parameters
    ----------
    read : callable
        ``read(start, stop)`` gives samples (C, stop - start); starts never decrease.
    length : int
        Samples of the recording.
    function : callable
        Maps (C, n), and the place of its first sample in the recording, to (C, n) without delay.
    layout : Layout

    Yields
    ------
    ndarray, shape (C, n)
        Consecutive blocks, together (C, length).
    """
    chunks = plan(length, layout)
    tail = None  # the end of the chunk before, still to be blended
    for chunk, after in zip(chunks, [*chunks[1:], None], strict=True):
        block = read(chunk.read_start, chunk.read_stop)
        result = function(block, chunk.read_start)
        if result.shape != block.shape:
            raise ValueError(f"the processor turned shape {block.shape} into {result.shape}")
        kept = result[:, chunk.keep_start - chunk.read_start : chunk.keep_stop - chunk.read_start]
        if tail is not None:
            rising = ramp(tail.shape[1])
            # of two equal results nothing is changed, not even by rounding
            blended = tail + (kept[:, : tail.shape[1]] - tail) * rising
            kept = np.concatenate([blended, kept[:, tail.shape[1] :]], axis=1)
        if after is None:
            yield kept
        else:
            done = after.keep_start - chunk.keep_start
            tail = kept[:, done:]
            yield kept[:, :done]


def aligned_to(sample_rate: int, network_rate: int, multiple: int) -> int:
    """Return the grid, in samples at ``sample_rate``, on which both rates and ``multiple`` meet.

    A chunk that starts on it starts, after resampling to ``network_rate``, at a whole sample that
    is a multiple of ``multiple``.
    """
    common = math.gcd(sample_rate, network_rate)
    input_step, network_step = sample_rate // common, network_rate // common
    return input_step * (multiple // math.gcd(network_step, multiple))
