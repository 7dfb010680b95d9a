"""Fitting the filter by power: our own fit, for the guidance by likelihood.

The published fit takes the estimate of the clean signal for the signal. At high noise levels the
estimate is a mean over all that the signal may be, and weaker than any of it, so that the filter
comes out too loud where the estimate knows least. Here what is not known yet counts too: the
power of the observation is that of the estimate plus the variance that is left, through the filter,
plus noise. Gains in dB are fitted by damped least squares, with equal weight for every octave.
"""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from torch import Tensor

from shellac.systems.babe2.filters import Filter, Grid, Response, initial, respond
from shellac.systems.babe2.fitting import FitSettings, project
from shellac.systems.babe2.operators import Uncertainty

_ITERATIONS = 12
_DEEPEST_DB = 35.0  # what is attenuated more holds what leaks in from elsewhere
_CANDIDATES = 7  # corners that are tried on each side
_LEAST = 1e-20
_AUDIBLE = 0.5  # share of a bin's power that must be no noise
_LOBE_BINS = 4  # as wide as a window's main lobe: what is nearer to 0 Hz leaks into itself


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
        # frames at the ends hold less of a segment than the others
        inner = slice(1, -2) if estimate.shape[1] > 4 else slice(None)
        heard, known = (x[:, inner].square().mean(dim=(0, 1)).double().cpu().numpy()[1:]
                        for x in (observed, estimate))  # fmt: skip
        window = self.grid.framing.window(estimate).double().square().sum().item()
        left = self.uncertainty.signal_spectrum(sigma, len(heard) + 1)[1:] * window
        noise = self.uncertainty.observation**2 * window
        clean = np.maximum(heard - noise, 0.0)
        # a bin counts by the part of it that is no noise, and the fewer per octave the more
        share = clean / (heard + _LEAST)
        number = np.arange(1, len(heard) + 1)
        gain = 10 * np.log10((clean + _LEAST) / (known + left + _LEAST))
        counts = (share > _AUDIBLE) & (number >= _LOBE_BINS)
        counts &= gain > gain[counts].max(initial=-np.inf) - _DEEPEST_DB
        weight = np.where(counts, share**2 / number, 0.0)
        return Target(gain + self._blur_db(), weight)

    def _blur_db(self) -> np.ndarray:
        """How far the filter as it stands lies above what frames make of it.

        Without it every fit would take a blurred response for the response, and blur it again.
        """
        response = self.response()
        blurred = self.grid.effective(response.magnitude, self.grid.n_fft)[1:]
        floor = 1e-3 * response.magnitude.max()  # below it, what leaks is all there is
        pair = [np.maximum(x, floor) for x in (response.magnitude[1:], np.abs(blurred))]
        return 20 * np.log10(pair[0] / pair[1])

    def run(self, target: Target) -> Filter:
        """Fit to a target, from where the filter stands and from a coarse search; keep the best."""
        starts = (self.shape, self._searched(target))
        found = [self._refined(target, start) for start in starts]
        self.shape = min(found, key=lambda each: each[0])[1]
        return self.shape

    def _searched(self, target: Target) -> Filter:
        """Try corners on a coarse grid, each side alone: slopes then follow by least squares."""
        parts = initial(self.grid.sample_rate).parts()
        reference = float(parts["fref"][0])
        for name, slopes, count, end in (
            ("fc_p", "A_p", self.shape.upper, 0.9 * self.settings.highest_hz),
            ("fc_m", "A_m", self.shape.lower, 2 * self.settings.lowest_hz),
        ):
            inner = reference * (end / reference) ** 0.15
            candidates = np.geomspace(inner, end, _CANDIDATES)
            tried = [_side_fit(target, self.grid, np.array([reference, *corners]))
                     for corners in combinations(candidates, count)]  # fmt: skip
            _, parts[slopes], corners = min(tried, key=lambda each: each[0])
            parts[name] = corners[1:]
        return project(Filter.of(parts), self.settings)

    def _refined(self, target: Target, start: Filter) -> tuple[float, Filter]:
        """Go on by Levenberg and Marquardt's method; corners move in octaves."""
        shape = start
        response = respond(shape, self.grid)
        cost, damping = target.cost(response), 1e-2
        for _ in range(_ITERATIONS):
            jacobian = jacobian_db(response)
            scale = self._scale(shape)
            error = target.gain_db - response.gain_db
            weighted = jacobian * scale * target.weight[:, None]
            matrix = weighted.T @ (jacobian * scale)
            matrix[np.diag_indices_from(matrix)] *= 1 + damping
            matrix[np.diag_indices_from(matrix)] += 1e-6 * target.weight.sum()
            move = _solved(matrix, weighted.T @ error)
            moved = project(shape.with_values(self._moved(shape, move)), self.settings)
            attempt = respond(moved, self.grid)
            if (found := target.cost(attempt)) < cost:
                settled = cost - found < 1e-6 * cost
                shape, response, cost = moved, attempt, found
                damping = max(damping / 4, 1e-6)
                if settled:
                    break
            else:
                damping *= 8
        return cost, shape

    def _corners(self) -> slice:
        return slice(0, 1 + self.shape.upper + self.shape.lower)

    def _scale(self, shape: Filter) -> np.ndarray:
        """What a unit of each move is: an octave for corners, 10 dB per octave for slopes."""
        scale = np.full_like(shape.values, 10.0)
        scale[self._corners()] = shape.values[self._corners()] * np.log(2)
        return scale

    def _moved(self, shape: Filter, move: np.ndarray) -> np.ndarray:
        values = shape.values + 10 * move
        corners = self._corners()
        octaves = np.clip(move[corners], -0.5, 0.5)
        values[corners] = shape.values[corners] * 2**octaves
        return values


def _solved(matrix: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Solve a system of equations; of one that leaves something open, take the least move.

    Where no bin counts, as of a scrap whose power, spread over a segment, lies below the noise,
    that is none at all.
    """
    try:
        return np.linalg.solve(matrix, wanted)
    except np.linalg.LinAlgError:
        return np.linalg.lstsq(matrix, wanted)[0]


def _side_fit(
    target: Target, grid: Grid, corners: np.ndarray
) -> tuple[float, np.ndarray, np.ndarray]:
    """Fit the slopes of one side to fixed corners, the reference first: (cost, slopes, corners)."""
    places, up = np.log2(corners), corners[-1] > corners[0]
    bins = grid.octaves >= places[0] if up else grid.octaves < places[0]
    octaves = grid.octaves[bins, None]
    # slopes change at corners: columns are hinges, coefficients the changes
    hinges = np.maximum(octaves - places, 0) if up else np.minimum(octaves - places, 0)
    root = np.sqrt(target.weight[bins])
    wanted = root * target.gain_db[bins]
    matrix = hinges.T @ (hinges * root[:, None] ** 2)
    matrix[np.diag_indices_from(matrix)] += 1e-9 * (1 + target.weight.sum())
    changes = np.linalg.solve(matrix, hinges.T @ (root * wanted))
    cost = float(np.square(root * (hinges @ changes) - wanted).sum())
    return cost, np.cumsum(changes), corners


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
