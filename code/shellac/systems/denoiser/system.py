"""The denoising system as the registry knows it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from shellac.systems.base import NetworkCard, PublishedWeights, System

if TYPE_CHECKING:
    from torch import nn

_SETTINGS = {
    "width": 1.0,
    "depth": 6,
    "num_tfc": 3,
    "num_stages": 2,
    "use_sam": True,
    "use_fencoding": True,
}


def _build(network: str, settings: Mapping[str, Any]) -> nn.Module:
    from shellac.systems.denoiser.network import Denoiser

    return Denoiser(network.rpartition("_")[2], **settings)


_CARDS = (
    NetworkCard(
        name="denoiser/unet_22k",
        sample_rate=22050,
        parameters=72_591_502,
        use_when="a disc or tape hisses, crackles and clicks, and its music ends below 11 kHz",
        source="eloimoliner/bwe_historical_recordings",
        licence="none stated",
        settings=_SETTINGS,
    ),
    NetworkCard(
        name="denoiser/unet_44k",
        sample_rate=44100,
        parameters=71_408_196,
        use_when="as denoiser/unet_22k, where there is music above 11 kHz",
        source="eloimoliner/denoising-historical-recordings",
        licence="MIT",
        settings=_SETTINGS,
    ),
)

SYSTEM = System(
    name="denoiser",
    task="denoising: removes the surface noise, hiss and clicks of old recordings",
    default_network="denoiser/unet_22k",
    networks={card.name: card for card in _CARDS},
    build=_build,
    weights=(
        PublishedWeights(
            name="denoiser-22k",
            network="denoiser/unet_22k",
            address="https://github.com/eloimoliner/bwe_historical_recordings/releases/download"
            "/v0.0-alpha/checkpoint_denoiser",
            summary="trained on classical music and the Gramophone Record Noise Dataset",
            licence="",
        ),
    ),
)
