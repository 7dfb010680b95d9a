"""The colouring of a recording as a filter of few numbers, and the spectra it acts on.

The magnitude response is piecewise linear in dB over octaves: 0 dB at a reference frequency, and
sections of constant slope above and below it, whose corners are free. It is evaluated on the bins
k fs / n_fft, k = 1..n_fft/2; a section starts at the value that the one before it has at a *bin*
(the first at or above the corner, or the last below it), as published, so that there are small
steps at corners. The response at 0 Hz is 0.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import torch
from torch import Tensor

from shellac.transforms.stft import Framing

PARTS = ("fref", "fc_p", "fc_m", "A_p", "A_m")  # the published names, in the order of ``values``
DB = np.log(10) / 20  # nepers per dB


@dataclass(frozen=True)
class Filter:
    """One response: ``values`` are f_ref, corners above and below it, slopes above and below it.

    upper, lower : how many corners lie above the reference, and below it
    values : (1 + upper + lower + (upper + 1) + (lower + 1),) float64; Hz, then dB per octave.
        Corners above ascend, those below descend; slopes start with the section at the reference.
        A positive slope below the reference attenuates low frequencies.
    """

    upper: int
    lower: int
    values: np.ndarray

    @classmethod
    def of(cls, parts: Mapping[str, object]) -> Self:
        """Build it from arrays under the published names :data:`PARTS`."""
        arrays = [np.atleast_1d(np.asarray(parts[name], dtype=np.float64)) for name in PARTS]
        return cls(len(arrays[1]), len(arrays[2]), np.concatenate(arrays))

    def parts(self, values: np.ndarray | None = None) -> dict[str, np.ndarray]:
        """Cut ``values``, or an array of its layout, into views under the published names."""
        values = self.values if values is None else values
        sizes = (1, self.upper, self.lower, self.upper + 1)
        return dict(zip(PARTS, np.split(values, np.cumsum(sizes)), strict=True))

    def with_values(self, values: np.ndarray) -> "Filter":
        """Return a filter of the same layout."""
        return Filter(self.upper, self.lower, values)


@dataclass(frozen=True)
class Curve:
    """A response that is known as a table: ``hz`` ascending, ``gain_db``, (N,) float64 each.

    Linear in dB over octaves between its points, and constant beyond them.
    """

    hz: np.ndarray
    gain_db: np.ndarray

    def at(self, hz: np.ndarray) -> np.ndarray:
        """Return the gain in dB at frequencies above 0 Hz."""
        return np.interp(np.log2(hz), np.log2(self.hz), self.gain_db)

    def levelled(self, average: np.ndarray, sample_rate: int) -> "Curve":
        """Return it without its level: signals of the ``average`` power spectrum keep theirs.

        (F,) from 0 Hz to the Nyquist frequency; an empty one stands for a white spectrum.
        """
        power = average[1:] if len(average) > 1 else np.ones(1024)
        hz = np.arange(1, len(power) + 1) * (sample_rate / 2 / len(power))
        passed = np.sum(power * 10 ** (self.at(hz) / 10))
        return Curve(self.hz, self.gain_db - 10 * np.log10(passed / np.sum(power)))


def initial(sample_rate: int) -> Filter:
    """Return the published start: flat from 50 Hz to 2 kHz, walls of 80 dB per octave beyond.

    Corners that do not fit under the Nyquist frequency are brought below it.
    """
    corners = np.minimum([1000.0, 1500.0, 2000.0], sample_rate * np.array([0.25, 0.375, 0.45]))
    return Filter.of(
        {
            "fref": corners[:1], "fc_p": corners[1:], "fc_m": [500.0, 50.0],
            "A_p": [0.0, 0.0, -80.0], "A_m": [0.0, 0.0, 80.0],
        }
    )  # fmt: skip


@dataclass(frozen=True)
class Grid:
    """The bins that responses are evaluated on: n_fft / 2 of them above 0 Hz.

    ``published_start``: the first half of a frame is seen by one frame alone, as published, and
    what a filter leaves at that frame's edge is magnified 12 times. Otherwise two frames see it.
    """

    sample_rate: int
    n_fft: int = 4096
    published_start: bool = False

    @cached_property
    def hz(self) -> np.ndarray:
        """Frequencies (F - 1,) of the bins above 0 Hz."""
        return np.arange(1, self.n_fft // 2 + 1) * (self.sample_rate / self.n_fft)

    @cached_property
    def octaves(self) -> np.ndarray:
        """Base-two logarithm of :attr:`hz`."""
        return np.log2(self.hz)

    @cached_property
    def framing(self) -> Framing:
        """Frames of the spectra: Hamming, half of them overlapping, zeros after the end."""
        lead = 0 if self.published_start else self.n_fft // 2
        return Framing(
            self.n_fft, lead, frame=self.n_fft, tail=1, window_function=torch.hamming_window,
            least_weight=1e-4, overlap=2,
        )  # fmt: skip

    @cached_property
    def _lag_weights(self) -> np.ndarray:
        """How much of each lag (n_fft,) filtering in frames keeps: the window's autocorrelation."""
        window = self.framing.window(torch.zeros(1, dtype=torch.float64)).numpy()
        power = np.abs(np.fft.rfft(window, 2 * self.n_fft)) ** 2
        kept = np.fft.irfft(power)[: self.n_fft]
        lags = np.arange(self.n_fft)
        return (kept / kept[0])[np.minimum(lags, self.n_fft - lags)]

    def effective(self, magnitude: np.ndarray, samples: int) -> np.ndarray:
        """Return what :meth:`apply` does to stationary signals, by frequency.

        (samples // 2 + 1,) from 0 Hz to the Nyquist frequency, for ``magnitude`` (F,): the windows
        blur a response.
        """
        impulse = np.fft.irfft(magnitude, self.n_fft) * self._lag_weights
        half = min(self.n_fft, samples) // 2
        padded = np.zeros(samples)
        padded[:half], padded[samples - half :] = impulse[:half], impulse[self.n_fft - half :]
        return np.fft.rfft(padded).real

    def magnitudes(self, x: Tensor) -> Tensor:
        """Return |STFT| of waveforms (B, T): (B, N, F)."""
        return self.framing.analyse(x).abs()

    def apply(self, response: Tensor, x: Tensor) -> Tensor:
        """Filter waveforms (B, T) with a response (F,), zero phase; differentiable in ``x``."""
        return self.framing.synthesise(self.framing.analyse(x) * response, x.shape[-1])


