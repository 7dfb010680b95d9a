"""Super-resolution as a member of a restoring chain."""

from collections.abc import Callable

import torch
from torch import nn

from shellac import networks, weights
from shellac.systems.restorer import Member
from shellac.weights import Card

_PATCHES_AT_ONCE = 16


def processor(network: nn.Module) -> Callable[[torch.Tensor], torch.Tensor]:
    """Return a function (C, T) -> (C, T) that runs ``network`` on every channel.

    In the legacy TFiLM mode an item's result depends on the others of its batch, so channels go
    through one at a time there. A network that is bound to a patch length sees patches.
    """
    one_at_a_time = getattr(network, "mode", "") == "legacy"
    patch = getattr(network, "patch", 0)

    def process(waveform: torch.Tensor) -> torch.Tensor:
        items = waveform[:, None]
        if patch:
            return _by_patches(network, waveform, patch)
        if one_at_a_time:
            return torch.cat([network(item[None]) for item in items])[:, 0]
        return network(items)[:, 0]

    return process


def grid(network: nn.Module) -> int:
    """Samples on whose multiples a chunk must start, so that it is cut as the whole would be."""
    return getattr(network, "patch", 0) // 2 or network.multiple


def _by_patches(network: nn.Module, waveform: torch.Tensor, patch: int) -> torch.Tensor:
    """Run ``network`` on patches that overlap by half, and cross-fade: (C, T) -> (C, T)."""
    channels, length = waveform.shape
    half = patch // 2
    count = -(-length // half) + 1
    padded = nn.functional.pad(waveform, (half, count * half - length))
    patches = padded.unfold(1, patch, half).reshape(-1, 1, patch)
    results = torch.cat([network(some) for some in patches.split(_PATCHES_AT_ONCE)])
    rising = torch.hann_window(patch, device=waveform.device)  # of halves: they sum to one
    halves = (results * rising).view(channels, count, 2, half)
    joined = halves[:, 1:, 0] + halves[:, :-1, 1]
    return joined.reshape(channels, -1)[:, :length]


def member(state: dict[str, torch.Tensor], card: Card, device: torch.device) -> Member:
    """Build the network that ``card`` names, fill it, and make it ready to restore."""
    network = networks.build(card.network, **card.settings)
    weights.fill(network, state, card.network)
    network.eval().to(device)
    return Member(card, processor(network), network.multiple, device, grid=grid(network))
