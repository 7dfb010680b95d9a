"""What happened to a recording, as operators on the estimate of the clean one.

Each maps waveforms (B, T) to what would have been observed of them, differentiably. ``listen`` is
called with every estimate before the operator is applied: a blind operator learns from it.
``whitened`` divides a residual by the standard deviation that it has where the clean signal is
known up to Gaussian errors of the standard deviation that ``uncertainty`` tells.
"""

from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
import torch
from torch import Tensor

from shellac.systems.babe2.filters import Curve, Filter, Grid, Response, apply_whole, respond


@dataclass(frozen=True)
class Uncertainty:
    """What is not known yet: of the clean signal at a noise level, and of the observation.

    sigma_data : standard deviation of clean signals
    observation : standard deviation of the noise in what was observed
    spectrum : (F,) mean power spectrum of clean signals relative to white ones of the same power,
        over 0 Hz to the Nyquist frequency; None for white
    """

    sigma_data: float
    observation: float
    spectrum: np.ndarray | None = None

    def signal(self, sigma: float) -> float:
        """Variance of a white clean signal, given what it is with noise of level ``sigma``."""
        return (sigma * self.sigma_data) ** 2 / (sigma**2 + self.sigma_data**2)

    def signal_spectrum(self, sigma: float, bins: int) -> np.ndarray:
        """Return the same by frequency, (bins,) from 0 Hz to the Nyquist frequency."""
        power = np.full(bins, self.sigma_data**2)
        if self.spectrum is not None:
            places = np.linspace(0, 1, len(self.spectrum))
            power = power * np.interp(np.linspace(0, 1, bins), places, self.spectrum)
        return power * sigma**2 / (power + sigma**2)


class Operator(Protocol):
    """What :mod:`.posterior` needs to know of a degradation."""

    def listen(self, estimate: Tensor, sigma: float) -> None:
        """Learn from an estimate (B, T) of the clean signals at a level, without gradient."""

    def __call__(self, x: Tensor) -> Tensor:
        """Degrade clean signals (B, T)."""

    def whitened(self, residual: Tensor, uncertainty: Uncertainty, sigma: float) -> Tensor:
        """Divide a residual (B, T) by its standard deviation."""


class _Pointwise:
    """An operator that treats every sample alone, and learns nothing."""

    def listen(self, estimate: Tensor, sigma: float) -> None:
        """Do nothing: all is known."""
        del estimate, sigma

    def whitened(self, residual: Tensor, uncertainty: Uncertainty, sigma: float) -> Tensor:
        """Divide by one standard deviation for all samples."""
        variance = uncertainty.signal(sigma) + uncertainty.observation**2
        return residual / variance**0.5


@dataclass(frozen=True)
class Kept(_Pointwise):
    """Inpainting: samples are known where ``mask`` (B or 1, T) is 1, and lost where it is 0."""

    mask: Tensor

    def __call__(self, x: Tensor) -> Tensor:
        """Return what is left."""
        return self.mask * x


@dataclass(frozen=True)
class Damaged(_Pointwise):
    """Samples of an ``observation`` (B, T) that are lost, or clipped; the others are as they were.

    ``lost``, ``above`` and ``below`` (B or 1, T) are bool. Of a lost sample nothing is known; one
    that was clipped lies at what was observed, or beyond it.
    """

    observation: Tensor
    lost: Tensor
    above: Tensor
    below: Tensor

    @classmethod
    def clipped(cls, observation: Tensor, limit: float) -> Self:
        """Declipping: what exceeded ``limit`` was observed as that."""
        none = torch.zeros_like(observation, dtype=torch.bool)
        return cls(observation, none, observation >= limit, observation <= -limit)

    def __call__(self, x: Tensor) -> Tensor:
        """Damage; what is allowed costs nothing."""
        damaged = torch.where(self.above, x.minimum(self.observation), x)
        damaged = torch.where(self.below, x.maximum(self.observation), damaged)
        return torch.where(self.lost, self.observation, damaged)


