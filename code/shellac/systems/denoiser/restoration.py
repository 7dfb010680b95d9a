"""The denoiser as a member of a restoring chain."""

import math
from collections.abc import Callable
from dataclasses import replace

import torch

from shellac import networks, weights
from shellac.systems import spectrogram_front, weight_norm
from shellac.systems.denoiser import preparation
from shellac.systems.denoiser.network import Denoiser
from shellac.systems.denoiser.preparation import CLASSICAL, NOISY
from shellac.systems.restorer import Estimator, Member, Read
from shellac.transforms.stft import HAMMING_1024, HAMMING_2048
from shellac.weights import Card

FRAMINGS = {framing.bins: framing for framing in (HAMMING_1024, HAMMING_2048)}
_STEPS_DOWN = 6


def grid(network: Denoiser) -> int:
    """Return the distance in samples at which the deepest network sees the same phase again."""
    return FRAMINGS[network.bins].hop << _STEPS_DOWN


def processor(network: Denoiser, kind: str = NOISY) -> Callable[[torch.Tensor], torch.Tensor]:
    """Return a function (C, T) -> (C, T) that denoises every channel by itself.

    Where the network hears ``classical``, it is (C, 2, T) -> (C, T): what the classical system kept
    of every channel, and what it took away.
    """
    return spectrogram_front.processor(
        lambda spectra: preparation.estimates(kind, network, spectra).final,
        FRAMINGS[network.bins],
        network.fitting_frames,
    )


def member(state: dict[str, torch.Tensor], card: Card, device: torch.device) -> Member | Estimator:
    """Build the network that ``card`` names, fill it, and make it ready to restore.

    A network that corrects the classical system hears a recording beforehand, as that does.
    """
    network = networks.build(card.network, **card.settings)
    weights.fill(network, state, card.network)
    weight_norm.prepare(network.to(device))
    kind = preparation.from_card(card.extra)
    process = processor(network, kind)
    if kind == CLASSICAL:
        return Estimator(_correcting(card, process, device, grid(network)), above_band="drop")
    framing = FRAMINGS[network.bins]

    def published(segment: torch.Tensor) -> torch.Tensor:
        return spectrogram_front.transformed(lambda x: network(x).final, segment, framing)

    return Member(
        card, process, 1, device, above_band="drop", grid=grid(network), published=published
    )


def _correcting(
    card: Card,
    process: Callable[[torch.Tensor], torch.Tensor],
    device: torch.device,
    network_grid: int,
) -> Callable[[Read, int, int], Member]:
    def prepare(read: Read, samples: int, sample_rate: int) -> Member:
        classical = preparation.surveyed(read, samples, sample_rate, card.sample_rate)

        def corrected(waveform: torch.Tensor) -> torch.Tensor:
            kept = classical.process(waveform.cpu()).to(waveform.device)
            return process(torch.stack((kept, waveform - kept), 1))

        reach = card.edge_seconds + classical.card.edge_seconds
        return Member(
            replace(card, edge_seconds=reach), corrected, 1, device, above_band="drop",
            grid=math.lcm(network_grid, classical.grid), estimates=classical.estimates,
        )  # fmt: skip

    return prepare
