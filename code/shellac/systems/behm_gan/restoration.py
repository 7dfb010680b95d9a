"""Bandwidth extension as a member of a restoring chain."""

from collections.abc import Callable

import torch
from torch import nn

from shellac import networks, weights
from shellac.systems import spectrogram_front, weight_norm
from shellac.systems.behm_gan.network import Generator
from shellac.systems.behm_gan.seanet import SEANet
from shellac.systems.restorer import Member
from shellac.transforms.stft import HAMMING_1024
from shellac.weights import Card

GRID = HAMMING_1024.hop << 6  # samples at which the deepest generator sees the same phase again
NOISE_RMS = 0.001
_SEED = 43
# The baselines shift their maps against each other by what the strides leave of the length: only
# lengths that differ by a multiple from that of training, 5 s, give the same function.
_TRAINING_SAMPLES, _STRIDES = 110_250, 128


def regularised(
    process: Callable[[torch.Tensor], torch.Tensor], noise_rms: float = NOISE_RMS
) -> Callable[[torch.Tensor], torch.Tensor]:
    """Add to (C, T) the faint noise that the networks were trained under.

    The same noise every time, and every :data:`GRID` samples: chunks start on that grid, so that a
    recording gets the same noise however it is cut.
    """
    generator = torch.Generator().manual_seed(_SEED)
    period = noise_rms * torch.randn(GRID, generator=generator)

    def with_noise(waveform: torch.Tensor) -> torch.Tensor:
        samples = waveform.shape[-1]
        noise = period.to(waveform).repeat(-(-samples // GRID))[:samples]
        return process(waveform + noise)

    return with_noise


def processor(network: nn.Module) -> Callable[[torch.Tensor], torch.Tensor]:
    """Return a function (C, T) -> (C, T), any T, that extends every channel by itself."""
    if isinstance(network, Generator):
        run = spectrogram_front.processor(network, HAMMING_1024, network.fitting_frames)
        return regularised(run)

    def run_waveform(waveform: torch.Tensor) -> torch.Tensor:
        samples = waveform.shape[-1]
        wanted = max(samples, SEANet.least_samples)
        wanted += (_TRAINING_SAMPLES - wanted) % _STRIDES
        heard = torch.nn.functional.pad(waveform, (0, wanted - samples))
        return torch.cat([network(channel[None, None])[0] for channel in heard])[:, :samples]

    return regularised(run_waveform)


def member(state: dict[str, torch.Tensor], card: Card, device: torch.device) -> Member:
    """Build the network that ``card`` names, fill it, and make it ready to restore."""
    network = networks.build(card.network, **card.settings)
    weights.fill(network, state, card.network)
    weight_norm.prepare(network.to(device))
    published = None
    if isinstance(network, Generator):
        published = regularised(
            lambda x: spectrogram_front.transformed(network, x, HAMMING_1024)[:, : x.shape[-1]]
        )
    return Member(
        card,
        processor(network),
        1,
        device,
        above_band="keep",
        grid=GRID,
        published=published,
    )
