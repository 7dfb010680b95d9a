"""What this machine reaches, and how to time something against it within one run."""

import resource
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch.nn import functional

from shellac.allocation import keep_freed_memory
from shellac.decoding import client

_MATMUL_SIZE = 768
_CHANNELS, _SIDE = 64, (64, 256)


Clock = Callable[[], float]


def cpu_seconds(function: Callable[[], object], clock: Clock = time.process_time) -> float:
    """Time one call in CPU seconds; the ``clock`` is that of this process alone."""
    start = clock()
    function()
    return clock() - start


def with_decoders() -> float:
    """CPU seconds of this process and of its decoders, which are ended to be counted: a clock."""
    client.stop_idle()
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def alternate(
    functions: Sequence[Callable[[], object]], turns: int, clock: Clock = time.process_time
) -> list[float]:
    """Time the functions in turns, so that a busy machine slows all alike; median CPU seconds.

    Each is called once before, untimed.
    """
    for function in functions:
        function()
    rounds = [[cpu_seconds(function, clock) for function in functions] for _ in range(turns)]
    return [statistics.median(column) for column in zip(*rounds, strict=True)]


@contextmanager
def memory_returned(kept: str = "usual") -> Iterator[None]:
    """Return freed memory to the system, as Python comes, where our command line keeps it.

    With ``small`` kept, large blocks alone, as ``shellac restore`` does.
    """
    keep_freed_memory(kept)
    try:
        yield
    finally:
        keep_freed_memory()


def matmul() -> float:
    """Multiply two square matrices; return the floating-point operations that took."""
    x = torch.ones(_MATMUL_SIZE, _MATMUL_SIZE)
    torch.mm(x, x)
    return 2.0 * _MATMUL_SIZE**3


def conv2d() -> float:
    """Convolve 3 x 3 over 64 channels; return the floating-point operations that took."""
    x, weight = torch.ones(1, _CHANNELS, *_SIDE), torch.ones(_CHANNELS, _CHANNELS, 3, 3)
    with torch.inference_mode():
        functional.conv2d(x, weight, padding=1)
    return 2.0 * 9 * _CHANNELS**2 * _SIDE[0] * _SIDE[1]
