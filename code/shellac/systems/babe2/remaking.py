"""A recording of any length, made anew from left to right, and taken up again where it stopped.

One filter is estimated per recording, on its loudest segment, for all channels. Then segments are
restored in order under that filter, each going on from the end of the one before: what overlaps
is known to be clean. (The published code fits a filter afresh for every segment, and compares what
it restored already with what is still coloured while it does.) Every finished segment lies in a
folder; whoever comes back to it goes on from there, to the same bits.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.lib.format import open_memmap
from torch import Tensor

from shellac.files import atomic_path, write_json
from shellac.systems.babe2 import ltas, sampler
from shellac.systems.babe2.filters import Curve, Filter, respond
from shellac.systems.babe2.operators import Blind, Both, Coloured, Continued, Operator, blended
from shellac.systems.babe2.posterior import Posterior
from shellac.systems.babe2.prior import Prior, Sampling
from shellac.systems.babe2.sampler import Draws

_SILENCE = 1e-8
_BLOCK = 1 << 20
_COLOUR = "colour.json"
_BLIND, _SEGMENT = 0, 1  # what random numbers are for


@dataclass(frozen=True)
class Cut:
    """One segment: where it starts, and how many of its samples are restored already."""

    start: int
    known: int


def cuts(samples: int, length: int, overlap: int) -> list[Cut]:
    """Cut a recording into segments of ``length`` that overlap by ``overlap`` or more.

    The last one ends where the recording does; only one that is longer than the recording reaches
    beyond it.
    """
    found, done = [Cut(0, 0)], length
    while done < samples:
        start = min(done - overlap, samples - length)
        found.append(Cut(start, done - start))
        done = start + length
    return found


@dataclass(frozen=True)
class Colour:
    """How a recording is coloured against what the prior knows: a matching curve, then a filter.

    ``matching_db`` (F,) is how far it lies above the average spectrum, which equalising took
    away, on the bins of the average spectrum; ``shape`` is what was estimated of the rest.
    """

    matching_db: np.ndarray
    shape: Filter | Curve

    def gain_db(self, prior: Prior, sampling: Sampling) -> tuple[np.ndarray, np.ndarray]:
        """Return the whole estimate: frequencies (F - 1,) in Hz, and gains in dB up to a level."""
        grid = prior.grid(sampling)
        places = np.linspace(0, prior.sample_rate / 2, len(self.matching_db))
        matching = np.interp(grid.hz, places, self.matching_db)
        return grid.hz, respond(self.shape, grid).gain_db + matching


class Remaking:
    """One recording x (C, T) float32, at the prior's rate, on its way to a restoration.

    Parameters
    ----------
    prior, sampling : Prior, Sampling
    x : ndarray, shape (C, T)
        May lie on disk.
    folder : Path
        Where finished parts are kept.
    seed : int
    report : callable
        Called with :class:`.sampler.Report` after each step of the sampler.
    known : Filter or Curve, optional
        The colouring, if it is known; nothing is matched or estimated then.
    """

    def __init__(
        self,
        prior: Prior,
        sampling: Sampling,
        x: np.ndarray,
        folder: Path,
        seed: int,
        report: Callable[[sampler.Report], None] = lambda told: None,
        known: Filter | Curve | None = None,
    ):
        self.prior, self.sampling, self.known = prior, sampling, known
        self._x, self._folder, self._seed, self._report = x, folder, seed, report
        self.cuts = cuts(x.shape[1], prior.samples, int(sampling.overlap * prior.samples))
        self._made = self._room("made")
        self._next, self._done = 0, 0

    @property
    def _matches(self) -> bool:
        wanted = self.sampling.match_average and self.known is None
        return wanted and len(self.prior.average) > 0

    @property
    def _whole(self) -> bool:
        return self.sampling.guidance == "likelihood"

    @cached_property
    def _deviations(self) -> np.ndarray:
        return np.array([_deviation(self._part(self._x, cut)) for cut in self.cuts])

    @cached_property
    def gain(self) -> float:
        """What the recording is multiplied by: the median segment then has the prior's level."""
        heard = np.sort(self._deviations[self._deviations > _SILENCE])
        return self.sampling.level / float(heard[(len(heard) - 1) // 2]) if len(heard) else 0.0

    @cached_property
    def matching_db(self) -> np.ndarray:
        """How far the recording lies above the prior's average spectrum, (F,) in dB."""
        average = self.prior.average
        if not (self._matches and self.gain):
            return np.zeros(max(len(average), 2))
        n_fft = 2 * (len(average) - 1)
        power = ltas.power(self._x, n_fft) * self.gain**2
        return ltas.difference_db(power, average, self.prior.sample_rate)

    @cached_property
    def equalised(self) -> np.ndarray:
        """The recording (C, T) brought to the average spectrum, at its own level."""
        if not self.matching_db.any():
            return self._x
        made, start = self._room("equalised"), 0
        for block in ltas.equalised(self._x, 10 ** (-self.matching_db / 20)):
            made[:, start : start + block.shape[1]] = block
            start += block.shape[1]
        change = np.float32(_deviation(self._x) / max(_deviation(made), _SILENCE))
        for start in range(0, made.shape[1], _BLOCK):
            made[:, start : start + _BLOCK] *= change
        return made

    def _room(self, name: str) -> np.ndarray:
        """Return zeros in the shape of the recording, on disk."""
        self._folder.mkdir(parents=True, exist_ok=True)
        return open_memmap(self._folder / f"{name}.npy", "w+", np.float32, self._x.shape)

    def _part(self, x: np.ndarray, cut: Cut) -> np.ndarray:
        return np.asarray(x[:, cut.start : cut.start + self.prior.samples])

    def _segment(self, x: np.ndarray, cut: Cut) -> Tensor:
        """Return a segment (C, prior.samples) at the prior's level, zeros beyond the end."""
        part = self._part(x, cut) * np.float32(self.gain)
        padded = np.pad(part, ((0, 0), (0, self.prior.samples - part.shape[1])))
        return torch.from_numpy(np.ascontiguousarray(padded)).to(self.prior.device)

    def colour(self) -> Colour:
        """Estimate the filter on the loudest segment, all channels averaged; or look it up."""
        if self.known is not None or not self.gain:
            shape = self.known or self.prior.fit(self.sampling).shape
            return Colour(self.matching_db, shape)
        place = self._folder / _COLOUR
        if place.is_file():
            return Colour(self.matching_db, Filter.of(json.loads(place.read_text("utf-8"))))
        cut = self.cuts[int(np.argmax(self._deviations))]
        observed = self._segment(self.equalised, cut).mean(dim=0, keepdim=True)
        operator = Blind(self.prior.fit(self.sampling), observed, self._whole)
        self._sample(observed, observed, operator, Draws(self._seed, _BLIND))
        shape = operator.fit.shape
        write_json(place, {name: part.tolist() for name, part in shape.parts().items()})
        return Colour(self.matching_db, shape)

    def _sample(self, start: Tensor, observed: Tensor, operator: Operator, draw: Draws) -> Tensor:
        posterior = Posterior(observed, operator, self.prior.guidance(self.sampling))
        return sampler.sample(
            self.prior.estimate, start, self.sampling.schedule, self.sampling.steps, draw,
            posterior, self.sampling.start_sigma, self.sampling.order, self._report,
        )  # fmt: skip

    def read(self, start: int, stop: int) -> np.ndarray:
        """Return restored samples (C, stop - start), at the recording's level, as far as needed."""
        while self._done < min(stop, self._x.shape[1]):
            self._join(self.cuts[self._next], self._restored(self._next))
            self._next += 1
        return self._made[:, start:stop]

    def blocks(self) -> Iterator[np.ndarray]:
        """Yield the restoration, segment by segment, together (C, T)."""
        start, total = 0, self._x.shape[1]
        for i, cut in enumerate(self.cuts):
            last = i + 1 == len(self.cuts)
            stop = total if last else cut.start + self.prior.samples - self.cuts[i + 1].known
            yield self.read(start, max(start, stop))
            start = max(start, stop)

    def _join(self, cut: Cut, segment: np.ndarray) -> None:
        """Cross-fade a segment into what is there, within the overlap."""
        stop = min(cut.start + self.prior.samples, self._x.shape[1])
        made = self._made[:, cut.start : stop]
        rising = np.ones(made.shape[1], np.float32)
        known = min(cut.known, made.shape[1])
        rising[:known] = np.sin(np.pi / 2 * (np.arange(known) + 0.5) / max(known, 1)) ** 2
        made += rising * (segment[:, : made.shape[1]] - made)
        self._done = stop

    def _restored(self, number: int) -> np.ndarray:
        """Return one segment (C, prior.samples) at the recording's level: kept, or made now."""
        cut, place = self.cuts[number], self._folder / f"segment-{number:06d}.npy"
        if not self.gain or self._deviations[number] <= _SILENCE:
            return np.zeros((self._x.shape[0], self.prior.samples), np.float32)
        if place.is_file():
            return np.load(place)
        found = [self._channel(number, cut, channel) for channel in range(self._x.shape[0])]
        segment = np.stack(found) / np.float32(self.gain)
        with atomic_path(place) as temporary:
            np.save(temporary, segment)
        return segment

    def _channel(self, number: int, cut: Cut, channel: int) -> np.ndarray:
        """Restore one channel of a segment: (prior.samples,), at the prior's level."""
        one = slice(channel, channel + 1)
        observed = guess = self._segment(self.equalised[one], cut)
        grid = self.prior.grid(self.sampling)
        operator: Operator = Coloured(self.colour().shape, grid, self._whole)
        if cut.known:
            before = self._segment(self._made[one], cut)
            mask = torch.zeros_like(before)
            mask[:, : cut.known] = 1
            guess = blended(mask, before, guess)
            if self._whole:
                observed = torch.cat((mask * before, observed), dim=-1)
                operator = Both(mask, operator)
            else:
                observed, operator = guess, Continued(mask, operator)
        draw = Draws(self._seed, _SEGMENT, number, channel)
        return self._sample(guess, observed, operator, draw)[0].cpu().numpy()


def _deviation(x: np.ndarray) -> float:
    """Return the standard deviation of all samples of x (C, T), which may lie on disk."""
    total = square = 0.0
    for start in range(0, x.shape[1], _BLOCK):
        block = np.asarray(x[:, start : start + _BLOCK], dtype=np.float64)
        total, square = total + float(block.sum()), square + float(np.square(block).sum())
    mean = total / x.size
    return max(square / x.size - mean**2, 0.0) ** 0.5
