"""The multi-resolution STFT loss of BEHM-GAN.

After Yamamoto, Song and Kim, "Parallel WaveGAN" (2020), with Hamming windows.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

FFT_SIZES = (512, 1024, 2048, 4096)
_LEAST_POWER = 1e-7
_ADDED_POWER = 1e-8


def stft_losses(
    estimate: Tensor,
    target: Tensor,
    fft_sizes: Sequence[int] = FFT_SIZES,
    smooth_floor: bool = False,
) -> Tensor:
    """Return (log-magnitude distance, spectral convergence) per resolution: (R, 2).

    Of waveforms (B, T): mean |log M - log M_target| and |M_target - M| / |M_target| with Frobenius
    norms over the whole batch; M is the magnitude, at least 3.2e-4, under periodic Hamming windows
    of the transform's length, a quarter of it apart, centred with reflection.

    Below that least magnitude there is no gradient, so that what an estimate lacks there is never
    learnt. With ``smooth_floor`` M is sqrt(P + 1e-8) instead, P being the power.
    """
    rows = []
    for n_fft in fft_sizes:
        got, want = (_magnitude(x, n_fft, smooth_floor) for x in (estimate, target))
        distance = (want.log() - got.log()).abs().mean()
        convergence = torch.linalg.vector_norm(want - got) / torch.linalg.vector_norm(want)
        rows.append(torch.stack((distance, convergence)))
    return torch.stack(rows)


def stft_loss(estimate: Tensor, target: Tensor, smooth_floor: bool = False) -> Tensor:
    """Return the sum of both distances, averaged over the resolutions: a scalar."""
    return stft_losses(estimate, target, smooth_floor=smooth_floor).sum(1).mean()


def _magnitude(waveform: Tensor, n_fft: int, smooth_floor: bool) -> Tensor:
    window = torch.hamming_window(n_fft, dtype=waveform.dtype, device=waveform.device)
    spectrum = torch.stft(
        waveform, n_fft, n_fft // 4, window=window, center=True, pad_mode="reflect",
        return_complex=True,
    )  # fmt: skip
    power = spectrum.real.square() + spectrum.imag.square()
    if smooth_floor:
        return (power + _ADDED_POWER).sqrt()
    return power.clamp_min(_LEAST_POWER).sqrt()
