"""Four discriminators of waveforms, each at half the rate of the one before, and their losses.

The MelGAN discriminator (Kumar et al., 2019) with least-squares losses (Mao et al., 2017).
"""

import math
from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional

from shellac.systems.spectrogram_unet import scaled
from shellac.systems.weight_norm import NormalisedKernel

SCALES = 4
# (channels, kernel, stride, groups) of each layer; padding keeps the length but for the stride
_LAYERS = (
    (16, 15, 1, 1),
    (64, 41, 4, 4),
    (256, 41, 4, 16),
    (1024, 41, 4, 64),
    (1024, 41, 4, 256),
    (1024, 5, 1, 1),
)
_SLOPE = 0.1


class _Convolution(NormalisedKernel):
    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1):
        super().__init__((outputs, inputs // groups, kernel), outputs, weight_norm=True)
        self.stride, self.groups = stride, groups

    def forward(self, x: Tensor) -> Tensor:
        kernel = self.kernel()
        padding = kernel.shape[-1] // 2
        return functional.conv1d(x, kernel, self.bias, self.stride, padding, groups=self.groups)


class Discriminator(nn.Module):
    """(B, 1, T) -> score map (B, L) and the seven feature maps, scores last."""

    def __init__(self, width: float = 1.0):
        super().__init__()
        counts = (1, *scaled([layer[0] for layer in _LAYERS], width))
        self.convs = nn.ModuleList(
            _Convolution(inputs, outputs, kernel, stride, math.gcd(groups, inputs, outputs))
            for inputs, outputs, (_, kernel, stride, groups) in zip(
                counts, counts[1:], _LAYERS, strict=False
            )
        )
        self.conv_post = _Convolution(counts[-1], 1, 3)

    def forward(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Score a signal."""
        features = []
        for convolution in self.convs:
            x = functional.leaky_relu(convolution(x), _SLOPE)
            features.append(x)
        scores = self.conv_post(x)
        return scores.flatten(1), [*features, scores]


class MultiScaleDiscriminator(nn.Module):
    """(B, 1, T) -> the results of four :class:`Discriminator`, from the full rate downwards."""

    def __init__(self, width: float = 1.0):
        super().__init__()
        self.discriminators = nn.ModuleList(Discriminator(width) for _ in range(SCALES))

    def forward(self, x: Tensor) -> list[tuple[Tensor, list[Tensor]]]:
        """Score a signal at every scale."""
        results = []
        for scale, discriminator in enumerate(self.discriminators):
            if scale:
                x = functional.avg_pool1d(x, kernel_size=4, stride=2)
            results.append(discriminator(x))
        return results


def distances_from_one(scores: Sequence[Tensor]) -> list[Tensor]:
    """Mean of (1 - D)^2 per scale: the generator's loss, and the discriminators' on real sound."""
    return [(1 - score).square().mean() for score in scores]


def distances_from_zero(scores: Sequence[Tensor]) -> list[Tensor]:
    """Mean of D^2 per scale: the discriminators' loss on generated signals."""
    return [score.square().mean() for score in scores]
