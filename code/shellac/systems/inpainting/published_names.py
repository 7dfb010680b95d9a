"""How the authors call the layers of the inpainting networks: our modules by their names."""

from collections.abc import Iterator, Sequence
from itertools import count
from string import ascii_lowercase

from torch import nn

from shellac.systems.inpainting.blocks import ConvUnit, Gate, LatentNeck, ResUnit
from shellac.systems.inpainting.network import Network
from shellac.systems.inpainting.network_efficient import EfficientEncoder, MBConv
from shellac.systems.inpainting.network_flat import ResidualStack, WaveNet
from shellac.systems.inpainting.network_ladder import EncoderDecoder
from shellac.systems.inpainting.network_plan import Cascade
from shellac.systems.inpainting.network_pyramid import Pyramid

Named = Iterator[tuple[str, nn.Module]]
_KERAS_LAYER_SLOPE = "leaky0.3"  # the other slope in use, 0.2, is no layer there but a function


def layers(network: Network) -> Named:
    """Yield every layer with weights under the name of its published layer, in forward order."""
    body = network.body
    if isinstance(body, Cascade):
        yield from _encoder_decoder(body.first, head="mid_conv")
        yield from _encoder_decoder(body.second, convs=11, steps=5)
    elif isinstance(body, EncoderDecoder):
        efficient = isinstance(body.encoder, EfficientEncoder)
        yield from _efficient(body) if efficient else _encoder_decoder(body)
    elif isinstance(body, Pyramid):
        yield from _pyramid(body)
    elif isinstance(body, ResidualStack):
        yield from _stack(body)
    elif isinstance(body, WaveNet):
        yield from _wavenet(body)


def _sequence(name: str, units: Sequence[ConvUnit]) -> Named:
    """Number the layers of a sequence."""
    parts = [part for unit in units for part in (unit.conv, unit.norm) if part is not None]
    for i, part in enumerate(parts):
        yield f"{name}/layer_with_weights-{i}", part


def _unit(name: str, unit: ConvUnit) -> Named:
    """Name a unit: a sequence if it needs several Keras layers."""
    if unit.norm is not None or unit.pre != "linear" or unit.act == _KERAS_LAYER_SLOPE:
        yield from _sequence(name, [unit])
    else:
        yield name, unit.conv


def _gate(number: int, gate: Gate) -> Named:
    yield f"x_conv{number}", gate.skip
    yield f"g_conv{number}", gate.below
    yield f"conv_r{number}", gate.both


def _latent(neck: LatentNeck) -> Named:
    yield "first_dense", neck.hidden
    yield "dense_mean", neck.mean
    yield "dense_var", neck.log_variance
    if neck.out is not None:
        yield "out_latent", neck.out


def _encoder_decoder(
    body: EncoderDecoder, convs: int = 0, steps: int = 0, head: str = "last_conv"
) -> Named:
    """Name a U-Net whose convolutions and steps are numbered from ``convs`` and ``steps`` on."""
    conv = count(convs + 1)
    for i, (unit, step) in enumerate(zip(body.encoder.units, body.encoder.steps, strict=True), 1):
        yield from _unit(f"conv_{next(conv)}", unit)
        if isinstance(step, ConvUnit):
            yield from _unit(f"down_{steps + i}", step)
    for unit in [body.neck] if isinstance(body.neck, ConvUnit) else body.neck:
        yield from _unit(f"conv_{next(conv)}", unit)
    if body.latent is not None:
        yield from _latent(body.latent)
    for i, (up, join, unit) in enumerate(zip(body.ups, body.joins, body.units, strict=True), 1):
        if isinstance(up, nn.Sequential):
            yield from _sequence(f"up_{steps + i}", up)
        elif isinstance(up, ConvUnit):
            yield from _unit(f"up_{steps + i}", up)
        if join.side is not None:
            yield from _unit(f"side_conv_{i}", join.side)
        if join.gate is not None:
            yield from _gate(i, join.gate)
        if isinstance(unit, ConvUnit):
            yield from _unit(f"conv_{next(conv)}", unit)
    yield from _unit(head, body.head)


