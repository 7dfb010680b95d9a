"""The blind filter's fit beside the gradient of the network that every step takes, at one size.

A step of the sampler is a fit to one estimate and a gradient; the fit works on reduced statistics.
The estimate is noise and the observation that noise through a filter unlike the start, so that no
fit stops early. The gradient is taken of a share of a published segment, and scaled to the whole.
"""

from collections.abc import Iterator

import calibration
import torch
from cqt import GRIDS, NAMES, gradient_by_input, open_network

from shellac.systems.babe2.filters import Filter, Grid, initial
from shellac.systems.babe2.fitting import Fit, FitSettings
from shellac.systems.babe2.matching import MomentFit
from shellac.systems.babe2.operators import Blind, Coloured, Uncertainty

_SIGMA, _OBSERVATION = 0.1, 1e-3
_LOWEST_HZ = 20.0


def measure(
    share: float = 0.5, width: float = 1.0, turns: int = 3, name: str = NAMES[0]
) -> Iterator[dict[str, object]]:
    """Yield a row for the published fit and one for ours; ``share_of_step`` is over fit and
    gradient together."""
    _, _, sample_rate, samples = GRIDS[NAMES.index(name)]
    part = int(samples * share)
    network = open_network(name, part, width)
    clean = torch.randn(1, samples, generator=torch.Generator().manual_seed(0))
    grid, start = Grid(sample_rate), initial(sample_rate)
    heard = Coloured(_other(start), grid)(clean)
    settings = FitSettings(_LOWEST_HZ, sample_rate / 2, tolerance=(0.0, 0.0))
    uncertainty = Uncertainty(1.0, _OBSERVATION)

    def fit(kind: str) -> None:
        started = {"published": lambda: Fit(grid, settings, start),
                   "ours": lambda: MomentFit(grid, settings, start, uncertainty)}  # fmt: skip
        Blind(started[kind](), heard).listen(clean, _SIGMA)

    calls = [lambda kind=kind: fit(kind) for kind in ("published", "ours")]
    *fits, gradient = calibration.alternate(
        [*calls, lambda: gradient_by_input(network, clean[:, :part])], turns
    )
    gradient /= share
    for kind, seconds in zip(("published", "ours"), fits, strict=True):
        yield {
            "what": f"{name} fit of the filter, {kind}, {samples} samples",
            "cpu_seconds": seconds,
            "gradient_seconds": gradient,
            "share_of_step": seconds / (seconds + gradient),
        }


def _other(start: Filter) -> Filter:
    values = start.values.copy()
    parts = start.parts(values)
    parts["fref"][:], parts["fc_p"][:], parts["fc_m"][:] = 500.0, (900.0, 3000.0), (250.0, 80.0)
    parts["A_p"][:2], parts["A_m"][:2] = (-6.0, -12.0), (3.0, 9.0)
    return start.with_values(values)
