"""Short-time spectra of this system: 93 ms or so, a quarter apart, every sample seen four times."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

WINDOW_SECONDS = 0.093
_OVERLAP = 4
_SQUARED_HANN_SUM = 1.5  # of four periodic Hann windows a quarter apart


@dataclass(frozen=True)
class Framing:
    """Frame i covers ``n_fft`` samples from ``i * hop_length - lead`` under a periodic Hann window.

    Of two stretches of one recording, frames coincide where both start at multiples of
    ``hop_length``.
    """

    n_fft: int

    @property
    def hop_length(self) -> int:
        """Samples from one frame to the next."""
        return self.n_fft // _OVERLAP

    @property
    def lead(self) -> int:
        """Samples of the first frame that lie before the signal."""
        return self.n_fft - self.hop_length

    def window(self, like: Tensor) -> Tensor:
        """Return the window (n_fft,) with the real type and device of ``like``."""
        return torch.hann_window(self.n_fft, dtype=like.real.dtype, device=like.device)

    def analyse(self, waveform: Tensor) -> Tensor:
        """Transform (C, T) to complex (C, N, F), with silence beyond the ends."""
        frames = -(-(waveform.shape[-1] + self.lead) // self.hop_length)
        tail = (frames - 1) * self.hop_length + self.n_fft - self.lead - waveform.shape[-1]
        padded = torch.nn.functional.pad(waveform, (self.lead, tail))
        return torch.fft.rfft(
            padded.unfold(-1, self.n_fft, self.hop_length) * self.window(waveform)
        )

    def synthesise(self, spectrum: Tensor, samples: int) -> Tensor:
        """Invert (C, N, F) to (C, samples): exact where the spectrum was left alone."""
        frames = torch.fft.irfft(spectrum, self.n_fft) * self.window(spectrum)
        channels, count, _ = frames.shape
        quarters = frames.reshape(channels, count, _OVERLAP, self.hop_length)
        total = frames.new_zeros(channels, count + _OVERLAP - 1, self.hop_length)
        for i in range(_OVERLAP):
            total[:, i : i + count] += quarters[:, :, i]
        return total.flatten(1)[:, self.lead : self.lead + samples] / _SQUARED_HANN_SUM


def framing(sample_rate: int) -> Framing:
    """Return the framing for a rate in Hz: the power of two nearest to 93 ms, at least 64."""
    return Framing(max(64, 1 << round(math.log2(WINDOW_SECONDS * sample_rate))))
