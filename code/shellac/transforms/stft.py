"""Short-time Fourier transform in frames a quarter of their length apart, and its inverse.

Two framings of 128 bins or so, for inpainting. :data:`PUBLISHED` is that of the published networks:
frames start at sample 0, lose their last sample to a Fourier transform of 255 points (which has
128 bins, 62.745 Hz apart at 16 kHz, and none at the Nyquist frequency), and the end is padded with
zeros. Its first sample has weight zero in every frame, and the 191 after it are seen by fewer
frames than the rest. :data:`SOUND` starts 192 samples earlier, so that every sample is seen by
four frames and comes back, and transforms 256 points: 128 bins and the Nyquist frequency.

Two of the two-stage denoiser, under Hamming windows, without a lead: :data:`HAMMING_1024` (22.05
kHz; also of BEHM-GAN) and :data:`HAMMING_2048` (44.1 kHz).

Spectra are ordered (B, N, F): time first, as the networks have it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

FRAME = 256
HOP = 64
_OVERLAP = FRAME // HOP


@dataclass(frozen=True)
class Framing:
    """Where frames lie and how many of their samples are transformed.

    Frame i covers samples ``i * hop - lead`` and the ``n_fft - 1`` after it, under a periodic
    window of ``frame`` samples cut to ``n_fft``. Frames start until ``tail`` samples after the end.
    ``least_weight`` limits what the inverse divides by: see :meth:`weight`. ``overlap`` frames see
    each sample.
    """

    n_fft: int
    lead: int
    frame: int = FRAME
    tail: int = 0
    window_function: Callable[..., Tensor] = torch.hann_window
    least_weight: float = 0.1
    overlap: int = _OVERLAP

    @property
    def hop(self) -> int:
        """Samples from one frame to the next."""
        return self.frame // self.overlap

    @property
    def bins(self) -> int:
        """Bins of a real transform."""
        return self.n_fft // 2 + 1

    def frames(self, samples: int) -> int:
        """Count the frames that start before the end of ``samples``, and ``tail`` after it."""
        return -(-(samples + self.lead + self.tail) // self.hop)

    def window(self, like: Tensor) -> Tensor:
        """Return the window (n_fft,) with the real type and device of ``like``."""
        key = (self.window_function, self.frame, self.n_fft)
        return _window(*key, like.real.dtype, like.device)

    def analyse(self, waveform: Tensor) -> Tensor:
        """Transform (B, T) to complex (B, N, F), N = :meth:`frames` of T; zeros beyond the ends."""
        frames = self.frames(waveform.shape[-1])
        padding = (frames - 1) * self.hop + self.frame - self.lead - waveform.shape[-1]
        padded = torch.nn.functional.pad(waveform, (self.lead, padding))
        cut = padded.unfold(-1, self.frame, self.hop)[..., : self.n_fft]
        return torch.fft.rfft(cut * self.window(waveform))

    def synthesise(self, spectrum: Tensor, samples: int | None = None) -> Tensor:
        """Invert (B, N, F) to (B, T), the waveform whose spectrum is nearest in least squares.

        Windowed frames are added and divided by the sum of the squared windows at each sample
        (Griffin and Lim, 1984, equation 6), where the published inpainting code divides by nothing
        and is 1.5 times too loud. The first 3 ms of :data:`PUBLISHED`, of which frames see next to
        nothing, are faded in. ``samples`` cuts the result; None gives all that the frames hold.
        """
        frames = torch.fft.irfft(spectrum, self.n_fft) * self.window(spectrum)
        total = overlap_add(frames, self.frame, self.overlap)
        waveform = total / self.weight(spectrum.shape[-2], total)
        stop = None if samples is None else self.lead + samples
        return waveform[..., self.lead : stop]

    def weight(self, frames: int, like: Tensor, present: Tensor | None = None) -> Tensor:
        """Sum the squared windows at each sample that ``frames`` frames cover, lead included.

        (1, (N + overlap - 1) * hop), at least ``least_weight``. Frames whose ``present`` (K, N) is
        0 do not count.
        """
        square = self.window(like).square().expand(1, frames, -1)
        if present is not None:
            square = square * present[..., None]
        return overlap_add(square, self.frame, self.overlap).clamp_min(self.least_weight)


def overlap_add(frames: Tensor, length: int = FRAME, overlap: int = _OVERLAP) -> Tensor:
    """Add frames (B, N, n), n <= ``length``, a quarter of that apart: (B, (N + 3) * length / 4).

    Or another part of it: ``overlap`` frames meet at each sample.
    """
    short = length - frames.shape[-1]
    if short:
        frames = torch.nn.functional.pad(frames, (0, short))
    *batch, count, _ = frames.shape
    parts = frames.reshape(*batch, count, overlap, length // overlap)
    total = frames.new_zeros(*batch, count + overlap - 1, length // overlap)
    for i in range(overlap):
        total[..., i : i + count, :] += parts[..., i, :]
    return total.flatten(-2)


@lru_cache(maxsize=16)
def _window(
    function: Callable[..., Tensor],
    frame: int,
    n_fft: int,
    dtype: torch.dtype,
    device: torch.device,
) -> Tensor:
    with torch.inference_mode(False):  # kept for later calls, which may need gradients
        return function(frame, dtype=dtype, device=device)[:n_fft].contiguous()


PUBLISHED = Framing(n_fft=255, lead=0)
SOUND = Framing(n_fft=256, lead=FRAME - HOP)
# A Hamming window is 0.08 at its ends. At 22.05 kHz every sample comes back, the first ones with
# their errors magnified; at 44.1 kHz frames are added under the dual window of a long signal, so
# that both ends are faded: four squared windows add up to 4 (0.54^2 + 0.46^2 / 2).
HAMMING_1024 = Framing(1024, 0, frame=1024, tail=1, window_function=torch.hamming_window,
                       least_weight=1e-4)  # fmt: skip
HAMMING_2048 = Framing(2048, 0, frame=2048, window_function=torch.hamming_window,
                       least_weight=1.5896)  # fmt: skip
