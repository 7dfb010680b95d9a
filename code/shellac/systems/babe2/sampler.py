"""Sampling from noise to a recording: with an observation, or out of nothing.

Karras et al. (2022), algorithm 2, with guidance. The published sampler's last step, to level 0,
leaves x as it was, with its noise; here it is an Euler step, which evaluates the network once.
All randomness comes from a :class:`Draws`.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from shellac.systems.babe2.diffusion import Schedule
from shellac.systems.babe2.posterior import Posterior

# (x (B, T), levels (B,)) -> estimate of the clean signals (B, T), differentiable
Estimate = Callable[[Tensor, Tensor], Tensor]
Draw = Callable[[Tensor], Tensor]  # noise of unit variance in the shape of its argument


class Draws:
    """Normal numbers from a seed of one or more parts: the same ones on every device."""

    def __init__(self, *seed: int):
        mixed = np.random.SeedSequence(seed).generate_state(1, np.uint64)[0]
        self._generator = torch.Generator().manual_seed(int(mixed) >> 1)

    def __call__(self, like: Tensor) -> Tensor:
        """Draw noise (B, T) of unit variance in the shape and on the device of ``like``."""
        noise = torch.randn(like.shape, generator=self._generator, dtype=like.dtype)
        return noise.to(like.device)


@dataclass(frozen=True)
class Evaluation:
    """One evaluation of the network: where x should go, and why.

    ``slope`` (B, T) is dx/dsigma; ``guidance`` and ``loss`` are None without an observation.
    """

    estimate: Tensor
    slope: Tensor
    guidance: Tensor | None = None
    loss: Tensor | None = None


@dataclass(frozen=True)
class Step:
    """What a step did: x (B, T) after it, and its one or two evaluations."""

    x: Tensor
    evaluations: tuple[Evaluation, ...]


@dataclass(frozen=True)
class Report:
    """What a callback is told after each step: ``number`` of ``total``, from level to level."""

    number: int
    total: int
    sigma: float
    next_sigma: float
    step: Step


def evaluate(
    estimate: Estimate, x: Tensor, sigma: float, posterior: Posterior | None, draw: Draw
) -> Evaluation:
    """Estimate the clean signals in x (B, T) at level ``sigma``, and which way to go."""
    levels = x.new_full((len(x),), sigma)
    if posterior is None:
        with torch.no_grad():
            clean = estimate(x, levels)
        return Evaluation(clean, (x - clean) / sigma)
    with torch.enable_grad():
        x = x.detach().requires_grad_()
        clean = estimate(x, levels)
    pull = posterior.pull(x, clean, sigma, draw(x))
    x, clean = x.detach(), clean.detach()
    slope = (x - clean) / sigma + sigma * pull.guidance
    return Evaluation(clean, slope, pull.guidance, pull.loss)


def step(
    estimate: Estimate,
    x: Tensor,
    sigma: float,
    next_sigma: float,
    gamma: float,
    draw: Draw,
    posterior: Posterior | None = None,
    order: int = 2,
    churn_noise: float = 1.0,
) -> Step:
    """Go from level ``sigma`` to ``next_sigma``: noise up by ``gamma``, then Euler or Heun.

    ``order`` 1 is Euler's; 2 is Heun's, except to level 0, where nothing can be evaluated.
    """
    raised = sigma * (1 + gamma)
    # always drawn, so that what comes after does not depend on gamma
    x = x + max(raised**2 - sigma**2, 0.0) ** 0.5 * churn_noise * draw(x)
    first = evaluate(estimate, x, raised, posterior, draw)
    there = x + (next_sigma - raised) * first.slope
    if order == 1 or next_sigma == 0:
        return Step(there, (first,))
    second = evaluate(estimate, there, next_sigma, posterior, draw)
    slope = (first.slope + second.slope) / 2
    return Step(x + (next_sigma - raised) * slope, (first, second))


def sample(
    estimate: Estimate,
    start: Tensor,
    schedule: Schedule,
    count: int,
    draw: Draw,
    posterior: Posterior | None = None,
    start_sigma: float | None = None,
    order: int = 2,
    report: Callable[[Report], None] = lambda told: None,
) -> Tensor:
    """Sample clean signals (B, T).

    Parameters
    ----------
    estimate : callable
        See :data:`Estimate`.
    start : Tensor, shape (B, T)
        What the noise of the first level is added to: a first guess with ``start_sigma``, zeros
        without.
    schedule : Schedule
    count : int
        Levels, without the final 0; ``order`` 2 costs 2 * count - 1 evaluations.
    draw : callable
        See :class:`Draws`.
    posterior : Posterior, optional
        The observation; None samples unconditionally.
    start_sigma : float, optional
        First level of a warm start; None is the schedule's highest.
    report : callable
        Called with a :class:`Report` after each step.
    """
    levels = schedule.levels(count, start_sigma)
    gammas = schedule.gamma(levels).tolist()
    levels = levels.tolist()
    x = start + levels[0] * draw(start)
    for i in range(count):
        done = step(
            estimate, x, levels[i], levels[i + 1], gammas[i], draw, posterior, order,
            schedule.churn_noise,
        )  # fmt: skip
        x = done.x
        report(Report(i + 1, count, levels[i], levels[i + 1], done))
    return x
