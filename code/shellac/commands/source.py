"""What a chain hears of a recording, and what it makes of it, on disk until its level is known.

The recording is heard as it lies there, raised to a higher rate, or as one channel.
"""

import contextlib
import dataclasses
import itertools
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from shellac import audio
from shellac.allocation import return_freed_memory
from shellac.audio import Facts
from shellac.degradations.gaps import Interval
from shellac.errors import AudioError, ShellacError
from shellac.files import temporary_path
from shellac.systems.restorer import Restorer
from shellac.transforms import groove_walls
from shellac.transforms.groove_walls import Walls
from shellac.transforms.raising import Raised

_BLOCK = 1 << 16


@dataclasses.dataclass(frozen=True)
class Source:
    """A recording at ``factor`` times its rate; ``facts`` are those of the result.

    ``walls`` says how its two channels become one. ``samples`` and ``restored``, (C, T) each,
    stand for both where all of it was computed at once.
    """

    facts: Facts
    factor: int = 1
    warnings: tuple[str, ...] = ()
    walls: Walls | None = None
    samples: np.ndarray | None = None
    restored: np.ndarray | None = None

    @contextlib.contextmanager
    def opened(self) -> Iterator[Callable[[int, int], np.ndarray]]:
        """Open it; yield ``read(start, stop)``, whose starts must never decrease."""
        if self.samples is not None:
            whole = self.samples
            yield lambda start, stop: whole[:, start:stop]
            return
        samples = self.facts.samples // self.factor
        with audio.Reader(self.facts.path, samples) as reader:
            read = self.walls.joined(reader.read, samples) if self.walls else reader.read
            yield Raised(read, samples, self.factor).read if self.factor > 1 else read

    def rate(self) -> dict[str, Any]:
        """Say at what rate the results are, and how they came to it."""
        return {
            "sample_rate": self.facts.sample_rate,
            "samples": self.facts.samples,
            "factor": self.factor,
            "raised_by": "cubic spline" if self.factor > 1 else None,
        }


def source(facts: Facts, restorer: Restorer, rate: str, mono: str | None = None) -> Source:
    """Return the recording at its own rate (``same``) or at the network's (``network``).

    ``mono`` joins two channels to one, by a mode of :mod:`shellac.transforms.groove_walls`; a
    recording of one channel stays as it is. A recording at its own low rate has no room for the
    band that super-resolution adds: a warning then says so. Raises :class:`AudioError` where the
    network's rate was asked for and the recording's is none that the chain raises, or no whole
    fraction of it; or where more than two channels are to be joined.
    """
    heard = Source(facts)
    if mono is not None and facts.channels > 1:
        heard = _joined(facts, mono)
    network_rate = restorer.raised_rate(facts.sample_rate)
    if rate == "same":
        nothing = (
            f"at its own {facts.sample_rate} Hz there is no band to gain"
            f" (--rate network writes {network_rate} Hz)"
        )
        return _with(heard, warnings=(nothing,)) if network_rate else heard
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
    raised = dataclasses.replace(
        heard.facts, sample_rate=network_rate, samples=facts.samples * factor
    )
    return _metered(_with(heard, facts=raised, factor=factor))


def _with(heard: Source, warnings: tuple[str, ...] = (), **changes: Any) -> Source:
    return dataclasses.replace(heard, warnings=heard.warnings + warnings, **changes)


def _joined(facts: Facts, mono: str) -> Source:
    if facts.channels != 2:
        raise AudioError(
            f"{facts.path}: has {facts.channels} channels; --mono joins the two walls of a groove"
        )
    with audio.Reader(facts.path, facts.samples) as reader:
        walls = groove_walls.survey(reader.read, facts.samples, facts.sample_rate, mono)
    warnings: tuple[str, ...] = ()
    if walls.correlation < groove_walls.LEAST_CORRELATION:
        warnings = (
            f"its channels are no two walls of a mono groove (correlation {walls.correlation:.2f}):"
            f" --mono {mono} joined them as they are",
        )
    one = dataclasses.replace(facts, channels=1)
    return _metered(Source(one, warnings=warnings, walls=walls))


