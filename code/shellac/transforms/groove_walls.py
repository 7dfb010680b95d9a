"""One channel out of two transfers of the same groove: the two walls of a mono record.

A stereo cartridge plays both walls of a mono groove. They carry one programme, one of them a
fraction of a sample late, and dust and wear of their own: joined in time, their mean has 3 dB less
noise than either; and what damaged one wall alone is not heard where the other one speaks. Walls
cut up and down (cylinders, hill-and-dale discs) move against each other: one is then turned over.
The delay is that of the generalised cross-correlation, weighted by what coherence says of every
frequency: Knapp and Carter, "The generalized correlation method for estimation of time delay"
(1976).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

MODES = ("mix", "quieter", "left", "right")
MAX_DELAY_SECONDS = 1e-3
LEAST_CORRELATION = 0.5  # of both walls after alignment; below it they are two channels
_FRAME = 4096
_FINER = 16  # points per sample of the correlation
_TAPS_EITHER_SIDE = 32
_KAISER_BETA = 8.0
_NOISE_SECONDS = 2e-3  # over which the noise of a wall is looked at
_POWER = 2  # of the ratio of noises that decides between walls
_PROGRAMME_HZ = (150.0, 3000.0)  # where old records hold most of theirs

Read = Callable[[int, int], np.ndarray]


@dataclass(frozen=True)
class Walls:
    """How two channels lie to each other, and how to make one of them.

    ``delay`` is how many samples the right channel is late, ``sign`` -1 where it is turned over,
    ``gain`` what brings its programme to the level of the left one, ``correlation`` that of the
    aligned programme, 0 to 1.
    """

    mode: str
    sample_rate: int
    delay: float = 0.0
    sign: int = 1
    gain: float = 1.0
    correlation: float = 1.0

    def joined(self, read: Read, samples: int) -> Read:
        """Return a reader of one channel (1, n) from one of two, of ``samples`` each."""
        reach = self._reach

        def read_one(start: int, stop: int) -> np.ndarray:
            first, last = max(0, start - reach), min(samples, stop + reach)
            both = read(first, last)
            inside = slice(start - first, stop - first)
            if self.mode in ("left", "right"):
                return both[int(self.mode == "right")][None, inside]
            left, right = both[0], self._aligned(both[1])
            if self.mode == "mix":
                return ((left + right) / 2)[None, inside]
            share = self._share_of_right(left, right * self.gain)
            joined = left + (right * self.gain - left) * share
            return joined[None, inside].astype(np.float32)

        return read_one

    @property
    def _reach(self) -> int:
        if self.mode in ("left", "right"):
            return 0
        return _TAPS_EITHER_SIDE + math.ceil(abs(self.delay)) + 2 * self._noise_length + 2

    @property
    def _noise_length(self) -> int:
        return max(3, round(_NOISE_SECONDS * self.sample_rate))

    def _aligned(self, right: np.ndarray) -> np.ndarray:
        """Return the right wall (n,) as early as the left one, and of its sign."""
        whole = round(self.delay)
        part = self.delay - whole
        moved = np.zeros_like(right)
        if abs(whole) < len(right):
            source = right[max(0, whole) : len(right) + min(0, whole)]
            moved[max(0, -whole) : max(0, -whole) + len(source)] = source
        if abs(part) > 1e-3:
            moved = np.convolve(moved, _fractional(part))[_TAPS_EITHER_SIDE:-_TAPS_EITHER_SIDE]
        return (self.sign * moved).astype(np.float32)

    def _share_of_right(self, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        """Return the share (n,) of the right wall in the result: large where the left is noisy.

        Noise is told by the energy of second differences, which treble has and old programme
        hardly; of equal energies both walls have half.
        """
        length = self._noise_length
        box, smooth = np.ones(length) / length, np.hanning(length + 2)[1:-1]
        smooth /= smooth.sum()
        energies = []
        for wall in (left, right):
            bend = np.diff(np.pad(wall, 1, mode="edge").astype(np.float64), 2) ** 2
            energies.append(_smoothed(bend, box) ** _POWER + 1e-30)
        return _smoothed(energies[0] / (energies[0] + energies[1]), smooth)

    def told(self) -> dict[str, object]:
        """Say it for people to read."""
        if self.mode in ("left", "right"):
            return {"how": self.mode}
        return {
            "how": self.mode,
            "right_late_by_ms": round(1e3 * self.delay / self.sample_rate, 5),
            "right_turned_over": self.sign < 0,
            "right_gain": round(self.gain, 4) if self.mode == "quieter" else 1.0,
            "correlation": round(self.correlation, 4),
        }


def survey(read: Read, samples: int, sample_rate: int, mode: str) -> Walls:
    """Hear both channels once and say how they are to become one by ``mode``.

    Channels that are no two walls of one groove, by :data:`LEAST_CORRELATION`, are not moved.
    """
    if mode in ("left", "right"):
        return Walls(mode, sample_rate)
    powers = _cross_powers(read, samples)
    delay, sign = _delay(powers, sample_rate)
    correlation, gain = _agreement(powers, delay, sample_rate)
    if correlation < LEAST_CORRELATION:
        return Walls(mode, sample_rate, correlation=correlation)
    return Walls(mode, sample_rate, delay, sign, gain, correlation)


def _cross_powers(read: Read, samples: int) -> np.ndarray:
    """Return powers of left and right, and their cross power, over the recording: (3, F)."""
    window = np.hanning(_FRAME + 1)[:-1]
    total = np.zeros((3, _FRAME // 2 + 1), np.complex128)
    for start in range(0, samples, _FRAME):
        block = read(start, min(start + _FRAME, samples))
        spectra = np.fft.rfft(np.pad(block, ((0, 0), (0, _FRAME - block.shape[1]))) * window)
        total[:2] += np.abs(spectra) ** 2
        total[2] += spectra[0].conj() * spectra[1]
    return total


def _delay(powers: np.ndarray, sample_rate: int) -> tuple[float, int]:
    """Return by how many samples the right channel is late, and its sign."""
    both = np.maximum(powers[0].real * powers[1].real, 1e-60)
    coherence = np.minimum(np.abs(powers[2]) ** 2 / both, 0.9999)
    magnitude = np.maximum(np.abs(powers[2]), 1e-30)
    weighted = coherence / (1 - coherence) * powers[2] / magnitude
    correlation = np.fft.irfft(weighted, _FINER * _FRAME)
    most = max(1, round(MAX_DELAY_SECONDS * sample_rate)) * _FINER
    near = np.concatenate([correlation[-most:], correlation[: most + 1]])
    peak = int(np.argmax(np.abs(near[1:-1]))) + 1
    low, middle, high = np.abs(near[peak - 1 : peak + 2])
    curve = low - 2 * middle + high
    between = 0.5 * (low - high) / curve if curve < 0 else 0.0
    return (peak - most + between) / _FINER, 1 if near[peak] >= 0 else -1


def _agreement(powers: np.ndarray, delay: float, sample_rate: int) -> tuple[float, float]:
    """Return correlation of the aligned programme, and the gain that makes the right as loud."""
    hz = np.arange(powers.shape[1]) * sample_rate / _FRAME
    band = (hz >= _PROGRAMME_HZ[0]) & (hz <= _PROGRAMME_HZ[1])
    turn = np.exp(2j * np.pi * hz * delay / sample_rate)
    left, right = (float(each[band].real.sum()) for each in powers[:2])
    cross = abs(float((powers[2] * turn)[band].real.sum()))
    if min(left, right) <= 0 or cross <= 0:
        return 0.0, 1.0
    # the main axis of their cloud: both walls are noisy, so neither is regressed on the other
    half = (left - right) / 2
    slope = (math.hypot(half, cross) - half) / cross
    return cross / math.sqrt(left * right), 1.0 / slope


def _smoothed(x: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Average (n,) with its neighbours under weights that sum to one; the ends repeat."""
    before = len(weights) // 2
    padded = np.pad(x, (before, len(weights) - 1 - before), mode="edge")
    return np.convolve(padded, weights, "valid")


def _fractional(part: float) -> np.ndarray:
    """Return the taps that move a signal earlier by ``part`` of a sample."""
    place = np.arange(-_TAPS_EITHER_SIDE, _TAPS_EITHER_SIDE + 1) + part
    shape = np.sqrt(np.maximum(0.0, 1 - (place / (_TAPS_EITHER_SIDE + 1)) ** 2))
    taps = np.sinc(place) * np.i0(_KAISER_BETA * shape) / np.i0(_KAISER_BETA)
    return taps / taps.sum()
