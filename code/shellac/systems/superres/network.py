"""AudioUNet and the TFiLM U-Net: waveform networks that add the missing band to a spline.

Birnbaum, Kuleshov, Enam, Koh, Ermon, "Temporal FiLM" (NeurIPS 2019), in the layout of
olvrhhn/audio_super_resolution, whose parameter names and order both classes keep.

Both take (B, 1, T) and return (B, 1, T) with T a multiple of the class's ``multiple``. Weights
start from PyTorch's defaults at every width, the last layer included: an untrained network
therefore adds a small random signal, not exactly nothing, to its input.
"""

from collections.abc import Callable
from functools import partial
from typing import Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional

from shellac.systems.subpixel import SubpixelShuffle
from shellac.systems.superres.convolution import DilatedConv1d

ENCODER_CHANNELS = (128, 256, 512, 512)
ENCODER_KERNELS = (65, 33, 17, 9)
ENCODER_BLOCKS = (128, 64, 32, 16)  # of the modulated networks
BOTTLENECK_KERNEL = 9
LAST_KERNEL = 9

Mode = Literal["legacy", "correct"]


def _encoder(in_channels: int, out_channels: int, kernel: int, factor: int) -> list[nn.Module]:
    return [
        DilatedConv1d(in_channels, out_channels, kernel),
        nn.MaxPool1d(factor),
        nn.LeakyReLU(0.2, inplace=True),
    ]


def _bottleneck(channels: int, factor: int, dropout: float, slope: float) -> list[nn.Module]:
    return [
        DilatedConv1d(channels, channels, BOTTLENECK_KERNEL),
        nn.MaxPool1d(factor),
        nn.Dropout(dropout),
        nn.LeakyReLU(slope, inplace=True),
    ]


def _decoder(
    in_channels: int, out_channels: int, kernel: int, factor: int, dropout: float
) -> list[nn.Module]:
    return [
        DilatedConv1d(in_channels, out_channels * factor, kernel),
        nn.Dropout(dropout),
        nn.ReLU(inplace=True),
        SubpixelShuffle(factor),
    ]


def scaled_channels(width: float) -> tuple[int, ...]:
    """Scale the encoder's channel counts; raise :class:`ValueError` for a width not above 0."""
    if not width > 0:
        raise ValueError(f"width is {width}: it must be above 0 (1 is the published size)")
    return tuple(max(1, round(channels * width)) for channels in ENCODER_CHANNELS)


def _check_input(x: Tensor, multiple: int) -> None:
    if x.ndim != 3 or x.shape[1] != 1:
        raise ValueError(f"input has shape {tuple(x.shape)}: the network takes (B, 1, T)")
    if x.shape[2] == 0 or x.shape[2] % multiple:
        raise ValueError(
            f"input has {x.shape[2]} samples: the length must be a multiple of {multiple}"
        )


class TemporalFiLM(nn.Module):
    """Modulate every channel by an LSTM over the maxima of blocks of time: (B, C, T) -> (B, C, T).

    ``correct``: the LSTM runs over the S = T / block_length steps of each item, and the factor
    of step s and channel c scales block s of channel c, as in the paper (which uses one
    direction; here the mean of both, so that the parameters are the published ones).

    ``legacy``: what the published code does and its weights need. The LSTM runs over the *batch*
    axis with the steps as its batch, and the factors are laid over each item's samples in memory
    order, across channels. An item's output then depends on the other items of its batch.
    """

    def __init__(self, channels: int, block_length: int, mode: Mode):
        super().__init__()
        self.block_length = block_length
        self.mode = mode
        self.lstm = nn.LSTM(channels, channels, bidirectional=True, batch_first=(mode == "correct"))

    def forward(self, x: Tensor) -> Tensor:
        """Return the modulated signal, (B, C, T); T must be a multiple of ``block_length``."""
        batch, channels, length = x.shape
        steps = functional.max_pool1d(x, self.block_length).transpose(1, 2)  # (B, S, C)
        hidden, _ = self.lstm(steps)
        factors = hidden.unflatten(2, (2, channels)).mean(2)  # both directions: (B, S, C)
        if self.mode == "legacy":
            blocks = x.reshape(batch, -1, self.block_length, channels)
            return (blocks * factors.unsqueeze(2)).reshape(batch, channels, length)
        blocks = x.unflatten(2, (-1, self.block_length))  # (B, C, S, block_length)
        return (blocks * factors.transpose(1, 2).unsqueeze(3)).flatten(2)


