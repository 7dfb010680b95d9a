"""Bandwidth extension as a member of a restoring chain."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from shellac import networks, weights
from shellac.systems import weight_norm
from shellac.systems.behm_gan.extension import Extension
from shellac.systems.behm_gan.network import Generator
from shellac.systems.restorer import Member
from shellac.transforms.stft import HAMMING_1024
from shellac.weights import Card

GRID = HAMMING_1024.hop << 6  # samples at which the deepest generator sees the same phase again
_SEED = 43


def processor(
    network: nn.Module, extension: Extension | None = None, published_frames: bool = False
) -> Callable[[Tensor], Tensor]:
    """Return a function (C, T) -> (C, T), any T, that extends every channel by itself.

    ``extension`` is the published one where none is given. The noise that networks hear is the same
    every time, and every :data:`GRID` samples: chunks start on that grid, so that a recording gets
    the same noise however it is cut. ``published_frames``: as in :func:`.extension.through`.
    """
    extension = extension or Extension()
    period = torch.randn(GRID, generator=torch.Generator().manual_seed(_SEED))

    def process(waveform: Tensor) -> Tensor:
        samples = waveform.shape[-1]
        noise = period.to(waveform).repeat(-(-samples // GRID))[:samples]
        channels = (waveform[i : i + 1] for i in range(len(waveform)))
        return torch.cat(
            [extension.apply(network, channel, noise, published_frames) for channel in channels]
        )

    return process


def member(state: dict[str, Tensor], card: Card, device: torch.device) -> Member:
    """Build the network that ``card`` names, fill it, and make it ready to restore."""
    network = networks.build(card.network, **card.settings)
    weights.fill(network, state, card.network)
    weight_norm.prepare(network.to(device))
    extension = Extension.from_card(card.extra)
    published = None
    if isinstance(network, Generator):
        published = processor(network, extension, published_frames=True)
    process = processor(network, extension)
    return Member(card, process, 1, device, above_band="keep", grid=GRID, published=published)
