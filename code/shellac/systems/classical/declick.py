"""Clicks found on the prediction error of autoregressive models, and repaired by such models.

Vaseghi and Rayner, "Detection and suppression of impulsive noise" (1990); Godsill and Rayner,
Digital Audio Restoration (1998), chapter 5. A model of every block predicts each sample from
those before it and from those after it. What neither predicts is a click if it stands out of its
surroundings twice over: above the robust scale of the error within a few milliseconds, which an
attack raises along with itself, and above the peaks that the error has there anyway, since the
pulses of a voice or a brass instrument return with every period and clicks do not.
"""

import numpy as np
from scipy import fft

from shellac.transforms.autoregression import context, interpolate

ORDER = 32
REPAIR_ORDER = 48
REPAIR_ITERATIONS = 2
BLOCK_SECONDS = 0.09
SUB_BLOCKS = 16  # parts of a block with a scale of their own
TRIGGER_SIGMA = 5.0
EXTENT_SIGMA = 2.2  # how far a click reaches once found
OVER_PEAKS = 1.6  # times the median of the peaks around
PEAKS_EITHER_SIDE = 8  # sub-blocks in that median
JOIN_SECONDS = 0.25e-3
MARGIN_SECONDS = 0.03e-3
MAX_CLICK_SECONDS = 5e-3  # what lasts longer is no click
_PRE_EMPHASIS = 0.97
_MODEL_CLIP_SIGMA = 6.0
_MAD_TO_SIGMA = 1.4826
_LOADING = 1e-8  # of the autocorrelation, so that pure tones can be solved for
_SILENCE = 2.0**-18  # prediction errors below a quarter of a 16-bit step are nobody's click


def block_length(sample_rate: int) -> int:
    """Samples that share one model: a power of two near 90 ms, on whose grid chunks must start."""
    return max(256, 1 << round(np.log2(BLOCK_SECONDS * sample_rate)))


def reach(sample_rate: int) -> int:
    """Samples on either side that detection and repair look at."""
    return 2 * block_length(sample_rate) + 2 * context(REPAIR_ORDER)


def detect(waveform: np.ndarray, sample_rate: int) -> list[np.ndarray]:
    """Find the clicks of every channel of (C, T): one (E, 2) array of start and stop for each."""
    channels, samples = waveform.shape
    block = block_length(sample_rate)
    padding = -samples % block
    x = np.pad(waveform.astype(np.float32), ((0, 0), (0, padding)), mode="symmetric")
    before, after = prediction_errors(x, block)
    part = block // SUB_BLOCKS
    scale, peaks = _surroundings(before.reshape(channels, -1, part))
    least = np.minimum(before, after).reshape(channels, -1, part)
    threshold = np.maximum(TRIGGER_SIGMA * scale, OVER_PEAKS * peaks)[..., None]
    trigger = (least > threshold).reshape(channels, -1)[:, :samples]
    wide = (least > EXTENT_SIGMA * scale[..., None]).reshape(channels, -1)[:, :samples]
    return [_events(*masks, sample_rate) for masks in zip(trigger, wide, strict=True)]


def repair(waveform: np.ndarray, clicks: list[np.ndarray]) -> np.ndarray:
    """Return (C, T) with the clicks of every channel interpolated, all else bit for bit."""
    result = waveform.copy()
    for row, gaps in zip(result, clicks, strict=True):
        if len(gaps):
            row[:] = interpolate(row, gaps, REPAIR_ORDER, REPAIR_ITERATIONS)
    return result


