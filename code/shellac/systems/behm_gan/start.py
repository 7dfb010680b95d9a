"""Where a sound training starts: near nothing added to the recording."""

import torch
from torch import nn

from shellac.systems.behm_gan.audiounet import AudioUNet
from shellac.systems.behm_gan.network import Generator

_SHARE = 0.1


def begin_at_nothing(network: nn.Module) -> None:
    """Bring the last convolution to a tenth of its drawn size, and its bias to 0.

    An untrained network adds more than the missing band holds, and spends its first steps on
    unlearning that; one that adds nothing has hardly a gradient to learn from.
    """
    if isinstance(network, Generator):
        last = network.finalblock.conv2
        kernel = last.weight if last.folded else last.weight_g
    else:
        last = (
            network.up_net[-1][0] if isinstance(network, AudioUNet) else network.decoder.final_conv
        )
        kernel = last.weight
    with torch.no_grad():
        kernel.mul_(_SHARE)
        last.bias.zero_()