class AudioUNet(nn.Module):
    """The convolutional U-Net with batch normalisation: (B, 1, T) -> (B, 1, T).

    Every stage changes the rate by 4. Kuleshov, Enam, Ermon, "Audio super-resolution using
    neural networks" (2017), with the stride in pooling layers, as published by olvrhhn.

    ``width`` multiplies the hidden channel counts (1 is the published size), ``dropout`` is the
    probability in the bottleneck and the decoder. Raises :class:`ValueError` for a ``width``
    that is not positive and for an input whose length is not a multiple of ``multiple``.
    """

    multiple = 1024
    factor = 4

    def __init__(self, width: float = 1.0, dropout: float = 0.5):
        super().__init__()
        c1, c2, c3, c4 = scaled_channels(width)
        k1, k2, k3, k4 = ENCODER_KERNELS
        self.down1 = self._down(1, c1, k1)
        self.down2 = self._down(c1, c2, k2)
        self.down3 = self._down(c2, c3, k3)
        self.down4 = self._down(c3, c4, k4)
        bottleneck = _bottleneck(c4, self.factor, dropout, slope=0.01)
        self.bottle = nn.Sequential(*bottleneck, nn.BatchNorm1d(c4))
        self.up4 = self._up(c4, c4, k4, dropout)
        self.up3 = self._up(c4 + c4, c2, k3, dropout)
        self.up2 = self._up(c2 + c3, c1, k2, dropout)
        self.up1 = self._up(c1 + c2, 1, k1, dropout)
        self.lastconv = nn.Sequential(
            DilatedConv1d(1 + c1, self.factor, LAST_KERNEL), SubpixelShuffle(self.factor)
        )

    def _down(self, in_channels: int, out_channels: int, kernel: int) -> nn.Sequential:
        layers = _encoder(in_channels, out_channels, kernel, self.factor)
        return nn.Sequential(*layers, nn.BatchNorm1d(out_channels))

    def _up(
        self, in_channels: int, out_channels: int, kernel: int, dropout: float
    ) -> nn.Sequential:
        layers = _decoder(in_channels, out_channels, kernel, self.factor, dropout)
        return nn.Sequential(*layers, nn.BatchNorm1d(out_channels))

    def forward(self, x: Tensor) -> Tensor:
        """Return the input plus what the network adds to it, (B, 1, T)."""
        _check_input(x, self.multiple)
        skip1 = self.down1(x)
        skip2 = self.down2(skip1)
        skip3 = self.down3(skip2)
        skip4 = self.down4(skip3)
        y = self.bottle(skip4)
        y = torch.cat((self.up4(y), skip4), 1)
        y = torch.cat((self.up3(y), skip3), 1)
        y = torch.cat((self.up2(y), skip2), 1)
        y = torch.cat((self.up1(y), skip1), 1)
        return self.lastconv(y) + x


