"""Thumps: the slow swing of the tone arm after a large click, told from the bass and subtracted.

A deep scratch excites the arm's resonance: 10 to 60 Hz, falling, dying away within a tenth of a
second or three. After every large click the low band is looked at as the sum of two Gaussian
processes: the programme, whose autoregressive model is fitted before and after, and a swing that
starts with the click and dies away. Where the evidence for a swing is strong, its conditional mean
is subtracted. Compare Godsill and Rayner, Digital Audio Restoration (1998), chapter 7, who separate
low-frequency noise pulses by two autoregressive models.
"""

import math
from functools import lru_cache

import numpy as np
from scipy.interpolate import CubicSpline

from shellac.systems.classical.declick import levinson

LOW_RATE_HZ = 400.0
ORDER = 20
BEFORE_SECONDS, AFTER_SECONDS = 0.6, 0.9  # looked at around a click
SWING_SECONDS = 0.5  # of which the swing has this
REACH_SECONDS = BEFORE_SECONDS + AFTER_SECONDS + SWING_SECONDS
LEAST_CLICK = 2.0  # times the local level: smaller ones move no tone arm
LEAST_EVIDENCE = 40.0  # nepers by which a swing must explain the bass better than none
# Evidence for a swing that begins elsewhere must be less, in these shares: shortly after the click
# there is none left to begin, while a bass note begins when it likes.
_ELSEWHERE_SECONDS = {-0.035: 1.0, 0.025: 0.75, 0.06: 1.0, 0.12: 1.0}
_LEAD_SECONDS = 0.005  # the band's filter spreads a beginning
_SWING_HZ = (8.0, 70.0)
_DECAYS_SECONDS = (0.02, 0.035, 0.06)
_PASS_HZ = 110.0
_FILTER_SECONDS = 0.012  # either side
_NEIGHBOURHOOD_SECONDS = 0.05
_ONSET = 3.0  # times the usual prediction error: less is not worth a closer look
_SIZES = 10.0 ** np.arange(-2.0, 5.0, 0.5)  # of the swing's power, over that of the bass


