"""Invertible constant-Q transform in octaves, by a non-stationary Gabor frame on the spectrum.

Velasco, Holighaus, Dörfler and Grill, "Constructing an invertible constant-Q transform with
non-stationary Gabor frames" (DAFx 2011). The spectrum of a whole segment is cut into overlapping
bands; a band, moved to zero frequency and transformed back, is one row of coefficients; all rows of
an octave have the same number of them, and the inverse divides by the sum of the squared windows.

Two grids. ``compat`` is that of the published BABE and BABE-2 weights: its bins lie a little
further apart than 1/b octave, and its mirrored bands are written one place too low, so that what
lies next to the lowest and the highest frequency does not quite come back. ``clean`` has bins
exactly 1/b octave apart and reconstructs perfectly.

Windows overlap by half, so that a bin of the spectrum lies in two or three bands: reading a band
and adding it back are both gathers from short lists of places, each the other's gradient.
"""

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import torch
from torch import Tensor

from shellac.transforms.sparse import Sparse

GRIDS = ("compat", "clean")
WINDOWS = ("kaiser", "hann", "blackharr")
LEAST_WINDOW = 4


@dataclass(frozen=True)
class CQT:
    """A constant-Q transform of segments of ``samples`` samples.

    octaves, bins_per_octave : int
        Bins reach from the Nyquist frequency ``octaves`` octaves down.
    sample_rate : float
        Hz. The transform of a segment does not depend on it, but for rounding.
    samples : int
        Length of a segment, even or odd.
    window, beta : str, float
        ``kaiser`` (parameter ``beta``; half its height at the edges), ``hann``, ``blackharr``.
    grid : str
        ``compat`` or ``clean``.

    Coefficients are a list of (..., ``bins_per_octave``, ``sizes[i]``) complex tensors, lowest
    octave and lowest bin first. What lies below the lowest bin or next to the Nyquist frequency is
    in none of them: :meth:`in_band` removes it, :meth:`out_of_band` keeps only that. On the clean
    grid ``synthesise(analyse(x))`` is ``in_band(x)``.

    Tables are kept for later calls, by settings, device and type. Raises :class:`ValueError` for
    settings that cannot be, among them segments too short for so many octaves.
    """

    octaves: int
    bins_per_octave: int
    sample_rate: float
    samples: int
    window: str = "kaiser"
    beta: float = 1.0
    grid: str = "compat"

    def __post_init__(self) -> None:
        if self.grid not in GRIDS or self.window not in WINDOWS:
            raise ValueError(
                f"no such transform: grid {self.grid!r}, window {self.window!r}; grids are"
                f" {', '.join(GRIDS)}, windows {', '.join(WINDOWS)}"
            )
        if min(self.octaves, self.bins_per_octave) < 1 or self.bins < 2:
            raise ValueError(
                f"{self.octaves} octaves of {self.bins_per_octave} bins are no transform"
            )
        if self.samples < LEAST_WINDOW << self.octaves:
            raise ValueError(
                f"{self.samples} samples are too few for {self.octaves} octaves:"
                f" at least {LEAST_WINDOW << self.octaves}"
            )

    @property
    def bins(self) -> int:
        """All bins, of all octaves."""
        return self.octaves * self.bins_per_octave

    @cached_property
    def _places(self) -> np.ndarray:
        """Frequencies of the bins and of the Nyquist frequency, in bins of the spectrum."""
        place = np.arange(self.bins)
        if self.grid == "clean":
            octave = (place - self.bins) / self.bins_per_octave
            return np.append(self.samples / 2 * 2.0**octave, self.samples / 2)
        highest = self.sample_rate / 2 - 1e-6
        spread = 2.0 ** (self.octaves * place / (self.bins - 1))
        hertz = highest / 2.0**self.octaves * spread
        return np.append(hertz * self.samples / self.sample_rate, self.samples / 2)

    @cached_property
    def _half_lengths(self) -> np.ndarray:
        """Window lengths: the lowest band, the bins, the Nyquist band."""
        places = self._places
        step = 1 / self.bins_per_octave
        if self.grid == "compat":
            step = self.octaves / (self.bins - 1)
        ratio = 2.0**step
        quality = math.sqrt(ratio) / (2 * (ratio - 1))
        inner = places[2:] - places[:-2]
        lengths = np.concatenate(([2 * places[0], places[0] / quality], inner, inner[-1:]))
        return np.maximum(np.rint(lengths), LEAST_WINDOW).astype(np.int64)

    @cached_property
    def _half_positions(self) -> np.ndarray:
        """Window centres: the lowest band, the bins, the Nyquist band."""
        places = self._places
        if self.grid == "compat":  # the last bin would lie on the Nyquist frequency
            places = places.copy()
            places[-2] = (places[-3] + places[-1]) / 2
        return np.append(0, np.rint(places)).astype(np.int64)

    @property
    def lengths(self) -> np.ndarray:
        """Window lengths in bins of the spectrum: lowest band, bins, Nyquist, mirrored bins."""
        return np.append(self._half_lengths, self._half_lengths[-2:0:-1])

    @property
    def positions(self) -> np.ndarray:
        """Window centres in bins of the spectrum, in the order of :attr:`lengths`."""
        return np.append(self._half_positions, self.samples - self._half_positions[-2:0:-1])

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        """Coefficients per bin of each octave, lowest first: powers of two.

        On the clean grid each octave has twice as many as the one below it.
        """
        longest = self._half_lengths[1:-1].reshape(self.octaves, -1).max(1)
        powers = [1 << int(length - 1).bit_length() for length in longest]
        if self.grid == "clean":
            base = max(-(-power >> i) for i, power in enumerate(powers))
            powers = [base << i for i in range(self.octaves)]
        return tuple(powers)

    def analyse(self, waveform: Tensor) -> list[Tensor]:
        """Transform (..., ``samples``) to coefficients, lowest octave first.

        Raises :class:`ValueError` for another length.
        """
        if waveform.shape[-1] != self.samples:
            raise ValueError(f"segments must have {self.samples} samples, not {waveform.shape[-1]}")
        bands = self._tables(waveform).analysis(torch.fft.rfft(waveform))
        count = self.bins_per_octave
        cut = bands.split([count * size for size in self.sizes], -1)
        return [
            torch.fft.ifft(octave.unflatten(-1, (count, size)))
            for octave, size in zip(cut, self.sizes, strict=True)
        ]

    def synthesise(self, coefficients: list[Tensor]) -> Tensor:
        """Invert :meth:`analyse`: coefficients -> (..., ``samples``)."""
        bands = torch.cat([torch.fft.fft(octave).flatten(-2) for octave in coefficients], -1)
        spectrum = self._tables(bands).synthesis(bands)
        return torch.fft.irfft(spectrum, self.samples)

    def in_band(self, waveform: Tensor) -> Tensor:
        """Remove what the coefficients do not hold: (..., T), T at most ``samples``."""
        return self._filtered(waveform, 1 - self._tables(waveform).outside)

    def out_of_band(self, waveform: Tensor) -> Tensor:
        """Keep only what the coefficients do not hold: (..., T), T at most ``samples``."""
        return self._filtered(waveform, self._tables(waveform).outside)

    def _filtered(self, waveform: Tensor, response: Tensor) -> Tensor:
        given = waveform.shape[-1]
        if given > self.samples:
            raise ValueError(f"segments have {self.samples} samples, fewer than {given}")
        spectrum = torch.fft.rfft(waveform, self.samples)
        return torch.fft.irfft(spectrum * response, self.samples)[..., :given]

    def _tables(self, like: Tensor) -> "_Tables":
        return _tables(self, like.device, like.real.dtype)


