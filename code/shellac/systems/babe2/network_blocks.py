"""Blocks of the CQTdiff+ network; module names are those of the published checkpoints.

Maps are (B, F, T, C): frequency, time, channels last, the layout in which convolutions of many
channels are fastest. Kernels of 1x1 are matrices then, and no map is ever transposed.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from shellac.systems.babe2.network_attention import Attention, TimeAttention
from shellac.systems.babe2.network_dilated import GROUPS, Layer, convolve, dilated

HALF = math.sqrt(0.5)
FEATURES = 32
_SPREAD = 16.0
_GATE = 1e-7
_EPSILON = 1e-7
# Half-band low-pass of eight taps, as in the published checkpoints.
_TAPS = (-0.01171875, -0.03515625, 0.11328125, 0.43359375)
Kernel = tuple[int, int]
WIDE: Kernel = (5, 3)
POINT: Kernel = (1, 1)


def linear(inputs: int, outputs: int) -> nn.Linear:
    """A linear layer whose bias starts at zero."""
    layer = nn.Linear(inputs, outputs)
    nn.init.zeros_(layer.bias)
    return layer


def gate(inputs: int, outputs: int) -> nn.Linear:
    """A linear layer that starts almost closed, so that a block starts as the identity."""
    layer = linear(inputs, outputs)
    bound = _GATE * math.sqrt(3 / inputs)
    nn.init.uniform_(layer.weight, -bound, bound)
    return layer


def convolution(inputs: int, outputs: int, kernel: Kernel) -> nn.Conv2d:
    """A kernel without bias, drawn uniformly from +-1/sqrt(fan-in)."""
    return nn.Conv2d(inputs, outputs, kernel, bias=False)


class FourierFeatures(nn.Module):
    """Sines and cosines of fixed random frequencies: (..., 1) -> (..., 64)."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("RFF_freq", _SPREAD * torch.randn(1, FEATURES))

    def features(self, x: Tensor) -> Tensor:
        """Evaluate."""
        turn = 2 * math.pi * x * self.RFF_freq
        return torch.cat((turn.sin(), turn.cos()), -1)


class NoiseEmbedding(FourierFeatures):
    """What the network is told about the noise level: (B, 1) -> (B, ``size``)."""

    def __init__(self, size: int):
        super().__init__()
        self.MLP = nn.ModuleList((linear(2 * FEATURES, 128), linear(128, 256), linear(256, size)))

    def forward(self, level: Tensor) -> Tensor:
        """Embed ln(sigma) / 4."""
        x = self.features(level)
        for layer in self.MLP:
            x = functional.relu(layer(x))
        return x


class RowFeatures(FourierFeatures):
    """Appends to (B, F, T, 2) where each row lies among ``total``: (B, F, T, 66)."""

    channels = 2 + 2 * FEATURES

    def __init__(self, total: int):
        super().__init__()
        self.total = total

    def forward(self, x: Tensor, first: int) -> Tensor:
        """Append the features of the rows from ``first``."""
        rows = torch.arange(first, first + x.shape[1], device=x.device, dtype=x.dtype)
        told = self.features(rows[:, None] / self.total)
        told = told[None, :, None].expand(*x.shape[:3], -1)
        return torch.cat((x, told), -1)


