"""The inpainting system as the registry knows it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from shellac.systems.base import NetworkCard, System
from shellac.systems.inpainting.catalogue import NETWORKS

if TYPE_CHECKING:
    from torch import nn

_SOURCE = "TeleMidia/audio_reconstruction"
_LICENCE = "Apache-2.0"
_SETTINGS = {
    "width": 1.0,
    "bn_mode": "affine",
    "mask_input": False,
    "out_channels": 1,
    "input_shape": (128, 128),
    "slopes": "shared",
}


def _build(network: str, settings: Mapping[str, Any]) -> nn.Module:
    from shellac.systems.inpainting.network import build

    shape = tuple(settings["input_shape"])  # a card in a file holds a list
    return build(network.partition("/")[2], **{**settings, "input_shape": shape})


SYSTEM = System(
    name="inpainting",
    task="audio inpainting: fills lost frames of a spectrogram, or gaps of a waveform",
    default_network="inpainting/Dual_Res_UNet_v2",
    networks={
        f"inpainting/{name}": NetworkCard(
            name=f"inpainting/{name}",
            sample_rate=16000,
            parameters=parameters,
            use_when=use_when,
            source=_SOURCE,
            licence=_LICENCE,
            settings=_SETTINGS,
        )
        for name, (parameters, use_when) in NETWORKS.items()
    },
    build=_build,
)
