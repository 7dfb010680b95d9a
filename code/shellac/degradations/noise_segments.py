"""Finding the noise of a record where nothing else sounds: lead-in, run-out, pauses.

A stretch is noise alone where, against all of the recording, it is quiet, steady and without tones.
Medians over short spectra describe it, so that its own clicks and crackle, which belong to the
noise, do not count against it. Level and slope of its spectrum then say whether it may be a
record's: the surface noise of discs and cylinders falls by at most some 5 dB per octave, while the
noise of a room or of a microphone's amplifier falls faster or lies far lower.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

FRAME_SECONDS, HOP_SECONDS = 0.25, 0.125
MIN_SECONDS = 0.75
_TRIM_FRAMES = 8  # at each end: what rings out before a pause, and what begins after it
_BLOCK_SECONDS = 0.046
_BAND_HZ = (250.0, 5000.0)  # above hum, within the band of every disc
_TONE_WIDTH_HZ = 350.0
_TONE_DB = 8.5  # in one frame
_HELD_TONE_DB = 5.0  # over a whole stretch, where chance averages out
_LOUDER_DB = 8.0  # than the quietest stretches
_UNSTEADY_DB = 3.0  # standard deviation over a stretch
_DRIFT_DB = 4.0  # from its first to its last third
_QUIETEST_DBFS = -72.0
_SLOPE_DB_PER_OCTAVE = (-5.7, 4.0)
_EMPTY = 1e-20
_MEDIAN_TO_MEAN = 1.0 / np.log(2.0)  # of the power of Gaussian noise


@dataclass(frozen=True)
class Stretch:
    """Noise alone, from ``start`` up to ``stop`` in samples; its level between 250 Hz and 5 kHz."""

    start: int
    stop: int
    level_dbfs: float
    slope_db_per_octave: float


def _frames(
    read: Callable[[int, int], np.ndarray], samples: int, sample_rate: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return frequencies (F,) and the median power spectra (N, F) of all frames."""
    length, hop = int(FRAME_SECONDS * sample_rate), int(HOP_SECONDS * sample_rate)
    block = 1 << round(np.log2(_BLOCK_SECONDS * sample_rate))
    window = np.hanning(block)
    frequency_hz = np.fft.rfftfreq(block, 1.0 / sample_rate)
    inside = (frequency_hz >= _BAND_HZ[0]) & (frequency_hz < min(_BAND_HZ[1], 0.4 * sample_rate))
    rows = []
    for start in range(0, samples - length + 1, hop):
        mono = read(start, start + length).mean(axis=0, dtype=np.float64)
        cut = np.lib.stride_tricks.sliding_window_view(mono, block)[:: block // 4]
        power = np.abs(np.fft.rfft(cut * window, axis=1)[:, inside]) ** 2
        rows.append(np.median(power, axis=0) * _MEDIAN_TO_MEAN)
    scale = 2.0 / (block * np.square(window).sum())
    return frequency_hz[inside], scale * np.array(rows) + _EMPTY


def _tones_db(power: np.ndarray, frequency_hz: np.ndarray) -> np.ndarray:
    """Return how far the highest bin of spectra (N, F) stands above its neighbourhood, (N,)."""
    width = int(_TONE_WIDTH_HZ / (frequency_hz[1] - frequency_hz[0])) | 1
    level = 10.0 * np.log10(power)
    return (level - ndimage.median_filter(level, (1, width), mode="nearest")).max(axis=1)


def _slope(power: np.ndarray, frequency_hz: np.ndarray) -> float:
    """Return the slope in dB per octave of a spectrum (F,) below 4 kHz."""
    low = frequency_hz < 4000.0
    octave = np.log2(frequency_hz[low])
    weight = 1.0 / np.sqrt(frequency_hz[low])  # the bins of an octave count alike
    return float(np.polyfit(octave, 10.0 * np.log10(power[low]), 1, w=weight)[0])


def _runs(fit: np.ndarray) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], fit.astype(np.int8), [0]])))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def find(read: Callable[[int, int], np.ndarray], samples: int, sample_rate: int) -> list[Stretch]:
    """Return the stretches of a recording that hold a record's noise and nothing else.

    Parameters
    ----------
    read : callable
        ``read(start, stop)`` gives the samples (C, stop - start).
    samples, sample_rate : int

    Returns
    -------
    list of Stretch, in order of time, each of 0.75 s or more; empty where there is none
    """
    frequency_hz, power = _frames(read, samples, sample_rate)
    if not len(power):
        return []
    level = 10.0 * np.log10(power.sum(axis=1))
    toneless = (level > _QUIETEST_DBFS) & (_tones_db(power, frequency_hz) < _TONE_DB)
    shortest = 1 + int((MIN_SECONDS - FRAME_SECONDS) / HOP_SECONDS)
    steady = [
        level[k : k + shortest].max()
        for k in range(len(level) - shortest + 1)
        if toneless[k : k + shortest].all()
    ]
    quiet = toneless & (level < min(steady, default=-np.inf) + _LOUDER_DB)
    length, hop = int(FRAME_SECONDS * sample_rate), int(HOP_SECONDS * sample_rate)
    found = []
    for run in _runs(quiet):
        if cut := _trimmed(power, frequency_hz, run, shortest):
            first, last = cut
            mean = power[first:last].mean(axis=0)
            level_dbfs = float(10.0 * np.log10(mean.sum()))
            stop = (last - 1) * hop + length
            found.append(Stretch(first * hop, stop, level_dbfs, _slope(mean, frequency_hz)))
    return found


def _trimmed(
    power: np.ndarray, frequency_hz: np.ndarray, run: tuple[int, int], shortest: int
) -> tuple[int, int] | None:
    """Return the longest part of a run, short of a second at either end, that is a surface."""
    cuts = sorted(
        ((before, after) for before in range(_TRIM_FRAMES) for after in range(_TRIM_FRAMES)),
        key=sum,
    )
    for before, after in cuts:
        first, last = run[0] + before, run[1] - after
        if last - first >= shortest and _is_surface(power[first:last], frequency_hz):
            return first, last
    return None


def _is_surface(power: np.ndarray, frequency_hz: np.ndarray) -> bool:
    """Return whether the frames (N, F) of a stretch are those of a record's surface."""
    level = 10.0 * np.log10(power.sum(axis=1))
    third = len(level) // 3
    mean = power.mean(axis=0)
    steepest, rising = _SLOPE_DB_PER_OCTAVE
    return bool(
        _tones_db(mean[None], frequency_hz)[0] < _HELD_TONE_DB
        and level.std() < _UNSTEADY_DB
        and abs(level[-third:].mean() - level[:third].mean()) < _DRIFT_DB
        and steepest <= _slope(mean, frequency_hz) <= rising
    )
