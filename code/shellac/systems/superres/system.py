"""The super-resolution system as the registry knows it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from shellac.systems.base import NetworkCard, System

if TYPE_CHECKING:
    from torch import nn

_SOURCE = "olvrhhn/audio_super_resolution"
_LICENCE = "Apache-2.0"


def _build(network: str, settings: Mapping[str, Any]) -> nn.Module:
    from shellac.systems.superres.afilm import AFiLMUNet
    from shellac.systems.superres.network import AudioUNet, TFiLMUNet

    classes = {
        "superres/audiounet": AudioUNet,
        "superres/tfilm": TFiLMUNet,
        "superres/afilm": AFiLMUNet,
    }
    return classes[network](**settings)


_CARDS = (
    NetworkCard(
        name="superres/tfilm",
        sample_rate=16000,
        parameters=47_655_734,
        use_when="a recording was stored at a low sample rate and its upper band is missing",
        source=_SOURCE,
        licence=_LICENCE,
        settings={"width": 1.0, "dropout": 0.5, "mode": "correct"},
    ),
    NetworkCard(
        name="superres/audiounet",
        sample_rate=16000,
        parameters=48_391_214,
        use_when="as superres/tfilm, where speed counts: a quarter of its work, no recurrence",
        source=_SOURCE,
        licence=_LICENCE,
        settings={"width": 1.0, "dropout": 0.5},
    ),
    NetworkCard(
        name="superres/afilm",
        sample_rate=16000,
        parameters=134_723_842,
        use_when="as superres/tfilm, where every moment should be weighed against all others",
        source="ncarraz/AFILM",
        licence="MIT",
        settings={"width": 1.0, "dropout": 0.5},
    ),
)

SYSTEM = System(
    name="superres",
    task="audio super-resolution: adds the band that a low sample rate lost",
    default_network="superres/tfilm",
    networks={card.name: card for card in _CARDS},
    build=_build,
)
