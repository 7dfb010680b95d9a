"""The inpainting networks by name, each one row over the assemblies.

All were published by TeleMidia/audio_reconstruction. A network takes (B, 1, N, F) normalised
magnitudes with lost frames at zero, N frames by F bins, and returns an :class:`Estimate` of the
whole segment.
"""

import copy
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal, get_args

import torch
from torch import nn

from shellac.systems.inpainting.blocks import ConvUnit, Norm, Slopes
from shellac.systems.inpainting.network_efficient import efficient
from shellac.systems.inpainting.network_flat import Block, Unit, WaveNet, stack
from shellac.systems.inpainting.network_ladder import Latent, dual, strided, unet
from shellac.systems.inpainting.network_plan import Estimate, Network, Plan, Rule
from shellac.systems.inpainting.network_pyramid import pyramid

__all__ = ["NETWORKS", "Estimate", "Network", "Row", "build", "fuse", "initialise"]

NormMode = Literal["affine", "batch"]
SlopeMode = Literal["shared", "positional"]
TRUNCATED_DEVIATION = 0.87962566103423978  # of a standard normal cut at two deviations


@dataclass(frozen=True)
class Row:
    """One network: how it is assembled, and what a caller must know of it.

    ``published_outputs``: channels that the published head has (with one input channel);
    ``size_bound``: ``input_shape`` is the only shape it takes; ``has_slopes``: so it is with
    ``slopes="positional"``.
    """

    family: str
    description: str
    assemble: Callable[[Plan], nn.Module]
    rule: Rule = "plain"
    multiple: int = 32
    published_outputs: int = 1
    size_bound: bool = False
    has_slopes: bool = False


def build(
    name: str,
    *,
    width: float = 1.0,
    bn_mode: NormMode = "affine",
    mask_input: bool = False,
    out_channels: int | None = None,
    input_shape: tuple[int, int] = (128, 128),
    slopes: SlopeMode = "shared",
    generator: torch.Generator | None = None,
) -> Network:
    """Build a network with fresh weights, in training mode.

    name : key of :data:`NETWORKS`
    width : multiplies hidden channels; 1 is the published size
    bn_mode : normalise by stored statistics even in training (published) or by the batch
    mask_input : whether the network also reads which frames are there
    out_channels : of the output; one by default, though some were published with three
    input_shape : (frames, bins) of a segment, for networks that are bound to one size
    slopes : of PReLU, per channel, or per channel and position (published)
    generator : draws the weights; by default PyTorch's own

    Raises :class:`ValueError` for any other value.
    """
    if name not in NETWORKS:
        raise ValueError(
            f"no inpainting network is called {name!r}; there are: {', '.join(NETWORKS)}"
        )
    if not 0 < width < math.inf:
        raise ValueError(f"width is {width}: it must be above 0 (1 is the published size)")
    for mode, kind in ((bn_mode, NormMode), (slopes, SlopeMode)):
        if mode not in get_args(kind):
            raise ValueError(f"mode {mode!r} is none of {', '.join(get_args(kind))}")
    outputs = 1 if out_channels is None else out_channels
    row, shape = NETWORKS[name], tuple(input_shape)
    if outputs < 1:
        raise ValueError(f"out_channels is {outputs}: it must be 1 or more")
    if len(shape) != 2 or any(side < 1 or side % row.multiple for side in shape):
        raise ValueError(f"input_shape is {shape}: two multiples of {row.multiple} are needed")
    plan = Plan(width, 1 + mask_input, outputs, shape, slopes == "positional")
    bound = row.size_bound or (row.has_slopes and plan.positional)
    device = torch.get_default_device()
    with torch.device("meta"):  # shapes alone: PyTorch's own start would be drawn for nothing
        network = Network(row.assemble(plan), row.rule, row.multiple, bound, plan)
    network.to_empty(device=device)
    for module in network.modules():
        if isinstance(module, Norm):
            module.batch = bn_mode == "batch"
    if device.type != "meta":
        initialise(network, generator)
    return network.to(memory_format=torch.channels_last)  # a third faster than the other layout