class Coloured:
    """A known filter, in frames; or on the ``whole`` transform of a segment, where it is diagonal.

    Only then is :meth:`whitened` exact: where frames cut a filter's response short at the ends of a
    segment, much arrives in bands of which little is expected.
    """

    def __init__(self, shape: Filter | Curve, grid: Grid, whole: bool = False):
        self.grid, self._whole = grid, whole
        self._response = respond(shape, grid)

    @property
    def response(self) -> Response:
        """The filter on its grid."""
        return self._response

    def listen(self, estimate: Tensor, sigma: float) -> None:
        """Do nothing: the filter is known."""
        del estimate, sigma

    def __call__(self, x: Tensor) -> Tensor:
        """Filter."""
        if self._whole:
            return apply_whole(self._gain(x.shape[-1]), x)
        return self.grid.apply(self.response.tensor(x), x)

    def _gain(self, samples: int) -> np.ndarray:
        return self.grid.effective(self.response.magnitude, samples)

    def whitened(self, residual: Tensor, uncertainty: Uncertainty, sigma: float) -> Tensor:
        """Divide bin by bin of the transform of the whole residual."""
        gain = self._gain(residual.shape[-1])
        signal = uncertainty.signal_spectrum(sigma, len(gain))
        variance = gain**2 * signal + uncertainty.observation**2
        return apply_whole(1 / np.sqrt(variance), residual)


class Fitting(Protocol):
    """A filter that learns: :class:`.fitting.Fit` or :class:`.matching.MomentFit`."""

    grid: Grid
    shape: Filter

    def response(self) -> Response:
        """Evaluate the filter as it stands."""

    def listen(self, estimate: Tensor, observed: Tensor, sigma: float) -> None:
        """Fit on to magnitudes (B, N, F) of an estimate and of the observation."""


class Blind(Coloured):
    """A filter that is fitted to every estimate, all items of a batch sharing it."""

    def __init__(self, fit: Fitting, observation: Tensor, whole: bool = False):
        super().__init__(fit.shape, fit.grid, whole)
        self.fit = fit
        self._observed = self.grid.magnitudes(observation)

    def listen(self, estimate: Tensor, sigma: float) -> None:
        """Fit on."""
        self.fit.listen(self.grid.magnitudes(estimate), self._observed, sigma)
        self._response = self.fit.response()


@dataclass(frozen=True)
class Continued:
    """Goes on from what is restored already: clean where ``mask`` (1, T) is 1, else degraded."""

    mask: Tensor
    rest: Operator

    def listen(self, estimate: Tensor, sigma: float) -> None:
        """Let the degraded rest learn, of all samples: give it a known filter here."""
        self.rest.listen(estimate, sigma)

    def __call__(self, x: Tensor) -> Tensor:
        """Return the clean part and the degraded rest."""
        return self.mask * x + (1 - self.mask) * self.rest(x)

    def whitened(self, residual: Tensor, uncertainty: Uncertainty, sigma: float) -> Tensor:
        """Whiten as the degraded part asks for; :class:`Both` is exact."""
        return self.rest.whitened(residual, uncertainty, sigma)


@dataclass(frozen=True)
class Both:
    """As :class:`Continued`, as two observations side by side: (B, 2 T), the clean part first.

    What is clean is also observed through the filter, so that nothing is cut where one ends.
    """

    mask: Tensor
    rest: Operator

    def listen(self, estimate: Tensor, sigma: float) -> None:
        """Let the degraded recording be learned from."""
        self.rest.listen(estimate, sigma)

    def __call__(self, x: Tensor) -> Tensor:
        """Return the clean part beside all of the degraded one."""
        return torch.cat((self.mask * x, self.rest(x)), dim=-1)

    def whitened(self, residual: Tensor, uncertainty: Uncertainty, sigma: float) -> Tensor:
        """Whiten both on their own."""
        clean, degraded = residual.chunk(2, dim=-1)
        known = Kept(self.mask).whitened(clean, uncertainty, sigma)
        return torch.cat((known, self.rest.whitened(degraded, uncertainty, sigma)), dim=-1)


def blended(mask: Tensor, clean: Tensor, observation: Tensor) -> Tensor:
    """Return what :class:`Continued` is compared with."""
    return mask * clean + (1 - mask) * observation
