"""A prior whose posterior is known: stationary Gaussian signals on a circle."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

RATE = 22050


@dataclass(frozen=True)
class GaussianPrior:
    """Signals of ``samples`` whose power falls by 6 dB per octave above ``corner_hz``; power 1."""

    samples: int
    corner_hz: float = 800.0

    @property
    def spectrum(self) -> np.ndarray:
        """Mean power of each frequency of the transform, (samples // 2 + 1,)."""
        hz = np.fft.rfftfreq(self.samples, 1 / RATE)
        power = 1 / (1 + (hz / self.corner_hz) ** 2)
        return power / power.mean()

    def draw(self, count: int, rng: np.random.Generator) -> Tensor:
        """Draw signals (count, samples)."""
        white = np.fft.rfft(rng.standard_normal((count, self.samples)))
        return torch.from_numpy(np.fft.irfft(white * self.spectrum**0.5)).float()

    def estimate(self, x: Tensor, sigma: Tensor) -> Tensor:
        """Return the mean of the clean signals, given x (B, T) with noise of levels (B,)."""
        power = torch.from_numpy(self.spectrum).float()
        share = power / (power + sigma[:, None].square())
        return torch.fft.irfft(torch.fft.rfft(x) * share, self.samples)
