"""What stands between a recording and a network: what it hears, and what its output means."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from shellac.errors import WeightsError
from shellac.systems.classical.restoration import estimator
from shellac.systems.denoiser.network import Denoiser, Estimates
from shellac.systems.restorer import Member, Read, Restorer
from shellac.transforms.resampling import resample

NOISY, CLASSICAL = "noisy", "classical"
INPUTS = (NOISY, CLASSICAL)
_CHAIN = "classical/full"
_FLOOR = 1e-6  # of a bin's power: -60 dB re one
_LEVEL_SCALE = 4.0  # brings natural logarithms of power to -3.5 to 2
_CPU = torch.device("cpu")
SURVEY_PIECES, _PIECE_SECONDS = 16, 6.0  # of a recording, from which its noise is known


def from_card(extra: Mapping[str, Any]) -> str:
    """Return what the network of a weights' card hears; published ones hear the noisy recording.

    Raises :class:`WeightsError` for anything that is not known.
    """
    told = extra.get("input", NOISY)
    if told not in INPUTS:
        raise WeightsError(f"the weights' card names an unknown input: {told!r}")
    return told


def estimates(kind: str, network: Denoiser, spectra: Tensor) -> Estimates:
    """Estimate clean spectrograms (B, 2, N, F), real and imaginary parts.

    ``noisy``: of spectrograms (B, 2, N, F), as published. ``classical``: of the pair (B, 2, 2, N,
    F), on the third axis what the classical system kept and what it took away. The network sees
    both levels; of its two maps a and b the estimate is (1 + tanh a) kept + tanh b taken, so that
    one which gives nothing leaves the classical restoration as it is, and none can do much worse.
    """
    if kind == NOISY:
        return network(spectra)
    seen = levels(spectra)
    found = network(seen)
    # the first stage adds what it saw to what it found, as published
    first = None if found.first is None else corrected(found.first - seen, spectra)
    return Estimates(corrected(found.final, spectra), first)


def levels(spectra: Tensor) -> Tensor:
    """Return a fourth of ln(power + 1e-6) of every spectrogram: (B, 2, K, N, F) -> (B, K, N, F)."""
    return (spectra.square().sum(1) + _FLOOR).log() / _LEVEL_SCALE


def corrected(given: Tensor, spectra: Tensor) -> Tensor:
    """Return (1 + tanh a) kept + tanh b taken: maps (B, 2, N, F), a pair (B, 2, 2, N, F)."""
    kept, taken = spectra.unbind(2)
    a, b = torch.tanh(given).unbind(1)
    return torch.addcmul(torch.addcmul(kept, kept, a[:, None]), taken, b[:, None])


def heard(kind: str, waveform: np.ndarray, sample_rate: int) -> np.ndarray:
    """Return what the network hears of a whole recording (T,): (T,), or the pair (2, T)."""
    if kind == NOISY:
        return waveform
    chain = Restorer([estimator(_CHAIN, _CPU)])
    restored = chain.restore(waveform, sample_rate)
    return np.concatenate((restored.waveform, restored.residual))


def surveyed(read: Read, samples: int, sample_rate: int, network_rate: int) -> Member:
    """Return the classical member for a recording, as it is at the rate of the network.

    What is known of its noise comes from up to 16 pieces of 6 s, spread evenly over it.
    """
    piece = round(_PIECE_SECONDS * sample_rate)
    if samples <= SURVEY_PIECES * piece:
        starts, length = range(0, samples, piece), piece
    else:
        starts, length = np.linspace(0, samples - piece, SURVEY_PIECES).astype(int), piece
    parts = [
        resample(read(int(start), min(samples, int(start) + length)), sample_rate, network_rate)
        for start in starts
    ]
    whole = np.concatenate(parts, axis=1)
    chain = estimator(_CHAIN, _CPU)
    return chain.prepare(lambda start, stop: whole[:, start:stop], whole.shape[1], network_rate)