def initialise(module: nn.Module, generator: torch.Generator | None = None) -> None:
    """Draw all weights anew as published: kernels Glorot normal, biases and slopes zero.

    Norms start as the identity. Glorot and Bengio (2010), cut at two deviations as in Keras.
    """
    for part in module.modules():
        if isinstance(part, Norm):
            part.reset()
        elif isinstance(part, Slopes):
            nn.init.zeros_(part.weight)
        elif getattr(part, "weight", None) is not None:
            fans = sum(nn.init._calculate_fan_in_and_fan_out(part.weight))
            scale = math.sqrt(2 / fans) / TRUNCATED_DEVIATION
            nn.init.trunc_normal_(part.weight, 0, scale, -2 * scale, 2 * scale, generator)
            if part.bias is not None:
                nn.init.zeros_(part.bias)


def fuse(network: nn.Module) -> nn.Module:
    """Return a copy for inference, with its normalisations folded into its convolutions for good.

    Without, they are folded at each call: a pass over the weights, felt at small batches.
    """
    fused = copy.deepcopy(network).eval()
    for module in fused.modules():
        if isinstance(module, ConvUnit):
            module.fold()
    return fused


def _flat(
    description: str, layers: Sequence[Unit | Block], rule: Rule = "plain", kernel: int = 3, **more
) -> Row:
    made = partial(stack, layers=layers, kernel=kernel)
    return Row("full resolution", description, made, rule, 1, **more)


def _unet(description: str, rule: Rule = "plain", multiple: int = 32, **options) -> Row:
    made = partial(unet, **options)
    return Row("U-Net", description, made, rule, multiple, size_bound="latent" in options)


def _fpn(description: str, rule: Rule = "plain", **options) -> Row:
    return Row("pyramid", description, partial(pyramid, **options), rule)


_CONV, _LINEAR, _BN, _WIDE = Unit(), Unit(act="linear"), Unit(norm=True), Unit(32, 5)
_ARCNN = [Unit(width, kernel, act="slopes") for width, kernel in ((64, 9), (32, 7), (16, 1))]
_FAST = [_ARCNN[0], Unit(32, 1, act="slopes"), *_ARCNN[1:]]
_SRCNN = [_WIDE, Block((_WIDE,) * 3, skip=False), *[Block((_WIDE,) * 3)] * 5]
_EDSR = [_CONV, *[Block((_CONV, _LINEAR))] * 9]
_RES = Block((_BN, _BN._replace(act="linear")))
_RESNET = [_CONV, *[_RES._replace(act="relu")] * 9]
_SE = [_CONV, *[_RES._replace(act="relu", attention=2)] * 9]
_CANDI = [_CONV, *[Block((_BN, _BN, _BN, _LINEAR), attention=1)] * 5]
_SLOPES = {"kernel": 5, "has_slopes": True}
_SUN = {"encoder": (16, 32), "kernels": (6, 6), "neck": ((32, 4), (32, 3)), "decoder": (16, 8)}
_LEAKY = {"down": "conv", "act": "leaky0.3", "up_act": "leaky0.2"}
_TDM = {"lateral": (3,), "join": "concat", "heads": 1}
_NARROW = (256, 128, 64, 32, 16)

