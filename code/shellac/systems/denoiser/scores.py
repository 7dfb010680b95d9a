"""The two measures that the authors' training code computes, for published figures only."""

import torch
from torch import Tensor

from shellac.transforms.stft import HAMMING_2048

_EPSILON = torch.finfo(torch.float32).eps
_FLOOR = 1e-8


def snr_db(estimate: Tensor, reference: Tensor) -> Tensor:
    """Signal-to-noise ratio of each row of (B, T) in dB, (B,): both mean powers plus 1.2e-7."""
    signal = reference.square().mean(-1) + _EPSILON
    noise = (estimate - reference).square().mean(-1) + _EPSILON
    return 10 * torch.log10(signal / noise)


def lsd(estimate: Tensor, reference: Tensor) -> Tensor:
    """Log-spectral distance of each row of (B, T) in decades of power, (B,).

    Mean over frames of sqrt(mean over bins of (log10 P - log10 P_reference)^2 + 1e-8), P = |X|^2 +
    1e-8, periodic Hamming 2048/512, zeros appended, a last frame starting at the end or before.
    """
    found, wanted = (_log_power(x) for x in (estimate, reference))
    return ((wanted - found).square().mean(-1) + _FLOOR).sqrt().mean(-1)


def _log_power(waveform: Tensor) -> Tensor:
    # one sample more, so that a frame starts at the very end where a hop ends there
    spectrum = HAMMING_2048.analyse(torch.nn.functional.pad(waveform, (0, 1)))
    return torch.log10(spectrum.real.square() + spectrum.imag.square() + _FLOOR)