def apply_whole(gain: np.ndarray, x: Tensor) -> Tensor:
    """Filter (B, T) by a ``gain`` (T // 2 + 1,) on its whole transform, as if on a circle."""
    return torch.fft.irfft(torch.fft.rfft(x) * torch.from_numpy(gain).to(x), x.shape[-1])


@dataclass(frozen=True)
class Section:
    """A part of constant slope: its bins, the octave of its corner, its place among the slopes.

    ``anchor`` is the bin whose value the section before it hands on.
    """

    bins: slice
    place: float
    slope: int
    anchor: int


@dataclass(frozen=True)
class Response:
    """A filter on a grid: ``gain_db`` (F - 1,) at the bins above 0 Hz, and its two sides."""

    grid: Grid
    shape: Filter | Curve
    gain_db: np.ndarray
    sides: tuple[list[Section], list[Section]]

    @cached_property
    def magnitude(self) -> np.ndarray:
        """Linear response (F,), 0 at 0 Hz."""
        return np.concatenate([[0.0], np.exp(DB * self.gain_db)])

    def tensor(self, like: Tensor) -> Tensor:
        """Return :attr:`magnitude` with the type and on the device of ``like``."""
        return torch.from_numpy(self.magnitude).to(like)

    def gradient(self, by_gain: np.ndarray) -> np.ndarray:
        """Turn the gradient by :attr:`gain_db` into that by the values of a :class:`Filter`.

        The bins of each section are held fixed, as automatic differentiation would.
        """
        octaves = self.grid.octaves
        total = np.zeros_like(self.shape.values)
        parts, into = self.shape.parts(), self.shape.parts(total)
        plain = np.concatenate([[0.0], np.cumsum(by_gain)])
        tilted = np.concatenate([[0.0], np.cumsum(by_gain * octaves)])
        for side, corners, slopes in zip(self.sides, ("fc_p", "fc_m"), ("A_p", "A_m"), strict=True):
            outer, handed = 0.0, 0  # sum over the sections further out, which this one lifts
            for section in reversed(side):
                start, stop = section.bins.start, section.bins.stop
                own = plain[stop] - plain[start]
                by_slope = tilted[stop] - tilted[start] - own * section.place
                by_slope += outer * (octaves[handed] - section.place)
                i = section.slope
                into[slopes][i] = by_slope
                name, j = (corners, i - 1) if i else ("fref", 0)
                octave = parts[name][j] * np.log(2)
                into[name][j] -= parts[slopes][i] * (own + outer) / octave
                outer, handed = outer + own, section.anchor
        return total


def respond(shape: Filter | Curve, grid: Grid, block_low: bool = False) -> Response:
    """Evaluate a filter on a grid.

    ``block_low`` leaves everything below the reference as it is (a published option, off).
    """
    if isinstance(shape, Curve):
        return Response(grid, shape, shape.at(grid.hz), ([], []))
    gain = np.zeros_like(grid.hz)
    parts = shape.parts()
    upper = _side(gain, grid, parts["fref"], parts["fc_p"], parts["A_p"], up=True)
    lower: list[Section] = []
    if not block_low:
        lower = _side(gain, grid, parts["fref"], parts["fc_m"], parts["A_m"], up=False)
    return Response(grid, shape, gain, (upper, lower))


def _side(
    gain: np.ndarray,
    grid: Grid,
    reference: np.ndarray,
    corners: np.ndarray,
    slopes: np.ndarray,
    up: bool,
) -> list[Section]:
    """Fill in the gains of one side, from the reference outwards; return its sections."""
    octaves, last = grid.octaves, len(gain) - 1
    outwards = np.concatenate([reference, corners])
    places = np.log2(outwards)
    edges = [*np.searchsorted(grid.hz, outwards), len(gain) if up else 0]  # first bin at or above
    sections: list[Section] = []
    level = 0.0
    for i, slope in enumerate(slopes):
        start, stop = sorted(edges[i : i + 2])
        anchor = min(start, last) if up else max(stop - 1, 0)
        if i:
            level += slopes[i - 1] * (octaves[anchor] - places[i - 1])
        gain[start:stop] = level + slope * (octaves[start:stop] - places[i])
        sections.append(Section(slice(start, stop), places[i], i, anchor))
    return sections
