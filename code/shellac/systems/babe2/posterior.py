"""Guidance: how an observation pulls the estimate of a clean signal towards itself.

``published`` is BABE-2's: the gradient of the squared error, brought to a fixed length, with noise
on the observation. Its results follow the observation but are no draws from a posterior.
``likelihood`` is the gradient of a Gaussian log-likelihood whose variance counts what is not known
of the clean signal at each level: exact where clean signals are Gaussian with the spectrum of
:class:`.operators.Uncertainty` (in the manner of Song et al., "Pseudoinverse-guided diffusion
models for inverse problems", 2023).
"""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from shellac.systems.babe2.operators import Operator, Uncertainty

Noise = Literal["fixed", "same_as_x", "same_as_x_limited"]


@dataclass(frozen=True)
class PublishedGuidance:
    """xi / (length of the gradient / sqrt(T) + 1e-6) times the gradient, divided by the level.

    ``noise`` on the observation has the level ``least_noise`` (``fixed``), that of x
    (``same_as_x``), or the greater of both. ``by_loss`` divides by the loss instead of the
    gradient's length. Items of a batch are scaled alone, so that none depends on another.
    """

    xi: float = 1.0
    noise: Noise = "fixed"
    least_noise: float = 0.25
    by_loss: bool = False

    def observation_noise(self, sigma: float) -> float:
        """Level of the noise that the observation gets at the level ``sigma`` of x."""
        levels = {
            "fixed": self.least_noise,
            "same_as_x": sigma,
            "same_as_x_limited": max(sigma, self.least_noise),
        }
        return levels[self.noise]

    def loss(self, residual: Tensor, operator: Operator, sigma: float) -> Tensor:
        """Return half the squared residual (B, T), summed over samples: (B,)."""
        del operator, sigma
        return residual.square().sum(dim=-1) / 2

    def scaled(self, gradient: Tensor, loss: Tensor, sigma: float) -> Tensor:
        """Return what is subtracted from the score, from the gradient (B, T) of the loss (B,)."""
        size = loss[:, None] if self.by_loss else gradient.norm(dim=-1, keepdim=True)
        return self.xi / (size / gradient.shape[-1] ** 0.5 + 1e-6) * gradient / sigma


@dataclass(frozen=True)
class LikelihoodGuidance:
    """The gradient of the negative log-likelihood, as it is."""

    uncertainty: Uncertainty

    def observation_noise(self, sigma: float) -> float:
        """Return 0: the noise of the observation is in the likelihood."""
        del sigma
        return 0.0

    def loss(self, residual: Tensor, operator: Operator, sigma: float) -> Tensor:
        """Return half the squared length of the whitened residual: (B,)."""
        return operator.whitened(residual, self.uncertainty, sigma).square().sum(dim=-1) / 2

    def scaled(self, gradient: Tensor, loss: Tensor, sigma: float) -> Tensor:
        """Return the gradient."""
        del loss, sigma
        return gradient


@dataclass(frozen=True)
class Posterior:
    """An observation (B, T), what happened to it, and how it guides."""

    observation: Tensor
    operator: Operator
    guidance: PublishedGuidance | LikelihoodGuidance

    def pull(self, x: Tensor, estimate: Tensor, sigma: float, noise: Tensor) -> "Pull":
        """Return what the observation subtracts from the score at x (B, T).

        ``estimate`` (B, T) is the clean signal as it follows from x, with its graph; ``noise`` is
        of unit variance.
        """
        with torch.no_grad():
            self.operator.listen(estimate.detach(), sigma)
        with torch.enable_grad():
            level, wanted = self.guidance.observation_noise(sigma), self.observation
            if level:
                wanted = wanted + level * noise
            loss = self.guidance.loss(self.operator(estimate) - wanted, self.operator, sigma)
            (gradient,) = torch.autograd.grad(loss.sum(), x)
        loss = loss.detach()
        return Pull(self.guidance.scaled(gradient, loss, sigma), loss)


@dataclass(frozen=True)
class Pull:
    """``guidance`` (B, T) to be subtracted from the score, and the loss (B,) that it lowers."""

    guidance: Tensor
    loss: Tensor
