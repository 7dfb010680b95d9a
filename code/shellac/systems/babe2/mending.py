"""Damaged samples made anew under the sound around them; all others stay what they were.

Every stretch is heard in a window of the prior's length, in which what is intact is an observation
without noise (:class:`.operators.Damaged`) and the likelihood guides, whatever guidance the weights
ask for: the published one knows of no exact samples. What the prior changes goes back to the rate
of the recording and into the damaged samples alone, so shifted towards both edges that it meets
what is there; above the prior's band a gap is as a straight line across it would be. Finished
windows lie in a folder; whoever comes back to it goes on from there, to the same bits.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch

from shellac import chunking
from shellac.degradations.gaps import Interval
from shellac.errors import UsageError
from shellac.files import atomic_path
from shellac.systems.babe2 import damage, sampler
from shellac.systems.babe2.damage import Limits
from shellac.systems.babe2.operators import Damaged, Uncertainty
from shellac.systems.babe2.posterior import LikelihoodGuidance, Posterior
from shellac.systems.babe2.prior import Prior, Sampling
from shellac.systems.babe2.sampler import Draws
from shellac.transforms.resampling import REACH_SAMPLES, fit_length, resample

_SILENCE = 1e-8
_BLOCK = 1 << 20
_WINDOW = 2  # what random numbers are for, beside those of :mod:`.remaking`
_EXACT = 0.01  # standard deviation of intact samples, relative to that of clean signals
_UNKNOWN = 10.0  # level at which what is damaged begins as noise, relative to the same
_GAP_MARGIN = 4  # samples of the prior around a gap that the converter mixed with it
_CLIP_MARGIN = 1
_FADE_SECONDS = 0.002


@dataclass(frozen=True)
class Damage:
    """What is wrong with a recording: gaps, (start, stop) in samples, and what it clipped at."""

    gaps: Sequence[Interval] = ()
    clipped: Limits = Limits()


class Mending:
    """One recording x (C, T) float32 at its own rate, which may lie on disk, being mended.

    Parameters
    ----------
    prior, sampling : Prior, Sampling
    x : ndarray, shape (C, T)
    sample_rate : int
        Of the recording.
    damaged : Damage
    folder : Path
        Where finished windows are kept.
    seed : int
    report : callable
        Called with :class:`.sampler.Report` after each step of the sampler.

    Raises
    ------
    UsageError
        Where a stretch is too long for the prior's segments.
    """

    def __init__(
        self,
        prior: Prior,
        sampling: Sampling,
        x: np.ndarray,
        sample_rate: int,
        damaged: Damage,
        folder: Path,
        seed: int,
        report: Callable[[sampler.Report], None] = lambda told: None,
    ):
        self.prior, self.sampling, self.damage = prior, sampling, damaged
        self._x, self._rate, self._folder, self._seed = x, sample_rate, folder, seed
        self._report = report
        self._length = prior.samples * sample_rate // prior.sample_rate
        self.runs = damage.runs(x, damaged.gaps, damaged.clipped)
        align = chunking.aligned_to(sample_rate, prior.sample_rate, 1)
        try:
            self.windows = damage.windows(self.runs, x.shape[1], self._length, align)
        except IndexError as error:
            start, stop = self.runs[error.args[0]] / sample_rate
            raise UsageError(
                f"{stop - start:.2f} s in a row are damaged at {start:.2f} s: too much for"
                f" segments of {self._length / sample_rate:.2f} s"
            ) from error
        self._reach = -(-2 * REACH_SAMPLES * sample_rate // min(sample_rate, prior.sample_rate))
        self._reach += -self._reach % align

    @property
    def clips(self) -> bool:
        """Whether any sample was clipped."""
        lost = sum(stop - start for start, stop in damage.runs(self._x, self.damage.gaps, Limits()))
        return int(np.diff(self.runs).sum()) > lost

    @cached_property
    def gain(self) -> float:
        """What the recording is multiplied by: the median segment then has the prior's level."""
        parts = (self._x[:, i : i + self._length] for i in range(0, self._x.shape[1], self._length))
        found = sorted(float(np.std(part, dtype=np.float64)) for part in parts)
        heard = [deviation for deviation in found if deviation > _SILENCE]
        return self.sampling.level / heard[(len(heard) - 1) // 2] if heard else 0.0

    def blocks(self) -> Iterator[np.ndarray]:
        """Yield the mended recording in blocks, together (C, T)."""
        done = 0
        for number, window in enumerate(self.windows):
            stop = int(window.runs[-1, 1])
            mended = self._mended(number) if self.gain else None
            yield from self._copied(done, window.start)
            done = max(done, window.start)
            part = np.array(self._x[:, done:stop])
            for start, end in window.runs if mended is not None else ():
                inside = slice(start - window.start, end - window.start)
                part[:, start - done : end - done] = mended[:, inside]
            yield part
            done = stop
        yield from self._copied(done, self._x.shape[1])

    def _copied(self, start: int, stop: int) -> Iterator[np.ndarray]:
        for first in range(start, stop, _BLOCK):
            yield np.array(self._x[:, first : min(first + _BLOCK, stop)])

    def _mended(self, number: int) -> np.ndarray:
        """Return a window (C, n) with its damaged samples made anew: kept, or made now."""
        place = self._folder / f"window-{number:06d}.npy"
        if place.is_file():
            return np.load(place)
        made = np.concatenate([self._channel(number, c) for c in range(self._x.shape[0])])
        with atomic_path(place) as temporary:
            np.save(temporary, made)
        return made

    def _gaps_within(self, start: int, stop: int) -> list[Interval]:
        touching = (gap for gap in self.damage.gaps if gap[0] < stop and gap[1] > start)
        return [(max(gap[0], start) - start, min(gap[1], stop) - start) for gap in touching]

    def _channel(self, number: int, channel: int) -> np.ndarray:
        """Mend one channel of a window: (1, n) at the recording's rate and level."""
        window, total = self.windows[number], self._x.shape[1]
        first = max(0, window.start - self._reach)
        last = min(total, window.start + self._length + self._reach)
        x = np.array(self._x[channel : channel + 1, first:last])
        cut = slice(window.start - first, min(window.start + self._length, total) - first)
        flags = self.damage.clipped.above(x)[0], self.damage.clipped.below(x)[0]
        lost = np.zeros(x.shape[1], bool)
        for gap in self._gaps_within(first, last):
            lost[slice(*gap)] = True
        if not (lost | flags[0] | flags[1])[cut].any():
            return x[:, cut]
        bridged = _bridged(x, lost)
        change = self._change(number, channel, bridged, (lost, *flags), window.start - first)
        here, runs = bridged[:, cut], window.runs - window.start
        made = fit_length(change, here.shape[1])
        fade = max(1, round(_FADE_SECONDS * self._rate))
        made = here + _met(made, runs, fade)
        above, below = flags[0][cut], flags[1][cut]
        made = np.where(above, np.maximum(made, here), made)
        made = np.where(below, np.minimum(made, here), made)
        whole = ~(lost[cut] | above | below)
        return np.where(whole, x[:, cut], made).astype(np.float32)

    def _change(
        self,
        number: int,
        channel: int,
        bridged: np.ndarray,
        flags: tuple[np.ndarray, np.ndarray, np.ndarray],
        lead: int,
    ) -> np.ndarray:
        """Return what the prior changes in a window, at the recording's rate."""
        prior, rate = self.prior, self.prior.sample_rate
        skip = lead * rate // self._rate
        heard = resample(bridged, self._rate, rate)[:, skip : skip + prior.samples]
        heard = np.ascontiguousarray(heard * np.float32(self.gain))
        marks = [self._marked(each, skip, heard.shape[1]) for each in flags]
        lost, above, below = (fit_length(mark[None], prior.samples) for mark in marks)
        near = _widened(above | below, _CLIP_MARGIN) & ~(above | below)
        lost = _widened(lost, _GAP_MARGIN) | near
        lost[:, heard.shape[1] :] = True  # beyond the end
        observed = torch.from_numpy(fit_length(heard, prior.samples)).to(prior.device)
        masks = (torch.from_numpy(each).to(prior.device) for each in (lost, above, below))
        doubt = Uncertainty(prior.sigma_data, _EXACT * prior.sigma_data)
        posterior = Posterior(observed, Damaged(observed, *masks), LikelihoodGuidance(doubt))
        chosen = self.sampling
        begin = min(_UNKNOWN * prior.sigma_data, chosen.sigma_max)
        draw = Draws(self._seed, _WINDOW, number, channel)
        made = sampler.sample(
            prior.estimate, observed, chosen.schedule, chosen.steps, draw, posterior, begin,
            chosen.order, self._report,
        )  # fmt: skip
        with torch.no_grad():
            change = (made - prior.in_band(observed)).cpu().numpy() / np.float32(self.gain)
        return resample(change[:, : heard.shape[1]], rate, self._rate)

    def _marked(self, flags: np.ndarray, skip: int, count: int) -> np.ndarray:
        """Turn marks of the recording's samples into those of the prior's nearest in time."""
        places = (skip + np.arange(count + 1)) * self._rate // self.prior.sample_rate
        seen = np.concatenate([[0], np.cumsum(flags)])
        places = np.minimum(places, len(flags) - 1)
        return seen[np.minimum(places[1:] + 1, len(flags))] > seen[places[:-1]]


def _bridged(x: np.ndarray, lost: np.ndarray) -> np.ndarray:
    """Return x (1, T) with straight lines across what is lost."""
    known = np.flatnonzero(~lost)
    if not lost.any() or not len(known):
        return x
    made = x.copy()
    made[0, lost] = np.interp(np.flatnonzero(lost), known, x[0, known])
    return made


def _widened(flags: np.ndarray, by: int) -> np.ndarray:
    """Mark as many samples on both sides of what is marked, (1, T)."""
    padded = np.pad(flags, ((0, 0), (by, by)))
    return np.lib.stride_tricks.sliding_window_view(padded, 2 * by + 1, axis=1).any(axis=-1)


def _met(change: np.ndarray, runs: np.ndarray, fade: int) -> np.ndarray:
    """Return a change (1, T) that comes from 0 and goes to 0 at the edges of every stretch.

    What it is just outside an edge is taken away, less and less over ``fade`` samples, or over the
    stretch where that is shorter.
    """
    met = np.zeros_like(change)
    for start, stop in runs:
        size = stop - start
        rising = np.arange(1, size + 1) / (min(size, fade) + 1)
        before = change[0, start - 1] if start > 0 else 0.0
        after = change[0, stop] if stop < change.shape[1] else 0.0
        shift = before * np.maximum(0, 1 - rising) + after * np.maximum(0, 1 - rising[::-1])
        met[0, start:stop] = change[0, start:stop] - shift
    return met
