"""Fitting the filter to an estimate of the clean recording, on reduced statistics.

The published cost is ``|| W (H |X| - |Y|) ||`` over all frames of the spectra of the estimate and
of the observation. It depends on them through three sums over frames per bin alone, so that an
iteration costs a few thousand operations whatever the length, and its gradient is written down.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from shellac.systems.babe2.filters import DB, PARTS, Filter, Grid, Response, respond

# freq_weighting_filter -> weight of a bin at the share u of the Nyquist frequency; anything else: 1
WEIGHTS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "sqrt": np.sqrt,
    "linear": lambda u: u,
    "quadratic": np.square,
    "cubic": lambda u: u**3,
    "squared": lambda u: u**4,
    "log": np.log1p,
    "logquadratic": lambda u: np.log1p(u**2),
    "logcubic": lambda u: np.log1p(u**3),
}
_BASE_TWO = {"log", "logquadratic", "logcubic"}
_BETA1, _BETA2, _EPSILON = 0.9, 0.999, 1e-8  # Adam's
_GAP_HZ = 1e-3  # least distance of corners


@dataclass(frozen=True)
class FitSettings:
    """The published fit: bounds, collapse regularisation and optimiser.

    lowest_hz, highest_hz : bounds of all corners
    least_slope, greatest_slope, wall : dB per octave; the outermost slopes are ``-wall``, ``wall``
    weighting : key of :data:`WEIGHTS`
    collapse_weight, collapse_beta, collapse_gamma : of the penalty for corners that meet
    learning_rate : for Hz and dB per octave alike
    tolerance : the fit ends when the mean change of corners, and of slopes, is below these
    """

    lowest_hz: float
    highest_hz: float
    least_slope: float = -40.0
    greatest_slope: float = 40.0
    wall: float = 80.0
    bound_corners: bool = True
    bound_slopes: bool = True
    falling_above: bool = False
    wall_above: bool = True
    wall_below: bool = True
    block_low: bool = False
    weighting: str = "sqrt"
    collapse_weight: float = 10.0
    collapse_beta: float = 0.1
    collapse_gamma: float = 1.0
    learning_rate: float = 10.0
    clip: float = 1.0
    iterations: int = 100
    tolerance: tuple[float, float] = (0.1, 0.1)


def bin_weights(name: str, bins: int) -> np.ndarray:
    """Return the weight (F,) of every bin from 0 Hz to the Nyquist frequency."""
    u = np.arange(bins) / (bins - 1)
    if name not in WEIGHTS:
        return np.ones(bins)
    return WEIGHTS[name](u) / (np.log(2) if name in _BASE_TWO else 1)


@dataclass(frozen=True)
class Statistics:
    """Weighted sums over frames of |X|^2, |X||Y| and |Y|^2, (F,) each, float64."""

    xx: np.ndarray
    xy: np.ndarray
    yy: np.ndarray

    def cost(self, response: Response) -> float:
        """Return the published cost: a norm over bins and frames."""
        h = response.magnitude
        square = np.sum(h * h * self.xx - 2 * h * self.xy + self.yy)
        return float(np.sqrt(max(square, 0.0)))

    def cost_gradient(self, response: Response) -> np.ndarray:
        """Return the gradient of :meth:`cost` by the filter's values."""
        h = response.magnitude[1:]
        by_gain = DB * h * (h * self.xx[1:] - self.xy[1:])
        return response.gradient(by_gain) / max(self.cost(response), 1e-30)


def reduce(x: Tensor, y: Tensor, weighting: str) -> Statistics:
    """Sum up magnitudes of the estimate and the observation, (B, N, F) each, over B and N."""
    sums = torch.stack([(a * b).sum(dim=(0, 1), dtype=torch.float64) for a, b in
                        ((x, x), (x, y), (y, y))])  # fmt: skip
    weights = bin_weights(weighting, x.shape[-1])
    return Statistics(*(sums.cpu().numpy() * weights**2))


