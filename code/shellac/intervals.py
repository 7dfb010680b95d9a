"""Bootstrap intervals of means over tracks, and whether two of them can be told apart."""

from typing import NamedTuple

import numpy as np

from shellac.errors import DataError

_DRAWS_PER_BLOCK = 1 << 22


class Interval(NamedTuple):
    """A mean with the bounds of its confidence interval, both None where one value gave it."""

    mean: float
    low: float | None
    high: float | None

    def excludes(self, value: float) -> bool:
        """Tell whether ``value`` lies outside; without bounds nothing is excluded."""
        if self.low is None or self.high is None:
            return False
        return not self.low <= value <= self.high


def bootstrap_mean(
    values: np.ndarray,
    *,
    rng: np.random.Generator,
    confidence: float = 0.95,
    resamples: int = 2000,
) -> Interval:
    """Return the mean of (n,) values with its percentile bootstrap interval.

    ``values`` holds one number per track (never per patch: patches of a track are not independent).
    One track says nothing about others: its bounds are None. Efron and Tibshirani, "An
    introduction to the bootstrap" (1993), chapter 13. Raises :class:`DataError` for no values or
    one that is not finite, :class:`ValueError` for a ``confidence`` outside (0, 1) or fewer than
    one resample.
    """
    values = np.asarray(values, dtype=np.float64)
    if values.ndim != 1 or values.size == 0 or not np.isfinite(values).all():
        raise DataError(f"an interval needs a list of finite numbers, not {values!r}")
    if not 0 < confidence < 1 or resamples < 1:
        raise ValueError(f"confidence {confidence} must lie in (0, 1), resamples {resamples} >= 1")
    mean = float(values.mean())
    if values.size == 1:
        return Interval(mean, None, None)
    means = _resampled_means(values, rng, resamples)
    tail = (1 - confidence) / 2
    low, high = np.quantile(means, (tail, 1 - tail))
    return Interval(mean, float(low), float(high))


def _resampled_means(values: np.ndarray, rng: np.random.Generator, resamples: int) -> np.ndarray:
    """Means of draws with replacement, in blocks of bounded size: (resamples,)."""
    block = max(1, _DRAWS_PER_BLOCK // values.size)
    means = [
        values[rng.integers(values.size, size=(min(block, resamples - done), values.size))].mean(1)
        for done in range(0, resamples, block)
    ]
    return np.concatenate(means)


def bootstrap_difference(
    a: np.ndarray,
    b: np.ndarray,
    *,
    rng: np.random.Generator,
    confidence: float = 0.95,
    resamples: int = 2000,
) -> Interval:
    """Return the interval of the mean of a - b, both (n,) over the same tracks in the same order.

    Pairing removes what makes a track easy or hard for both, so this can tell two methods apart
    where their own intervals overlap: they differ if the interval excludes 0. Raises as
    :func:`bootstrap_mean`, and :class:`DataError` where the lengths differ.
    """
    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if a.shape != b.shape:
        raise DataError(f"{a.size} and {b.size} values are not pairs over the same tracks")
    return bootstrap_mean(a - b, rng=rng, confidence=confidence, resamples=resamples)


def separable(a: Interval, b: Interval) -> bool:
    """Tell whether two intervals do not overlap; without bounds nothing can be told apart."""
    if a.low is None or a.high is None or b.low is None or b.high is None:
        return False
    return a.low > b.high or b.low > a.high