def _metered(heard: Source) -> Source:
    """Measure its largest magnitude: a spline and a shift overshoot the samples given."""
    with heard.opened() as read:
        starts = range(0, heard.facts.samples, _BLOCK)
        blocks = (read(start, min(start + _BLOCK, heard.facts.samples)) for start in starts)
        peak = max(float(np.abs(block).max()) for block in blocks)
    return dataclasses.replace(heard, facts=dataclasses.replace(heard.facts, peak=peak))


class Spool:
    """The float32 restoration of one recording on disk, until its level is known."""

    def __init__(self, path: Path, heard: Source, estimates: list[Mapping[str, Any]]):
        self._path, self._heard, self.estimates = path, heard, estimates
        self.peak = self.residual_peak = 0.0
        self.beyond_full_scale = 0

    def fill(self, blocks: Iterator[np.ndarray], bar: tqdm, first: Callable[[int], None]) -> None:
        """Store the restoration and note the peaks of both outputs.

        ``first`` is told how many samples the first block of several has.
        """
        start = 0
        with self._heard.opened() as read, self._path.open("wb") as raw:
            for block in blocks:
                if not np.isfinite(block).all():
                    name = self._heard.facts.path
                    raise AudioError(f"{name}: the network returned values not finite")
                stop = start + block.shape[1]
                if start == 0 and stop < self._heard.facts.samples:
                    first(stop)
                residual = read(start, stop) - block
                self.peak = max(self.peak, float(np.abs(block).max(initial=0.0)))
                self.residual_peak = max(self.residual_peak, float(np.abs(residual).max(initial=0)))
                self.beyond_full_scale += sum(
                    int(np.count_nonzero(np.abs(part) > 1)) for part in (block, residual)
                )
                np.ascontiguousarray(block.T, dtype=np.float32).tofile(raw)
                bar.update(stop - start)
                start = stop
                return_freed_memory()  # else the heap grows from chunk to chunk

    def blocks(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield (input, restored) blocks of shape (C, n)."""
        channels, total = self._heard.facts.channels, self._heard.facts.samples
        edges = itertools.chain(range(0, total, _BLOCK), [total])
        with self._heard.opened() as read, self._path.open("rb") as raw:
            for start, stop in itertools.pairwise(edges):
                flat = np.fromfile(raw, np.float32, (stop - start) * channels)
                yield read(start, stop), flat.reshape(-1, channels).T


@contextlib.contextmanager
def spooled(
    restorer: Restorer,
    folder: Path,
    heard: Source,
    segment_seconds: float | None,
    gaps: list[Interval],
    pace: Callable[[float], None],
) -> Iterator[Spool]:
    """Restore what is heard into a temporary file in ``folder``; yield it, whole.

    ``pace`` is told once, after the first chunk of several, how many seconds one second of sound
    takes. Folders made here are removed where nothing comes of them.
    """
    created = [place for place in (folder, *folder.parents) if not place.exists()]
    facts = heard.facts
    try:
        with temporary_path(folder, ".raw") as path:
            recording = (facts.samples, facts.sample_rate, facts.peak, segment_seconds, gaps)
            started = time.perf_counter()
            restorer = restorer.prepared(heard.opened, *recording)
            prepared = time.perf_counter()
            spool = Spool(path, heard, restorer.estimates())

            def told(samples: int) -> None:
                ahead = (prepared - started) / facts.seconds
                pace(ahead + (time.perf_counter() - prepared) * facts.sample_rate / samples)

            with (
                heard.opened() as read,
                tqdm(total=facts.samples, desc=facts.path.name, unit="sample", unit_scale=True,
                     disable=None) as bar,
            ):  # fmt: skip
                if heard.restored is not None:
                    spool.fill(iter([heard.restored]), bar, told)
                else:
                    spool.fill(restorer.stream(read, *recording), bar, told)
            yield spool
    except ShellacError:
        for place in created:
            with contextlib.suppress(OSError):
                place.rmdir()  # only folders that we made and that are still empty
        raise
