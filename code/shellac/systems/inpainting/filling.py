"""Gaps of recordings filled: what the network says of their magnitudes, in the sound around them.

Everything is local to a gap. Autoregression first fills it at the rate of the recording, with the
full band and without a step at its edges: the mean of what models of two orders say, whose errors
have little in common. A window around it then goes to the network's rate and
its frames that touch gaps to the network; phases follow from those of the first filling by
Griffin-Lim, in which all intact samples keep their value. The difference goes back to the
recording's rate and is faded in and out inside the gap, so that the network has the gap's middle,
below its Nyquist frequency, and autoregression the edges and what lies above. The shorter a gap,
the less of a frame it takes, and the more autoregression has the word: there it is the better of
the two. Samples outside gaps are never touched, and nothing becomes louder than what surrounds it.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from shellac.chunking import ramp
from shellac.degradations.gaps import Interval
from shellac.systems.inpainting.representation import Representation
from shellac.transforms import autoregression
from shellac.transforms.resampling import REACH_SAMPLES, fit_length, resample

ITERATIONS = 60  # of Griffin-Lim
_FADE_SECONDS = 0.002
_LARGEST_ORDER = 1024  # of the smaller of two models
_LEAST_INTACT_FRAMES = 32  # in a window, besides the gap's
_BATCH = 16  # windows at a time

# (S, 1, N, F) damaged blocks of values and (S, N) lost frames -> (S, 1, N, F) restored blocks
Method = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Correction:
    """What corrects gaps that autoregression has filled.

    ``run`` maps waveforms (B, T) at the network's rate and which samples are missing, bool (B, T),
    to (B, T); T is as many samples as whole blocks of ``form`` have.
    """

    run: Callable[[Tensor, Tensor], Tensor]
    form: Representation


def order_at(sample_rate: int) -> int:
    """Return the order of autoregression: 32 ms, from 8 to 1024; the second model has twice it."""
    return min(_LARGEST_ORDER, max(8, autoregression.ORDER * sample_rate // 16000))


def context_seconds(sample_rate: int, form: Representation) -> float:
    """Return how far from a gap the recording has a part in filling it."""
    window = form.samples(form.block_frames) / form.sample_rate
    reach = 2 * REACH_SAMPLES / min(sample_rate, form.sample_rate)
    return window + reach + autoregression.context(2 * order_at(sample_rate)) / sample_rate


def interpolations(
    waveform: np.ndarray, sample_rate: int, gaps: Sequence[Interval]
) -> tuple[np.ndarray, np.ndarray]:
    """Return (C, T) with its gaps filled by one model, and by the mean of two orders."""
    order = order_at(sample_rate)
    one, other = (autoregression.interpolate(waveform, gaps, each) for each in (order, 2 * order))
    mean = one.copy()
    for start, stop in gaps:
        mean[:, start:stop] = (one[:, start:stop] + other[:, start:stop]) / 2
    return one, mean


def fill(
    waveform: np.ndarray,
    sample_rate: int,
    gaps: Sequence[Interval],
    method: Method | Correction | None,
    form: Representation | None,
    iterations: int = ITERATIONS,
    interpolated: np.ndarray | None = None,
) -> np.ndarray:
    """Return a copy of (C, T) float32 with its gaps filled, all other samples bit for bit.

    Parameters
    ----------
    waveform : what it holds inside gaps is not looked at
    sample_rate : any, in Hz
    gaps : (start, stop) in samples, of all channels
    method : what restores blocks, on the values of ``form``, or corrects what autoregression
        filled, by the mean of two orders; None leaves it at that
    form : of blocks; None where a correction, which has its own, or nothing follows
    iterations : of Griffin-Lim, for forms without phase
    interpolated : the second of :func:`interpolations`, where it is known already
    """
    if interpolated is None:
        interpolated = interpolations(waveform, sample_rate, gaps)[1]
    result = interpolated.copy()
    form = method.form if isinstance(method, Correction) else form
    batches: dict[int, list[Interval]] = defaultdict(list)
    for gap in gaps if method is not None else ():
        batches[_blocks(gap, sample_rate, form)].append(gap)
    for blocks, alike in batches.items():
        for first in range(0, len(alike), _BATCH):
            part = alike[first : first + _BATCH]
            windows = [_Window.around(gap, sample_rate, form, blocks) for gap in part]
            _improve(result, interpolated, gaps, windows, method, form, iterations)
    intact = np.ones(waveform.shape[-1], dtype=bool)
    for start, stop in gaps:
        intact[start:stop] = False
    peak = np.abs(waveform[:, intact]).max(initial=0)
    for start, stop in gaps:  # a file at full scale must not become louder by a little
        np.clip(result[:, start:stop], -peak, peak, out=result[:, start:stop])
    return result


def _blocks(gap: Interval, sample_rate: int, form: Representation) -> int:
    """Count the blocks of the window that a gap needs."""
    span = (gap[1] - gap[0]) / sample_rate * form.sample_rate + 2 * form.frame
    frames = math.ceil(span / form.hop) + _LEAST_INTACT_FRAMES
    return -(-frames // form.block_frames)


@dataclass(frozen=True)
class _Window:
    """A gap and the stretch around it that the network hears.

    start, stop : of the stretch in the recording, margin for the resampling included; may lie
        outside of it
    margin, samples : at the network's rate, what is cut off on the left, and what is kept
    """

    gap: Interval
    start: int
    stop: int
    margin: int
    samples: int
    step: float  # samples of the recording per sample of the network

    @classmethod
    def around(
        cls, gap: Interval, sample_rate: int, form: Representation, blocks: int
    ) -> "_Window":
        """Centre a window of whole blocks on a gap."""
        samples = form.samples(blocks * form.block_frames)
        step = sample_rate / form.sample_rate
        margin = 2 * REACH_SAMPLES * max(1, math.ceil(1 / step))
        length = math.ceil((samples + 2 * margin) * step)
        start = (gap[0] + gap[1] - length) // 2
        return cls(gap, start, start + length, margin, samples, step)

    def heard(self, waveform: np.ndarray, sample_rate: int, form: Representation) -> np.ndarray:
        """Return the stretch at the network's rate, (C, samples), silent beyond the ends."""
        inside = waveform[:, max(0, self.start) : max(0, self.stop)]
        left = max(0, -self.start)
        right = self.stop - self.start - left - inside.shape[1]
        padded = np.pad(inside, ((0, 0), (left, right)))
        low = resample(padded, sample_rate, form.sample_rate)
        return low[:, self.margin : self.margin + self.samples]

    def place(self, gap: Interval) -> Interval:
        """Return where a gap of the recording lies in the window, cut to it, rounded outwards."""
        first = math.floor((gap[0] - self.start) / self.step) - self.margin
        last = math.ceil((gap[1] - self.start) / self.step) - self.margin
        return max(0, first), min(self.samples, max(0, last))

    def add(
        self, result: np.ndarray, difference: np.ndarray, sample_rate: int, form: Representation
    ) -> None:
        """Add (C, samples) of the network's rate to the recording, faded inside the gap."""
        padded = np.pad(difference, ((0, 0), (self.margin, self.margin)))
        high = fit_length(resample(padded, form.sample_rate, sample_rate), self.stop - self.start)
        start, stop = self.gap
        faded = high[:, start - self.start : stop - self.start]
        fade = min(round(_FADE_SECONDS * sample_rate), (stop - start) // 4)
        weight = np.ones(stop - start, dtype=np.float32)
        weight[:fade] = ramp(fade)
        weight[stop - start - fade :] = ramp(fade)[::-1]
        result[:, start:stop] += faded * weight


def _improve(
    result: np.ndarray,
    interpolated: np.ndarray,
    gaps: Sequence[Interval],
    windows: Sequence[_Window],
    method: Method | Correction,
    form: Representation,
    iterations: int,
) -> None:
    """Bring what the network finds in some windows of one size into ``result``."""
    sample_rate = round(windows[0].step * form.sample_rate)
    channels, samples = len(result), windows[0].samples
    heard = np.stack([window.heard(interpolated, sample_rate, form) for window in windows])
    waveform = torch.from_numpy(heard.reshape(-1, samples))
    missing = torch.zeros(len(windows), samples, dtype=torch.bool)
    for window, row in zip(windows, missing, strict=True):
        near = (gap for gap in gaps if gap[1] > window.start and gap[0] < window.stop)
        for first, last in map(window.place, near):
            row[first:last] = True
    missing = missing.repeat_interleave(channels, 0)
    if isinstance(method, Correction):
        found = method.run(waveform, missing)
    else:
        found = _by_blocks(waveform, missing, method, form, iterations)
    found = _no_louder(found, waveform, missing)
    difference = torch.where(missing, found - waveform, 0).numpy().reshape(-1, channels, samples)
    for window, each in zip(windows, difference, strict=True):
        window.add(result, each, sample_rate, form)


def _by_blocks(
    waveform: Tensor, missing: Tensor, method: Method, form: Representation, iterations: int
) -> Tensor:
    """Return (B, T) with the values that ``method`` restores, and phases from ``waveform`` on."""
    samples = waveform.shape[-1]
    share = form.missing_share(missing)
    lost = share > 0
    spectrum = form.encode(waveform)
    values = form.values(spectrum)
    damaged = values.masked_fill(lost[..., None], 0)
    blocks = method(form.blocks(damaged), lost.reshape(-1, form.block_frames))
    # a frame that lacks little is better known from the first filling than from the network
    values = torch.lerp(values, form.join(blocks, len(waveform)), share[..., None])
    return form.decode(values, spectrum, lost, samples, iterations, (waveform, missing))


def _no_louder(found: Tensor, waveform: Tensor, missing: Tensor) -> Tensor:
    """Turn (B, T) down where it is louder in the gaps than the sound around them is."""
    allowed = waveform.abs().masked_fill(missing, 0).amax(-1, keepdim=True)
    peak = found.abs().masked_fill(~missing, 0).amax(-1, keepdim=True)
    return found * (allowed / peak.clamp_min(1e-12)).clamp_max(1)
