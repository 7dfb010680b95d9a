"""The two-stage U-Net denoiser on complex spectrograms.

Moliner and Välimäki, "A two-stage U-Net for high-fidelity denoising of historical recordings"
(ICASSP 2022), in both published layouts: ``22k`` (PyTorch, 22.05 kHz) and ``44k`` (the original,
TensorFlow, 44.1 kHz), whose weights do not fit each other.
"""

from collections import OrderedDict
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from shellac.systems.spectrogram_unet import (
    EMBEDDING_COLUMNS,
    Convolution,
    Decoder,
    Encoder,
    FrequencyEmbedding,
    Plan,
    Style,
    activated,
    check_frames,
    scaled,
)

_STEM = (7, 7)
_INITIAL_SIGMA = 0.05  # of the 44.1 kHz layout's kernels, cut at twice that


@dataclass(frozen=True)
class Layout:
    """What one published implementation fixes."""

    channels: tuple[int, ...]
    bins: int
    learned_embedding: bool
    style: Style


LAYOUTS = {
    "22k": Layout((64, 64, 64, 128, 128, 256, 512), 513, True, Style()),
    "44k": Layout(
        (32, 64, 64, 128, 128, 256, 512),
        1025,
        False,
        Style(symmetric=True, activated_projection=True),
    ),
}


class Estimates(NamedTuple):
    """Clean spectrograms (B, 2, N, F): of the last stage, and of the first where there are two."""

    final: Tensor
    first: Tensor | None


class SupervisedAttention(nn.Module):
    """The first stage's estimate, and its features weighted by what that estimate looks like."""

    def __init__(self, features: int, style: Style, attends: bool):
        super().__init__()
        self.conv1 = Convolution(features, features, (3, 3), style)
        self.conv2 = Convolution(features, 2, (3, 3), style)
        self.conv3 = Convolution(2, features, (3, 3), style)
        self.attends = attends

    def forward(self, features: Tensor, spectrogram: Tensor) -> tuple[Tensor, Tensor]:
        """Return features (B, C, N, F), untouched without attention, and the estimate."""
        estimate = self.conv2(features) + spectrogram
        if not self.attends:
            return features, estimate
        weight = torch.sigmoid(self.conv3(estimate))
        return torch.addcmul(features, self.conv1(features), weight), estimate


class Denoiser(nn.Module):
    """(B, 2, N, F) real and imaginary parts of a noisy spectrogram -> :class:`Estimates`.

    Parameters
    ----------
    layout : {"22k", "44k"}
        F is 513 or 1025.
    width : float
        Multiplies the channel counts; 1 is the published size.
    depth, num_tfc : int
        Steps down (1 to 6), and layers of each dense block.
    num_stages : int
        1, or two stages for anything above, as published.
    use_sam : bool
        Whether the second stage reads attended features; the attention module exists anyway.
    use_fencoding : bool
        Whether both stages see the frequency embedding.

    Raises :class:`ValueError` for settings that cannot be, and for inputs of another shape or with
    fewer than ``least_frames`` frames.
    """

    def __init__(
        self,
        layout: str = "22k",
        width: float = 1.0,
        depth: int = 6,
        num_tfc: int = 3,
        num_stages: int = 2,
        use_sam: bool = True,
        use_fencoding: bool = True,
    ):
        super().__init__()
        if layout not in LAYOUTS:
            raise ValueError(f"layout is {layout!r}: it must be one of {', '.join(LAYOUTS)}")
        if num_stages < 1:
            raise ValueError(f"num_stages is {num_stages}: at least one is needed")
        fixed = LAYOUTS[layout]
        style, self.bins = fixed.style, fixed.bins
        plan = Plan(scaled(fixed.channels, width), depth, num_tfc, style=style)
        self.plan = plan
        self.least_frames = plan.least_frames(_STEM[0])
        size = plan.channels[0]
        inputs = 2 + EMBEDDING_COLUMNS * use_fencoding
        self.freq_encoding = (
            FrequencyEmbedding(self.bins, fixed.learned_embedding) if use_fencoding else None
        )
        self.conv2d_1 = activated(Convolution(inputs, size, _STEM, style))
        self.encoder_s1 = Encoder(size, plan)
        self.decoder_s1 = Decoder(plan)
        head = Convolution(size, 2, (3, 3), style)
        self.finalblock = nn.Sequential(OrderedDict(conv2=head))
        self.two_stages = num_stages > 1
        if self.two_stages:
            self.sam_1 = SupervisedAttention(size, style, use_sam)
            self.conv2d_2 = activated(Convolution(inputs, size, _STEM, style))
            self.encoder_s2 = Encoder(2 * size, plan)
            self.decoder_s2 = Decoder(plan)
        if layout == "44k":
            self._draw_as_published()

    def _draw_as_published(self) -> None:
        limit = 2 * _INITIAL_SIGMA
        for name, value in self.named_parameters():
            if name.endswith("bias"):
                nn.init.zeros_(value)
            else:
                nn.init.trunc_normal_(value, std=_INITIAL_SIGMA, a=-limit, b=limit)

    def fitting_frames(self, frames: int) -> int:
        """Return the next number of frames that is treated as in training."""
        return self.plan.fitting_frames(frames, self.least_frames)

    def forward(self, spectrogram: Tensor) -> Estimates:
        """Estimate the clean spectrogram."""
        check_frames(spectrogram, self.bins, self.least_frames)
        seen = spectrogram
        if self.freq_encoding is not None:
            seen = self.freq_encoding(spectrogram)
        features = self.decoder_s1(*self.encoder_s1(self.conv2d_1(seen)))
        if not self.two_stages:
            return Estimates(self.finalblock(features), None)
        features, first = self.sam_1(features, spectrogram)
        features = torch.cat((self.conv2d_2(seen), features), 1)
        features = self.decoder_s2(*self.encoder_s2(features))
        return Estimates(self.finalblock(features), first)
