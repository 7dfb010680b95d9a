"""The recording as a chain of networks hears it: as it lies there, or raised to a higher rate."""

import contextlib
import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from shellac import audio
from shellac.audio import Facts
from shellac.errors import AudioError
from shellac.systems.restorer import Restorer
from shellac.transforms.raising import Raised

_BLOCK = 1 << 16


@dataclasses.dataclass(frozen=True)
class Source:
    """A recording at ``factor`` times its rate; ``facts`` are those of the result."""

    facts: Facts
    factor: int = 1
    warnings: tuple[str, ...] = ()

    @contextlib.contextmanager
    def opened(self) -> Iterator[Callable[[int, int], np.ndarray]]:
        """Open it; yield ``read(start, stop)``, whose starts must never decrease."""
        samples = self.facts.samples // self.factor
        with audio.Reader(self.facts.path, samples) as reader:
            yield Raised(reader.read, samples, self.factor).read if self.factor > 1 else reader.read

    def rate(self) -> dict[str, Any]:
        """Say at what rate the results are, and how they came to it."""
        return {
            "sample_rate": self.facts.sample_rate,
            "samples": self.facts.samples,
            "factor": self.factor,
            "raised_by": "cubic spline" if self.factor > 1 else None,
        }


def source(facts: Facts, restorer: Restorer, rate: str) -> Source:
    """Return the recording at its own rate (``same``) or at the network's (``network``).

    A recording at its own low rate has no room for the band that super-resolution adds: a warning
    then says so. Raises :class:`AudioError` where the network's rate was asked for and the
    recording's is none that the chain raises, or no whole fraction of it.
    """
    network_rate = restorer.raised_rate(facts.sample_rate)
    if rate == "same":
        nothing = (
            f"at its own {facts.sample_rate} Hz there is no band to gain"
            f" (--rate network writes {network_rate} Hz)"
        )
        return Source(facts, warnings=(nothing,) if network_rate else ())
    if network_rate is None:
        raise AudioError(
            f"{facts.path}: {facts.sample_rate} Hz is no low rate for {restorer.low_rates()}:"
            " leave out --rate network"
        )
    factor, rest = divmod(network_rate, facts.sample_rate)
    if rest:
        raise AudioError(
            f"{facts.path}: {facts.sample_rate} Hz is no whole fraction of the network's"
            f" {network_rate} Hz: resample it to one, or leave out --rate network"
        )
    raised = dataclasses.replace(facts, sample_rate=network_rate, samples=facts.samples * factor)
    return Source(dataclasses.replace(raised, peak=_peak(Source(raised, factor))), factor)


def _peak(raised: Source) -> float:
    """Largest magnitude: a spline overshoots the samples that it goes through."""
    with raised.opened() as read:
        starts = range(0, raised.facts.samples, _BLOCK)
        blocks = (read(start, min(start + _BLOCK, raised.facts.samples)) for start in starts)
        return max(float(np.abs(block).max()) for block in blocks)
