"""A recording of a low rate, read as if it had a higher one: a cubic spline, block by block."""

from collections.abc import Callable

import numpy as np

from shellac.transforms import spline

# A spline forgets: what lies n low-rate samples away has 0.27^n of its weight, 2e-18 here.
REACH_SAMPLES = 32


class Raised:
    """Reads of a recording at ``factor`` times its rate.

    ``read(start, stop)`` returns (C, stop - start) float32 as the reader of the recording does,
    which it calls with starts that never decrease if its own do not. Joined, all reads are the
    spline through the whole recording, which has ``samples`` * ``factor`` samples; sample
    ``factor * i`` is sample ``i`` of the recording.
    """

    def __init__(self, read: Callable[[int, int], np.ndarray], samples: int, factor: int):
        self._read, self._low_samples, self._factor = read, samples, factor
        self.samples = samples * factor

    def read(self, start: int, stop: int) -> np.ndarray:
        """Return samples [start, stop) of the raised recording."""
        first = max(0, start // self._factor - REACH_SAMPLES)
        last = min(self._low_samples, -(-stop // self._factor) + REACH_SAMPLES)
        high = spline.upsample(self._read(first, last), self._factor)
        offset = first * self._factor
        return high[:, start - offset : stop - offset].astype(np.float32)
