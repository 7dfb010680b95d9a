"""The multi-resolution STFT loss of BEHM-GAN.

After Yamamoto, Song and Kim, "Parallel WaveGAN" (2020), with Hamming windows.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

FFT_SIZES = (512, 1024, 2048, 4096)
_LEAST_POWER = 1e-7


def stft_losses(estimate: Tensor, target: Tensor, fft_sizes: Sequence[int] = FFT_SIZES) -> Tensor:
    """Return (log-magnitude distance, spectral convergence) per resolution: (R, 2).

    Of waveforms (B, T): mean |log M - log M_target| and |M_target - M| / |M_target| with Frobenius
    norms over the whole batch; M is the magnitude, at least 3.2e-4, under periodic Hamming windows
    of the transform's length, a quarter of it apart, centred with reflection.
    """
    rows = []
    for n_fft in fft_sizes:
        got, want = _magnitude(estimate, n_fft), _magnitude(target, n_fft)
        distance = (want.log() - got.log()).abs().mean()
        convergence = torch.linalg.vector_norm(want - got) / torch.linalg.vector_norm(want)
        rows.append(torch.stack((distance, convergence)))
    return torch.stack(rows)


def stft_loss(estimate: Tensor, target: Tensor) -> Tensor:
    """Return the sum of both distances, averaged over the resolutions: a scalar."""
    return stft_losses(estimate, target).sum(1).mean()


def _magnitude(waveform: Tensor, n_fft: int) -> Tensor:
    window = torch.hamming_window(n_fft, dtype=waveform.dtype, device=waveform.device)
    spectrum = torch.stft(
        waveform, n_fft, n_fft // 4, window=window, center=True, pad_mode="reflect",
        return_complex=True,
    )  # fmt: skip
    power = spectrum.real.square() + spectrum.imag.square()
    return power.clamp_min(_LEAST_POWER).sqrt()
