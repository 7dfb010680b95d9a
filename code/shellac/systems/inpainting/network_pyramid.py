"""Feature pyramids: laterals of one width from every depth, carried up and read at each level."""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from shellac.systems.inpainting.blocks import ConvUnit, Gate, Join
from shellac.systems.inpainting.network_plan import WIDTHS, Estimate, Plan

LATERAL = 128
HEAD = 32
LEVELS = 4


class Pyramid(nn.Module):
    """(B, C, N, F) -> residual or estimate, (B, C', N, F).

    ``encoder`` are units each followed by pooling; ``lateral`` reads the last map, ``joins`` bring
    the pooled maps before it to what ``ups`` return. ``heads`` belong to the last so many ups,
    ``rises`` bring their outputs to full size.
    """

    def __init__(
        self, encoder: Sequence[nn.Module], lateral: nn.Module, ups: Sequence[nn.Module],
        joins: Sequence[Join], heads: Sequence[nn.Module], rises: Sequence[nn.Module],
        last: nn.Sequential,
    ):  # fmt: skip
        super().__init__()
        self.pool = nn.MaxPool2d(2)
        self.encoder, self.lateral, self.last = nn.ModuleList(encoder), lateral, last
        self.ups, self.joins = nn.ModuleList(ups), nn.ModuleList(joins)
        self.heads, self.rises = nn.ModuleList(heads), nn.ModuleList(rises)

    def forward(self, x: Tensor, eps: Tensor | torch.Generator | None) -> Estimate:
        """Return the last convolution's output; ``eps`` is not used."""
        maps = []
        for unit in self.encoder:
            x = self.pool(unit(x))
            maps.append(x)
        x = self.lateral(maps.pop())
        levels = []
        for i, up in enumerate(self.ups):
            x = up(x)
            levels.append(x)
            if i < len(self.joins):
                x = self.joins[i](maps.pop(), x)
        read = levels[-len(self.heads) :]
        risen = [rise(head(y)) for y, head, rise in zip(read, self.heads, self.rises, strict=True)]
        return Estimate(self.last(torch.cat(risen, 1) if len(risen) > 1 else risen[0]))


def pyramid(
    plan: Plan,
    *,
    lateral: Sequence[int] = (1,),
    join: Literal["add", "concat"] = "add",
    up: int = 0,
    heads: int = LEVELS,
    gate: bool = False,
    raw_skips: bool = False,
) -> Pyramid:
    """Build a network of the pyramid family.

    ``lateral``: kernels of the convolutions of every lateral, in series; ``up``: kernel of
    transposed convolutions, 0 for repetition; ``heads``: how many levels are read; ``gate``:
    attention gates on laterals. ``raw_skips``: only the deepest has a lateral, to the others the
    pooled maps are added as they are, for which the up-steps take their widths (256, 128, 64, then
    32). As published this variant keeps 128 there and cannot be built: those widths are our repair.
    """
    widths, side = [plan.of(width) for width in WIDTHS], plan.of(LATERAL)
    sources = [plan.inputs, *widths]
    encoder = [ConvUnit(a, b) for a, b in zip(sources, widths, strict=False)]
    rising = [*widths[-2::-1]] if raw_skips else [side] * LEVELS
    below, ups, joins, read = side, [], [], []
    for i in range(LEVELS):
        ups.append(_up(below, rising[i], up, 2))
        read.append(rising[i] if up else below)
        below = read[-1]
        if i == LEVELS - 1:
            break
        skip = None if raw_skips else _lateral(widths[-2 - i], side, lateral)
        joins.append(Join(join, skip, Gate(side, below, 1) if gate else None))
        below += side if join == "concat" else 0
    head = plan.of(HEAD)
    readers = [nn.Sequential(ConvUnit(w, head), ConvUnit(head, head)) for w in read[-heads:]]
    rises = [_up(head, head, up, 2**i) for i in range(heads, 0, -1)]
    last = nn.Sequential(
        ConvUnit(heads * head, head), ConvUnit(head, plan.outputs, norm=False, act="linear")
    )
    first = _lateral(widths[-1], side, lateral)
    return Pyramid(encoder, first, ups, joins, readers, rises, last)


def _up(source: int, width: int, kernel: int, factor: int) -> nn.Module:
    if not kernel:
        return nn.Upsample(scale_factor=factor)
    return ConvUnit(source, width, kernel, factor, norm=False, transposed=True)


def _lateral(source: int, width: int, kernels: Sequence[int]) -> nn.Sequential:
    sources = [source] + [width] * (len(kernels) - 1)
    pairs = zip(sources, kernels, strict=True)
    return nn.Sequential(*(ConvUnit(s, width, kernel, norm=False) for s, kernel in pairs))