class ModulatedUNet(nn.Module):
    """The skeleton of the U-Nets whose stages are modulated over time: (B, 1, T) -> (B, 1, T).

    Every stage changes the rate by 2 and is followed by ``modulation(channels, block_length)``, a
    layer (B, C, T) -> (B, C, T). ``decoder`` are the widths of the decoder's outputs and the
    ``..._blocks`` the block lengths, both from the outermost stage inwards; the modulations are
    named ``prefix_d1`` to ``prefix_d4``, ``prefix_b`` and ``prefix_u4`` to ``prefix_u1``.
    """

    multiple: int
    factor = 2
    prefix: str
    down2_reads_modulated = True

    def _assemble(
        self,
        encoder: tuple[int, ...],
        decoder: tuple[int, ...],
        blocks: tuple[tuple[int, ...], int, tuple[int, ...]],
        dropout: float,
        modulation: Callable[[int, int], nn.Module],
    ) -> None:
        """Add all layers, in the order of the published checkpoints."""
        down_blocks, bottleneck_block, up_blocks = blocks
        depth = len(encoder)
        for i in range(depth):
            source = encoder[i - 1] if i else 1
            stage = _encoder(source, encoder[i], ENCODER_KERNELS[i], self.factor)
            self.add_module(f"down{i + 1}", nn.Sequential(*stage))
            self.add_module(f"{self.prefix}_d{i + 1}", modulation(encoder[i], down_blocks[i]))
        self.bottle = nn.Sequential(*_bottleneck(encoder[-1], self.factor, dropout, slope=0.2))
        self.add_module(f"{self.prefix}_b", modulation(encoder[-1], bottleneck_block))
        source = encoder[-1]
        for i in reversed(range(depth)):
            stage = _decoder(source, decoder[i], ENCODER_KERNELS[i], self.factor, dropout)
            self.add_module(f"up{i + 1}", nn.Sequential(*stage))
            self.add_module(f"{self.prefix}_u{i + 1}", modulation(decoder[i], up_blocks[i]))
            source = decoder[i] + encoder[i]
        last = DilatedConv1d(source, self.factor, LAST_KERNEL)
        self.last = nn.Sequential(last, SubpixelShuffle(self.factor))

    def _modulated(self, place: str, x: Tensor) -> Tensor:
        return self.get_submodule(f"{self.prefix}_{place}")(x)

    def forward(self, x: Tensor) -> Tensor:
        """Return the input plus what the network adds to it, (B, 1, T)."""
        _check_input(x, self.multiple)
        y, skips = x, []
        for i in range(1, len(ENCODER_KERNELS) + 1):
            plain = self.get_submodule(f"down{i}")(y)
            skips.append(self._modulated(f"d{i}", plain))
            y = skips[-1] if i > 1 or self.down2_reads_modulated else plain
        y = self._modulated("b", self.bottle(y))
        for i in range(len(ENCODER_KERNELS), 0, -1):
            y = self._modulated(f"u{i}", self.get_submodule(f"up{i}")(y))
            y = torch.cat((y, skips[i - 1]), 1)
        return self.last(y) + x


class TFiLMUNet(ModulatedUNet):
    """The U-Net with temporal feature-wise modulation: (B, 1, T) -> (B, 1, T).

    Every stage is followed by :class:`TemporalFiLM`.

    ``mode="correct"`` (for new training) modulates each item along its own time and feeds every
    encoder stage with the modulated signal before it. ``mode="legacy"`` is the published
    function: see :class:`TemporalFiLM`; ``down2`` there reads ``down1`` unmodulated, and inference
    must pass one item at a time. Both hold the same parameters under the same names.

    ``width`` and ``dropout`` as in :class:`AudioUNet`. Raises :class:`ValueError` for a ``width``
    that is not positive, an unknown ``mode``, and an input whose length is not a multiple of
    ``multiple``.
    """

    multiple = 512
    prefix = "tfilm"

    def __init__(self, width: float = 1.0, dropout: float = 0.5, mode: Mode = "correct"):
        super().__init__()
        if mode not in get_args(Mode):
            raise ValueError(f"mode is {mode!r}: it must be one of {', '.join(get_args(Mode))}")
        self.mode = mode
        self.down2_reads_modulated = mode == "correct"
        encoder = scaled_channels(width)
        decoder = (1, encoder[0], encoder[1], encoder[3])
        blocks = (ENCODER_BLOCKS, ENCODER_BLOCKS[-1], ENCODER_BLOCKS)
        self._assemble(encoder, decoder, blocks, dropout, partial(TemporalFiLM, mode=mode))
