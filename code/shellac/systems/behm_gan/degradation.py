"""The random low-pass filters that BEHM-GAN is trained under, and those that it is tested with."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import signal
from torch import Tensor
from torch.nn import functional

from shellac.degradations.lowpass import low_pass

_FILTERS, _TAPS, _LONG_TAPS = 300, 25, 127
FULL_BAND = "none"  # stands for a low-pass family where there is no low-pass


@dataclass(frozen=True)
class Bank:
    """A bank of filters: the mean of their cut-offs in Hz, how many taps, and the window."""

    mean_cutoff_hz: float = 3500.0
    taps: int = _TAPS
    window: str | tuple[str, float] = "boxcar"


# By the authors' configuration; as their paper is quoted; and, ours, filters that let nothing
# through above their cut-off, as a recorder's horn does, the window being the one that was meant.
BANKS = {
    "repository": Bank(),
    "paper": Bank(3000.0),
    "long": Bank(taps=_LONG_TAPS, window=("kaiser", 6.0)),
}


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
    taps: int = _TAPS,
    mean_cutoff_hz: float = 3500.0,
    std_cutoff_hz: float = 300.0,
    seed: int = 43,
    sample_rate: int = 22050,
    window: str | tuple[str, float] = "boxcar",
) -> np.ndarray:
    """Return linear-phase filters (``count``, ``taps``) float32, their cut-offs normally drawn.

    The published Kaiser window, asked for a transition of 1 Hz by so few taps, is rectangular.
    """
    return np.stack(
        [
            signal.firwin(taps, cutoff_hz, window=window, fs=sample_rate)
            for cutoff_hz in cutoffs_hz(count, mean_cutoff_hz, std_cutoff_hz, seed)
        ]
    ).astype(np.float32)


def named_bank(name: str) -> np.ndarray:
    """Return the filters of one of :data:`BANKS`: (300, taps)."""
    bank = BANKS[name]
    return filter_bank(taps=bank.taps, mean_cutoff_hz=bank.mean_cutoff_hz, window=bank.window)


def training_bank(names: Sequence[str]) -> np.ndarray:
    """Return the filters of several banks, one below the other, with zeros around shorter ones."""
    banks = [named_bank(name) for name in names]
    most = max(bank.shape[1] for bank in banks)
    ends = [(most - bank.shape[1]) // 2 for bank in banks]
    padded = [np.pad(bank, ((0, 0), (end, end))) for bank, end in zip(banks, ends, strict=True)]
    return np.concatenate(padded)


def low_passed(waveform: Tensor, filters: Tensor) -> Tensor:
    """Filter each row of (B, T) with its row of (B, odd taps): no delay, zeros beyond the ends."""
    taps = filters.shape[-1]
    return functional.conv1d(
        waveform[None], filters[:, None], padding=taps // 2, groups=len(waveform)
    )[0]


def held_out_cutoff_hz(family: str, seed: int, digest: str) -> float:
    """Return the cut-off that a recording with this SHA-256 is tested at, in Hz.

    Drawn from the bank of ``family``, or from the repository's where it is no bank: by seed and
    content alone, so that families differ in nothing but the filter's shape.
    """
    mean_cutoff_hz = BANKS.get(family, BANKS["repository"]).mean_cutoff_hz
    return float(cutoffs_hz(mean_cutoff_hz=mean_cutoff_hz)[_drawn(seed, digest)])


def degraded(x: np.ndarray, sample_rate: int, family: str, seed: int, digest: str) -> np.ndarray:
    """Low-pass a test recording (T,) at :func:`held_out_cutoff_hz`: (T,) float32.

    The family :data:`FULL_BAND` leaves it as it is.
    """
    if family == FULL_BAND:
        return np.array(x, np.float32)
    if family in BANKS:
        kernel = named_bank(family)[_drawn(seed, digest)]
        return signal.oaconvolve(x, kernel, mode="same").astype(np.float32)
    return low_pass(x, sample_rate, held_out_cutoff_hz(family, seed, digest), family)


def _drawn(seed: int, digest: str) -> int:
    return int(np.random.default_rng([seed, int(digest[:16], 16)]).integers(_FILTERS))