class Resampler(nn.Module):
    """The low-pass of both resamplers, kept in the checkpoint."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("kernel", torch.tensor(_TAPS + _TAPS[::-1]))

    def _kernel(self, channels: int) -> Tensor:
        return self.kernel.expand(channels, 1, 1, -1)


class Downsampler(Resampler):
    """Halves time: (B, F, T, C) -> (B, F, T / 2, C), reflected at the ends."""

    def forward(self, x: Tensor) -> Tensor:
        """Filter and keep every other step."""
        channels = x.shape[3]
        padded = functional.pad(x.permute(0, 3, 1, 2), (3, 3, 0, 0), mode="reflect")
        y = functional.conv2d(padded, self._kernel(channels), stride=(1, 2), groups=channels)
        return y.permute(0, 2, 3, 1)


class Upsampler(Resampler):
    """Doubles time: (B, F, T, C) -> (B, F, 2 T, C), at half the level, as published."""

    def forward(self, x: Tensor) -> Tensor:
        """Put zeros between the steps and filter."""
        channels = x.shape[3]
        padded = functional.pad(x.permute(0, 3, 1, 2), (2, 2, 0, 0), mode="reflect")
        y = functional.conv_transpose2d(
            padded, self._kernel(channels), stride=(1, 2), padding=(0, 7), groups=channels
        )
        return y.permute(0, 2, 3, 1)


class Scale(nn.Module):
    """The learned scale of a group normalisation that takes no mean away."""

    def __init__(self, channels: int):
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(1, channels, 1, 1))


class ResBlock(nn.Module):
    """Gated layers of growing dilation in frequency, under the control of the noise embedding.

    (B, F, T, ``inputs``) -> (B, F, T, ``outputs``). ``first`` says whether channels change before
    the layers (which then have ``outputs``) or after them. ``rows``, with ``attention``, is F.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        layers: int,
        kernel: Kernel,
        embedding: int,
        first: bool = True,
        attention: Attention | None = None,
        rows: int = 0,
    ):
        super().__init__()
        size = outputs if first else inputs
        if size % GROUPS:
            raise ValueError(f"{size} channels are not in {GROUPS} groups: give multiples of it")
        changes = inputs != outputs
        self.proj_out = None if first else convolution(size, outputs, POINT)
        self.res_conv = convolution(inputs, outputs, POINT) if changes else None
        self.proj_in = convolution(inputs, size, POINT) if first and changes else None
        self.H = nn.ModuleList(convolution(size, size, kernel) for _ in range(layers))
        self.affine = nn.ModuleList(linear(embedding, size) for _ in range(layers))
        self.gate = nn.ModuleList(gate(embedding, size) for _ in range(layers))
        self.norm = nn.ModuleList(Scale(size) for _ in range(layers))
        self.attends = attention is not None
        if attention is not None:
            self.norm2 = Scale(size)
            self.affine2 = linear(embedding, size)
            self.gate2 = gate(embedding, size)
            self.attn_block = TimeAttention(size, rows, attention)

    def forward(self, x: Tensor, told: Tensor, skip: Tensor | None = None) -> Tensor:
        """Transform; ``skip`` are more channels of the input, which are not put beside ``x``."""
        h = mixed((x, skip), self.proj_in)
        if self.attends:
            h = self._attended(h, told)
        layers = [
            Layer(each.weight, _scale(norm, affine, told), opened(told), 1 << i)
            for i, (each, norm, affine, opened) in enumerate(
                zip(self.H, self.norm, self.affine, self.gate, strict=True)
            )
        ]
        h = dilated(h, layers)
        if self.proj_out is not None:
            h = convolve(h, self.proj_out.weight)
        return torch.add(h, mixed((x, skip), self.res_conv)).mul_(HALF)

    def _attended(self, h: Tensor, told: Tensor) -> Tensor:
        deviation = h.unflatten(3, (GROUPS, -1)).std((1, 2, 4))
        deviation = deviation.repeat_interleave(h.shape[3] // GROUPS, 1)
        scale = _scale(self.norm2, self.affine2, told) / (deviation + _EPSILON)
        found = self.attn_block(h * scale[:, None, None])
        return (h + self.gate2(told)[:, None, None] * found) * HALF


def _scale(norm: Scale, affine: nn.Linear, told: Tensor) -> Tensor:
    return norm.gamma.flatten() * (1 + affine(told))


def mixed(maps: Sequence[Tensor | None], kernel: nn.Conv2d | None) -> Tensor:
    """Convolve maps that lie beside each other with a 1x1 kernel, or return the only one."""
    given = [each for each in maps if each is not None]
    if kernel is None:
        return torch.cat(given, -1) if len(given) > 1 else given[0]
    parts = kernel.weight[:, :, 0, 0].split([each.shape[3] for each in given], 1)
    total = given[0].flatten(0, 2) @ parts[0].T
    for each, part in zip(given[1:], parts[1:], strict=True):
        total.addmm_(each.flatten(0, 2), part.T)
    return total.unflatten(0, given[0].shape[:3])
