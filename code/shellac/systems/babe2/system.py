"""The generative equaliser as the registry knows it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from shellac.systems.base import NetworkCard, System

if TYPE_CHECKING:
    from torch import nn

_SOURCE = "eloimoliner/BABE2-music-restoration"
_OPTIONS = {
    "width": 1.0,
    "embedding": 256,
    "use_fencoding": False,
    "attention_layers": [],
    "attention": {},
    "window": "kaiser",
    "beta": 1.0,
    "grid": "clean",
}


def _build(network: str, settings: Mapping[str, Any]) -> nn.Module:
    from shellac.systems.babe2.network import CQTDiff

    return CQTDiff(**settings)


_CARDS = (
    NetworkCard(
        name="babe2/cqtdiff_22k",
        sample_rate=22050,
        parameters=44_498_496,
        use_when="a denoised recording sounds of its horn, and what it lost lies below 11 kHz",
        source=_SOURCE,
        licence="MIT",
        settings={
            "samples": 184184,
            "sample_rate": 22050,
            "channels": [64, 96, 96, 128, 128, 256, 256],
            "dilated_layers": [2, 3, 4, 5, 6, 7, 7],
            "bins_per_octave": 64,
            **_OPTIONS,
        },
    ),
    NetworkCard(
        name="babe2/cqtdiff_44k",
        sample_rate=44100,
        parameters=41_373_824,
        use_when="as babe2/cqtdiff_22k, for a single voice, separated from its accompaniment",
        source=_SOURCE,
        licence="MIT",
        settings={
            "samples": 262144,
            "sample_rate": 44100,
            "channels": [32, 32, 64, 64, 128, 128, 256, 256],
            "dilated_layers": [1, 3, 4, 5, 5, 6, 6, 7],
            "bins_per_octave": 32,
            **_OPTIONS,
        },
    ),
)

SYSTEM = System(
    name="babe2",
    task="generative equalisation: finds how the recording was coloured and makes up what it lost",
    default_network="babe2/cqtdiff_22k",
    networks={card.name: card for card in _CARDS},
    build=_build,
)