def remove(
    waveform: np.ndarray, repaired: np.ndarray, clicks: list[np.ndarray], sample_rate: int
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Return ``repaired`` (C, T) without thumps, and where they began: samples, one (E,) a channel.

    ``clicks`` are those that made ``repaired`` out of ``waveform``, as
    :func:`shellac.systems.classical.declick.detect` gives them.
    """
    result, begun = repaired.copy(), []
    for heard, row, events in zip(waveform, result, clicks, strict=True):
        starts = []
        for start, _ in events[_large(heard, row, events, sample_rate)]:
            begin = max(0, int(start) - round(_LEAD_SECONDS * sample_rate))
            swing = _swing(row, begin, sample_rate)
            if swing is not None:
                row[begin : begin + len(swing)] -= swing[: len(row) - begin]
                starts.append(start)
        begun.append(np.array(starts, np.int64))
    return result, begun


def _large(
    heard: np.ndarray, repaired: np.ndarray, events: np.ndarray, sample_rate: int
) -> np.ndarray:
    """Tell which clicks (E, 2) stand out of their surroundings: a mask (E,)."""
    near = round(_NEIGHBOURHOOD_SECONDS * sample_rate)
    large = np.zeros(len(events), bool)
    for i, (start, stop) in enumerate(events):
        around = repaired[max(0, start - near) : stop + near]
        level = math.sqrt(float(np.mean(np.square(around))) + 1e-20)
        large[i] = np.abs(heard[start:stop] - repaired[start:stop]).max() > LEAST_CLICK * level
    return large


def _swing(row: np.ndarray, start: int, sample_rate: int) -> np.ndarray | None:
    """Return the swing that begins at ``start``, at the recording's rate, if there is one."""
    low = _low_band(row, start, sample_rate)
    before = round(BEFORE_SECONDS * LOW_RATE_HZ)
    swinging = round(SWING_SECONDS * LOW_RATE_HZ)
    power = float(np.mean(low**2))
    if power < 1e-18:
        return None
    outside = (low[:before], low[before + swinging :])
    predictor = levinson(sum(_correlation(part) for part in outside)[None])[0]
    error = np.convolve(low, predictor)[ORDER : len(low)]  # of sample ORDER and those after it
    usual = np.mean(
        np.square(np.concatenate([error[: before - ORDER], error[before + swinging :]]))
    )
    if np.mean(np.square(error[before - ORDER :][: swinging // 4])) < _ONSET * usual:
        return None
    found = _conditional_mean(low, predictor, float(usual), before, swinging)
    if found is None:
        return None
    seconds = np.arange(swinging) / LOW_RATE_HZ
    fine = np.arange(int(seconds[-1] * sample_rate)) / sample_rate
    return CubicSpline(seconds, found)(fine).astype(row.dtype)


def _low_band(row: np.ndarray, start: int, sample_rate: int) -> np.ndarray:
    """Return the band below 110 Hz around ``start`` at :data:`LOW_RATE_HZ`; silence beyond ends."""
    kernel = _kernel(sample_rate)
    reach = len(kernel) // 2
    first, last = -round(BEFORE_SECONDS * LOW_RATE_HZ), round(AFTER_SECONDS * LOW_RATE_HZ)
    places = start + np.round(np.arange(first, last) * sample_rate / LOW_RATE_HZ).astype(int)
    begin, end = places[0] - reach, places[-1] + reach + 1
    piece = np.zeros(end - begin)
    inside = slice(max(0, begin), min(len(row), end))
    piece[inside.start - begin : inside.stop - begin] = row[inside]
    windows = np.lib.stride_tricks.sliding_window_view(piece, len(kernel))
    return windows[places - places[0]] @ kernel


@lru_cache(maxsize=8)
def _kernel(sample_rate: int) -> np.ndarray:
    reach = max(1, round(_FILTER_SECONDS * sample_rate))
    time = np.arange(-reach, reach + 1) / sample_rate
    kernel = np.sinc(2 * _PASS_HZ * time) * np.kaiser(2 * reach + 1, 5.0)
    return kernel / kernel.sum()


def _correlation(part: np.ndarray) -> np.ndarray:
    full = np.correlate(part, part, "full")[len(part) - 1 :]
    return full[: ORDER + 1] * (np.arange(ORDER + 1) < len(part))


def _conditional_mean(
    low: np.ndarray, predictor: np.ndarray, error_power: float, before: int, swinging: int
) -> np.ndarray | None:
    """Return the swing (S,) given the band (N,), or None where the evidence for one is weak.

    With the precision P of the programme, by its model, and a swing of covariance s K: the log
    evidence and the mean for every size s come from one eigendecomposition.
    """
    n = len(low)
    rows = np.zeros((n - ORDER, n))
    for k in range(ORDER + 1):
        rows[np.arange(n - ORDER), np.arange(n - ORDER) + ORDER - k] = predictor[k]
    rows /= math.sqrt(error_power)
    factor = _swing_factor(swinging) * math.sqrt(float(np.mean(low**2)))
    evidence, mean = _evidence(rows, low, factor, before)
    if evidence < LEAST_EVIDENCE:
        return None
    for offset, share in _ELSEWHERE_SECONDS.items():
        shifted = before + round(offset * LOW_RATE_HZ)
        if _evidence(rows, low, factor, shifted)[0] > share * evidence:
            return None
    return mean


def _evidence(
    rows: np.ndarray, low: np.ndarray, factor: np.ndarray, start: int
) -> tuple[float, np.ndarray]:
    """Return the log evidence (nepers) for a swing that begins at ``start``, and its mean (S,)."""
    whitened = rows[:, start : start + len(factor)] @ factor[: rows.shape[1] - start]
    values, vectors = np.linalg.eigh(whitened.T @ whitened)
    values = np.maximum(values, 0.0)
    told = vectors.T @ (whitened.T @ (rows @ low))
    shrunk = _SIZES[:, None] / (1 + _SIZES[:, None] * values)
    evidence = 0.5 * np.sum(shrunk * told**2 - np.log1p(_SIZES[:, None] * values), axis=1)
    best = int(np.argmax(evidence))
    return float(evidence[best]), factor @ (vectors @ (shrunk[best] * told))


@lru_cache(maxsize=2)
def _swing_factor(swinging: int) -> np.ndarray:
    """Return a square root (S, R) of the covariance of swings of unit power at their start."""
    time = np.arange(swinging) / LOW_RATE_HZ
    hz = np.arange(*_SWING_HZ, 2.0)
    phase = 2 * np.pi * np.outer(time, hz)
    waves = np.concatenate([np.sin(phase), np.cos(phase) - np.cos(phase[:1])], axis=1)
    dying = [np.exp(-time / decay)[:, None] * waves for decay in _DECAYS_SECONDS]
    columns = np.concatenate(dying, axis=1)
    left, singular, _ = np.linalg.svd(columns / math.sqrt(columns.shape[1]), full_matrices=False)
    kept = singular > 1e-4 * singular[0]
    return left[:, kept] * singular[kept]
