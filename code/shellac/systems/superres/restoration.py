"""Super-resolution as a member of a restoring chain."""

from collections.abc import Callable

import torch
from torch import nn

from shellac import networks, weights
from shellac.systems.restorer import Member
from shellac.weights import Card


def processor(network: nn.Module) -> Callable[[torch.Tensor], torch.Tensor]:
    """Return a function (C, T) -> (C, T) that runs ``network`` on every channel.

    In the legacy TFiLM mode an item's result depends on the others of its batch, so channels go
    through one at a time there.
    """
    one_at_a_time = getattr(network, "mode", "") == "legacy"

    def process(waveform: torch.Tensor) -> torch.Tensor:
        items = waveform[:, None]
        if one_at_a_time:
            return torch.cat([network(item[None]) for item in items])[:, 0]
        return network(items)[:, 0]

    return process


def member(state: dict[str, torch.Tensor], card: Card, device: torch.device) -> Member:
    """Build the network that ``card`` names, fill it, and make it ready to restore."""
    network = networks.build(card.network, **card.settings)
    weights.fill(network, state, card.network)
    network.eval().to(device)
    return Member(card, processor(network), network.multiple, device, above_band="keep")
