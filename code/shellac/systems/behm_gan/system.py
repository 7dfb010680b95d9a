"""The bandwidth-extending system as the registry knows it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from shellac.systems.base import NetworkCard, PublishedWeights, System

if TYPE_CHECKING:
    from torch import nn

_SOURCE = "eloimoliner/bwe_historical_recordings"
_LICENCE = "none stated"
_SAMPLE_RATE = 22050


def _build(network: str, settings: Mapping[str, Any]) -> nn.Module:
    from shellac.systems.behm_gan.audiounet import AudioUNet
    from shellac.systems.behm_gan.network import Generator
    from shellac.systems.behm_gan.seanet import SEANet

    classes = {
        "behm_gan/unet": Generator,
        "behm_gan/audiounet": AudioUNet,
        "behm_gan/seanet": SEANet,
    }
    return classes[network](**settings)


_CARDS = (
    NetworkCard(
        name="behm_gan/unet",
        sample_rate=_SAMPLE_RATE,
        parameters=82_471_374,
        use_when="an acoustic recording, denoised before, ends near 3 kHz: makes up the rest to 11",
        source=_SOURCE,
        licence=_LICENCE,
        settings={
            "width": 1.0,
            "depth": 6,
            "num_tfc": 3,
            "use_fencoding": True,
            "use_weight_norm": True,
        },
    ),
    NetworkCard(
        name="behm_gan/audiounet",
        sample_rate=_SAMPLE_RATE,
        parameters=102_812_418,
        use_when="as behm_gan/unet, on the waveform, for comparison",
        source=_SOURCE,
        licence=_LICENCE,
        settings={"width": 1.0},
    ),
    NetworkCard(
        name="behm_gan/seanet",
        sample_rate=_SAMPLE_RATE,
        parameters=46_961_153,
        use_when="as behm_gan/unet, on the waveform with dilated kernels, for comparison",
        source=_SOURCE,
        licence=_LICENCE,
        settings={"width": 1.0},
    ),
)

SYSTEM = System(
    name="behm_gan",
    task="bandwidth extension: adds the treble that acoustic recording never caught",
    default_network="behm_gan/unet",
    networks={card.name: card for card in _CARDS},
    build=_build,
    weights=tuple(
        PublishedWeights(
            name=f"behm-{genre}",
            network="behm_gan/unet",
            address=f"https://github.com/{_SOURCE}/releases/download/v0.0-alpha/checkpoint_{genre}",
            summary=f"trained on {genre} alone",
            licence="",
        )
        for genre in ("piano", "strings", "orchestra")
    ),
)
