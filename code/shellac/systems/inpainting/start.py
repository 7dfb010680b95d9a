"""Where a sound training starts: at no output yet, a correction at what it corrects."""

from collections.abc import Callable

import torch
from torch import nn

from shellac.systems.inpainting.blocks import ConvUnit
from shellac.systems.inpainting.network_plan import Cascade, Network

_LAYERS = (ConvUnit, nn.Conv1d, nn.Conv2d)
_DEVIATION = 1e-3


def last_layer(network: Network, run: Callable[[], object]) -> nn.Module:
    """Return the convolution that runs last in a network, of two stages in the first.

    ``run`` calls the network once.
    """
    stage = network.body.first if isinstance(network.body, Cascade) else network.body
    order: list[nn.Module] = []

    def note(layer: nn.Module, *_: object) -> None:
        order.append(layer)

    layers = (layer for layer in stage.modules() if isinstance(layer, _LAYERS))
    hooks = [layer.register_forward_hook(note) for layer in layers]
    try:
        with torch.no_grad():
            run()
    finally:
        for hook in hooks:
            hook.remove()
    last = order[-1]
    return last.conv if isinstance(last, ConvUnit) else last


def begin_at_nothing(network: Network, run: Callable[[], object], seed: int) -> None:
    """Draw the last layer's kernel from N(0, 1e-3^2): what is learnt is not drowned by the start.

    A second stage, which works on what the first one gives, starts at nothing then as well.
    """
    weight = last_layer(network, run).weight
    drawn = torch.randn(weight.shape, generator=torch.Generator().manual_seed(seed))
    with torch.no_grad():
        weight.copy_(_DEVIATION * drawn)
