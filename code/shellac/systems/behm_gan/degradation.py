"""The random low-pass filters that BEHM-GAN is trained under, and those that it is tested with."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from scipy import signal
from torch import Tensor
from torch.nn import functional

from shellac.degradations.lowpass import low_pass

# Mean of the cut-offs, whose standard deviation is 300 Hz: by the authors' configuration, and as
# their paper is quoted.
MEAN_CUTOFF_HZ = {"repository": 3500.0, "paper": 3000.0}
_FILTERS = 300
FULL_BAND = "none"  # stands for a low-pass family where there is no low-pass


@lru_cache(maxsize=8)
def cutoffs_hz(
    count: int = _FILTERS,
    mean_cutoff_hz: float = 3500.0,
    std_cutoff_hz: float = 300.0,
    seed: int = 43,
) -> np.ndarray:
    """Return cut-offs (``count``,) as published: from NumPy's legacy generator, all at once."""
    return np.random.RandomState(seed).normal(mean_cutoff_hz, std_cutoff_hz, count)


@lru_cache(maxsize=8)
def filter_bank(
    count: int = _FILTERS,
    taps: int = 25,
    mean_cutoff_hz: float = 3500.0,
    std_cutoff_hz: float = 300.0,
    seed: int = 43,
    sample_rate: int = 22050,
) -> np.ndarray:
    """Return linear-phase filters (``count``, ``taps``) float32, their cut-offs normally drawn.

    A Kaiser window that is asked for a transition of 1 Hz by so few taps is rectangular.
    """
    return np.stack(
        [
            signal.firwin(taps, cutoff_hz, window="boxcar", fs=sample_rate)
            for cutoff_hz in cutoffs_hz(count, mean_cutoff_hz, std_cutoff_hz, seed)
        ]
    ).astype(np.float32)


def training_bank(readings: Sequence[str]) -> np.ndarray:
    """Return the filters of the published banks that ``readings`` name, one below the other."""
    banks = [filter_bank(mean_cutoff_hz=MEAN_CUTOFF_HZ[reading]) for reading in readings]
    return np.concatenate(banks)


def low_passed(waveform: Tensor, filters: Tensor) -> Tensor:
    """Filter each row of (B, T) with its row of (B, odd taps): no delay, zeros beyond the ends."""
    taps = filters.shape[-1]
    return functional.conv1d(
        waveform[None], filters[:, None], padding=taps // 2, groups=len(waveform)
    )[0]


def held_out_cutoff_hz(family: str, seed: int, digest: str) -> float:
    """Return the cut-off that a recording with this SHA-256 is tested at, in Hz.

    Drawn from the bank of ``family``, or from the repository's where it is none of the two
    readings: by seed and content alone, so that families differ in nothing but the filter's shape.
    """
    listed = cutoffs_hz(mean_cutoff_hz=MEAN_CUTOFF_HZ.get(family, MEAN_CUTOFF_HZ["repository"]))
    return float(listed[_drawn(seed, digest)])


def degraded(x: np.ndarray, sample_rate: int, family: str, seed: int, digest: str) -> np.ndarray:
    """Low-pass a test recording (T,) at :func:`held_out_cutoff_hz`: (T,) float32.

    The family :data:`FULL_BAND` leaves it as it is.
    """
    if family == FULL_BAND:
        return np.array(x, np.float32)
    if family in MEAN_CUTOFF_HZ:
        kernel = filter_bank(mean_cutoff_hz=MEAN_CUTOFF_HZ[family])[_drawn(seed, digest)]
        return signal.oaconvolve(x, kernel, mode="same").astype(np.float32)
    return low_pass(x, sample_rate, held_out_cutoff_hz(family, seed, digest), family)


def _drawn(seed: int, digest: str) -> int:
    return int(np.random.default_rng([seed, int(digest[:16], 16)]).integers(_FILTERS))