def prediction_errors(x: np.ndarray, block: int) -> tuple[np.ndarray, np.ndarray]:
    """Return magnitudes of what a model does not predict from before and from after, (C, T) each.

    One model per ``block`` samples, of which T is a multiple, by autocorrelation and Levinson's
    recursion over all blocks at once. The first difference is predicted, and clipped for the
    model: both keep clicks out of it.
    """
    channels = len(x)
    emphasised = np.zeros_like(x)  # nothing is known of what came before the first sample
    np.subtract(x[:, 1:], _PRE_EMPHASIS * x[:, :-1], out=emphasised[:, 1:])
    blocks = emphasised.reshape(channels, -1, block)
    limit = _MODEL_CLIP_SIGMA * _MAD_TO_SIGMA * np.median(np.abs(blocks), -1, keepdims=True)
    clipped = np.clip(blocks, -limit, limit) if limit.any() else blocks
    size = fft.next_fast_len(block + ORDER + 1, real=True)
    spectra = fft.rfft(clipped, size)
    power = np.square(spectra.real, dtype=np.float64) + np.square(spectra.imag, dtype=np.float64)
    filters = levinson(fft.irfft(power, size)[..., : ORDER + 1])
    padded = np.pad(emphasised, ((0, 0), (ORDER, ORDER)))
    frames = np.lib.stride_tricks.sliding_window_view(padded, block + 2 * ORDER, axis=1)
    size = fft.next_fast_len(block + 2 * ORDER, real=True)
    spectra = fft.rfft(frames[:, ::block], size)
    response = fft.rfft(filters.astype(np.float32), size)
    both = (
        np.abs(fft.irfft(spectra * each, size)[..., ORDER : ORDER + block]).reshape(x.shape)
        for each in (response, response.conj())
    )
    return tuple(both)


def levinson(correlation: np.ndarray) -> np.ndarray:
    """Solve for the prediction error filters (..., P + 1), first 1, of autocorrelations."""
    order = correlation.shape[-1] - 1
    power = correlation[..., 0] * (1 + _LOADING)
    silent = power <= 0
    error = np.where(silent, 1.0, power)
    filters = np.zeros_like(correlation)
    filters[..., 0] = 1.0
    for k in range(1, order + 1):
        forward = filters[..., :k]
        reflection = -np.sum(forward * correlation[..., k:0:-1], -1) / error
        reflection = np.where(silent, 0.0, reflection)[..., None]
        filters[..., 1 : k + 1] += reflection * forward[..., ::-1]
        error = error * (1 - reflection[..., 0] ** 2)
    return filters


def _surroundings(parts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return scale and usual peak of the error around every sub-block, (C, M) each."""
    scale = _MAD_TO_SIGMA * np.median(parts, axis=-1)
    near = np.pad(scale, ((0, 0), (1, 1)), mode="edge")
    scale = np.maximum(np.maximum(near[:, :-2], near[:, 1:-1]), near[:, 2:])
    peaks = np.pad(
        parts.max(axis=-1), ((0, 0), (PEAKS_EITHER_SIDE, PEAKS_EITHER_SIDE)), mode="symmetric"
    )
    around = np.lib.stride_tricks.sliding_window_view(peaks, 2 * PEAKS_EITHER_SIDE + 1, axis=1)
    return np.maximum(scale, _SILENCE), np.median(around, axis=-1)


def _events(trigger: np.ndarray, wide: np.ndarray, sample_rate: int) -> np.ndarray:
    """Join what lies together, keep what holds a trigger and is short: (E, 2) start and stop."""
    places = np.flatnonzero(wide | trigger)
    if not trigger.any():
        return np.zeros((0, 2), np.int64)
    join = max(1, round(JOIN_SECONDS * sample_rate))
    first = np.concatenate([[0], np.flatnonzero(np.diff(places) > join) + 1])
    last = np.concatenate([first[1:], [len(places)]]) - 1
    start, stop = places[first], places[last] + 1
    found = np.logical_or.reduceat(trigger[places], first)
    found &= stop - start <= MAX_CLICK_SECONDS * sample_rate
    margin = max(1, round(MARGIN_SECONDS * sample_rate))
    events = np.stack([start - margin, stop + margin], axis=1)[found]
    return np.clip(events, 0, len(trigger))
