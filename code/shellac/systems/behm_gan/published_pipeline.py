"""The authors' command line from file to file, with its faults, for comparison with its results.

Recordings are restored by :mod:`shellac.systems.restorer` instead: this chunking loses the end of
many files, its cross-fade ripples, and the whole-file Fourier resampling shifts the pitch.
"""

from collections.abc import Callable

import numpy as np
import torch
from scipy import signal
from torch import Tensor

from shellac.systems.spectrogram_front import transformed
from shellac.transforms.stft import HAMMING_1024

SAMPLE_RATE = 22050
Estimate = Callable[[Tensor], Tensor]


def heard(waveform: np.ndarray, sample_rate: int) -> np.ndarray:
    """Average channels of (T,) or (C, T) and resample to 22,050 Hz by one Fourier transform."""
    mono = np.atleast_2d(waveform).mean(0)
    if sample_rate == SAMPLE_RATE:
        return mono
    return signal.resample(mono, int(SAMPLE_RATE / sample_rate * len(mono)) + 1)


def run(
    mono: np.ndarray, denoise: Estimate, extend: Estimate, segment: int, overlap: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return (denoised, denoised and extended), (T,) each, of samples (T,) at 22,050 Hz.

    ``denoise`` and ``extend`` map spectrograms (B, 2, N, 513). Segments lie ``segment - overlap``
    apart, at most ceil(T / segment) of them, so that an end may be missing; the extender reads the
    denoiser's output with all samples that its frames hold.
    """
    length = len(mono)
    rise, fall = np.split(np.hanning(2 * overlap), 2)
    outputs = np.zeros((2, length))
    for index in range(-(-length // segment)):
        start = index * (segment - overlap)
        last = start + segment >= length
        piece = np.zeros(segment, np.float32)
        there = min(segment, length - start)
        piece[:there] = mono[start : start + there]
        denoised = transformed(denoise, torch.from_numpy(piece)[None], HAMMING_1024)
        extended = transformed(extend, denoised, HAMMING_1024)
        weight = np.ones(there)
        if index:
            weight[:overlap] *= rise[:there]
        if not last:
            weight[segment - overlap :] *= fall
        pair = torch.cat((denoised, extended[:, : denoised.shape[-1]]))[:, :there]
        outputs[:, start : start + there] += pair.numpy() * weight
        if last:
            break
    return outputs[0], outputs[1]
