"""Diffusion in the formulation of Karras et al. (EDM, 2022), as BABE-2 trains and samples with it.

Levels are standard deviations of the noise, on the scale of the signal.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

# (waveforms (B, T), noise conditioning (B, 1)) -> (B, T)
Network = Callable[[Tensor, Tensor], Tensor]


def coefficients(sigma: Tensor, sigma_data: float) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return (c_skip, c_out, c_in, c_noise) at the levels ``sigma``, in their shape.

    Karras et al. (2022), table 1, column "Ours".
    """
    total = sigma.square() + sigma_data**2
    root = total.sqrt()
    return sigma_data**2 / total, sigma * sigma_data / root, 1 / root, sigma.log() / 4


def loss_weight(sigma: Tensor, sigma_data: float) -> Tensor:
    """Weight of the squared error of the denoised signal at each level: 1 / c_out^2."""
    return (sigma.square() + sigma_data**2) / (sigma * sigma_data).square()


@dataclass(frozen=True)
class Denoiser:
    """A network with EDM's preconditioning around it: the estimate of a clean signal.

    ``sigma_data`` is the standard deviation of the clean signals.
    """

    network: Network
    sigma_data: float

    def __call__(self, x: Tensor, sigma: Tensor) -> Tensor:
        """Estimate the clean signals in ``x`` (B, T), whose noise has the levels ``sigma`` (B,)."""
        skip, out, scale, noise = coefficients(sigma[:, None], self.sigma_data)
        return skip * x + out * self.network(scale * x, noise)


def training_pair(
    x: Tensor, noise: Tensor, sigma: Tensor, sigma_data: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Return what the network sees in training, its conditioning (B, 1), and what it should give.

    ``x`` clean and ``noise`` of unit variance (B, T), ``sigma`` (B,). The plain squared error
    against this target is the denoiser's under :func:`loss_weight`.
    """
    skip, out, scale, conditioning = coefficients(sigma[:, None], sigma_data)
    noisy = x + sigma[:, None] * noise
    return scale * noisy, conditioning, (x - skip * noisy) / out


def powers(low: float, high: float, rho: float, u: Tensor) -> Tensor:
    """Go from ``high`` (u = 0) to ``low`` (u = 1) along the rho-th power (Karras, equation 5)."""
    start, stop = high ** (1 / rho), low ** (1 / rho)
    return (start + u.double() * (stop - start)) ** rho


@dataclass(frozen=True)
class TrainingLevels:
    """How the levels of a training batch are drawn.

    ``published``: the sampler's own power law, uniform in its exponent ``rho`` between
    ``sigma_max`` and ``sigma_min``. ``log-normal``: ln(sigma / sigma_data) is normal with ``mean``
    and ``std``, as Karras et al. train; both ends of the range then get few batches.
    """

    kind: str
    sigma_min: float
    sigma_max: float
    rho: float = 10.0
    mean: float = -0.5
    std: float = 1.6

    def of(self, u: Tensor, sigma_data: float) -> Tensor:
        """Turn uniform numbers ``u`` in (0, 1) into levels, float32."""
        if self.kind == "published":
            return powers(self.sigma_min, self.sigma_max, self.rho, u).float()
        normal = torch.special.ndtri(u.double().clamp(1e-6, 1 - 1e-6))
        levels = sigma_data * (self.mean + self.std * normal).exp()
        return levels.clamp(self.sigma_min, self.sigma_max).float()


@dataclass(frozen=True)
class Schedule:
    """The levels that a sampler goes through, and how much noise it adds on its way.

    ``rho`` spaces the levels; ``churn`` (S_churn), spread over the levels between ``churn_min`` and
    ``churn_max``, and ``churn_noise`` (S_noise) are those of Karras et al., algorithm 2.
    """

    sigma_min: float
    sigma_max: float
    rho: float
    churn: float = 10.0
    churn_noise: float = 1.0
    churn_min: float = 0.0
    churn_max: float = 50.0

    def levels(self, count: int, start: float | None = None) -> Tensor:
        """Return ``count`` levels from ``start`` (None: sigma_max) to sigma_min, and a final 0."""
        high = self.sigma_max if start is None else start
        u = torch.arange(count, dtype=torch.float64) / max(count - 1, 1)
        return torch.cat([powers(self.sigma_min, high, self.rho, u), u.new_zeros(1)]).float()

    def gamma(self, levels: Tensor) -> Tensor:
        """Return the share by which each level is raised before the step from it.

        The published code divides the churn by the number of levels with the final 0 counted.
        """
        share = min(self.churn / len(levels), math.sqrt(2) - 1)
        inside = (levels > self.churn_min) & (levels < self.churn_max)
        return torch.where(inside, share, 0.0).float()
