"""A trained network ready to be sampled from, and how to sample from it."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, Self

import numpy as np
import torch
from torch import Tensor

from shellac.errors import WeightsError
from shellac.systems.babe2.diffusion import Denoiser, Network, Schedule
from shellac.systems.babe2.filters import Grid, initial
from shellac.systems.babe2.fitting import Fit, FitSettings
from shellac.systems.babe2.matching import MomentFit
from shellac.systems.babe2.operators import Uncertainty
from shellac.systems.babe2.posterior import LikelihoodGuidance, Noise, PublishedGuidance

_GENTLE, _STEEP = 3.0, 80.0  # dB per octave
_BELOW_NYQUIST = 0.999  # corners at the Nyquist frequency itself end the published code


@dataclass(frozen=True)
class Sampling:
    """How to sample; the defaults are those published for piano.

    steps, order : levels and order of the solver; order 2 costs 2 * steps - 1 evaluations
    start_sigma : level of the warm start, from the recording brought to the average spectrum
    sigma_min, sigma_max, rho, churn : see :class:`.diffusion.Schedule`
    guidance : ``published`` or ``likelihood``, see :mod:`.posterior`; the latter with our own fit
    xi, noise, least_noise : of the published guidance
    observation_noise : standard deviation that the likelihood takes the recording's noise to have
    level : standard deviation that segments are brought to
    match_average : bring the recording to the prior's average spectrum before it is observed
    n_fft, iterations : of the filter and its fit
    overlap : share of a segment that the next one goes on from
    """

    steps: int = 51
    order: int = 2
    start_sigma: float = 0.5
    sigma_min: float = 4e-5
    sigma_max: float = 10.0
    rho: float = 13.0
    churn: float = 10.0
    guidance: Literal["published", "likelihood"] = "published"
    xi: float = 1.0
    noise: Noise = "fixed"
    least_noise: float = 0.25
    observation_noise: float = 0.005
    level: float = 0.07
    match_average: bool = True
    n_fft: int = 4096
    iterations: int = 100
    overlap: float = 0.1

    @property
    def schedule(self) -> Schedule:
        """The levels."""
        return Schedule(self.sigma_min, self.sigma_max, self.rho, self.churn)

    @property
    def evaluations(self) -> int:
        """Evaluations of the network for one segment."""
        return self.order * self.steps - (self.order - 1)

    @classmethod
    def from_card(cls, told: Mapping[str, Any]) -> Self:
        """Read what weights say; raise :class:`WeightsError` for what makes no sense."""
        try:
            made = cls(**told)
            sound = 1 <= made.steps <= 10_000 and made.order in (1, 2) and 0 < made.overlap < 0.5
            levels = 0 < made.sigma_min < min(made.start_sigma, made.sigma_max)
        except TypeError as error:
            raise WeightsError(f"the weights say nonsense about sampling ({error})") from error
        if not (sound and levels and made.level > 0):
            raise WeightsError("the weights say nonsense about sampling: out of range")
        return made


PIANO = Sampling()
SINGING = Sampling(
    start_sigma=10.0, sigma_min=1e-3, sigma_max=100.0, xi=0.5, least_noise=1.0,
    observation_noise=0.05, level=1.0,
)  # fmt: skip
QUALITIES: dict[str, dict[str, int]] = {
    "published": {"steps": 51, "order": 2},
    "fast": {"steps": 16, "order": 2},
}


@dataclass(frozen=True)
class Prior:
    """A network that tells clean signals from noise: what clean recordings are like.

    samples : length of the segments that it was trained on
    in_band : removes what its transform cannot represent, (B, T) -> (B, T), differentiable
    average : (F,) mean power spectrum of clean signals, see :mod:`.ltas`; (0,) if it is not known
    """

    network: Network
    sigma_data: float
    samples: int
    sample_rate: int
    in_band: Callable[[Tensor], Tensor]
    average: np.ndarray
    device: torch.device

    def estimate(self, x: Tensor, sigma: Tensor) -> Tensor:
        """Estimate the clean signals in x (B, T) with noise of the levels ``sigma`` (B,)."""
        return self.in_band(Denoiser(self.network, self.sigma_data)(x, sigma))

    def uncertainty(self, observation_noise: float) -> Uncertainty:
        """What is not known at a level, with the average spectrum as that of the signals."""
        known = self.average.mean() if len(self.average) else 0.0
        return Uncertainty(
            self.sigma_data, observation_noise, self.average / known if known > 0 else None
        )

    def guidance(self, sampling: Sampling) -> PublishedGuidance | LikelihoodGuidance:
        """Return the guidance that was chosen."""
        if sampling.guidance == "likelihood":
            # a network is surer of nothing than a white prior would be: with less variance than
            # its own, guidance overshoots where the filter lifts what is weak on average
            return LikelihoodGuidance(Uncertainty(self.sigma_data, sampling.observation_noise))
        return PublishedGuidance(sampling.xi, sampling.noise, sampling.least_noise)

    def grid(self, sampling: Sampling) -> Grid:
        """Return the bins of the filter."""
        return Grid(self.sample_rate, sampling.n_fft)

    def fit(self, sampling: Sampling) -> Fit | MomentFit:
        """Return a filter to be fitted, from the published start."""
        grid, start = self.grid(sampling), initial(self.sample_rate)
        highest = self.sample_rate / 2 * _BELOW_NYQUIST
        if sampling.guidance == "published":
            return Fit(grid, FitSettings(11.0, highest, iterations=sampling.iterations), start)
        # of what spectrum matching leaves, a few seconds of music bear out gentle slopes alone
        steepest = _GENTLE if sampling.match_average and len(self.average) else _STEEP
        free = FitSettings(20.0, highest, -steepest, steepest, wall_above=False, wall_below=False)
        return MomentFit(grid, free, start, self.uncertainty(sampling.observation_noise))


def chosen(sampling: Sampling, quality: str | None, steps: int | None) -> Sampling:
    """Return how to sample with what the user asked for: a quality, a number of steps, or both."""
    changes = dict(QUALITIES[quality]) if quality else {}
    if steps:
        changes["steps"] = steps
    return replace(sampling, **changes)


def for_card(sampling: Sampling) -> dict[str, Any]:
    """Return what :meth:`Sampling.from_card` reads."""
    return asdict(sampling)