@dataclass(frozen=True)
class _Tables:
    """Spectrum to bands, bands to spectrum, and the response of the two bands that are dropped."""

    analysis: Sparse
    synthesis: Sparse
    outside: Tensor


@lru_cache(maxsize=16)
def _tables(transform: CQT, device: torch.device, dtype: torch.dtype) -> _Tables:
    with torch.inference_mode(False):  # kept for later calls, which may need gradients
        return _build(transform, device, dtype)


def _build(transform: CQT, device: torch.device, dtype: torch.dtype) -> _Tables:
    """Compute windows, dual windows and places in double precision."""
    lengths = transform._half_lengths[1:-1]
    centres = transform._half_positions[1:-1]
    per_bin = np.repeat(transform.sizes, transform.bins_per_octave)
    rows, offsets = _support(lengths)
    values = _window(transform, offsets, lengths[rows])
    places = centres[rows] + offsets
    last = transform.samples // 2
    inside = (places >= 0) & (places <= last)
    rows, offsets, values, places = (x[inside] for x in (rows, offsets, values, places))
    frame = _frame(transform, per_bin)
    starts = np.concatenate(([0], np.cumsum(per_bin)[:-1]))
    columns = starts[rows] + offsets % per_bin[rows]
    duals = values / frame[places] * per_bin[rows]
    wanted = (device, dtype)
    size, width = int(per_bin.sum()), last + 1
    if transform.grid == "clean":
        kept = np.bincount(places, values * duals, minlength=width)
        outside = 1 - kept
    else:
        outside = _published_filter(transform, frame)
    return _Tables(
        Sparse(columns, places, values, (size, width), *wanted),
        Sparse(places, columns, duals, (width, size), *wanted),
        torch.as_tensor(outside).to(device=device, dtype=dtype),
    )


