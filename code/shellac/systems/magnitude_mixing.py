"""Between an input and what a generative system made of it: magnitudes are mixed, not waveforms.

Two waveforms that do not follow each other sample by sample cancel where they are added.
"""

from collections.abc import Callable, Iterator

import numpy as np
from scipy import fft

from shellac import chunking

_FRAME, _HOP = 2048, 512
_SEGMENT = 1 << 17

Read = Callable[[int, int], np.ndarray]


def mixed(read: Read, made: Read, samples: int, strength: float) -> Iterator[np.ndarray]:
    """Yield blocks (C, n), together (C, ``samples``), of an input on its way to a result.

    In spectra of Hann frames of 2048 samples, 512 apart, magnitudes go from the input's to the
    result's by ``strength`` (0 to 1), and the phase is that of the two waveforms' sum under the
    same weights. ``read`` and ``made`` give both, (C, stop - start); their starts never decrease.
    """
    share = np.float32(strength)

    def mix(block: np.ndarray, place: int) -> np.ndarray:
        if strength in (0, 1):
            return (block, made(place, place + block.shape[1]))[int(strength)]
        there = made(place, place + block.shape[1])
        first, second = _spectra(block), _spectra(there)
        sum_ = (1 - share) * first + share * second
        wanted = (1 - share) * abs(first) + share * abs(second)
        return _waveform(sum_ / np.maximum(abs(sum_), 1e-20) * wanted, block.shape[1])

    return chunking.process(read, samples, mix, chunking.Layout(_SEGMENT, _FRAME, 0, _HOP))


def _window() -> np.ndarray:
    return np.hanning(_FRAME + 1)[:-1].astype(np.float32)


def _spectra(x: np.ndarray) -> np.ndarray:
    """Return spectra (C, N, F) of frames that cover x (C, T) and a frame of silence around it."""
    frames = -(-x.shape[1] // _HOP) + _FRAME // _HOP - 1
    rest = (frames - 1) * _HOP + _HOP - x.shape[1]
    padded = np.pad(x, ((0, 0), (_FRAME - _HOP, rest)))
    cut = np.lib.stride_tricks.sliding_window_view(padded, _FRAME, axis=1)[:, ::_HOP]
    return fft.rfft(cut * _window())


def _waveform(spectra: np.ndarray, samples: int) -> np.ndarray:
    """Invert :func:`_spectra`: (C, ``samples``)."""
    frames = fft.irfft(spectra, _FRAME) * _window()
    total = np.zeros((frames.shape[0], (frames.shape[1] - 1) * _HOP + _FRAME), np.float32)
    for i in range(frames.shape[1]):
        total[:, i * _HOP : i * _HOP + _FRAME] += frames[:, i]
    start = _FRAME - _HOP
    return total[:, start : start + samples] / np.float32(1.5)  # what squared windows add up to
