"""Short-time Fourier transform in frames of 256 samples, a quarter apart, and its inverse.

Two framings of 128 bins or so. :data:`PUBLISHED` is that of the inpainting networks as published:
frames start at sample 0, lose their last sample to a Fourier transform of 255 points (which has
128 bins, 62.745 Hz apart at 16 kHz, and none at the Nyquist frequency), and the end is padded with
zeros. Its first sample has weight zero in every frame, and the 191 after it are seen by fewer
frames than the rest. :data:`SOUND` starts 192 samples earlier, so that every sample is seen by
four frames and comes back, and transforms 256 points: 128 bins and the Nyquist frequency.

Spectra are ordered (B, N, F): time first, as the networks have it.
"""

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

FRAME = 256
HOP = 64
_OVERLAP = FRAME // HOP
_LEAST_WEIGHT = 0.1  # a sample that frames see less of is faded, lest their errors be magnified


@dataclass(frozen=True)
class Framing:
    """Where frames lie and how many of their samples are transformed.

    Frame i covers samples ``i * HOP - lead`` and the ``n_fft - 1`` after it, under a periodic Hann
    window of :data:`FRAME` samples cut to ``n_fft``.
    """

    n_fft: int
    lead: int

    @property
    def bins(self) -> int:
        """Bins of a real transform."""
        return self.n_fft // 2 + 1

    def frames(self, samples: int) -> int:
        """Count the frames that start before the end of ``samples``."""
        return -(-(samples + self.lead) // HOP)

    def window(self, like: Tensor) -> Tensor:
        """Return the window (n_fft,) with the real type and device of ``like``."""
        return _window(self.n_fft, like.real.dtype, like.device)

    def analyse(self, waveform: Tensor) -> Tensor:
        """Transform (B, T) to complex (B, N, F), N = :meth:`frames` of T; zeros beyond the ends."""
        frames = self.frames(waveform.shape[-1])
        padding = (frames - 1) * HOP + FRAME - self.lead - waveform.shape[-1]
        padded = torch.nn.functional.pad(waveform, (self.lead, padding))
        cut = padded.unfold(-1, FRAME, HOP)[..., : self.n_fft]
        return torch.fft.rfft(cut * self.window(waveform))

    def synthesise(self, spectrum: Tensor, samples: int | None = None) -> Tensor:
        """Invert (B, N, F) to (B, T), the waveform whose spectrum is nearest in least squares.

        Windowed frames are added and divided by the sum of the squared windows at each sample
        (Griffin and Lim, 1984, equation 6), where the published code divides by nothing and is
        1.5 times too loud. The first 3 ms of :data:`PUBLISHED`, of which frames see next to
        nothing, are faded in. ``samples`` cuts the result; None gives all that the frames hold.
        """
        frames = torch.fft.irfft(spectrum, self.n_fft) * self.window(spectrum)
        total = overlap_add(frames)
        waveform = total / self.weight(spectrum.shape[-2], total)
        stop = None if samples is None else self.lead + samples
        return waveform[..., self.lead : stop]

    def weight(self, frames: int, like: Tensor, present: Tensor | None = None) -> Tensor:
        """Sum the squared windows at each sample that ``frames`` frames cover, lead included.

        (1, (N + 3) * HOP), at least 0.1. Frames whose ``present`` (K, N) is 0 do not count.
        """
        square = self.window(like).square().expand(1, frames, -1)
        if present is not None:
            square = square * present[..., None]
        return overlap_add(square).clamp_min(_LEAST_WEIGHT)


def overlap_add(frames: Tensor) -> Tensor:
    """Add frames (B, N, n) with n <= FRAME, each HOP after the one before: (B, (N + 3) * HOP)."""
    short = FRAME - frames.shape[-1]
    if short:
        frames = torch.nn.functional.pad(frames, (0, short))
    *batch, count, _ = frames.shape
    quarters = frames.reshape(*batch, count, _OVERLAP, HOP)
    total = frames.new_zeros(*batch, count + _OVERLAP - 1, HOP)
    for i in range(_OVERLAP):
        total[..., i : i + count, :] += quarters[..., i, :]
    return total.flatten(-2)


@lru_cache(maxsize=16)
def _window(n_fft: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    with torch.inference_mode(False):  # kept for later calls, which may need gradients
        return torch.hann_window(FRAME, dtype=dtype, device=device)[:n_fft].contiguous()


PUBLISHED = Framing(n_fft=255, lead=0)
SOUND = Framing(n_fft=256, lead=FRAME - HOP)
