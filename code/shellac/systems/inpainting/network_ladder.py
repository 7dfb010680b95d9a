"""Encoder-decoders: down in steps, a neck, up in steps with a skip joined at each."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

from shellac.systems.inpainting.blocks import ConvUnit, Gate, Join, LatentNeck, bottleneck_up
from shellac.systems.inpainting.network_plan import WIDTHS, Cascade, Estimate, Plan


class Latent(NamedTuple):
    """Sizes and activations of a variational neck; see :class:`LatentNeck`."""

    hidden: int
    size: int
    hidden_act: str = "relu"
    out_act: str = "relu"
    sampled: bool = True


class Ladder(nn.Module):
    """The way down: units, each followed by a step; (B, C, N, F) -> map and skips, top first."""

    def __init__(self, units: Sequence[nn.Module], steps: Sequence[nn.Module]):
        super().__init__()
        self.units, self.steps = nn.ModuleList(units), nn.ModuleList(steps)

    def forward(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Return the map below the last step and what went into every step."""
        skips = []
        for unit, step in zip(self.units, self.steps, strict=True):
            skips.append(unit(x))
            x = step(skips[-1])
        return x, skips


class EncoderDecoder(nn.Module):
    """Down, neck, and up again: (B, C, N, F) -> residual or estimate, (B, C', N, F).

    ``encoder`` returns a map and as many skips as there are ``ups``, top first; ``joins`` and
    ``units`` belong to the ups, bottom first.
    """

    def __init__(
        self, encoder: nn.Module, neck: nn.Module, latent: LatentNeck | None,
        ups: Sequence[nn.Module], joins: Sequence[Join], units: Sequence[nn.Module],
        head: nn.Module,
    ):  # fmt: skip
        super().__init__()
        self.encoder, self.neck, self.latent, self.head = encoder, neck, latent, head
        self.ups, self.joins = nn.ModuleList(ups), nn.ModuleList(joins)
        self.units = nn.ModuleList(units)

    def forward(self, x: Tensor, eps: Tensor | torch.Generator | None) -> Estimate:
        """Return the head's output, and mean and log-variance where there is a latent neck."""
        x, skips = self.encoder(x)
        x = self.neck(x)
        mean = log_variance = None
        if self.latent is not None:
            x, mean, log_variance = self.latent(x, eps)
        for up, join, unit in zip(self.ups, self.joins, self.units, strict=True):
            x = unit(join(skips.pop(), up(x)))
        return Estimate(self.head(x), None, mean, log_variance)


def unet(
    plan: Plan,
    *,
    encoder: Sequence[int] = WIDTHS,
    kernels: Sequence[int] = (3, 3, 3, 3, 3),
    down: Literal["pool", "conv"] = "pool",
    neck: Sequence[tuple[int, int]] = ((1024, 3),),
    up: Literal["transposed", "bottleneck", "nearest"] = "transposed",
    decoder: Sequence[int] = WIDTHS[::-1],
    join: Literal["concat", "add"] = "concat",
    side: int = 0,
    gate: Literal["", "one", "all"] = "",
    act: str = "relu",
    up_act: str = "relu",
    latent: Latent | None = None,
) -> EncoderDecoder:
    """Build a network of the U-Net family.

    ``encoder``, ``kernels``: of the units on the way down; ``neck``: width and kernel of its units;
    ``decoder``: widths on the way up; ``side``: kernel of a convolution on skips, 0 for none;
    ``gate``: channels of attention gates; ``act``, ``up_act``: activation of units and up-steps.
    """
    widths, source, units, steps = [plan.of(width) for width in encoder], plan.inputs, [], []
    for width, kernel in zip(widths, kernels, strict=True):
        units.append(ConvUnit(source, width, kernel, act=act))
        conv = down == "conv"
        steps.append(ConvUnit(width, width, 3, 2, act=act) if conv else nn.MaxPool2d(2))
        source = width
    bottom = []
    for width, kernel in neck:
        bottom.append(ConvUnit(source, plan.of(width), kernel, act=act))
        source = plan.of(width)
    size = [length // 2 ** len(encoder) for length in plan.shape]
    middle = None
    if latent is not None:
        hidden, values = plan.of(latent.hidden), plan.of(latent.size)
        middle = LatentNeck((source, *size), hidden, values, *latent[2:])
    ups, joins, decoders = [], [], []
    for skip, width in zip(widths[::-1], map(plan.of, decoder), strict=True):
        below = source if up == "nearest" else width
        if up == "transposed":
            ups.append(ConvUnit(source, width, 3, 2, norm=False, act=up_act, transposed=True))
        else:
            ups.append(
                nn.Upsample(scale_factor=2) if up == "nearest" else bottleneck_up(source, width)
            )
        joins.append(
            Join(
                join,
                ConvUnit(skip, skip, side, norm=False) if side else None,
                Gate(skip, below, skip if gate == "all" else 1) if gate else None,
            )
        )
        decoders.append(ConvUnit(below + (skip if join == "concat" else 0), width, act=act))
        source = width
    head = ConvUnit(source, plan.outputs, norm=False, act="linear")
    return EncoderDecoder(
        Ladder(units, steps), nn.Sequential(*bottom), middle, ups, joins, decoders, head
    )


def dual(plan: Plan) -> Cascade:
    """Build two U-Nets in cascade; the second reads as many channels as the first returns."""
    second = Plan(plan.width, plan.inputs - 1 + plan.outputs, plan.outputs, plan.shape, False)
    return Cascade(unet(plan, down="conv"), unet(second, down="conv"))


def strided(plan: Plan) -> EncoderDecoder:
    """Build the network of Mandelli: kernels of 4 at stride 2, activation before the way up."""
    widths = [plan.of(width) for width in (64, 128, 256, 512)]
    sources = [plan.inputs, *widths]
    units = [
        ConvUnit(source, width, 4, 2, norm=i > 0, act="leaky0.3")
        for i, (source, width) in enumerate(zip(sources, widths, strict=False))
    ]
    neck = ConvUnit(widths[-1], widths[-1], 4, 2, norm=False, act="linear")
    kind = {"pre": "relu", "act": "linear", "transposed": True}
    ups, source = [], widths[-1]
    for width in widths[::-1]:
        ups.append(ConvUnit(source, width, 4, 2, **kind))
        source = 2 * width
    head = ConvUnit(source, plan.outputs, 4, 2, norm=False, **kind)
    return EncoderDecoder(
        Ladder(units, [nn.Identity()] * 4), neck, None, ups, [Join("concat") for _ in ups],
        [nn.Identity()] * 4, head,
    )  # fmt: skip
