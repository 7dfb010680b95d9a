"""Slow curves at a control rate, and what they become at the sample rate.

A curve is (N + 1,) values, one at the edge of every block of :data:`HOP` samples; between the edges
it is a straight line. A phase is the exact integral of such a frequency.
"""

import numpy as np

HOP = 64
_WITHIN = np.arange(HOP, dtype=np.float32) / HOP


def edges(samples: int) -> int:
    """Return how many values a curve for ``samples`` has."""
    return -(-samples // HOP) + 1


def times(samples: int, sample_rate: int) -> np.ndarray:
    """Return the times in seconds (N + 1,) of a curve's values."""
    return np.arange(edges(samples)) * (HOP / sample_rate)


def raised(curve: np.ndarray, samples: int) -> np.ndarray:
    """Return a curve at the sample rate, (samples,) float32."""
    curve = curve.astype(np.float32)
    lines = curve[:-1, None] + np.diff(curve)[:, None] * _WITHIN
    return lines.reshape(-1)[:samples]


def cycles(frequency_hz: np.ndarray, sample_rate: int, samples: int) -> np.ndarray:
    """Return the running phase (samples,) float32 of a frequency curve, in cycles.

    Whole cycles are taken off at every block, so that single precision suffices at any length.
    """
    step = np.asarray(frequency_hz, np.float64) * (HOP / sample_rate)
    start = np.concatenate([[0.0], np.cumsum(0.5 * (step[:-1] + step[1:]))[:-1]]) % 1.0
    lines = np.stack([start, step[:-1], 0.5 * np.diff(step)], axis=1).astype(np.float32)
    return (lines @ np.stack([np.ones(HOP, np.float32), _WITHIN, _WITHIN**2])).reshape(-1)[:samples]


def wander(rng: np.random.Generator, values: int, spacing: float) -> np.ndarray:
    """Return a smooth random curve (values,) about 0, with a new aim every ``spacing``."""
    knots = rng.standard_normal(int(values / spacing) + 3)
    return np.interp(np.arange(values) / spacing + rng.random(), np.arange(len(knots)), knots)


def read_table(table: np.ndarray, phase: np.ndarray) -> np.ndarray:
    """Return one period's table (L + 1,) at ``phase`` (T,) in cycles, by straight lines.

    L is a power of two; the last value repeats the first.
    """
    length = len(table) - 1
    position = phase * np.float32(length)
    index = position.astype(np.int64)
    position -= index
    index &= length - 1
    return table[index] + position * np.diff(table)[index]


def period(amplitude: np.ndarray, phase: np.ndarray, length: int) -> np.ndarray:
    """Return a period (length + 1,) float32 of harmonics with amplitudes and phases (K,)."""
    spectrum = np.zeros(length // 2 + 1, np.complex128)
    spectrum[1 : len(amplitude) + 1] = 0.5 * length * amplitude * np.exp(1j * phase)
    wave = np.fft.irfft(spectrum, length)
    return np.append(wave, wave[0]).astype(np.float32)
