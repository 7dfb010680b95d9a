"""The U-Net whose modulation is a transformer over blocks of time instead of an LSTM.

Rakotonirina, "Self-attention for audio super-resolution" (MLSP 2021), as published by
ncarraz/AFILM. Departures: the input may have any length (there: 8192 samples, since positions are
a table of that length), dropout is off outside training (there: always on), and the last
convolution is dilated as all others are. As there, attention weights are never dropped, which
leaves attention to PyTorch's fused kernel.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from shellac.systems.superres.network import ENCODER_BLOCKS, ModulatedUNet, scaled_channels

LAYERS = 4
HEADS = 8
HEAD_CHANNELS = 16  # the fewest of any published head
FEED_FORWARD = 2048
ATTENTION_DROPOUT = 0.1
NORMALISATION_EPSILON = 1e-6
INNER_BLOCK = 8  # block length of the bottleneck and of all decoder stages
_LONGEST_PERIOD = 10000.0


def positions(steps: int, channels: int, like: Tensor) -> Tensor:
    """Return the sinusoidal code of each step, (steps, channels): even channels sine, odd cosine.

    Channels 2 i and 2 i + 1 turn by ``10000 ** (-2 i / channels)`` radians per step. On the
    device and in the type of ``like``.
    """
    pairs = torch.arange(channels, device=like.device) // 2
    rates = torch.exp(-2 * math.log(_LONGEST_PERIOD) / channels * pairs)
    angles = torch.arange(steps, device=like.device).unsqueeze(1) * rates
    even = torch.arange(channels, device=like.device) % 2 == 0
    return torch.where(even, angles.sin(), angles.cos()).to(like.dtype)


def heads(channels: int) -> int:
    """Return how many heads share ``channels``: at most 8, whole, of 16 channels or more.

    At the published size that is 8 everywhere. Narrower heads cost as much time each and see less.
    """
    most = min(HEADS, max(1, channels // HEAD_CHANNELS))
    return next(count for count in range(most, 0, -1) if channels % count == 0)


class EncoderLayer(nn.Module):
    """Self-attention and two dense layers, each added and normalised: (B, S, C) -> (B, S, C)."""

    def __init__(self, channels: int, feed_forward: int):
        super().__init__()
        self.heads = heads(channels)
        self.projection = nn.Linear(channels, 3 * channels)
        self.combination = nn.Linear(channels, channels)
        self.dense = nn.Sequential(
            nn.Linear(channels, feed_forward),
            nn.ReLU(inplace=True),
            nn.Linear(feed_forward, channels),
        )
        self.norms = nn.ModuleList(nn.LayerNorm(channels, NORMALISATION_EPSILON) for _ in range(2))
        self.dropout = nn.Dropout(ATTENTION_DROPOUT)

    def forward(self, x: Tensor) -> Tensor:
        """Return what the layer makes of the steps, (B, S, C)."""
        parts = self.projection(x).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        attended = functional.scaled_dot_product_attention(*parts)  # (B, heads, S, channels each)
        x = self.norms[0](x + self.dropout(self.combination(attended.transpose(1, 2).flatten(2))))
        return self.norms[1](x + self.dropout(self.dense(x)))


class AttentionFiLM(nn.Module):
    """Modulate every channel by a transformer over the maxima of blocks: (B, C, T) -> (B, C, T).

    The S = T / block_length maxima, times sqrt(C), plus :func:`positions`, pass 4 post-norm
    encoder layers; value (s, c) of the result scales block s of channel c.
    """

    def __init__(self, channels: int, block_length: int, feed_forward: int):
        super().__init__()
        self.block_length = block_length
        self.dropout = nn.Dropout(ATTENTION_DROPOUT)
        self.layers = nn.Sequential(*(EncoderLayer(channels, feed_forward) for _ in range(LAYERS)))

    def forward(self, x: Tensor) -> Tensor:
        """Return the modulated signal, (B, C, T); T must be a multiple of ``block_length``."""
        channels = x.shape[1]
        steps = functional.max_pool1d(x, self.block_length).transpose(1, 2)  # (B, S, C)
        placed = steps * math.sqrt(channels) + positions(steps.shape[1], channels, steps)
        factors = self.layers(self.dropout(placed))
        blocks = x.unflatten(2, (-1, self.block_length))  # (B, C, S, block_length)
        return (blocks * factors.transpose(1, 2).unsqueeze(3)).flatten(2)


class AFiLMUNet(ModulatedUNet):
    """The U-Net with attention-based modulation: (B, 1, T) -> (B, 1, T).

    Every stage is followed by :class:`AttentionFiLM`, whose feed-forward layers are scaled by
    ``width`` as the channels are. The decoder is as wide as the encoder, stage by stage (in
    :class:`TFiLMUNet` it ends in one channel, which layer normalisation would make constant).
    The work of attention grows with the square of the length, and a step far behind those of its
    training has a position that it never heard: recordings are restored by patches of ``patch``
    samples, as published.

    ``width`` and ``dropout`` as in :class:`AudioUNet`. Raises :class:`ValueError` for a ``width``
    that leaves fewer than two channels, and for an input whose length is not a multiple of
    ``multiple``.
    """

    multiple = 256
    patch = 8192
    prefix = "afilm"

    def __init__(self, width: float = 1.0, dropout: float = 0.5):
        super().__init__()
        channels = scaled_channels(width)
        if min(channels) < 2:
            raise ValueError(f"width is {width}: it must leave two channels or more (1 / 64)")
        feed_forward = max(1, round(FEED_FORWARD * width))

        def modulation(channels: int, block_length: int) -> AttentionFiLM:
            return AttentionFiLM(channels, block_length, feed_forward)

        blocks = (ENCODER_BLOCKS, INNER_BLOCK, (INNER_BLOCK,) * len(channels))
        self._assemble(channels, channels, blocks, dropout, modulation)
