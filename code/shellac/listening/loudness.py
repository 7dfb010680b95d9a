"""Loudness after ITU-R BS.1770, and the gain that aligns a set of versions."""

import warnings

import numpy as np
import pyloudnorm

TARGET_LUFS = -23.0  # EBU R 128
_MIN_SECONDS = 0.4  # one gating block
# pyloudnorm's filters of this name follow the standard's coefficients at every sample rate
_FILTERS = "DeMan"
_METER_CHANNELS = 5  # that pyloudnorm takes


def integrated_loudness(waveform: np.ndarray, sample_rate: int) -> float | None:
    """Return the integrated loudness in LUFS of (C, T), or None where nothing passes the gate."""
    if waveform.shape[-1] < _MIN_SECONDS * sample_rate:
        return None
    if len(waveform) > _METER_CHANNELS:
        # Nobody tells where so many are heard from, so each counts alike. Powers add up, as in the
        # standard: in a mean, channels of opposite sign would cancel and seem silent.
        alone = [integrated_loudness(channel[None], sample_rate) for channel in waveform]
        powers = [10 ** (value / 10) for value in alone if value is not None]
        return 10 * float(np.log10(sum(powers))) if powers else None
    meter = pyloudnorm.Meter(sample_rate, filter_class=_FILTERS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of an empty mean, where all is below the gate
        value = float(meter.integrated_loudness(np.asarray(waveform, np.float64).T))
    return value if np.isfinite(value) else None


def alignment_gain(waveform: np.ndarray, sample_rate: int, ceiling: float = 0.9) -> float:
    """Return the factor that brings (C, T) to :data:`TARGET_LUFS`, with peaks below ``ceiling``."""
    loudness = integrated_loudness(waveform, sample_rate)
    peak = float(np.abs(waveform).max(initial=0.0))
    if loudness is None or peak == 0.0:
        return 1.0
    return min(10 ** ((TARGET_LUFS - loudness) / 20), ceiling / peak)


def common_gains(
    waveforms: list[np.ndarray], sample_rate: int, ceiling: float = 0.9
) -> tuple[list[float], float | None]:
    """Return a factor for each (C, T) that makes all equally loud, and that loudness in LUFS.

    The loudness is :data:`TARGET_LUFS`, or what the version with the highest crest factor can
    reach with its peak at ``ceiling``: one that cannot follow lowers the others with it. Silent
    and very short versions keep their level; with no other kind the loudness is None.
    """
    loudness = [integrated_loudness(waveform, sample_rate) for waveform in waveforms]
    reached = [TARGET_LUFS] + [
        value + 20 * np.log10(ceiling / np.abs(waveform).max())
        for waveform, value in zip(waveforms, loudness, strict=True)
        if value is not None
    ]
    target = float(min(reached))
    gains = [1.0 if value is None else 10 ** ((target - value) / 20) for value in loudness]
    return gains, None if len(reached) == 1 else target
