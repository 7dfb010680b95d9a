"""Sample rate conversion: linear phase, no delay, exact length."""

from collections.abc import Iterable, Iterator

import numpy as np
import soxr

# Reach of the converter's filter on either side, in samples of the lower rate; what lies further
# away changes a result by less than -100 dB (measured in tests/transforms/test_resampling.py).
REACH_SAMPLES = 256


def converted_length(samples: int, sample_rate: int, new_rate: int) -> int:
    """Return ceil(samples * new_rate / sample_rate): every input sample's time is covered."""
    return -(-samples * new_rate // sample_rate)


def resample(waveform: np.ndarray, sample_rate: int, new_rate: int) -> np.ndarray:
    """Convert (C, T) or (T,) float32 to ``new_rate``; output sample k is at time k / new_rate.

    The result has :func:`converted_length` samples. libsoxr at its "HQ" setting: pass band to
    91 % of the lower Nyquist frequency, stop band below -100 dB.
    """
    if sample_rate == new_rate:
        return waveform
    length = converted_length(waveform.shape[-1], sample_rate, new_rate)
    frames = np.ascontiguousarray(waveform.T, dtype=np.float32)
    converted = np.atleast_1d(soxr.resample(frames, sample_rate, new_rate, quality="HQ")).T
    return fit_length(converted, length)


def resample_blocks(
    blocks: Iterable[np.ndarray], sample_rate: int, new_rate: int
) -> Iterator[np.ndarray]:
    """Yield what :func:`resample` returns for all blocks (n,) together, in other blocks (n,)."""
    if sample_rate == new_rate:
        yield from blocks
        return
    converter = soxr.ResampleStream(sample_rate, new_rate, 1, dtype="float32", quality="HQ")
    taken = given = 0
    for block in blocks:
        converted = converter.resample_chunk(np.ascontiguousarray(block, dtype=np.float32))
        taken, given = taken + len(block), given + len(converted)
        yield converted
    rest = converter.resample_chunk(np.zeros(0, np.float32), last=True)
    yield fit_length(rest, converted_length(taken, sample_rate, new_rate) - given)


def fit_length(waveform: np.ndarray, length: int) -> np.ndarray:
    """Cut or zero-pad the end of (..., T) to ``length`` samples."""
    if waveform.shape[-1] >= length:
        return waveform[..., :length]
    missing = length - waveform.shape[-1]
    return np.pad(waveform, [(0, 0)] * (waveform.ndim - 1) + [(0, missing)])
