"""The denoiser as a member of a restoring chain."""

from collections.abc import Callable

import torch

from shellac import networks, weights
from shellac.systems import spectrogram_front, weight_norm
from shellac.systems.denoiser.network import Denoiser
from shellac.systems.restorer import Member
from shellac.transforms.stft import HAMMING_1024, HAMMING_2048
from shellac.weights import Card

FRAMINGS = {framing.bins: framing for framing in (HAMMING_1024, HAMMING_2048)}
_STEPS_DOWN = 6


def grid(network: Denoiser) -> int:
    """Return the distance in samples at which the deepest network sees the same phase again."""
    return FRAMINGS[network.bins].hop << _STEPS_DOWN


def processor(network: Denoiser) -> Callable[[torch.Tensor], torch.Tensor]:
    """Return a function (C, T) -> (C, T) that denoises every channel by itself."""
    framing = FRAMINGS[network.bins]
    return spectrogram_front.processor(
        lambda spectrogram: network(spectrogram).final, framing, network.fitting_frames
    )


def member(state: dict[str, torch.Tensor], card: Card, device: torch.device) -> Member:
    """Build the network that ``card`` names, fill it, and make it ready to restore."""
    network = networks.build(card.network, **card.settings)
    weights.fill(network, state, card.network)
    weight_norm.prepare(network.to(device))
    framing = FRAMINGS[network.bins]

    def published(segment: torch.Tensor) -> torch.Tensor:
        return spectrogram_front.transformed(lambda x: network(x).final, segment, framing)

    return Member(
        card,
        processor(network),
        1,
        device,
        above_band="drop",
        grid=grid(network),
        published=published,
    )
