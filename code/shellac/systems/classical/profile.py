"""What is known of the noise of a recording: its power in every bin of the short-time spectra.

Found where the recording is quietest, band by band: no pause need be common to all. The mean of
the quietest frames is below that of all noise by a known factor, since the power of Gaussian
noise over a few bins follows a gamma distribution; compare Martin, "Noise power spectral density
estimation based on optimal smoothing and minimum statistics" (2001).

Dense music has no pause in some band or in any, and its quietest frames are music. Two things give
it away. Noise has one level: the quietest frames and more of the quiet ones, each corrected by its
factor, tell the same power, and music's do not. And noise is even across neighbouring bins, up to
what chance makes of it, where music has partials. What speaks against noise lowers the estimate;
unless all frames together are hardly louder than the quiet ones, which music's never are: then it
is noise with the holes of a coder in it, and what lies in the holes is not its level.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from scipy.ndimage import median_filter
from scipy.special import gammainc, gammaincinv

from shellac.errors import UsageError

QUIETEST, QUIET = 0.02, 0.1  # shares of the frames
# dB less per dB that the quietest frames are below the quiet ones, beyond what chance does
DOUBT, DOUBT_SQUARED, CHANCE_DB = 3.0, 3.0, 0.3
# Nepers by which the mean over neighbouring bins exceeds the geometric one: 0.577, Euler's
# constant, for noise over many bins, less for few; and dB less per neper above that
NOISE_PEAKS, DOUBT_OF_PEAKS = 0.6, 12.0
WIDE_BINS = 16  # on either side, where evenness is judged
# A coder's holes: the mean exceeds the quiet frames' estimate by few dB, and by few for how far
# the quietest are below these (a share), and no tone stands out (nepers). Or hardly any dB at all.
# Fully on one side of the first number, not at all on the other side of the second.
HOLED_DB, HOLED_SHARE, HOLED_PEAKS, STEADY_DB = (7.0, 10.0), (0.9, 0.7), (1.6, 2.0), (1.5, 2.5)
TONELESS_PEAKS = (1.0, 1.5)  # of a band without a steady tone, and with one: nepers
SURE_DB = 3.0  # bins whose estimate was lowered by no more hold noise beyond doubt
LEAST_SURE = 0.1  # share of bins, below which nothing is known for certain
NEAR_BINS = 4  # on either side, averaged before frames are compared
BINS_PER_FREEDOM = 1.5  # neighbouring bins under a Hann window are not independent
ENVELOPE_OCTAVES = 0.25  # on either side
ENVELOPE_SHARE = 0.3  # of that neighbourhood which is lower than the envelope
ABOVE_ENVELOPE = 1.3  # a bin further above it holds a tone that never pauses
MOST_FRAMES = 1024
LEAST_FRAMES = 32
HOLE = 1e-7  # power of a band in one frame, over the mean of all bands and frames
MOST_HOLES = 0.5  # share of the frames
_SILENT = 1e-8  # frames this far below the loudest, in power, are cuts and fades, not noise
_POINTS_PER_OCTAVE = 24
_LINE_BINS = 3  # on either side of a hum line that are not noise
_SPAN = re.compile(r"(\d+(?:\.\d*)?)-(\d+(?:\.\d*)?)")


@dataclass
class Thinned:
    """At most ``most`` of the arrays that were offered, of one shape, spread evenly over them.

    They lie in one array: kept apart among all that is needed for a moment, they would leave holes
    in memory, ever more with the length of a recording.
    """

    most: int = MOST_FRAMES
    stride: int = 1
    offered: int = 0
    _count: int = 0
    _room: np.ndarray = field(default_factory=lambda: np.empty(0, np.float32))

    def wants(self) -> bool:
        """Count one array as offered; say whether it is to be kept."""
        self.offered += 1
        return (self.offered - 1) % self.stride == 0

    def keep(self, array: np.ndarray) -> None:
        """Keep one array that was wanted; drop every second where there are too many."""
        if not self._count:
            self._room = np.empty((self.most + 1, *array.shape), array.dtype)
        self._room[self._count] = array
        self._count += 1
        if self._count > self.most:
            left = self._room[: self._count : 2]
            self._count, self.stride = len(left), 2 * self.stride
            self._room[: self._count] = left.copy()

    @property
    def kept(self) -> np.ndarray:
        """What was kept, (N, ...); N may be 0."""
        return self._room[: self._count]


@dataclass
class PowerFrames:
    """Power spectra of Hann frames, half apart, thinned over a whole recording."""

    n_fft: int
    bins: slice = field(default_factory=lambda: slice(None))
    thinned: Thinned = field(default_factory=Thinned)
    rest: np.ndarray | None = None  # samples (C, n) whose frames are not complete yet

    def add(self, block: np.ndarray) -> None:
        """Take the next (C, n) samples."""
        held = block if self.rest is None else np.concatenate([self.rest, block], axis=1)
        hop = self.n_fft // 2
        count = max(0, (held.shape[1] - self.n_fft) // hop + 1)
        for start in range(0, count * hop, hop):
            if self.thinned.wants():
                frame = held[:, start : start + self.n_fft]
                self.thinned.keep(power_spectrum(frame)[:, self.bins].astype(np.float32))
        self.rest = held[:, count * hop :]

    def power(self) -> np.ndarray:
        """Return what was kept, (N, C, F); N may be 0."""
        return self.thinned.kept


def power_spectrum(frames: np.ndarray) -> np.ndarray:
    """Power (..., F) of frames (..., n_fft) under a periodic Hann window."""
    window = np.hanning(frames.shape[-1] + 1)[:-1]
    return np.abs(np.fft.rfft(frames * window)) ** 2


@dataclass(frozen=True)
class Estimate:
    """The power of the noise (C, F).

    ``sure`` is the share of the bins with sound in them that hold noise beyond doubt;
    ``doubt_db`` what doubt took off in half of the bins or more.
    """

    noise: np.ndarray
    sure: float = 1.0
    doubt_db: float = 0.0


def quietest(power: np.ndarray) -> Estimate | None:
    """Estimate the noise under frames (N, C, F); None where there are too few.

    A frame all but silent is no noise of the recording, and left out; so is what is all but silent
    in some band and not in most frames: coders leave such holes.
    """
    if power.ndim < 3:
        return None
    total = power.sum(axis=(1, 2))
    power = power[total > _SILENT * total.max()]
    if len(power) < LEAST_FRAMES:
        return None
    # one channel at a time: the arrays of all at once are the most that this system holds
    channels = [_one_channel(power[:, c : c + 1]) for c in range(power.shape[1])]
    noise, doubt_db, mean = (np.concatenate(each) for each in zip(*channels, strict=True))
    told = doubt_db[mean > _SILENT * mean.max()]
    return Estimate(noise, float(np.mean(told <= SURE_DB)), float(np.median(told)))


def _one_channel(power: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return noise, doubt in dB and mean power, (1, F) each, of frames (N, 1, F)."""
    bands, widths = _averaged(power, NEAR_BINS)
    holes = bands < HOLE * power.mean(axis=(0, 2))[:, None]
    holes &= holes.mean(axis=0) < MOST_HOLES
    bands[holes] = np.inf
    sounding = len(bands) - holes.sum(axis=0)
    bands.sort(axis=0)
    shape = widths / BINS_PER_FREEDOM
    least, more = (_least(bands, sounding, shape, share) for share in (QUIETEST, QUIET))
    # of noise alone both tell the same; where they differ, the least holds music too
    differing = 10 * np.log10(np.maximum(more, 1e-30) / np.maximum(least, 1e-30))
    beyond = np.maximum(_usual(differing) - CHANCE_DB, 0.0)
    peaks, mean = _peaks(power), power.mean(axis=0, dtype=np.float64)
    louder = 10 * np.log10((_averaged(mean, NEAR_BINS)[0] + 1e-30) / (more + 1e-30))
    steady = _steady(_usual(louder), _usual(differing), peaks)
    doubt_db = DOUBT * beyond + DOUBT_SQUARED * beyond**2
    doubt_db += DOUBT_OF_PEAKS * np.maximum(peaks - NOISE_PEAKS, 0.0)
    doubt_db *= 1 - steady
    differing = np.maximum(differing, 0.0)
    raised = least * 10 ** ((steady * differing - doubt_db) / 10)
    limited = np.maximum(_without_tones(raised), 1e-30)
    # a gap in the spectrum is below the envelope too, and no tone beside it
    toneless = _between(peaks, *TONELESS_PEAKS)
    noise = limited * np.maximum(raised / limited, 1.0) ** toneless
    return noise, doubt_db, mean


