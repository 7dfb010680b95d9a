"""Fitting the filter by power: our own fit, for the guidance by likelihood.

The published fit takes the estimate of the clean signal for the signal. At high noise levels the
estimate is a mean over all that the signal may be, and weaker than any of it, so that the filter
comes out too loud where the estimate knows least. Here what is not known yet counts too: the
power of the observation is that of the estimate plus the variance that is left, through the filter,
plus noise. Gains in dB are fitted by damped least squares, with equal weight for every octave.
"""

from dataclasses import dataclass

import numpy as np
from torch import Tensor

from shellac.systems.babe2.filters import Filter, Grid, Response, respond
from shellac.systems.babe2.fitting import FitSettings, project
from shellac.systems.babe2.operators import Uncertainty

_ITERATIONS = 12
_LEAST = 1e-20


@dataclass(frozen=True)
class Target:
    """Gains (F - 1,) in dB above 0 Hz that a filter should have, and how much each one counts."""

    gain_db: np.ndarray
    weight: np.ndarray

    def cost(self, response: Response) -> float:
        """Return the weighted sum of squared errors."""
        return float(np.sum(self.weight * np.square(response.gain_db - self.gain_db)))


@dataclass
class MomentFit:
    """A filter being fitted to the power of every estimate.

    ``settings`` bounds corners and slopes; its optimiser is not used.
    """

    grid: Grid
    settings: FitSettings
    shape: Filter
    uncertainty: Uncertainty

    def response(self) -> Response:
        """Evaluate the filter as it stands."""
        return respond(self.shape, self.grid)

    def listen(self, estimate: Tensor, observed: Tensor, sigma: float) -> None:
        """Fit on; both are magnitudes (B, N, F)."""
        self.run(self.target(estimate, observed, sigma))

    def target(self, estimate: Tensor, observed: Tensor, sigma: float) -> Target:
        """Compare the powers of the observation and of what it should come from."""
        heard, known = (x.square().mean(dim=(0, 1)).double().cpu().numpy()[1:]
                        for x in (observed, estimate))  # fmt: skip
        window = self.grid.framing.window(estimate).double().square().sum().item()
        left = self.uncertainty.signal_spectrum(sigma, len(heard) + 1)[1:] * window
        noise = self.uncertainty.observation**2 * window
        clean = np.maximum(heard - noise, 0.0)
        # a bin counts by the part of it that is no noise, and the fewer per octave the more
        weight = clean / (heard + _LEAST) / np.arange(1, len(heard) + 1)
        gain = 10 * np.log10((clean + _LEAST) / (known + left + _LEAST))
        return Target(gain, weight)

    def run(self, target: Target) -> Filter:
        """Fit to a target by Levenberg and Marquardt's method; corners move in octaves."""
        response = self.response()
        cost, damping = target.cost(response), 1e-2
        for _ in range(_ITERATIONS):
            jacobian = jacobian_db(response)
            scale = self._scale()
            error = target.gain_db - response.gain_db
            weighted = jacobian * scale * target.weight[:, None]
            matrix = weighted.T @ (jacobian * scale)
            matrix[np.diag_indices_from(matrix)] *= 1 + damping
            matrix[np.diag_indices_from(matrix)] += 1e-6 * target.weight.sum()
            move = np.linalg.solve(matrix, weighted.T @ error)
            moved = project(self.shape.with_values(self._moved(move)), self.settings)
            attempt = respond(moved, self.grid)
            if (found := target.cost(attempt)) < cost:
                settled = cost - found < 1e-6 * cost
                self.shape, response, cost = moved, attempt, found
                damping = max(damping / 4, 1e-6)
                if settled:
                    break
            else:
                damping *= 8
        return self.shape

    def _corners(self) -> slice:
        return slice(0, 1 + self.shape.upper + self.shape.lower)

    def _scale(self) -> np.ndarray:
        """What a unit of each move is: an octave for corners, 10 dB per octave for slopes."""
        scale = np.full_like(self.shape.values, 10.0)
        scale[self._corners()] = self.shape.values[self._corners()] * np.log(2)
        return scale

    def _moved(self, move: np.ndarray) -> np.ndarray:
        values = self.shape.values + 10 * move
        corners = self._corners()
        octaves = np.clip(move[corners], -0.5, 0.5)
        values[corners] = self.shape.values[corners] * 2**octaves
        return values


def jacobian_db(response: Response) -> np.ndarray:
    """Return the derivatives of a response's gains by its values: (F - 1, values)."""
    octaves, shape = response.grid.octaves, response.shape
    columns = np.zeros((len(octaves), len(shape.values)))
    index = shape.parts(np.arange(len(shape.values)))
    parts = shape.parts()
    for side, corners, slopes in zip(response.sides, ("fc_p", "fc_m"), ("A_p", "A_m"), strict=True):
        for i, section in enumerate(side):
            outer = [later.bins for later in side[i + 1 :]]
            slope = columns[:, index[slopes][i]]
            slope[section.bins] = octaves[section.bins] - section.place
            name, j = (corners, i - 1) if i else ("fref", 0)
            by_corner = -parts[slopes][i] / (parts[name][j] * np.log(2))
            columns[section.bins, index[name][j]] += by_corner
            for bins in outer:
                slope[bins] = octaves[side[i + 1].anchor] - section.place
                columns[bins, index[name][j]] += by_corner
    return columns
