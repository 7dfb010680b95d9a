"""The inpainting networks by name, each one row over the assemblies.

All were published by TeleMidia/audio_reconstruction. A network takes (B, 1, N, F) normalised
magnitudes with lost frames at zero, N frames by F bins, and returns an :class:`Estimate` of the
whole segment.
"""

import copy
import math
from collections.abc import Callable
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

    Parameters
    ----------
    name : str
        A key of :data:`NETWORKS`.
    width : float
        Multiplies hidden channels; 1 is the published size.
    bn_mode : "affine" or "batch"
        Batch normalisation by stored statistics even in training (published), or by the batch.
    mask_input : bool
        Whether the network also reads which frames are there.
    out_channels : int
        Of the output; one by default. Some were published with three.
    input_shape : (frames, bins)
        Of a segment; read by networks that are bound to one size.
    slopes : "shared" or "positional"
        PReLU slopes per channel, or per channel and position (published).
    generator : torch.Generator
        Draws the weights; PyTorch's own for the current device by default.

    Raises :class:`ValueError` for any other value.
    """
    if name not in NETWORKS:
        raise ValueError(f"no inpainting network is called {name!r}; there are: {_names()}")
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
    return network


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
    """Return a copy for inference whose normalisations are part of its convolutions."""
    fused = copy.deepcopy(network).eval()
    for module in fused.modules():
        if isinstance(module, ConvUnit):
            module.fold()
    return fused


def _names() -> str:
    return ", ".join(NETWORKS)


_CONV = Unit()
_BN = Unit(norm=True)
_FLAT = partial(Row, "full resolution", multiple=1)
_UNET = partial(Row, "U-Net")
_FPN = partial(Row, "pyramid")
_V2 = {"down": "conv"}
_RES = {"rule": "x - y"}
_LEAKY = {"act": "leaky0.3", "up_act": "leaky0.2"}
_RES_BN = (_BN, _BN._replace(act="linear"))


def _arcnn(*layers: tuple[int, int], kernel: int = 5) -> Callable[[Plan], nn.Module]:
    units = tuple(Unit(width, k, act="slopes") for width, k in layers)
    return partial(stack, layers=units, kernel=kernel)


def _stacked(block: Block, count: int, *stem: Unit) -> Callable[[Plan], nn.Module]:
    return partial(stack, layers=(*stem, *[block] * count))


_ARCNN = _arcnn((64, 9), (32, 7), (16, 1))
_FAST = _arcnn((64, 9), (32, 1), (32, 7), (16, 1))
_SRCNN = Block((Unit(32, 5),) * 3)
_SE = _stacked(Block(_RES_BN, attention=2, act="relu"), 9, _CONV)
_PRELU = {"has_slopes": True}

NETWORKS: dict[str, Row] = {
    "ARCNN": _FLAT("four wide kernels with PReLU", _ARCNN, **_PRELU),
    "Res_ARCNN": _FLAT("ARCNN, residual", _ARCNN, published_outputs=3, **_RES, **_PRELU),
    "FastARCNN": _FLAT("ARCNN with narrow layers between", _FAST, published_outputs=3, **_PRELU),
    "Res_FastARCNN": _FLAT("FastARCNN, residual", _FAST, published_outputs=3, **_RES, **_PRELU),
    "dnCNN": _FLAT("20 plain convolutions", partial(stack, layers=(_CONV, *[_BN] * 18)), **_RES),
    "Deeper_SRCNN": _FLAT(
        "20 wide kernels in residual blocks",
        partial(
            stack, layers=(Unit(32, 5), _SRCNN._replace(skip=False), *[_SRCNN] * 5), kernel=5
        ),
        "x + y",
    ),
    "EDSR_ResNet": _FLAT(
        "residual blocks without normalisation",
        _stacked(Block((_CONV, Unit(act="linear"))), 9, _CONV),
        "x + y",
    ),
    "Card": _FLAT(
        "wide-activation residual blocks",
        _stacked(Block((_CONV, Unit(16, act="linear"))), 10),
        "x + y",
    ),
    "SRResnet": _FLAT(
        "normalised residual blocks", _stacked(Block(_RES_BN), 9, _CONV), "x + y",
        published_outputs=3,
    ),
    "ResNet": _FLAT(
        "SRResnet, activated after each sum", _stacked(Block(_RES_BN, act="relu"), 9, _CONV), "x + y"
    ),
    "SE_ResNet": _FLAT("ResNet with channel attention", _SE),
    "GRes_SE_ResNet": _FLAT("SE_ResNet, residual", _SE, **_RES),
    "CANDI": _FLAT(
        "residual blocks of four convolutions with channel attention",
        _stacked(Block((_BN, _BN, _BN, Unit(act="linear")), attention=1), 5, _CONV),
    ),
    "WaveNet": _FLAT("gated pointwise layers over the flattened segment", WaveNet),
    "UNet": _UNET("pooling, plain skips", unet),
    "Res_UNet": _UNET("UNet, residual", unet, **_RES),
    "UNet_v2": _UNET("strided convolutions, plain skips", partial(unet, **_V2)),
    "Res_UNet_v2": _UNET("UNet_v2, residual", partial(unet, **_V2), **_RES),
    "Dual_Res_UNet_v2": _UNET("two UNet_v2, the second refines the first's residual", dual, **_RES),
    "Attention_UNet": _UNET("UNet with attention gates", partial(unet, gate="one")),
    "Res_Attention_UNet": _UNET("Attention_UNet, residual", partial(unet, gate="one"), **_RES),
    "Attention_UNet_t2": _UNET("a gate for every channel", partial(unet, gate="all")),
    "UNet_RFB_FPN": _UNET("UNet, skips through 1x1 convolutions", partial(unet, side=1)),
    "UNet_RFB_TDM": _UNET("UNet, skips through 3x3 convolutions", partial(unet, side=3)),
    "Res_UNet_RFB_TDM": _UNET("UNet_RFB_TDM, residual", partial(unet, side=3), **_RES),
    "UNet_V2_RFB_TDM": _UNET(
        "UNet_v2, skips through 3x3 convolutions", partial(unet, side=3, **_V2)
    ),
    "Res_UNet_V2_RFB_TDM": _UNET(
        "UNet_V2_RFB_TDM, residual", partial(unet, side=3, **_V2), **_RES
    ),
    "UNet_Sun": _UNET(
        "two small levels, added skips",
        partial(
            unet, encoder=(16, 32), kernels=(6, 6), neck=((32, 4), (32, 3)), up="nearest",
            decoder=(16, 8), join="add",
        ),
        multiple=4,
    ),
    "UNet_Mandelli": _UNET("kernels of 4 at stride 2", strided),
    "LinkNet": _UNET("UNet_v2 with added skips", partial(unet, join="add", **_V2)),
    "LinkNet_v2": _UNET(
        "LinkNet with bottlenecks on the way up", partial(unet, join="add", up="bottleneck", **_V2)
    ),
    "VAE": _UNET(
        "UNet; its latent sample serves the loss alone",
        partial(unet, latent=Latent(200, 200, sampled=False)),
        size_bound=True,
    ),
    "VAE_UNet_v2": _UNET(
        "UNet_v2 through a latent sample", partial(unet, latent=Latent(600, 300), **_V2),
        size_bound=True,
    ),
    "VAE_Res_UNet_v2": _UNET(
        "VAE_UNet_v2, leaky and residual",
        partial(unet, latent=Latent(1000, 500, "linear", "leaky0.2"), **_V2, **_LEAKY),
        size_bound=True, **_RES,
    ),
    "VAE_Res_UNet_v2_metade": _UNET(
        "VAE_Res_UNet_v2 with eight times the latent size",
        partial(unet, latent=Latent(8192, 4096, "linear", "leaky0.2"), **_V2, **_LEAKY),
        size_bound=True, **_RES,
    ),
    "Efficient_UNet_v2": _UNET("encoder of EfficientNet-B0", efficient),
    "Efficient_UNet_v2_narrow": _UNET(
        "Efficient_UNet_v2, decoder as in the run that was made",
        partial(efficient, decoder=(256, 128, 64, 32, 16)),
    ),
    "FPN": _FPN("added laterals, repeated up, four levels read", pyramid),
    "FPN_RFB_RON": _FPN("FPN with transposed convolutions", partial(pyramid, up=3)),
    "Res_FPN_v2": _FPN("FPN_RFB_RON, residual", partial(pyramid, up=3), **_RES),
    "FPN_RFB_RefineDet": _FPN("two convolutions per lateral", partial(pyramid, lateral=(3, 3), up=4)),
    "FPN_RFB_TDM": _FPN(
        "concatenated laterals, one level read",
        partial(pyramid, lateral=(3,), join="concat", heads=1),
    ),
    "Attention_FPN_RFB_TDM": _FPN(
        "FPN_RFB_TDM with attention gates",
        partial(pyramid, lateral=(3,), join="concat", heads=1, gate=True),
    ),
    "FPN_RFB_U_Net": _FPN(
        "FPN_RFB_RON with plain skips; the published form cannot be built, its widths are repaired",
        partial(pyramid, up=3, raw_skips=True),
    ),
}  # fmt: skip
