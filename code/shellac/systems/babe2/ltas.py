"""Long-term average spectra: what a recording should sound like on average, and an equaliser.

Power spectra here are means over frames of |X|^2 / sum of the window, as published; frames lie
n_fft / 4 apart, centred, reflected at both ends, under a periodic Hann window.
"""

from collections.abc import Iterator

import numpy as np
from scipy import fft

LEAST_DIFFERENCE_DB = -20.0  # the equaliser lifts by this much at most; it lowers without limit
_QUIET = 1e-20
_FRAMES_PER_BLOCK = 256


def window(length: int, n_fft: int) -> np.ndarray:
    """Return the periodic Hann window of ``length`` in the middle of ``n_fft`` samples."""
    start = (n_fft - length) // 2
    whole = np.zeros(n_fft)
    whole[start : start + length] = np.hanning(length + 1)[:-1]
    return whole


def power(x: np.ndarray, n_fft: int, window_length: int | None = None) -> np.ndarray:
    """Return the mean power spectrum (F,) over frames and channels of x (C, T), float64.

    ``window_length`` None means half of ``n_fft``, as for recordings; what lies on disk is read
    block by block.
    """
    shape = window(window_length or n_fft // 2, n_fft)
    total, count = np.zeros(n_fft // 2 + 1), 0
    frames = x.shape[-1] // (n_fft // 4) + 1
    for first in range(0, frames, _FRAMES_PER_BLOCK):
        spectra = _spectra(x, shape, first, min(first + _FRAMES_PER_BLOCK, frames))
        total += (spectra.real**2 + spectra.imag**2).sum(axis=(0, 1))
        count += spectra.shape[0] * spectra.shape[1]
    return total / count / shape.sum()


def smooth(spectrum: np.ndarray, sample_rate: int) -> np.ndarray:
    """Smooth a power spectrum (F,) over about a third of an octave.

    Every bin but the first becomes a mean under a Gaussian whose standard deviation is its
    frequency divided by 3 pi, over the linear frequency axis.
    """
    hz = np.arange(len(spectrum)) * (sample_rate / 2 / (len(spectrum) - 1))
    centres = hz[1:, None]
    weights = np.exp(-0.5 * ((hz - centres) * (3 * np.pi) / centres) ** 2)
    weights /= weights.sum(axis=1, keepdims=True)
    return np.concatenate([spectrum[:1], weights @ spectrum])


def difference_db(recording: np.ndarray, reference: np.ndarray, sample_rate: int) -> np.ndarray:
    """Return how far a recording's power spectrum (F,) lies above the reference's, in dB.

    Both are smoothed; :data:`LEAST_DIFFERENCE_DB` bounds it from below, and so what is lifted.
    """
    smoothed = [np.maximum(smooth(x, sample_rate), _QUIET) for x in (recording, reference)]
    ratio = 10 * (np.log10(smoothed[0]) - np.log10(smoothed[1]))
    return np.maximum(ratio, LEAST_DIFFERENCE_DB)


def equalised(x: np.ndarray, gain: np.ndarray, published_end: bool = False) -> Iterator[np.ndarray]:
    """Yield x (C, T), its spectrum multiplied by ``gain`` (F,), in blocks, together (C, T).

    The published code has no frame for the last samples but the one before them, and magnifies
    what that one holds at its edge: ``published_end`` does so too.
    """
    n_fft = 2 * (len(gain) - 1)
    shape, hop, samples = window(n_fft // 2, n_fft), n_fft // 4, x.shape[-1]
    frames = (samples if published_end else samples + hop - 1) // hop + 1
    held = np.zeros((x.shape[0], n_fft)), np.zeros(n_fft)  # the frames' sum, and their weights'
    for first in range(0, frames, _FRAMES_PER_BLOCK):
        last = min(first + _FRAMES_PER_BLOCK, frames)
        made = fft.irfft(_spectra(x, shape, first, last) * gain, n_fft) * shape
        total, weight = (np.pad(part, [(0, 0)] * (part.ndim - 1) + [(0, (last - first) * hop)])
                         for part in held)  # fmt: skip
        for i in range(last - first):
            total[:, i * hop : i * hop + n_fft] += made[:, i]
            weight[i * hop : i * hop + n_fft] += shape**2
        # sample 0 of what is held lies half a frame before the first frame's centre
        start = first * hop - n_fft // 2
        stop = samples if last == frames else last * hop - n_fft // 2
        ready = slice(max(0, -start), max(0, stop - start))
        yield (total[:, ready] / np.maximum(weight[ready], _QUIET)).astype(np.float32)
        done = (last - first) * hop
        held = total[:, done:], weight[done:]


def _spectra(x: np.ndarray, shape: np.ndarray, first: int, last: int) -> np.ndarray:
    """Return the spectra (C, N, F) of frames ``first`` to ``last`` of x (C, T)."""
    n_fft, hop, end = len(shape), len(shape) // 4, x.shape[-1] - 1
    start, stop = first * hop - n_fft // 2, (last - 1) * hop + n_fft // 2
    if start >= 0 and stop <= end + 1:
        part = np.asarray(x[:, start:stop])
    else:
        offset = max(0, min(start, end - n_fft))  # what reflects lies after it
        places = np.abs(np.arange(start, stop))
        places = np.clip(np.where(places > end, 2 * end - places, places), 0, end)
        part = np.asarray(x[:, offset:])[:, places - offset]
    frames = np.lib.stride_tricks.sliding_window_view(part, n_fft, axis=1)[:, ::hop]
    return fft.rfft(frames * shape)
