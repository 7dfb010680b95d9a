"""The random low-pass filters that BEHM-GAN is trained under."""

from functools import lru_cache

import numpy as np
from scipy import signal
from torch import Tensor
from torch.nn import functional


@lru_cache(maxsize=4)
def filter_bank(
    count: int = 300,
    taps: int = 25,
    mean_cutoff_hz: float = 3500.0,
    std_cutoff_hz: float = 300.0,
    seed: int = 43,
    sample_rate: int = 22050,
) -> np.ndarray:
    """Return linear-phase filters (``count``, ``taps``) float32, their cut-offs normally drawn.

    As published: from NumPy's legacy generator, all at once. A Kaiser window that is asked for a
    transition of 1 Hz by so few taps is rectangular.
    """
    cutoffs_hz = np.random.RandomState(seed).normal(mean_cutoff_hz, std_cutoff_hz, count)
    return np.stack(
        [
            signal.firwin(taps, cutoff_hz, window="boxcar", fs=sample_rate)
            for cutoff_hz in cutoffs_hz
        ]
    ).astype(np.float32)


def low_passed(waveform: Tensor, filters: Tensor) -> Tensor:
    """Filter each row of (B, T) with its row of (B, odd taps): no delay, zeros beyond the ends."""
    taps = filters.shape[-1]
    return functional.conv1d(
        waveform[None], filters[:, None], padding=taps // 2, groups=len(waveform)
    )[0]
