"""The BEHM-GAN generator: a single U-Net on complex spectrograms.

Moliner and Välimäki, "BEHM-GAN: Bandwidth extension of historical music using generative
adversarial networks" (IEEE/ACM TASLP 31, 2023). It estimates the whole spectrum, the band that was
there included.
"""

from collections import OrderedDict
from collections.abc import Sequence

from torch import Tensor, nn

from shellac.systems.spectrogram_unet import (
    EMBEDDING_COLUMNS,
    Convolution,
    Decoder,
    Encoder,
    FrequencyEmbedding,
    Kernel,
    Plan,
    Style,
    activated,
    check_frames,
    scaled,
)

CHANNELS = (64, 128, 128, 128, 256, 512, 512)
BINS = 513


class Generator(nn.Module):
    """(B, 2, N, 513) real and imaginary parts of a band-limited spectrogram -> the full one.

    Parameters
    ----------
    width : float
        Multiplies ``channels``; 1 is the published size.
    channels : sequence of int
        From full resolution downwards; ``depth`` + 1 are read.
    depth, num_tfc : int
        Steps down, and layers of each dense block.
    use_fencoding : bool
        Whether the network sees the frequency embedding.
    use_weight_norm : bool
        Whether kernels are stored as gain and direction.
    ksize_init, ksize_encoder, ksize_bn, ksize_decoder : (int, int)
        Odd kernels, (frames, bins), of the stem and of the dense layers.

    Raises :class:`ValueError` for settings that cannot be, and for inputs of another shape or with
    fewer than ``least_frames`` frames.
    """

    bins = BINS

    def __init__(
        self,
        width: float = 1.0,
        channels: Sequence[int] = CHANNELS,
        depth: int = 6,
        num_tfc: int = 3,
        use_fencoding: bool = True,
        use_weight_norm: bool = True,
        ksize_init: Kernel = (7, 7),
        ksize_encoder: Kernel = (3, 3),
        ksize_bn: Kernel = (3, 3),
        ksize_decoder: Kernel = (3, 3),
    ):
        super().__init__()
        style = Style(weight_norm=use_weight_norm)
        kernels = (tuple(ksize_encoder), tuple(ksize_bn), tuple(ksize_decoder))
        plan = Plan(scaled(channels, width), depth, num_tfc, *kernels, style)
        stem = tuple(ksize_init)
        if any(size < 1 or size % 2 == 0 for size in stem):
            raise ValueError(f"kernels must be odd, not {stem}")
        self.plan = plan
        self.least_frames = plan.least_frames(stem[0])
        self.freq_encoding = FrequencyEmbedding(BINS, learned=True) if use_fencoding else None
        inputs = 2 + EMBEDDING_COLUMNS * use_fencoding
        size = plan.channels[0]
        self.conv2d_1 = activated(Convolution(inputs, size, stem, style))
        self.encoder_s1 = Encoder(size, plan)
        self.decoder_s1 = Decoder(plan)
        self.finalblock = nn.Sequential(OrderedDict(conv2=Convolution(size, 2, (3, 3), style)))

    def fitting_frames(self, frames: int) -> int:
        """Return the next number of frames that is treated as in training."""
        return self.plan.fitting_frames(frames, self.least_frames)

    def forward(self, spectrogram: Tensor) -> Tensor:
        """Estimate the full-band spectrogram, (B, 2, N, 513)."""
        check_frames(spectrogram, BINS, self.least_frames)
        seen = spectrogram if self.freq_encoding is None else self.freq_encoding(spectrogram)
        return self.finalblock(self.decoder_s1(*self.encoder_s1(self.conv2d_1(seen))))