def _pyramid(body: Pyramid) -> Named:
    for i, unit in enumerate(body.encoder, 1):
        yield from _unit(f"conv_{i}", unit)
    laterals = [body.lateral, *(join.side for join in body.joins if join.side is not None)]
    for i, lateral in enumerate(laterals, 1):
        for suffix, unit in zip(("", "_s"), lateral, strict=False):
            yield from _unit(f"side_conv_{i}{suffix}", unit)
    gated = False
    for i, join in enumerate(body.joins, 2):
        if join.gate is not None:
            gated = True
            yield from _gate(i, join.gate)
    for i, up in enumerate(body.ups, 1):
        if isinstance(up, ConvUnit):
            yield from _unit(f"up_{i}", up)
    for i, head in enumerate(body.heads, len(body.ups) - len(body.heads) + 1):
        yield from _sequence(f"side_conv_{i}_1", head)
    for rise in body.rises:
        if isinstance(rise, ConvUnit):
            yield from _unit(f"upsample_{rise.stride}x", rise)
    yield from _unit("conv_6" if gated else "conv_7", body.last[0])
    yield from _unit("last_conv", body.last[1])


def _stack(body: ResidualStack) -> Named:
    """Name a stack: layers by the numbers of their convolutions, attention by its block's."""
    number, attended = 1, 0
    for layer in body.layers:
        if isinstance(layer, ConvUnit):
            yield from _unit(f"layer_{number}", layer)
            if layer.slopes is not None:
                yield f"prelu{number}", layer.slopes
            number += 1
            continue
        units = layer.body if isinstance(layer, ResUnit) else layer
        yield from _sequence(f"layer_{number}_{number + len(units) - 1}", units)
        number += len(units)
        if isinstance(layer, ResUnit) and layer.attention is not None:
            attended += 1
            name = f"{'dense_net' if len(units) == 4 else 'attention'}_{attended}"
            yield f"{name}/layer_with_weights-0", layer.attention.squeeze
            yield f"{name}/layer_with_weights-1", layer.attention.excite
    stemless = isinstance(body.layers[0], ResUnit)
    yield from _unit("last_conv" if stemless else f"layer_{number}", body.head)


def _wavenet(body: WaveNet) -> Named:
    yield "causal_conv", body.first
    groups = zip(body.gates, body.residuals, body.skips, strict=True)
    for i, parts in enumerate(groups):
        for part, kind in zip(parts, ("gate", "residual", "skip"), strict=True):
            yield f"stack{i // 10 + 1}_layer{i % 10 + 1}_{kind}", part
    yield "head", body.head
    yield "output", body.last


def _efficient(body: EncoderDecoder) -> Named:
    yield from _apart("stem", body.encoder.stem)
    for number, stage in enumerate(body.encoder.stages, 1):
        for letter, block in zip(ascii_lowercase, stage, strict=False):
            yield from _mbconv(f"block{number}{letter}", block)
    yield from _apart("top", body.encoder.top)
    for i, (up, unit) in enumerate(zip(body.ups, body.units, strict=True), 1):
        for name, part in ((f"up_{i}", up), (f"conv_{i}", unit)):
            yield name, part.conv
            yield f"{name}_bn", part.norm
    yield "output", body.head.conv


def _mbconv(name: str, block: MBConv) -> Named:
    if isinstance(block.expand, ConvUnit):
        yield from _apart(f"{name}_expand", block.expand)
    yield f"{name}_dwconv", block.depthwise.conv
    yield f"{name}_bn", block.depthwise.norm
    yield f"{name}_se_reduce", block.attention.squeeze
    yield f"{name}_se_expand", block.attention.excite
    yield from _apart(f"{name}_project", block.project)


def _apart(name: str, unit: ConvUnit) -> Named:
    yield f"{name}_conv", unit.conv
    yield f"{name}_bn", unit.norm
