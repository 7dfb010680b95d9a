"""Networks at full resolution: stacks of (residual) units, and the WaveNet."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from shellac.systems.inpainting.blocks import ChannelAttention, ConvUnit, ResUnit
from shellac.systems.inpainting.network_plan import Estimate, Plan

WAVENET_LAYERS = 30
WAVENET_WIDTH = 32


class Unit(NamedTuple):
    """A convolution of a stack; ``act`` may also be ``slopes``, a PReLU."""

    width: int = 64
    kernel: int = 3
    norm: bool = False
    act: str = "relu"


class Block(NamedTuple):
    """Several in series; ``skip`` adds their input, ``attention`` divides the channels inside."""

    units: tuple[Unit, ...]
    attention: int = 0
    act: str = "linear"
    skip: bool = True


class ResidualStack(nn.Module):
    """Layers and a head in series: (B, C, N, F) -> residual or estimate, (B, C', N, F)."""

    def __init__(self, layers: Sequence[nn.Module], head: nn.Module):
        super().__init__()
        self.layers, self.head = nn.ModuleList(layers), head

    def forward(self, x: Tensor, eps: Tensor | torch.Generator | None) -> Estimate:
        """Return the head's output; ``eps`` is not used."""
        for layer in self.layers:
            x = layer(x)
        return Estimate(self.head(x))


def stack(plan: Plan, *, layers: Sequence[Unit | Block], kernel: int = 3) -> ResidualStack:
    """Build a stack of ``layers`` and a last convolution of ``kernel``."""
    source, built = plan.inputs, []
    for layer in layers:
        units = layer.units if isinstance(layer, Block) else (layer,)
        body, inner = [], source
        for unit in units:
            body.append(_unit(plan, inner, unit))
            inner = plan.of(unit.width)
        if not isinstance(layer, Block):
            built.append(body[0])
        elif not layer.skip:
            built.append(nn.Sequential(*body))
        else:
            squeezed = max(1, inner // layer.attention) if layer.attention else 0
            attention = ChannelAttention(inner, squeezed) if squeezed else None
            built.append(ResUnit(nn.Sequential(*body), attention, layer.act, inner == source))
        source = inner
    return ResidualStack(built, ConvUnit(source, plan.outputs, kernel, norm=False, act="linear"))


def _unit(plan: Plan, source: int, unit: Unit) -> ConvUnit:
    slopes = None
    if unit.act == "slopes":
        slopes = plan.shape if plan.positional else (1, 1)
    width = plan.of(unit.width)
    return ConvUnit(source, width, unit.kernel, norm=unit.norm, act=unit.act, slopes=slopes)


class WaveNet(nn.Module):
    """Gated pointwise layers over the flattened segment: (B, C, N, F) -> (B, C', N, F).

    The published dilations act on kernels of one value, so only the first convolution, over a
    value and the one before it, sees more than one place.
    """

    def __init__(self, plan: Plan):
        super().__init__()
        width = plan.of(WAVENET_WIDTH)
        self.first = nn.Conv1d(plan.inputs, width, 2)
        self.gates, self.residuals, self.skips = (
            nn.ModuleList(nn.Conv1d(width, width, 1) for _ in range(WAVENET_LAYERS))
            for _ in range(3)
        )
        self.head, self.last = nn.Conv1d(width, 1, 1), nn.Conv1d(1, plan.outputs, 1)

    def forward(self, x: Tensor, eps: Tensor | torch.Generator | None) -> Estimate:
        """Return the estimate; ``eps`` is not used."""
        y = self.first(functional.pad(x.flatten(2), (1, 0)))
        total: Tensor | float = 0.0
        for gate, residual, skip in zip(self.gates, self.residuals, self.skips, strict=True):
            gated = gate(y)
            inner = residual(torch.tanh(gated) * torch.sigmoid(gated))
            total = total + skip(inner)
            y = y + inner
        return Estimate(self.last(self.head(torch.relu(total)).relu()).unflatten(2, x.shape[2:]))
