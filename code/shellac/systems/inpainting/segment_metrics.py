"""Measures of restored segments against whole ones, one number per segment.

All take segments (S, 1, N, F) of un-normalised values, the whole ones first, and return float64
tensors (S,): infinite where there is no error, NaN where a segment is silent and a ratio has no
meaning. :func:`mean` leaves both out.
"""

import torch
from torch import Tensor

_CELLS = (1, 2, 3)


def _errors(whole: Tensor, restored: Tensor) -> Tensor:
    """Mean squared error per segment (S,)."""
    return (restored.double() - whole.double()).square().mean(_CELLS)


def psnr_db(whole: Tensor, restored: Tensor, scale: float) -> Tensor:
    """Peak signal-to-noise ratio in dB as published: 10 log10(1 / MSE) of values over ``scale``.

    ``scale`` is the largest value of the training set, so that the figure depends on how loud
    music is against the loudest: ordinary segments of damaged input reach 40 dB.
    """
    return -10 * torch.log10(_errors(whole, restored) / scale**2)


def peak_psnr_db(whole: Tensor, restored: Tensor) -> Tensor:
    """Peak signal-to-noise ratio in dB over the segment's own peak, 10 log10(max^2 / MSE)."""
    peak = whole.double().abs().amax(_CELLS)
    ratio = 10 * torch.log10(peak.square() / _errors(whole, restored))
    return torch.where(peak > 0, ratio, torch.nan)


def nrmse(whole: Tensor, restored: Tensor) -> Tensor:
    """Normalised root-mean-square error, ||y - x|| / ||y|| of a segment."""
    energy = whole.double().square().mean(_CELLS)
    return torch.where(energy > 0, (_errors(whole, restored) / energy).sqrt(), torch.nan)


def mean(values: Tensor) -> float | None:
    """Mean over the segments that have a finite value, None where none has."""
    finite = values[torch.isfinite(values)]
    return float(finite.mean()) if len(finite) else None


def scores(whole: Tensor, restored: Tensor, damaged: Tensor, scale: float) -> dict[str, float]:
    """Return every measure by name, the mean over segments (S, 1, N, F) of one track.

    ``psnr_gain_db`` is what a method gains on the damaged segments, the published headline.
    Measures that no segment has a value of are left out.
    """
    ratio = psnr_db(whole, restored, scale)
    found = {
        "psnr_db": mean(ratio),
        "psnr_gain_db": mean(ratio - psnr_db(whole, damaged, scale)),
        "peak_psnr_db": mean(peak_psnr_db(whole, restored)),
        "nrmse": mean(nrmse(whole, restored)),
    }
    return {name: value for name, value in found.items() if value is not None}
