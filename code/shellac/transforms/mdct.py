"""Modified discrete cosine transform with the Vorbis power-complementary window, and its inverse.

A frame of 2 M samples gives M coefficients, the next frame starts M samples later. Frames overlap
by half and start half a frame before the first sample, so that every sample lies in two: aliasing
cancels and the inverse is exact (Princen and Bradley, 1986). The coefficients have the scale of an
unnormalised type-IV cosine transform, ``2 sum_n v[n] cos(pi / M (n + 1/2) (k + 1/2))``, which is
that of the published inpainting data.
"""

from functools import lru_cache

import torch
from torch import Tensor


def frames(samples: int, half: int) -> int:
    """Count the frames of :func:`mdct`."""
    return -(-samples // half) + 1


def mdct(waveform: Tensor, half: int) -> Tensor:
    """Transform (B, T) to (B, N, half), N = ceil(T / half) + 1, in frames of 2 * ``half``.

    Zeros continue the waveform at both ends. ``half`` must be even.
    """
    count = frames(waveform.shape[-1], half)
    padding = (count + 1) * half - half - waveform.shape[-1]
    padded = torch.nn.functional.pad(waveform, (half, padding))
    cut = padded.unfold(-1, 2 * half, half) * window(half, waveform.dtype, waveform.device)
    a, b, c, d = cut.unflatten(-1, (4, half // 2)).unbind(-2)
    return _dct4(torch.cat((-c.flip(-1) - d, a - b.flip(-1)), dim=-1))


def inverse(coefficients: Tensor, samples: int | None = None) -> Tensor:
    """Invert :func:`mdct`: (B, N, M) -> (B, T), ``samples`` of the (N - 1) * M that there are."""
    half = coefficients.shape[-1]
    folded = _dct4(coefficients) / (2 * half)
    first, second = folded.unflatten(-1, (2, half // 2)).unbind(-2)
    weight = window(half, coefficients.dtype, coefficients.device)
    rising = torch.cat((second, -second.flip(-1)), dim=-1) * weight[:half]
    falling = torch.cat((-first.flip(-1), -first), dim=-1) * weight[half:]
    waveform = (rising[..., 1:, :] + falling[..., :-1, :]).flatten(-2)
    return waveform[..., :samples]


def _dct4(x: Tensor) -> Tensor:
    """Type-IV cosine transform of (..., M), by a complex Fourier transform of M / 2 points."""
    half = x.shape[-1]
    turn = _twiddle(half, x.dtype, x.device)
    folded = torch.complex(x[..., ::2], x[..., 1::2].flip(-1))
    y = torch.fft.fft(folded * turn) * turn
    return torch.stack((2 * y.real, -2 * y.imag.flip(-1)), dim=-1).flatten(-2)


@lru_cache(maxsize=16)
def _twiddle(half: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    with torch.inference_mode(False):  # kept for later calls, which may need gradients
        place = torch.arange(half // 2, dtype=torch.float64)
        angle = -torch.pi * (place + 0.125) / half
        turn = torch.polar(torch.ones_like(angle), angle)
        return turn.to(device=device, dtype=torch.complex(*torch.zeros(2, 1, dtype=dtype)).dtype)


@lru_cache(maxsize=16)
def window(half: int, dtype: torch.dtype, device: torch.device | str = "cpu") -> Tensor:
    """Return the Vorbis window (2 * half,): sin(pi / 2 sin^2(pi (n + 1/2) / (2 M)))."""
    with torch.inference_mode(False):
        place = torch.arange(2 * half, dtype=torch.float64) + 0.5
        inner = torch.sin(torch.pi * place / (2 * half)).square()
        return torch.sin(torch.pi / 2 * inner).to(device=device, dtype=dtype)
