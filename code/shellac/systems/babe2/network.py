"""CQTdiff+: the diffusion network of BABE-2, a U-Net over the octaves of a constant-Q transform.

Moliner and Välimäki, "Diffusion-based audio inpainting" (2023) and "Blind audio bandwidth
extension" (IEEE/ACM TASLP 32, 2024). An octave is half as long as the one above it, so the encoder
takes in one more octave at each halving of time, and the decoder gives one back at each doubling.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from shellac.systems.babe2.network_attention import Attention
from shellac.systems.babe2.network_blocks import (
    HALF,
    POINT,
    WIDE,
    Downsampler,
    NoiseEmbedding,
    ResBlock,
    RowFeatures,
    Upsampler,
    convolution,
)
from shellac.systems.babe2.network_dilated import GROUPS, convolve
from shellac.transforms.cqt import CQT


class CQTDiff(nn.Module):
    """(B, ``samples``) scaled noisy waveforms and (B, 1) noise levels -> (B, ``samples``).

    The input has been multiplied by c_in, the level is ln(sigma) / 4, and the output is the bare
    network's, to be weighted by c_out. It holds nothing below the lowest bin nor at the Nyquist
    frequency (:meth:`~shellac.transforms.cqt.CQT.in_band`).

    Parameters
    ----------
    samples, sample_rate : int
        Length of a segment, and Hz.
    channels, dilated_layers : sequence of int
        For each octave, the highest first. Channels are multiples of 8; layer i of a block has
        dilation 2**i in frequency.
    bins_per_octave : int
        Rows that each octave adds.
    width : float
        Multiplies ``channels`` (to multiples of 8); 1 is the published size.
    embedding : int
        Size of the noise embedding.
    use_fencoding : bool
        Whether each row is told where it lies.
    attention_layers : sequence of bool
        Whether the encoder and the decoder block of an octave attend over time, and, last, the
        block between them; none by default.
    attention : mapping
        Fields of :class:`~shellac.systems.babe2.network_attention.Attention`.
    window, beta, grid :
        Of the :class:`~shellac.transforms.cqt.CQT`.

    ``checkpointing`` (attribute): whether, where gradients are wanted, blocks keep their input
    alone and are computed again for them. Raises :class:`ValueError` for settings that cannot be
    and inputs of another length.
    """

    whole_precision = True  # its residual stacks compute their gradients by themselves

    def __init__(
        self,
        samples: int,
        sample_rate: int,
        channels: Sequence[int],
        dilated_layers: Sequence[int],
        bins_per_octave: int,
        width: float = 1.0,
        embedding: int = 256,
        use_fencoding: bool = False,
        attention_layers: Sequence[bool] = (),
        attention: dict[str, Any] | None = None,
        window: str = "kaiser",
        beta: float = 1.0,
        grid: str = "clean",
    ):
        super().__init__()
        octaves = len(channels)
        attends = list(attention_layers) or [False] * (octaves + 1)
        _check(octaves, dilated_layers, attends, width)
        sizes = list(channels)
        if width != 1:
            sizes = [max(GROUPS, GROUPS * round(each * width / GROUPS)) for each in channels]
        self.cqt = CQT(octaves, bins_per_octave, sample_rate, samples, window, beta, grid)
        _check_sizes(self.cqt.sizes)
        self.checkpointing = False
        how = Attention(**(attention or {}))

        def block(i: int, inputs: int, outputs: int) -> ResBlock:
            at = min(i, octaves - 1)
            rows, chosen = bins_per_octave * (at + 1), how if attends[i] else None
            layers = dilated_layers[at]
            return ResBlock(inputs, outputs, layers, WIDE, embedding, True, chosen, rows)

        def output(inputs: int) -> ResBlock:
            return ResBlock(inputs, 2, 1, POINT, embedding, first=False)

        self.embedding = NoiseEmbedding(embedding)
        self.freq_encoding = RowFeatures(self.cqt.bins) if use_fencoding else None
        self.downsamplerT, self.upsamplerT = Downsampler(), Upsampler()
        seen = 2 if self.freq_encoding is None else RowFeatures.channels
        self.downs = nn.ModuleList()
        for i, size in enumerate(sizes):
            inner = sizes[max(i - 1, 0)]
            init = ResBlock(seen, inner, 1, POINT, embedding)
            self.downs.append(
                nn.ModuleList((init, convolution(2, size, WIDE), block(i, inner, size)))
            )
        deepest = sizes[-1]
        middle = (output(deepest), block(octaves, deepest, deepest))
        self.middle = nn.ModuleList((nn.ModuleList(middle),))
        self.ups = nn.ModuleList()
        for i in reversed(range(octaves)):
            outer = sizes[max(i - 1, 0)]
            self.ups.append(nn.ModuleList((output(outer), block(i, 2 * sizes[i], outer))))

    def forward(self, x: Tensor, level: Tensor) -> Tensor:
        """Estimate."""
        told = self.embedding(level)
        octaves = self.cqt.analyse(x)
        bottom, skips = self._encode([torch.view_as_real(each) for each in octaves], told)
        return self.cqt.synthesise(self._decode(bottom, skips, told))

    def _run(self, function: Callable[..., Tensor], *given: Tensor) -> Tensor:
        if self.checkpointing and torch.is_grad_enabled():
            return checkpoint(function, *given, use_reentrant=False, preserve_rng_state=False)
        return function(*given)

    def _encode(self, octaves: list[Tensor], told: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Take in octaves (B, b, T, 2), lowest first; return the bottom and a map of each."""
        skips: list[Tensor] = []
        last = len(octaves) - 1
        x = pyramid = torch.empty(0)
        for i, (init, widen, block) in enumerate(self.downs):
            octave = octaves[last - i]
            first = octave.shape[1] * (last - i)
            told_rows = octave if self.freq_encoding is None else self.freq_encoding(octave, first)
            joined = self._run(init, told_rows, told)
            x = self._run(block, torch.cat((joined, x), 1) if i else joined, told)
            skips.append(x)
            if i < last:
                x, octave = self.downsamplerT(x), self.downsamplerT(octave)
                pyramid = self.downsamplerT(pyramid) if i else pyramid
            pyramid = torch.cat((octave, pyramid), 1) if i else octave
            x = torch.add(convolve(pyramid, widen.weight), x).mul_(HALF)
        return x, skips

    def _decode(self, x: Tensor, skips: list[Tensor], told: Tensor) -> list[Tensor]:
        """Give back the octaves, lowest first; ``skips`` is emptied, each freed once used."""
        (output, block), rows = self.middle[0], self.cqt.bins_per_octave
        x = self._run(block, x, told)
        y = self._run(output, x, told)
        octaves = []
        for output, block in self.ups:
            x = self._run(block, x, told, skips.pop())
            y = torch.add(y, self._run(output, x, told)).mul_(HALF)
            octaves.append(torch.view_as_complex(y[:, :rows].contiguous()))
            if skips:
                x, y = self.upsamplerT(x[:, rows:]), self.upsamplerT(y[:, rows:])
        return octaves


def _check(octaves: int, layers: Sequence[int], attends: Sequence[bool], width: float) -> None:
    if octaves < 2 or len(layers) != octaves or len(attends) != octaves + 1:
        raise ValueError(
            f"{octaves} channel counts, {len(layers)} numbers of layers, {len(attends)} of"
            " attention: give at least 2, as many, and one more"
        )
    if min(layers) < 1:
        raise ValueError("a block needs at least one layer")
    if not 0 < width < math.inf:
        raise ValueError(f"width is {width}: it must be above 0")


def _check_sizes(sizes: Sequence[int]) -> None:
    doubled = [2 * size for size in sizes[:-1]]
    if doubled != list(sizes[1:]):
        raise ValueError(
            f"octaves of {', '.join(map(str, sizes))} steps: each must have twice as many as the"
            " one below it (take another number of samples, or the clean grid)"
        )
