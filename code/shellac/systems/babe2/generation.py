"""Recordings of nobody: what the prior takes for music, without anything heard.

The first segment is drawn from noise alone; each one after it goes on from the end of the one
before, which is an observation without noise (inpainting, to the right).
"""

from collections.abc import Callable, Iterator

import numpy as np
import torch

from shellac.systems.babe2 import sampler
from shellac.systems.babe2.operators import Kept, Uncertainty
from shellac.systems.babe2.posterior import LikelihoodGuidance, Posterior
from shellac.systems.babe2.prior import Prior, Sampling
from shellac.systems.babe2.remaking import cuts
from shellac.systems.babe2.sampler import Draws

_EXACT = 0.01  # standard deviation of what is gone on from, relative to that of clean signals
_SEGMENT = 3  # what random numbers are for, beside those of restorations


def generated(
    prior: Prior,
    sampling: Sampling,
    samples: int,
    seed: int,
    report: Callable[[sampler.Report], None] = lambda told: None,
) -> Iterator[np.ndarray]:
    """Yield ``samples`` of unit standard deviation on average, mono (n,), segment by segment."""
    length, overlap = prior.samples, int(sampling.overlap * prior.samples)
    told, before = cuts(samples, length, overlap), np.zeros(0, np.float32)
    for number, cut in enumerate(told):
        posterior, start = None, torch.zeros(1, length, device=prior.device)
        if cut.known:
            start[0, : cut.known] = torch.from_numpy(before[-cut.known :])
            mask = torch.zeros_like(start)
            mask[:, : cut.known] = 1
            doubt = Uncertainty(prior.sigma_data, _EXACT * prior.sigma_data)
            posterior = Posterior(start.clone(), Kept(mask), LikelihoodGuidance(doubt))
        made = sampler.sample(
            prior.estimate, start, sampling.schedule, sampling.steps,
            Draws(seed, _SEGMENT, number), posterior, None, sampling.order, report,
        )[0].cpu().numpy()  # fmt: skip
        if cut.known:
            rising = np.sin(np.pi / 2 * (np.arange(cut.known) + 0.5) / cut.known) ** 2
            old = before[-cut.known :]
            made[: cut.known] = old + rising.astype(np.float32) * (made[: cut.known] - old)
        last = number + 1 == len(told)
        # what the next segment changes is given with that
        ready = min(length, samples) if last else length - told[number + 1].known
        yield made[:ready] / np.float32(prior.sigma_data)
        before = made