def _support(lengths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """List the offsets from the centre that each window covers: (window, offset)."""
    rows = np.repeat(np.arange(len(lengths)), lengths)
    starts = np.repeat(np.cumsum(lengths) - lengths, lengths)
    return rows, np.arange(len(rows)) - starts - lengths[rows] // 2


def _window(transform: CQT, offsets: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Evaluate windows at offsets from their centres; "kaiser" is no textbook one, 0.5 to 0.39."""
    half = lengths // 2
    place = offsets % lengths
    if transform.window == "hann":
        return 0.5 + 0.5 * np.cos(2 * np.pi * place / lengths)
    if transform.window == "blackharr":
        turn = 2 * np.pi * ((place + half) % lengths) / (2 * half)
        terms = (0.35872, -0.48832, 0.14128, -0.01168)
        return sum(a * np.cos(i * turn) for i, a in enumerate(terms))
    turned = np.pi * ((place - half) % lengths) / lengths
    return np.i0(transform.beta * np.abs(np.sin(turned))) / (2 * np.i0(transform.beta))


def _ends(transform: CQT) -> list[tuple[int, np.ndarray, np.ndarray]]:
    """Return centre, offsets and squared window of the lowest and of the Nyquist band."""
    found = []
    for i in (0, -1):
        length = transform._half_lengths[[i]]
        _, offsets = _support(length)
        square = _window(transform, offsets, length[[0] * len(offsets)]) ** 2
        found.append((int(transform._half_positions[i]), offsets, square))
    return found


def _frame(transform: CQT, per_bin: np.ndarray) -> np.ndarray:
    """Diagonal of the frame: the sum of the squared windows, each times its coefficients.

    Over the whole circle on the compat grid, (samples,); over half of it on the clean one, whose
    bins do not reach beyond either end, (samples // 2 + 1,).
    """
    lengths, circle = transform._half_lengths, transform.samples
    rows, offsets = _support(lengths[1:-1])
    square = _window(transform, offsets, lengths[1:-1][rows]) ** 2
    places = transform._half_positions[1:-1][rows] + offsets
    (_, low, low_square), (top, high, high_square) = _ends(transform)
    ends = [(low, lengths[0] * low_square), (top + high, per_bin[-1] * high_square)]
    bins = (places, per_bin[rows] * square)
    if transform.grid == "clean":
        return _half_frame(transform, [*ends, bins])
    # As published: the sizes of the mirrored half are written one place too low.
    mirrored_sizes = np.concatenate((lengths[1:2], per_bin[:-1]))
    mirrored = (circle - transform._half_positions[1:-1][rows] + offsets,
                mirrored_sizes[rows] * square)  # fmt: skip
    frame = np.zeros(circle)
    for where, what in (*ends, bins, mirrored):
        frame += np.bincount(where % circle, what, minlength=circle)
    return frame


def _half_frame(transform: CQT, parts: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    last = transform.samples // 2
    frame = np.zeros(last + 1)
    for where, what in parts:
        inside = (where >= 0) & (where <= last)
        frame += np.bincount(where[inside], what[inside], minlength=last + 1)
    return frame


def _published_filter(transform: CQT, frame: np.ndarray) -> np.ndarray:
    """Response of the published low-pass filter, (samples // 2 + 1,): what the two bands keep.

    Its windows of odd length are stored askew, as published. The output is the real part, so only
    the mean of a frequency and its mirror counts.
    """
    circle = transform.samples
    response = np.zeros(circle)
    size_of_top = transform.sizes[-1]
    sizes = (int(transform._half_lengths[0]), size_of_top)
    for size, (centre, offsets, square) in zip(sizes, _ends(transform), strict=True):
        odd, half = len(offsets) % 2, len(offsets) // 2
        kept = size * square / frame[(centre + offsets) % circle]
        target = offsets.copy()
        if odd and centre == 0:
            target[offsets == half] = -half - 1
        elif odd:
            target = np.where(offsets == half, -half, offsets + 1)
        np.add.at(response, (centre + target) % circle, kept)
    mirrored = response[-np.arange(circle) % circle]
    return (response + mirrored)[: circle // 2 + 1] / 2
