"""The authors' command line from file to file, with its faults, for comparison with its results.

Recordings are restored by :mod:`shellac.systems.restorer` instead: this chunking loses the end of
many files, its cross-fade ripples, and the whole-file Fourier resampling shifts the pitch. It is
that of the denoisers and of bandwidth extension.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from scipy import signal
from torch import Tensor

from shellac.errors import UsageError
from shellac.systems.restorer import AnyMember, Member

SAMPLE_RATE = 22050
SEGMENT_SECONDS = 5
OVERLAP_SECONDS = 1024 / 22050  # 1024 samples; 2048 at 44.1 kHz
Stage = Callable[[Tensor], Tensor]


def heard(waveform: np.ndarray, sample_rate: int, new_rate: int = SAMPLE_RATE) -> np.ndarray:
    """Average channels of (T,) or (C, T) and resample to ``new_rate`` by one Fourier transform."""
    mono = np.atleast_2d(waveform).mean(0)
    if sample_rate == new_rate:
        return mono
    return signal.resample(mono, int(new_rate / sample_rate * len(mono)) + 1)


def run(mono: np.ndarray, chain: Sequence[Stage], segment: int, overlap: int) -> np.ndarray:
    """Return what every stage makes of samples (T,) at the networks' rate: (S, T).

    A stage maps a segment (1, n) to (1, m), all samples that its frames hold, which the next one
    reads. Segments lie ``segment - overlap`` apart, at most ceil(T / segment) of them, so that an
    end may be missing.
    """
    length = len(mono)
    rise, fall = np.split(np.hanning(2 * overlap), 2)
    outputs = np.zeros((len(chain), length))
    for index in range(-(-length // segment)):
        start = index * (segment - overlap)
        last = start + segment >= length
        piece = np.zeros(segment, np.float32)
        there = min(segment, length - start)
        piece[:there] = mono[start : start + there]
        weight = np.ones(there)
        if index:
            weight[:overlap] *= rise[:there]
        if not last:
            weight[segment - overlap :] *= fall
        current = torch.from_numpy(piece)[None]
        for output, stage in zip(outputs, chain, strict=True):
            current = stage(current)
            output[start : start + there] += current[0, :there].cpu().numpy() * weight
        if last:
            break
    return outputs


def stages(members: Sequence[AnyMember]) -> tuple[list[Stage], int]:
    """Return what the members do with a segment, and their rate in Hz.

    Raises :class:`UsageError` for a member that has no published command line, or where their
    rates differ.
    """
    found, rates = [], set()
    for member in members:
        if not isinstance(member, Member) or member.published is None:
            raise UsageError(
                "--chunking published is that of denoiser and behm_gan/unet: leave it out for"
                " other networks"
            )
        found.append(_on(member.device, member.published))
        rates.add(member.card.sample_rate)
    if len(rates) > 1:
        raise UsageError("--chunking published: the networks of this chain have different rates")
    return found, rates.pop()


def _on(device: torch.device, stage: Stage) -> Stage:
    return lambda segment: stage(segment.to(device))


def restore(
    waveform: np.ndarray, sample_rate: int, members: Sequence[AnyMember]
) -> tuple[np.ndarray, np.ndarray, int]:
    """Return what a chain heard and made of (C, T), (1, N) float32 each, and their rate in Hz."""
    chain, rate = stages(members)
    mono = heard(waveform, sample_rate, rate).astype(np.float32)
    with torch.inference_mode():
        made = run(mono, chain, SEGMENT_SECONDS * rate, round(OVERLAP_SECONDS * rate))
    return mono[None], made[-1:].astype(np.float32), rate
