"""Finding clicks with an autoregressive detector, and the figures that describe a record's noise.

A linear predictor whitens the signal; what it cannot predict and stands far above the rest is a
click. The detector serves to compare noises (a generator with real records): over music it also
fires on attacks. Principle: Vaseghi and Rayner, IEE Proc. I 137 (1990); Godsill and Rayner,
Digital Audio Restoration (1998), chapter 5.
"""

from dataclasses import dataclass

import numpy as np
from scipy import linalg, signal

from shellac.errors import DataError

HIGH_PASS_HZ = 60.0
ORDER = 30
BLOCK = 4096
MODEL_CLIP_SIGMA = 6.0
THRESHOLD_SIGMA = 8.0
JOIN_SECONDS = 0.7e-3
PEAK_SECONDS = 0.5e-3
_MAD_TO_SIGMA = 1.4826


@dataclass(frozen=True)
class Clicks:
    """The clicks of one clip, one entry each: (E,) arrays in order of time.

    ``start`` first and ``stop`` past the last sample of the event; ``amplitude`` the peak of the
    high-passed signal near it, in units of ``rms``, the robust RMS of that signal.
    """

    start: np.ndarray
    stop: np.ndarray
    amplitude: np.ndarray
    rms: float
    sample_rate: int
    samples: int

    @property
    def duration_ms(self) -> np.ndarray:
        """First to last sample above the threshold, (E,) milliseconds."""
        return 1000.0 * (self.stop - self.start) / self.sample_rate

    def per_minute(self, above_rms: float = 0.0) -> float:
        """Return the rate of clicks whose amplitude exceeds ``above_rms`` times the robust RMS."""
        return float(60.0 * self.sample_rate * (self.amplitude > above_rms).sum() / self.samples)


def robust_sigma(x: np.ndarray) -> float:
    """Return 1.4826 times the median absolute deviation from zero: outliers do not count."""
    return float(_MAD_TO_SIGMA * np.median(np.abs(x)))


def high_passed(x: np.ndarray, sample_rate: int) -> np.ndarray:
    """Return ``x`` (T,) without what lies below 60 Hz, float64; zero phase keeps clicks short."""
    sos = signal.butter(4, HIGH_PASS_HZ, "highpass", fs=sample_rate, output="sos")
    return signal.sosfiltfilt(sos, np.asarray(x, np.float64))


def prediction_error(x: np.ndarray) -> np.ndarray:
    """Return the residual (T,) of a linear predictor fitted to every block of 4096 samples.

    The fit sees a copy clipped at six robust sigma, so that clicks do not enter the model. The
    last block keeps its neighbour's samples so that no model rests on a few samples.
    """
    residual = np.zeros_like(x)
    starts = range(0, max(1, len(x) - BLOCK // 2), BLOCK)
    for start in starts:
        stop = len(x) if start == starts[-1] else start + BLOCK
        block = x[start:stop]
        limit = MODEL_CLIP_SIGMA * robust_sigma(block)
        model = np.clip(block, -limit, limit)
        n_fft = 1 << (2 * len(model) - 1).bit_length()
        power = np.abs(np.fft.rfft(model, n_fft)) ** 2
        order = min(ORDER, len(model) - 1)
        correlation = np.fft.irfft(power)[: order + 1]
        if order < 1 or correlation[0] <= 0:
            continue
        correlation[0] *= 1 + 1e-9  # keeps the equations solvable for pure tones
        predictor = linalg.solve_toeplitz(correlation[:-1], correlation[1:])
        context = x[max(0, start - order) : stop]
        error = signal.lfilter(np.concatenate([[1.0], -predictor]), [1.0], context)
        residual[start:stop] = error[len(context) - len(block) :]
    return residual


def detect(x: np.ndarray, sample_rate: int) -> Clicks:
    """Find the clicks of a mono clip.

    Parameters
    ----------
    x : (T,) array
    sample_rate : int
        In Hz.

    Returns
    -------
    Clicks

    Raises
    ------
    DataError
        If the clip is shorter than 50 ms.
    """
    if len(x) < 0.05 * sample_rate:
        raise DataError("click statistics need at least 50 ms of sound")
    x = high_passed(x, sample_rate)
    rms = robust_sigma(x)
    error = prediction_error(x)
    sigma = np.zeros_like(error)
    for start in range(0, len(x), BLOCK):
        sigma[start : start + BLOCK] = robust_sigma(error[start : start + BLOCK])
    exceeding = np.flatnonzero(np.abs(error) > np.maximum(THRESHOLD_SIGMA * sigma, 1e-12))
    if len(exceeding) == 0:
        nothing = np.zeros(0, np.int64)
        return Clicks(nothing, nothing, np.zeros(0), rms, sample_rate, len(x))
    breaks = np.flatnonzero(np.diff(exceeding) >= JOIN_SECONDS * sample_rate)
    start = exceeding[np.concatenate([[0], breaks + 1])]
    stop = exceeding[np.concatenate([breaks, [-1]])] + 1
    reach = int(PEAK_SECONDS * sample_rate)
    peak = [
        np.abs(x[max(0, a - reach) : b + reach]).max() for a, b in zip(start, stop, strict=True)
    ]
    amplitude = np.array(peak) / max(rms, 1e-12)
    return Clicks(start, stop, amplitude, rms, sample_rate, len(x))


@dataclass(frozen=True)
class Statistics:
    """What a table of record noises shows about one clip."""

    rms_dbfs: float
    robust_rms_dbfs: float
    per_minute: float
    per_minute_above_12: float
    per_minute_above_30: float
    duration_ms: tuple[float, float, float, float]  # percentiles 10, 50, 90, 99
    amplitude: tuple[float, float, float]  # percentiles 50, 90, 99, in robust RMS
    gap_cv: float  # standard deviation over mean of the times between clicks; Poisson: 1
    kurtosis: float  # of the unfiltered signal; Gaussian: 3


def summarise(x: np.ndarray, sample_rate: int) -> Statistics:
    """Measure the noise statistics of a mono clip (T,); NaN stands where no click was found."""
    clicks = detect(x, sample_rate)
    centred = np.asarray(x, np.float64) - np.mean(x, dtype=np.float64)
    power = float(np.square(centred).mean())
    gaps = np.diff(clicks.start)
    found = len(clicks.start) > 0

    def percentiles(values: np.ndarray, wanted: tuple[int, ...]) -> tuple[float, ...]:
        return (
            tuple(map(float, np.percentile(values, wanted))) if found else (np.nan,) * len(wanted)
        )

    return Statistics(
        rms_dbfs=float(20 * np.log10(np.sqrt(np.square(x, dtype=np.float64).mean()) + 1e-12)),
        robust_rms_dbfs=float(20 * np.log10(clicks.rms + 1e-12)),
        per_minute=clicks.per_minute(),
        per_minute_above_12=clicks.per_minute(12.0),
        per_minute_above_30=clicks.per_minute(30.0),
        duration_ms=percentiles(clicks.duration_ms, (10, 50, 90, 99)),
        amplitude=percentiles(clicks.amplitude, (50, 90, 99)),
        gap_cv=float(gaps.std() / gaps.mean()) if len(gaps) > 1 else float("nan"),
        kurtosis=float((centred**4).mean() / max(power**2, 1e-30)),
    )
