"""Mains hum: lines at 50 or 60 Hz and their harmonics, found over a whole recording.

A line counts where it stands out of its surroundings most of the time, which no melody does, and
where mains hum may lie. It is followed by its amplitude and phase in overlapping windows, and what
is followed is subtracted, never more than the line's usual strength: a note in the same place
loses that much and no more.
"""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import median_filter

from shellac.systems.classical.profile import PowerFrames, Thinned

MAINS_HZ = (50.0, 60.0)
HIGHEST_HZ = 1260.0
TOLERANCE = 0.004  # of a frequency: mains, and a transfer's clock
WINDOW_SECONDS = 1.5
STATIONARY_SHARE = 0.1  # a line stands out in all frames but these
FIRST_DB, OTHERS_DB = 12.0, 10.0  # over the surroundings: the mains or its double, and the others
AGREE = 0.001  # of a frequency: lines of one hum
LIMIT = 1.4  # times the usual amplitude
_SURROUNDINGS_HZ = 20.0
_LEAST_FRAMES = 10
MOST_FRAMES = 256  # so many tell a line; more would only fill memory


@dataclass(frozen=True)
class Line:
    """A stationary line; ``amplitude`` (C,) at full scale 1, usual in the recording."""

    frequency_hz: float
    amplitude: np.ndarray
    height_db: float


def window_length(sample_rate: int) -> int:
    """Samples of one window: a power of two near 1.5 s."""
    return 1 << round(np.log2(WINDOW_SECONDS * sample_rate))


def frames(sample_rate: int) -> PowerFrames:
    """Return what collects the spectra that :func:`find` judges."""
    n_fft = window_length(sample_rate)
    bins = slice(0, int(HIGHEST_HZ * n_fft / sample_rate) + 2)
    return PowerFrames(n_fft, bins, Thinned(MOST_FRAMES))


def find(collected: PowerFrames, sample_rate: int) -> list[Line]:
    """Return the hum lines of a recording, lowest first, of one mains frequency; mostly none."""
    power = collected.power()
    if len(power) < _LEAST_FRAMES or not power.any():
        return []
    steady = np.quantile(power, STATIONARY_SHARE, axis=0).mean(axis=0)
    bin_hz = sample_rate / collected.n_fft
    size = 2 * max(3, round(_SURROUNDINGS_HZ / 2 / bin_hz)) + 1
    floor = median_filter(steady, size, mode="nearest")
    level = 10 * np.log10(np.maximum(steady, 1e-30) / np.maximum(floor, 1e-30))
    candidates = [_series(level, steady, power, mains, collected.n_fft, sample_rate)
                  for mains in MAINS_HZ]  # fmt: skip
    return max(candidates, key=lambda lines: sum(line.height_db for line in lines))


def _series(
    level: np.ndarray,
    steady: np.ndarray,
    power: np.ndarray,
    mains_hz: float,
    n_fft: int,
    sample_rate: int,
) -> list[Line]:
    """Return the lines near multiples of one mains frequency, all multiples of one frequency."""
    bin_hz = sample_rate / n_fft
    lines: dict[int, Line] = {}
    for harmonic in range(1, int(HIGHEST_HZ / mains_hz) + 1):
        wanted = harmonic * mains_hz / bin_hz
        reach = max(1.0, wanted * TOLERANCE)
        first, last = int(np.ceil(wanted - reach)), int(wanted + reach)
        if last + 1 >= len(level):
            break
        peak = first + int(np.argmax(level[first : last + 1]))
        if level[peak] < OTHERS_DB or steady[peak] < steady[peak - 1 : peak + 2].max():
            continue
        place = peak + _between_bins(steady[peak - 1 : peak + 2])
        usual = np.median(power[:, :, peak - 1 : peak + 2].sum(axis=-1), axis=0)
        # the three bins of a Hann peak hold 3/32 of (amplitude * n_fft)^2
        amplitude = np.sqrt(usual * 32 / 3) / n_fft
        lines[harmonic] = Line(place * bin_hz, amplitude, float(level[peak]))
    leading = max((1, 2), key=lambda k: lines[k].height_db if k in lines else 0.0)
    if leading not in lines or lines[leading].height_db < FIRST_DB:
        return []
    found_hz = lines[leading].frequency_hz / leading
    if abs(found_hz - mains_hz) > TOLERANCE * mains_hz:
        return []
    return [
        line
        for harmonic, line in lines.items()
        if abs(line.frequency_hz - harmonic * found_hz) < max(bin_hz / 2, AGREE * line.frequency_hz)
    ]


def _between_bins(three: np.ndarray) -> float:
    """Place of a peak of a Hann window between bins, from the powers around it: -0.5 to 0.5."""
    low, middle, high = np.sqrt(np.maximum(three, 1e-30))
    side, sign = (high, 1) if high > low else (low, -1)
    ratio = side / middle
    return float(sign * np.clip((2 * ratio - 1) / (ratio + 1), 0.0, 0.5))


def subtract(waveform: np.ndarray, lines: list[Line], sample_rate: int) -> np.ndarray:
    """Return (C, T) without the lines; windows start at multiples of half their length."""
    length = window_length(sample_rate)
    hop, samples = length // 2, waveform.shape[1]
    tail = -samples % hop + hop
    padded = np.pad(waveform, ((0, 0), (hop, tail)))
    window = np.hanning(length + 1)[:-1]
    cut = np.lib.stride_tricks.sliding_window_view(padded, length, axis=1)[:, ::hop]
    heard = np.pad(np.ones(samples), (hop, tail))
    share = np.lib.stride_tricks.sliding_window_view(heard, length)[::hop] @ window
    turn = np.arange(length) / sample_rate
    waves = np.exp(-2j * np.pi * np.outer([line.frequency_hz for line in lines], turn))
    swing = 2 * (cut @ (waves * window).T) / np.maximum(share, 1.0)[:, None]
    most = LIMIT * np.stack([line.amplitude for line in lines], axis=-1)[:, None]
    swing *= np.minimum(1.0, most / np.maximum(np.abs(swing), 1e-30))
    humming = (swing @ waves.conj()).real * window  # (C, N, length)
    halves = humming.reshape(len(waveform), -1, 2, hop)
    total = np.zeros((len(waveform), halves.shape[1] + 1, hop))
    total[:, :-1] += halves[:, :, 0]
    total[:, 1:] += halves[:, :, 1]
    removed = total.reshape(len(waveform), -1)[:, hop : hop + samples]
    return (waveform - removed).astype(waveform.dtype)
