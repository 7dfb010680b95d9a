"""Blocks of U-Nets on complex spectrograms, shared by the denoiser and the BEHM-GAN generator.

Moliner and Välimäki, "A two-stage U-Net for high-fidelity denoising of historical recordings"
(ICASSP 2022). Tensors are (B, channels, N, F): frames, then bins. Module names are those of the
published checkpoints. A dense block's layers see all earlier maps, newest first; here the
concatenation is never made: each map is padded once and convolved with all kernels that read it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from shellac.systems.weight_norm import NormalisedKernel

Kernel = tuple[int, int]
EMBEDDING_COLUMNS = 10
_DOWN: Kernel = (4, 4)
TRAINING_FRAMES = 431  # 5 s at 22.05 kHz


@dataclass(frozen=True)
class Style:
    """How the published implementations differ.

    symmetric : padding repeats the edge sample (TensorFlow); else it is reflected about it
    activated_projection : an up-step's 1x1 projection has an ELU, and is there only where channel
        counts differ (TensorFlow); else it is linear and always there
    weight_norm : kernels are stored as gain and direction
    """

    symmetric: bool = False
    activated_projection: bool = False
    weight_norm: bool = False


@dataclass(frozen=True)
class Plan:
    """Sizes of one U-Net.

    ``channels`` (depth + 1 are read) from full resolution downwards, ``layers`` of each dense
    block, kernels (frames, bins), odd, of the dense layers.
    """

    channels: Sequence[int]
    depth: int = 6
    layers: int = 3
    encoder_kernel: Kernel = (3, 3)
    bottom_kernel: Kernel = (3, 3)
    decoder_kernel: Kernel = (3, 3)
    style: Style = Style()

    def __post_init__(self) -> None:
        if not 1 <= self.depth < len(self.channels):
            raise ValueError(
                f"depth is {self.depth}: it must be from 1 to {len(self.channels) - 1}, one less"
                " than there are channel counts"
            )
        if self.layers < 1 or min(self.channels) < 1:
            raise ValueError("a dense block needs at least one layer, and a layer one channel")
        kernels = (*self.encoder_kernel, *self.bottom_kernel, *self.decoder_kernel)
        if any(size < 1 or size % 2 == 0 for size in kernels):
            raise ValueError(f"kernels must be odd, not {kernels}")

    def least_frames(self, stem: int = 7) -> int:
        """Fewest frames that the paddings allow; ``stem`` is the first kernel's size in frames."""
        if self.style.symmetric:
            return 1
        level = max(3, self.encoder_kernel[0] // 2 + 1, self.decoder_kernel[0] // 2 + 1)
        needed = self.bottom_kernel[0] // 2 + 1
        for _ in range(self.depth):
            needed = max(level, 2 * (needed - 1))
        return max(needed, stem // 2 + 1)

    def fitting_frames(self, frames: int, least_frames: int) -> int:
        """Return the next number of frames that the network treats as it did in training.

        Where padding is reflected, an up-step cuts one frame off the start or none, as the size of
        its skip is even or odd. Maps are therefore shifted against each other by the parities that
        the number of frames has at every level: only a number that differs from that of training
        by a multiple of 2^depth gives the same function, and the same from chunk to chunk.
        """
        frames = max(frames, least_frames)
        if self.style.symmetric:
            return frames
        return frames + (TRAINING_FRAMES - frames) % 2**self.depth


def scaled(channels: Sequence[int], width: float) -> tuple[int, ...]:
    """Scale channel counts; raise :class:`ValueError` for a width not above 0."""
    if not width > 0:
        raise ValueError(f"width is {width}: it must be above 0 (1 is the published size)")
    return tuple(max(1, round(count * width)) for count in channels)


def check_frames(spectrogram: Tensor, bins: int, least_frames: int) -> None:
    """Raise :class:`ValueError` for anything but (B, 2, N, ``bins``) with frames enough."""
    if spectrogram.ndim != 4 or spectrogram.shape[1] != 2 or spectrogram.shape[3] != bins:
        shape = tuple(spectrogram.shape)
        raise ValueError(f"input has shape {shape}: the network takes (B, 2, N, {bins})")
    if spectrogram.shape[2] < least_frames:
        raise ValueError(
            f"input has {spectrogram.shape[2]} frames: this depth needs at least {least_frames}"
        )


def padded(x: Tensor, kernel: Kernel, symmetric: bool) -> Tensor:
    """Continue (B, C, N, F) at its ends as far as a same-size convolution reaches.

    Even kernels stand for the strided convolutions: reflected by half on every side, or, where
    the edge sample is repeated, one less at the end.
    """
    if not symmetric:
        return functional.pad(x, (kernel[1] // 2,) * 2 + (kernel[0] // 2,) * 2, mode="reflect")
    if kernel == (3, 3):  # one sample repeated is one sample mirrored
        return functional.pad(x, (1, 1, 1, 1), mode="replicate")
    for axis, size in zip((2, 3), kernel, strict=True):
        before, after = size // 2, (size - 1) // 2
        while before or after:  # once, but for maps shorter than their padding
            head = x.narrow(axis, 0, min(before, x.shape[axis])).flip(axis)
            tail = x.narrow(axis, max(x.shape[axis] - after, 0), min(after, x.shape[axis]))
            before, after = before - head.shape[axis], after - tail.shape[axis]
            x = torch.cat((head, x, tail.flip(axis)), axis)  # keeps the layout of x
    return x


def pointwise(x: Tensor, kernel: Tensor, bias: Tensor) -> Tensor:
    """Convolve (B, C, N, F) by a 1x1 kernel, frame by frame.

    For few items PyTorch takes a matrix product on one thread; for many it takes oneDNN, twice as
    fast. With its channels beside each other, a map's frames are items without a copy.
    """
    batch, channels, frames, bins = x.shape
    rows = x.transpose(1, 2).reshape(batch * frames, channels, 1, bins)
    return functional.conv2d(rows, kernel, bias).view(batch, frames, -1, bins).transpose(1, 2)


class Convolution(NormalisedKernel):
    """A padded convolution (B, inputs, N, F) -> (B, outputs, N / stride, F / stride)."""

    def __init__(self, inputs: int, outputs: int, kernel: Kernel, style: Style, stride: int = 1):
        super().__init__((outputs, inputs, *kernel), outputs, style.weight_norm)
        self.size, self.stride, self.symmetric = kernel, stride, style.symmetric

    def forward(self, x: Tensor) -> Tensor:
        """Pad and convolve."""
        if self.size == (1, 1):
            return pointwise(x, self.kernel(), self.bias)
        x = padded(x, self.size, self.symmetric)
        return functional.conv2d(x, self.kernel(), self.bias, self.stride)


class Doubling(NormalisedKernel):
    """A transposed 4x4 convolution of stride 2, its border of one cut off: n -> 2n."""

    def __init__(self, inputs: int, outputs: int, style: Style):
        super().__init__((inputs, outputs, *_DOWN), outputs, style.weight_norm)

    def forward(self, x: Tensor) -> Tensor:
        """Convolve: (B, inputs, N, F) -> (B, outputs, 2 N, 2 F)."""
        return functional.conv_transpose2d(x, self.kernel(), self.bias, stride=2, padding=1)


def activated(convolution: nn.Module) -> nn.Sequential:
    """Follow a convolution by an ELU, under the names of the checkpoints."""
    return nn.Sequential(convolution, nn.ELU(inplace=True))


class DenseBlock(nn.Module):
    """Layers that read the block's input and all maps before their own; returns the last map."""

    def __init__(self, inputs: int, outputs: int, kernel: Kernel, layers: int, style: Style):
        super().__init__()
        self.size, self.symmetric, self.outputs = kernel, style.symmetric, outputs
        self.H = nn.ModuleList(
            activated(Convolution(inputs + i * outputs, outputs, kernel, style))
            for i in range(layers)
        )
        self.fixed: list[tuple[list[Tensor], Tensor]] | None = None

    def _kernels(self) -> list[tuple[list[Tensor], Tensor]]:
        """Return, for each layer, the kernels that read the input and each map before, and a bias.

        In a stored kernel the newest map comes first and the input last.
        """
        found = []
        for i, (convolution, _) in enumerate(self.H):
            kernel, size = convolution.kernel(), self.outputs
            maps = [kernel[:, (i - 1 - j) * size : (i - j) * size] for j in range(i)]
            found.append(([kernel[:, i * size :], *maps], convolution.bias))
        return found

    def prepare(self) -> None:
        """Arrange the kernels once, for inference alone."""
        if self.fixed is None:
            self.fixed = [
                ([k.detach().contiguous(memory_format=torch.channels_last) for k in kernels],
                 bias.detach())
                for kernels, bias in self._kernels()
            ]  # fmt: skip
            del self.H

    def forward(self, x: Tensor) -> Tensor:
        """Return the last layer's map: (B, inputs, N, F) -> (B, outputs, N, F)."""
        newest, seen = x, []
        for kernels, bias in self.fixed or self._kernels():
            seen.append(padded(newest, self.size, self.symmetric))
            newest = functional.conv2d(seen[0], kernels[0], bias)
            for earlier, kernel in zip(seen[1:], kernels[1:], strict=True):
                newest.add_(functional.conv2d(earlier, kernel))
            functional.elu(newest, inplace=True)
        return newest


class IBlock(nn.Module):
    """A dense block beside a 1x1 convolution, summed."""

    def __init__(self, inputs: int, outputs: int, kernel: Kernel, plan: Plan):
        super().__init__()
        self.tfc = DenseBlock(inputs, outputs, kernel, plan.layers, plan.style)
        self.conv2d_res = Convolution(inputs, outputs, (1, 1), plan.style)

    def forward(self, x: Tensor) -> Tensor:
        """Transform (B, inputs, N, F) to (B, outputs, N, F)."""
        return self.conv2d_res(x) + self.tfc(x)


class EBlock(nn.Module):
    """One step down: (B, inputs, N, F) -> (B, skip, N, F) and (B, outputs, N / 2, F / 2)."""

    def __init__(self, inputs: int, skip: int, outputs: int, plan: Plan):
        super().__init__()
        self.i_block = IBlock(inputs, skip, plan.encoder_kernel, plan)
        self.conv2d_2 = activated(Convolution(skip, outputs, _DOWN, plan.style, stride=2))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return (skip, half the resolution)."""
        skip = self.i_block(x)
        return skip, self.conv2d_2(skip)


class DBlock(nn.Module):
    """One step up, to the size of a skip: (B, inputs, n, f) -> (B, outputs, N, F)."""

    def __init__(self, inputs: int, outputs: int, plan: Plan):
        super().__init__()
        style = plan.style
        self.tconv_1 = activated(Doubling(inputs, outputs, style))
        self.activated_projection = style.activated_projection
        projects = inputs != outputs or not style.activated_projection
        self.projection = Convolution(inputs, outputs, (1, 1), style) if projects else None
        self.i_block = IBlock(2 * outputs, outputs, plan.decoder_kernel, plan)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        """Double, add the projected neighbours, cut to the skip's size, and join the two.

        Projecting before nearest-neighbour upsampling is the same, at a quarter of the work.
        """
        low = x if self.projection is None else self.projection(x)
        if self.projection is not None and self.activated_projection:
            low = functional.elu(low)
        frames, bins = skip.shape[2:]
        top, left = ((2 * x.shape[a] - skip.shape[a]) // 2 for a in (2, 3))
        cut = (..., slice(top, top + frames), slice(left, left + bins))
        double = functional.interpolate(low, scale_factor=2, mode="nearest")[cut]
        return self.i_block(torch.cat((self.tconv_1(x)[cut] + double, skip), 1))


class Encoder(nn.Module):
    """All steps down and the block at the bottom."""

    def __init__(self, inputs: int, plan: Plan):
        super().__init__()
        sizes = list(plan.channels[: plan.depth + 1])
        self.eblocks = nn.ModuleList(
            EBlock(source, sizes[i], sizes[i + 1], plan)
            for i, source in enumerate([inputs, *sizes[1:-1]])
        )
        self.i_block = IBlock(sizes[-1], sizes[-1], plan.bottom_kernel, plan)

    def forward(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Return the bottom and the skips, from full resolution downwards."""
        skips = []
        for block in self.eblocks:
            skip, x = block(x)
            skips.append(skip)
        return self.i_block(x), skips


class Decoder(nn.Module):
    """All steps up."""

    def __init__(self, plan: Plan):
        super().__init__()
        sizes = plan.channels
        self.dblocks = nn.ModuleList(
            DBlock(sizes[i + 1], sizes[i], plan) for i in range(plan.depth)
        )

    def forward(self, x: Tensor, skips: list[Tensor]) -> Tensor:
        """Return maps at full resolution; ``skips`` is emptied, so that each is freed once used."""
        for block in reversed(self.dblocks):
            x = block(x, skips.pop())
        return x


def cosines(bins: int) -> Tensor:
    """Frequency embedding (``bins``, 10): column k is cos(2^k pi n), n from 0 to 1."""
    place = torch.arange(bins, dtype=torch.float32)[:, None] / (bins - 1)
    octave = 2.0 ** torch.arange(EMBEDDING_COLUMNS, dtype=torch.float32)
    return torch.cos(octave * math.pi * place)


class FrequencyEmbedding(nn.Module):
    """Where a bin lies, as ten more channels; ``learned`` embeddings are parameters."""

    def __init__(self, bins: int, learned: bool):
        super().__init__()
        self.bins = bins
        if learned:
            self.fembeddings = nn.Parameter(cosines(bins))

    def forward(self, x: Tensor) -> Tensor:
        """Append the embedding: (B, C, N, F) -> (B, C + 10, N, F)."""
        table = getattr(self, "fembeddings", None)
        table = cosines(self.bins).to(x) if table is None else table
        shape = (x.shape[0], EMBEDDING_COLUMNS, *x.shape[2:])
        return torch.cat((x, table.T[None, :, None].expand(shape)), 1)
