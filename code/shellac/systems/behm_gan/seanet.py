"""The SEANet baseline of BEHM-GAN: a waveform U-Net of dilated residual units.

After Tagliasacchi et al., "SEANet: A multi-modal speech enhancement network" (2020), in the layout
of eloimoliner/bwe_historical_recordings, whose authors warn that it may differ from the original.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from shellac.systems.behm_gan.audiounet import cropped
from shellac.systems.spectrogram_unet import scaled

CHANNELS = (64, 128, 128, 256, 512, 512)  # of the first convolution, then of each level
NECK = 128
STRIDES = (2, 2, 2, 4, 4)
_KERNEL = 16
_ENCODER_DILATIONS, _DECODER_DILATIONS = (1, 3, 9, 27), (1, 3, 9)
_SLOPE = 0.2


class ResidualUnit(nn.Module):
    """A dilated convolution beside a 1x1 shortcut: (B, inputs, T) -> (B, outputs, T)."""

    def __init__(self, inputs: int, outputs: int, dilation: int):
        super().__init__()
        self.block = nn.Sequential(
            nn.LeakyReLU(_SLOPE),
            nn.ReflectionPad1d(dilation),
            nn.Conv1d(inputs, outputs, 3, dilation=dilation),
            nn.LeakyReLU(_SLOPE, inplace=True),
            nn.Conv1d(outputs, outputs, 1),
        )
        self.shortcut = nn.Conv1d(inputs, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return the sum of both ways."""
        return self.block(x) + self.shortcut(x)


def _level(inputs: int, outputs: int, dilations: tuple[int, ...]) -> nn.Sequential:
    units = (
        ResidualUnit(outputs if i else inputs, outputs, dilation)
        for i, dilation in enumerate(dilations)
    )
    return nn.Sequential(*units)


class Encoder(nn.Module):
    """(B, 1, T) -> the bottom and the skips of every level."""

    def __init__(self, counts: tuple[int, ...]):
        super().__init__()
        sizes = list(zip(counts, counts[1:], strict=False))
        self.layers = nn.ModuleList(_level(*size, _ENCODER_DILATIONS) for size in sizes)
        self.downsamplers = nn.ModuleList(
            nn.Sequential(
                nn.Conv1d(size, size, _KERNEL, stride, padding=_KERNEL // 2),
                nn.LeakyReLU(_SLOPE, inplace=True),
            )
            for size, stride in zip(counts[1:], STRIDES, strict=True)
        )
        self.first_conv = nn.Conv1d(1, counts[0], 7, padding=3)

    def forward(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Return (bottom, skips from the full rate downwards)."""
        x, skips = self.first_conv(x), []
        for layer, down in zip(self.layers, self.downsamplers, strict=True):
            skips.append(layer(x))
            x = down(skips[-1])
        return x, skips


class Decoder(nn.Module):
    """The bottom and the skips -> (B, 1, T)."""

    def __init__(self, counts: tuple[int, ...]):
        super().__init__()
        self.final_conv = nn.Conv1d(counts[1], 1, 7, padding=3)
        self.layers = nn.ModuleList(
            _level(2 * size, size, _DECODER_DILATIONS) for size in counts[1:]
        )
        sources = (*counts[2:], counts[-1])
        self.upsamplers = nn.ModuleList(
            nn.Sequential(
                nn.LeakyReLU(_SLOPE),
                nn.ConvTranspose1d(source, size, _KERNEL, stride, padding=stride // 2),
            )
            for source, size, stride in zip(sources, counts[1:], STRIDES, strict=True)
        )

    def forward(self, x: Tensor, skips: list[Tensor]) -> Tensor:
        """Join the skips, from the lowest rate upwards; ``skips`` is emptied."""
        levels = list(zip(self.upsamplers, self.layers, strict=True))
        for up, layer in reversed(levels):
            skip = skips.pop()
            x = layer(torch.cat((cropped(up(x), skip.shape[-1]), skip), 1))
        return self.final_conv(x)


class SEANet(nn.Module):
    """(B, 1, T) -> (B, 1, T), T at least ``least_samples``.

    ``width`` multiplies the hidden channel counts; 1 is the published size. Raises
    :class:`ValueError` for a width not above 0 and for a shorter input.
    """

    least_samples = 850  # reflection by 27 at a 32nd of the rate

    def __init__(self, width: float = 1.0):
        super().__init__()
        counts = scaled(CHANNELS, width)
        neck = scaled([NECK], width)[0]
        self.encoder = Encoder(counts)
        self.bottleneck = nn.Sequential(
            nn.Conv1d(counts[-1], neck, _KERNEL), nn.Conv1d(neck, counts[-1], _KERNEL)
        )
        self.decoder = Decoder(counts)

    def forward(self, waveform: Tensor) -> Tensor:
        """Return the input plus what the network adds to it."""
        shape = tuple(waveform.shape)
        if len(shape) != 3 or shape[1] != 1 or shape[2] < self.least_samples:
            raise ValueError(
                f"input has shape {shape}: the network takes (B, 1, T), T >= {self.least_samples}"
            )
        x, skips = self.encoder(waveform)
        for convolution in self.bottleneck:
            x = convolution(functional.pad(x, ((_KERNEL - 1) // 2, _KERNEL // 2)))
        return self.decoder(x, skips) + waveform