def _steady(louder: np.ndarray, differing: np.ndarray, peaks: np.ndarray) -> np.ndarray:
    """Return how certainly a band is noise throughout, with holes or without, 0 to 1: (C, F)."""
    share = differing / np.maximum(louder, 0.1)
    holed = _between(louder, *HOLED_DB) * _between(share, *HOLED_SHARE)
    return np.maximum(holed, _between(louder, *STEADY_DB)) * _between(peaks, *HOLED_PEAKS)


def _usual(x: np.ndarray) -> np.ndarray:
    """Return the median of (C, F) over the bins around each."""
    return median_filter(x, (1, 2 * WIDE_BINS + 1), mode="nearest")


def _between(x: np.ndarray, full: float, none: float) -> np.ndarray:
    """Return 1 at ``full`` and beyond, 0 at ``none`` and beyond, and a straight line between."""
    return np.clip((none - x) / (none - full), 0.0, 1.0)


def _averaged(x: np.ndarray, near: int) -> tuple[np.ndarray, np.ndarray]:
    """Average powers (..., F) over ``near`` bins on either side, and say how many these are, (F,).

    Never below 0, whatever rounding does.
    """
    bins = np.arange(x.shape[-1])
    widths = np.minimum(len(bins), bins + near + 1) - np.maximum(0, bins - near)
    return np.maximum(_signed_average(x, near), 0.0), widths


