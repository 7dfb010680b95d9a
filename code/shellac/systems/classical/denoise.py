"""Hiss suppressed in short-time spectra, given the power of the noise in every bin.

Ephraim and Malah, "Speech enhancement using a minimum mean-square error short-time spectral
amplitude estimator" (1984): a-priori signal-to-noise ratios by the decision-directed rule
(equation 51); and "... log-spectral amplitude estimator" (1985): the gain (equation 20). Two
departures, both of which need the frames to come: the rule runs forwards and backwards and the two
are averaged, so that an attack is heard in its first frame; and the ratio is estimated once more
from what the first gain leaves (Plapous, Marro and Scalart, "Improved signal-to-noise ratio
estimation for speech enhancement", 2006), averaged over a few neighbours, lest single bins ring.
"""

from functools import lru_cache

import numpy as np
import torch
from scipy.special import exp1
from torch import Tensor

DECISION = 0.95  # weight of the frame before in the a-priori ratio
LEAST_RATIO = 1e-3  # of signal to noise, power
FLOOR_DB = -26.0  # no bin is turned down further: what is left masks what would ring
MEMORY_SECONDS = 0.5  # beyond it, a change of far sound moves nothing by more than -100 dB
_SILENCE = 2.0**-20  # amplitude of white noise that is not worth suppressing
_OVER_FRAMES = (0.054, 0.244, 0.404, 0.244, 0.054)
_OVER_BINS = (0.107, 0.786, 0.107)
_TABLE_SIZE, _TABLE_LOW, _TABLE_HIGH = 4096, -14.0, 4.0  # natural logarithms


def gain(power: Tensor, noise: Tensor, floor_db: float = FLOOR_DB) -> Tensor:
    """Return the gains (C, N, F) for spectra of ``power`` (C, N, F) in ``noise`` (C, F) power."""
    least = _SILENCE**2 * 3 / 8 * 2 * (noise.shape[-1] - 1)  # 3/8: mean of a squared Hann window
    posterior = power / noise.clamp_min(least)[:, None]
    ratio = _decision_directed(posterior)
    first = ratio / (1 + ratio)
    ratio = first.square_().mul_(posterior)
    ratio = _averaged(_averaged(ratio, _OVER_FRAMES, 1), _OVER_BINS, 2).clamp_min_(LEAST_RATIO)
    wiener = ratio / (1 + ratio)
    amplitude = wiener * _half_exponential_integral(posterior.mul_(wiener))
    return amplitude.clamp_(10 ** (floor_db / 20), 1.0)


def _decision_directed(posterior: Tensor) -> Tensor:
    """Return a-priori signal-to-noise ratios (C, N, F), the mean of both directions in time."""
    channels = len(posterior)
    both = torch.cat([posterior, posterior.flip(1)]).transpose(0, 1).contiguous()
    ratio = (both - 1).clamp_min_(0)
    kept = ratio[0].clone()
    ratio *= 1 - DECISION
    for now, heard in zip(ratio, both, strict=True):
        now.add_(kept, alpha=DECISION).clamp_min_(LEAST_RATIO)
        torch.div(now, now + 1, out=kept)
        kept.square_().mul_(heard)
    ratio = ratio.transpose(0, 1)
    return (ratio[:channels] + ratio[channels:].flip(1)) / 2


def _averaged(x: Tensor, weights: tuple[float, ...], axis: int) -> Tensor:
    """Average (C, N, F) with its neighbours along ``axis``; the ends repeat."""
    reach, length = len(weights) // 2, x.shape[axis]
    first, last = x.narrow(axis, 0, 1), x.narrow(axis, length - 1, 1)
    padded = torch.cat([*[first] * reach, x, *[last] * reach], axis)
    total = padded.narrow(axis, 0, length) * weights[0]
    for i, weight in enumerate(weights[1:], start=1):
        total.add_(padded.narrow(axis, i, length), alpha=weight)
    return total


def _half_exponential_integral(v: Tensor) -> Tensor:
    """Return exp(E1(v) / 2), from a table over the logarithm of ``v``."""
    table = _table(v.dtype, v.device)
    place = v.clamp(1e-6, 50.0).log_().sub_(_TABLE_LOW)
    place = place.mul_((_TABLE_SIZE - 1) / (_TABLE_HIGH - _TABLE_LOW))
    below = place.long()
    return torch.lerp(table[below], table[below + 1], place - below)


@lru_cache(maxsize=4)
def _table(dtype: torch.dtype, device: torch.device) -> Tensor:
    with torch.inference_mode(False):
        values = np.exp(exp1(np.exp(np.linspace(_TABLE_LOW, _TABLE_HIGH, _TABLE_SIZE))) / 2)
        return torch.tensor(values, dtype=dtype, device=device)
