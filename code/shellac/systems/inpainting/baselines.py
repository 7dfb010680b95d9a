"""What a network has to beat on segments with lost frames: doing nothing, holding, a straight line.

Segments are (S, N, F) values of :class:`.representation.Representation`; ``lost`` is bool (S, N).
All three leave intact frames as they are, and a segment that is lost whole.
"""

from collections.abc import Callable

import torch
from torch import Tensor


def damaged(values: Tensor, lost: Tensor) -> Tensor:
    """Return zeros in lost frames."""
    return values.masked_fill(lost[..., None], 0)


def hold(values: Tensor, lost: Tensor) -> Tensor:
    """Repeat the last intact frame; before the first one, that."""
    before, after = _neighbours(lost)
    return _frames(damaged(values, lost), torch.where(before < 0, after, before))


def linear(values: Tensor, lost: Tensor) -> Tensor:
    """Draw a straight line along time from intact frame to intact frame, level beyond the last."""
    before, after = _neighbours(lost)
    frames = lost.shape[-1]
    left = torch.where(before < 0, after, before)
    right = torch.where(after == frames, before, after)
    place = torch.arange(frames, device=lost.device)
    share = (place - left) / (right - left).clamp_min(1)
    known = damaged(values, lost)
    weight = share.clamp(0, 1)[..., None].to(values.dtype)
    return torch.lerp(_frames(known, left), _frames(known, right), weight)


BASELINES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "damaged": damaged,
    "hold": hold,
    "linear": linear,
}


def _neighbours(lost: Tensor) -> tuple[Tensor, Tensor]:
    """Find the nearest intact frame at or before each, or -1, and at or after, or N: (S, N)."""
    frames = lost.shape[-1]
    place = torch.arange(frames, device=lost.device)
    before = torch.where(lost, -1, place).cummax(-1).values
    after = torch.where(lost, frames, place).flip(-1).cummin(-1).values.flip(-1)
    return before, after


def _frames(values: Tensor, places: Tensor) -> Tensor:
    """Take (S, N, F) at frames (S, N); where there is none, any lost frame, which is zero."""
    inside = places.clamp(0, values.shape[-2] - 1)
    return values.gather(-2, inside[..., None].expand_as(values))
