"""The shuffle of channels into time that waveform U-Nets raise their rate with."""

from torch import Tensor, nn


def subpixel_shuffle(x: Tensor, factor: int) -> Tensor:
    """Interleave groups of channels in time: (B, factor * C, T) -> (B, C, T * factor).

    ``out[b, c, factor * t + i] = x[b, i * C + c, t]``: the phase is the slow index, unlike in
    :class:`torch.nn.PixelShuffle`.
    """
    batch, channels, length = x.shape
    phases = x.view(batch, factor, channels // factor, length)
    return phases.permute(0, 2, 3, 1).reshape(batch, channels // factor, length * factor)


class SubpixelShuffle(nn.Module):
    """:func:`subpixel_shuffle` as a layer without parameters."""

    def __init__(self, factor: int):
        super().__init__()
        self.factor = factor

    def forward(self, x: Tensor) -> Tensor:
        """Interleave: (B, factor * C, T) -> (B, C, T * factor)."""
        return subpixel_shuffle(x, self.factor)