NETWORKS: dict[str, Row] = {
    "ARCNN": _flat("four wide kernels with PReLU", _ARCNN, **_SLOPES),
    "Res_ARCNN": _flat("ARCNN, residual", _ARCNN, "x - y", published_outputs=3, **_SLOPES),
    "FastARCNN": _flat("ARCNN, narrowed between", _FAST, published_outputs=3, **_SLOPES),
    "Res_FastARCNN": _flat("FastARCNN, residual", _FAST, "x - y", published_outputs=3, **_SLOPES),
    "dnCNN": _flat("20 plain convolutions", [_CONV, *[_BN] * 18], "x - y"),
    "Deeper_SRCNN": _flat("20 wide kernels in residual blocks", _SRCNN, "x + y", 5),
    "EDSR_ResNet": _flat("residual blocks without normalisation", _EDSR, "x + y"),
    "Card": _flat("wide residual blocks", [Block((_CONV, Unit(16, act="linear")))] * 10, "x + y"),
    "SRResnet": _flat("residual blocks", [_CONV, *[_RES] * 9], "x + y", published_outputs=3),
    "ResNet": _flat("SRResnet, activated after each sum", _RESNET, "x + y"),
    "SE_ResNet": _flat("ResNet with channel attention", _SE),
    "GRes_SE_ResNet": _flat("SE_ResNet, residual", _SE, "x - y"),
    "CANDI": _flat("longer residual blocks with channel attention", _CANDI),
    "WaveNet": Row("full resolution", "gated layers over the flat segment", WaveNet, multiple=1),
    "UNet": _unet("pooling, plain skips"),
    "Res_UNet": _unet("UNet, residual", "x - y"),
    "UNet_v2": _unet("strided convolutions, plain skips", down="conv"),
    "Res_UNet_v2": _unet("UNet_v2, residual", "x - y", down="conv"),
    "Dual_Res_UNet_v2": Row("U-Net", "two UNet_v2, the second refines the first", dual, "x - y"),
    "Attention_UNet": _unet("UNet with attention gates", gate="one"),
    "Res_Attention_UNet": _unet("Attention_UNet, residual", "x - y", gate="one"),
    "Attention_UNet_t2": _unet("Attention_UNet, a gate for every channel", gate="all"),
    "UNet_RFB_FPN": _unet("UNet, skips through 1x1 convolutions", side=1),
    "UNet_RFB_TDM": _unet("UNet, skips through 3x3 convolutions", side=3),
    "Res_UNet_RFB_TDM": _unet("UNet_RFB_TDM, residual", "x - y", side=3),
    "UNet_V2_RFB_TDM": _unet("UNet_v2, skips through 3x3 convolutions", side=3, down="conv"),
    "Res_UNet_V2_RFB_TDM": _unet("UNet_V2_RFB_TDM, residual", "x - y", side=3, down="conv"),
    "UNet_Sun": _unet("two levels, added skips", multiple=4, up="nearest", join="add", **_SUN),
    "UNet_Mandelli": Row("U-Net", "kernels of 4 at stride 2", strided),
    "LinkNet": _unet("UNet_v2, added skips", join="add", down="conv"),
    "LinkNet_v2": _unet("LinkNet, bottlenecks up", join="add", up="bottleneck", down="conv"),
    "VAE": _unet("UNet, its sample serves the loss alone", latent=Latent(200, 200, sampled=False)),
    "VAE_UNet_v2": _unet("UNet_v2 through a sample", latent=Latent(600, 300), down="conv"),
    "VAE_Res_UNet_v2": _unet(
        "VAE_UNet_v2, leaky, residual", "x - y", latent=Latent(1000, 500, "linear", "leaky0.2"),
        **_LEAKY,
    ),
    "VAE_Res_UNet_v2_metade": _unet(
        "VAE_Res_UNet_v2, larger sample", "x - y", latent=Latent(8192, 4096, "linear", "leaky0.2"),
        **_LEAKY,
    ),
    "Efficient_UNet_v2": Row("U-Net", "encoder of EfficientNet-B0", efficient),
    "Efficient_UNet_v2_narrow": Row(
        "U-Net", "decoder as in the published run", partial(efficient, decoder=_NARROW)
    ),
    "FPN": _fpn("added laterals, repeated up, four levels read"),
    "FPN_RFB_RON": _fpn("FPN with transposed convolutions", up=3),
    "Res_FPN_v2": _fpn("FPN_RFB_RON, residual", "x - y", up=3),
    "FPN_RFB_RefineDet": _fpn("two convolutions per lateral", lateral=(3, 3), up=4),
    "FPN_RFB_TDM": _fpn("concatenated laterals, one level read", **_TDM),
    "Attention_FPN_RFB_TDM": _fpn("FPN_RFB_TDM with attention gates", gate=True, **_TDM),
    "FPN_RFB_U_Net": _fpn("FPN_RFB_RON, plain skips; our repair", up=3, raw_skips=True),
}  # fmt: skip
