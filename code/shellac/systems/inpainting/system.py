"""The inpainting system as the registry knows it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from shellac.systems.base import NetworkCard, System

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
# name: (parameters at published size, when to use it)
_NETWORKS: dict[str, tuple[int, str]] = {
    "Dual_Res_UNet_v2": (44_024_322, "frames of a recording are lost: the best as published"),
    "Res_UNet_v2": (22_012_161, "as Dual_Res_UNet_v2, at half its work"),
    "UNet_v2": (22_012_161, "as Res_UNet_v2, estimating the sound instead of its fault"),
    "UNet": (18_866_529, "a U-Net with pooling, for comparison"),
    "Res_UNet": (18_866_529, "UNet estimating the fault, for comparison"),
    "Attention_UNet": (19_567_878, "UNet with attention gates, for comparison"),
    "Res_Attention_UNet": (19_567_878, "Attention_UNet estimating the fault, for comparison"),
    "Attention_UNet_t2": (19_917_057, "a gate for every channel, for comparison"),
    "UNet_RFB_FPN": (19_216_705, "skips through 1x1 convolutions, for comparison"),
    "UNet_RFB_TDM": (22_010_177, "skips through 3x3 convolutions, for comparison"),
    "Res_UNet_RFB_TDM": (22_010_177, "UNet_RFB_TDM estimating the fault, for comparison"),
    "UNet_V2_RFB_TDM": (25_155_809, "UNet_v2 with skips through 3x3 convolutions"),
    "Res_UNet_V2_RFB_TDM": (25_155_809, "UNet_V2_RFB_TDM estimating the fault"),
    "UNet_Sun": (50_849, "a small processor: the smallest U-Net"),
    "UNet_Mandelli": (16_655_361, "kernels of 4 at stride 2, for comparison"),
    "LinkNet": (18_869_505, "UNet_v2 with added skips, for comparison"),
    "LinkNet_v2": (14_509_665, "a quarter of UNet_v2's work on the way up, at most of its quality"),
    "VAE": (22_223_929, "a latent distribution beside the loss, for comparison"),
    "VAE_UNet_v2": (37_135_345, "several fillings of one gap are wanted: the neck is drawn"),
    "VAE_Res_UNet_v2": (47_606_545, "VAE_UNet_v2 estimating the fault"),
    "VAE_Res_UNet_v2_metade": (290_480_385, "VAE_Res_UNet_v2 with eight times its latent size"),
    "Efficient_UNet_v2": (24_296_637, "the encoder of EfficientNet-B0, for comparison"),
    "Efficient_UNet_v2_narrow": (12_669_821, "Efficient_UNet_v2 with half its decoder"),
    "FPN": (1_915_713, "little memory: a pyramid with a tenth of UNet's parameters"),
    "FPN_RFB_RON": (2_543_041, "FPN with transposed convolutions: half UNet_v2's work"),
    "Res_FPN_v2": (2_543_041, "FPN_RFB_RON estimating the fault"),
    "FPN_RFB_RefineDet": (4_603_841, "two convolutions per lateral, for comparison"),
    "FPN_RFB_TDM": (2_842_881, "concatenated laterals, for comparison"),
    "Attention_FPN_RFB_TDM": (2_991_492, "FPN_RFB_TDM with attention gates, for comparison"),
    "FPN_RFB_U_Net": (2_568_225, "FPN_RFB_RON with plain skips, repaired, for comparison"),
    "ARCNN": (106_673, "four wide kernels without any scale, for comparison"),
    "Res_ARCNN": (106_673, "ARCNN estimating the fault, for comparison"),
    "FastARCNN": (58_609, "ARCNN with narrow layers between, for comparison"),
    "Res_FastARCNN": (58_609, "FastARCNN estimating the fault, for comparison"),
    "dnCNN": (668_225, "few parameters, plain convolutions at full resolution"),
    "Deeper_SRCNN": (463_009, "wide kernels in residual blocks, for comparison"),
    "EDSR_ResNet": (665_921, "residual blocks without normalisation, for comparison"),
    "Card": (176_625, "wide-activation residual blocks, for comparison"),
    "SRResnet": (668_225, "normalised residual blocks, for comparison"),
    "ResNet": (668_225, "SRResnet activated after each sum, for comparison"),
    "SE_ResNet": (705_953, "ResNet with channel attention, for comparison"),
    "GRes_SE_ResNet": (705_953, "SE_ResNet estimating the fault, for comparison"),
    "CANDI": (783_297, "residual blocks of four convolutions, for comparison"),
    "WaveNet": (95_171, "gated layers over the flattened segment; as published it did not learn"),
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
        for name, (parameters, use_when) in _NETWORKS.items()
    },
    build=_build,
)