def collapse(shape: Filter, settings: FitSettings) -> tuple[float, np.ndarray]:
    """Return the penalty for corners near each other or the bounds, and its gradient."""
    parts = shape.parts()
    ends = (settings.lowest_hz, settings.highest_hz)
    order = np.concatenate([parts["fc_m"][::-1], parts["fref"], parts["fc_p"]])
    distances = np.diff(np.concatenate([ends[:1], order, ends[1:]]))
    beta, gamma = settings.collapse_beta, settings.collapse_gamma
    size = np.abs(distances)
    terms = np.exp(-beta * size**gamma)
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = terms * -beta * gamma * size ** (gamma - 1) * np.sign(distances)
    slope = np.nan_to_num(slope)
    by_corner = slope[:-1] - slope[1:]  # each distance grows with its upper corner
    total = np.zeros_like(shape.values)
    into = shape.parts(total)
    into["fc_m"][:] = by_corner[: shape.lower][::-1]
    into["fref"][:] = by_corner[shape.lower]
    into["fc_p"][:] = by_corner[shape.lower + 1 :]
    return float(terms.sum()), total


def project(shape: Filter, settings: FitSettings) -> Filter:
    """Return the filter with its corners in order and inside their bounds, and its walls set."""
    values = shape.values.copy()
    parts = shape.parts(values)
    low, high = settings.lowest_hz, settings.highest_hz
    if settings.bound_corners:
        parts["fref"][:] = np.clip(parts["fref"], low, high)
        before = parts["fref"][0]
        for k in range(shape.upper):
            before = parts["fc_p"][k] = min(max(parts["fc_p"][k], before + _GAP_HZ), high)
        before = parts["fref"][0]
        for k in range(shape.lower):
            before = parts["fc_m"][k] = min(max(parts["fc_m"][k], low), before - _GAP_HZ)
    if settings.bound_slopes:
        for name in ("A_p", "A_m"):
            parts[name][:] = np.clip(parts[name], settings.least_slope, settings.greatest_slope)
        if settings.falling_above:
            most = 0.0
            for k in range(shape.upper + 1):
                kept = max(min(parts["A_p"][k], most), settings.least_slope)
                parts["A_p"][k] = kept
                most = kept - 0.1
    if settings.wall_above:
        parts["A_p"][-1] = -settings.wall
    if settings.wall_below:
        parts["A_m"][-1] = settings.wall
    return shape.with_values(values)


@dataclass
class Fit:
    """A filter being fitted: Adam's state is kept from one estimate to the next."""

    grid: Grid
    settings: FitSettings
    shape: Filter
    steps: int = 0
    _mean: np.ndarray = field(init=False)
    _square: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self._mean = np.zeros_like(self.shape.values)
        self._square = np.zeros_like(self.shape.values)

    def response(self) -> Response:
        """Evaluate the filter as it stands."""
        return respond(self.shape, self.grid, self.settings.block_low)

    def listen(self, estimate: Tensor, observed: Tensor, sigma: float) -> None:
        """Fit on to magnitudes (B, N, F); what is not known at level ``sigma`` plays no part."""
        del sigma
        self.run(reduce(estimate, observed, self.settings.weighting))

    def run(self, statistics: Statistics) -> Filter:
        """Fit on; return the filter. Stops early once it hardly changes."""
        settings = self.settings
        for iteration in range(settings.iterations):
            gradient = statistics.cost_gradient(self.response())
            gradient += settings.collapse_weight * collapse(self.shape, settings)[1]
            moved = project(self.shape.with_values(self._stepped(gradient)), settings)
            change = self.shape.parts(np.abs(moved.values - self.shape.values))
            self.shape = moved
            if iteration and self._settled(change):
                break
        return self.shape

    def _stepped(self, gradient: np.ndarray) -> np.ndarray:
        """Take one step of Adam under a joint clip of the gradient's norm."""
        gradient = gradient * min(1.0, self.settings.clip / (np.linalg.norm(gradient) + 1e-6))
        self.steps += 1
        self._mean = _BETA1 * self._mean + (1 - _BETA1) * gradient
        self._square = _BETA2 * self._square + (1 - _BETA2) * gradient**2
        root = np.sqrt(self._square / (1 - _BETA2**self.steps)) + _EPSILON
        step = self._mean / (1 - _BETA1**self.steps) / root
        return self.shape.values - self.settings.learning_rate * step

    def _settled(self, change: dict[str, np.ndarray]) -> bool:
        hz, slopes = self.settings.tolerance
        limits = (hz, hz, hz, slopes, slopes)
        return all(change[name].mean() < limit for name, limit in zip(PARTS, limits, strict=True))