def _signed_average(x: np.ndarray, near: int) -> np.ndarray:
    sums = np.cumsum(x, axis=-1, dtype=np.float64)
    sums = np.concatenate([np.zeros_like(sums[..., :1]), sums], axis=-1)
    bins = np.arange(x.shape[-1])
    low, high = np.maximum(0, bins - near), np.minimum(len(bins), bins + near + 1)
    return (sums[..., high] - sums[..., low]) / (high - low)


def _peaks(power: np.ndarray) -> np.ndarray:
    """Return how uneven neighbouring bins are in the quiet frames (N, C, F): nepers (C, F).

    Holes count neither as bins nor, where they are most of them, as a quiet frame.
    """
    heard = power > HOLE * power.mean(axis=(0, 2))[:, None]
    share = _averaged(heard, WIDE_BINS)[0]
    quiet_enough = np.where(share > MOST_HOLES, _averaged(power * heard, WIDE_BINS)[0], np.inf)
    count = max(1, round(QUIET * len(power)))
    quiet = np.argpartition(quiet_enough, count - 1, axis=0)[:count]
    share, mean = (np.take_along_axis(x, quiet, axis=0) for x in (share, quiet_enough))
    logarithms = np.log(np.where(heard, power, 1.0))
    logarithm = np.take_along_axis(_signed_average(logarithms, WIDE_BINS), quiet, axis=0)
    share = np.maximum(share, 1e-9)
    uneven = np.log(np.maximum(mean, 1e-30) / share) - logarithm / share
    return np.where(np.isfinite(uneven), uneven, 0.0).mean(axis=0)


def _least(bands: np.ndarray, sounding: np.ndarray, shape: np.ndarray, share: float) -> np.ndarray:
    """Return the power (C, F) of all noise by a ``share`` of its quietest frames.

    ``bands`` (N, C, F) in order of power, the first ``sounding`` (C, F) counting; ``shape`` (F,) is
    that of their gamma distribution.
    """
    counts = np.maximum(1, np.round(share * sounding)).astype(int)
    first = bands[: counts.max()]
    mean = np.where(np.arange(len(first))[:, None, None] < counts, first, 0.0).sum(axis=0) / counts
    shares = counts / sounding
    return mean * shares / gammainc(shape + 1, gammaincinv(shape, shares))


def average(power: np.ndarray) -> np.ndarray:
    """Return the power of the noise (C, F) in frames (N, C, F) that hold nothing else."""
    mean = np.pad(power.mean(axis=0), ((0, 0), (NEAR_BINS, NEAR_BINS)), mode="reflect")
    near = np.lib.stride_tricks.sliding_window_view(mean, 2 * NEAR_BINS + 1, axis=1)
    return near.mean(axis=-1)


def without_lines(noise: np.ndarray, lines_hz: list[float], bin_hz: float) -> np.ndarray:
    """Cut off what of the noise (C, F) is hum lines, which are taken away by other means."""
    bins = np.arange(noise.shape[1])
    line = np.zeros(len(bins), bool)
    for frequency_hz in lines_hz:
        line |= np.abs(bins - frequency_hz / bin_hz) <= _LINE_BINS + NEAR_BINS
    if not line.any() or line.all():
        return noise
    across = np.stack([np.interp(bins, bins[~line], row[~line]) for row in noise])
    return np.minimum(noise, across)


def _without_tones(noise: np.ndarray) -> np.ndarray:
    """Limit (C, F) to a little above its lower envelope over frequency."""
    bins = np.arange(1, noise.shape[1])
    points = np.arange(0.0, np.log2(bins[-1]), 1 / _POINTS_PER_OCTAVE)
    reach = round(ENVELOPE_OCTAVES * _POINTS_PER_OCTAVE)
    result = noise.copy()
    for row in result:
        level = np.log(np.maximum(row[1:], 1e-30))
        even = np.pad(np.interp(points, np.log2(bins), level), reach, mode="reflect")
        around = np.lib.stride_tricks.sliding_window_view(even, 2 * reach + 1)
        envelope = np.interp(np.log2(bins), points, np.quantile(around, ENVELOPE_SHARE, axis=1))
        row[1:] = np.minimum(row[1:], np.exp(envelope) * ABOVE_ENVELOPE)
    return result


@dataclass(frozen=True)
class Excerpt:
    """Where the noise is alone: seconds of the recording itself, or a file of its own."""

    start_seconds: float = 0.0
    stop_seconds: float = 0.0
    path: Path | None = None

    def __str__(self) -> str:
        return (
            f"{self.start_seconds:g}-{self.stop_seconds:g} s" if not self.path else self.path.name
        )


def parse(text: str) -> Excerpt:
    """Read ``START-END`` in seconds, or the name of a file; raise :class:`UsageError`."""
    path = Path(text)
    if path.is_file():
        return Excerpt(path=path)
    if not (match := _SPAN.fullmatch(text)):
        raise UsageError(
            f"--noise-profile {text!r}: no such file, nor seconds as START-END (0.5-2)"
        )
    start, stop = (float(group) for group in match.groups())
    if stop <= start:
        raise UsageError(f"--noise-profile {text}: ends before it starts")
    return Excerpt(start, stop)
