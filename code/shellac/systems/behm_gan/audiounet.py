"""The AudioUNet baseline of BEHM-GAN: a waveform U-Net that adds the missing band.

After Kuleshov, Enam, Ermon, "Audio super-resolution using neural networks" (2017), in the layout
of eloimoliner/bwe_historical_recordings.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from shellac.systems.spectrogram_unet import scaled
from shellac.systems.subpixel import SubpixelShuffle

_DOWN = (128, 256, 512, 512, 512)
_DOWN_KERNELS = (65, 33, 17, 9, 9)
_UP = (1024, 1024, 512, 256)  # before each shuffle
_UP_KERNELS = (17, 33, 65, 9, 9)
_BOTTOM_KERNEL = 9


def _convolution(inputs: int, outputs: int, kernel: int, stride: int = 1) -> nn.Conv1d:
    return nn.Conv1d(inputs, outputs, kernel, stride, padding=kernel // 2)


class AudioUNet(nn.Module):
    """(B, 1, T) -> (B, 1, T), T even.

    ``width`` multiplies the hidden channel counts; 1 is the published size. Raises
    :class:`ValueError` for a width not above 0 and for an odd or empty input.
    """

    def __init__(self, width: float = 1.0):
        super().__init__()
        down = scaled(_DOWN, width)
        self.down_net = nn.ModuleList(
            nn.Sequential(_convolution(inputs, outputs, kernel, stride=2), nn.ReLU(inplace=True))
            for inputs, outputs, kernel in zip((1, *down), down, _DOWN_KERNELS, strict=False)
        )
        bottom = down[-1]
        self.bottleneck = nn.Sequential(
            _convolution(bottom, bottom, _BOTTOM_KERNEL, stride=2),
            nn.ReLU(inplace=True),
            _convolution(bottom, 2 * bottom, _BOTTOM_KERNEL),
            nn.ReLU(inplace=True),
            SubpixelShuffle(2),
        )
        up = [2 * half for half in scaled([count // 2 for count in _UP], width)] + [2]
        self.up_net = nn.ModuleList()
        current = bottom
        for outputs, kernel, skip in zip(up, _UP_KERNELS, reversed(down), strict=True):
            layers: list[nn.Module] = [_convolution(current + skip, outputs, kernel)]
            if len(self.up_net) < len(up) - 1:
                layers.append(nn.ReLU(inplace=True))
            self.up_net.append(nn.Sequential(*layers, SubpixelShuffle(2)))
            current = outputs // 2

    def forward(self, waveform: Tensor) -> Tensor:
        """Return the input plus what the network adds to it."""
        if waveform.ndim != 3 or waveform.shape[1] != 1 or waveform.shape[2] % 2:
            shape = tuple(waveform.shape)
            raise ValueError(f"input has shape {shape}: the network takes (B, 1, T), T even")
        x, skips = waveform, []
        for layer in self.down_net:
            x = layer(x)
            skips.append(x)
        x = self.bottleneck(x)
        for layer in self.up_net:
            skip = skips.pop()
            x = layer(torch.cat((cropped(x, skip.shape[-1]), skip), 1))
        return cropped(x, waveform.shape[-1]) + waveform


def cropped(x: Tensor, length: int) -> Tensor:
    """Cut the middle ``length`` samples, the odd one off the end: (..., T) -> (..., length)."""
    start = (x.shape[-1] - length) // 2
    return functional.pad(x, (-start, start + length - x.shape[-1]))
