"""A stack of gated, dilated convolutions with a gradient written by hand.

A layer maps h to (h + gate conv(gelu(scale h / deviation))) / sqrt 2, where ``deviation`` is that
of a group of channels over all places. Written out in PyTorch's operations it passes over memory a
dozen times and keeps five maps for its gradient. Here maps are passed over in pieces that stay in
the cache, the deviation of the next layer is taken where the map is made, and one map a layer is
kept. Maps are (B, F, T, C): frequency, time, channels last.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

GROUPS = 8
_EPSILON = 1e-7
_HALF = math.sqrt(0.5)
_PIECE = 1 << 16  # elements, 256 kB: two pieces and their kernel's share fit a core's cache
Place = tuple[slice, slice]


class Layer(NamedTuple):
    """One layer: kernel (C, C, f, t) of odd sizes, scale and gate (B, C), dilation in frequency."""

    kernel: Tensor
    scale: Tensor
    gate: Tensor
    dilation: int


def dilated(h: Tensor, layers: Sequence[Layer]) -> Tensor:
    """Run (B, F, T, C) through the layers; differentiable once, in everything given."""
    kernels, scales, gates, dilations = zip(*layers, strict=True)
    return _Stack.apply(h.contiguous(), dilations, *kernels, *scales, *gates)


def convolve(x: Tensor, kernel: Tensor, dilation: int = 1) -> Tensor:
    """Convolve (B, F, T, C) with (outputs, C, f, t), zeros around, to (B, F, T, outputs)."""
    if kernel.shape[2:] == (1, 1):
        return functional.linear(x, kernel[:, :, 0, 0])
    padding = (dilation * (kernel.shape[2] // 2), kernel.shape[3] // 2)
    y = functional.conv2d(x.permute(0, 3, 1, 2), kernel, padding=padding, dilation=(dilation, 1))
    return y.permute(0, 2, 3, 1)


def deviations(h: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean and unbiased standard deviation of each group of channels, (B, C) each."""
    sums = _no_sums(h)
    for place in _pieces(h):
        _count(sums, h[place], place)
    return _moments(sums, h)


def _pieces(h: Tensor) -> Iterator[Place]:
    """Cut (B, F, T, C) by item and frequency into pieces that are small, on a CPU."""
    if h.device.type != "cpu":
        yield slice(None), slice(None)
        return
    items, bins = h.shape[:2]
    rows = max(1, _PIECE // max(1, h.shape[2] * h.shape[3]))
    together = max(1, rows // bins)  # small maps: several items in one piece
    for item in range(0, items, together):
        for start in range(0, bins, rows):
            yield slice(item, item + together), slice(start, start + rows)


def _each(values: Tensor, place: Place) -> Tensor:
    """Cut values of (B, C) for a piece, to be broadcast over it."""
    return values[place[0], None, None, :]


def _no_sums(h: Tensor) -> Tensor:
    """Begin sums and sums of squares, (2, B, C), in double precision where the device has it."""
    wide = h.dtype if h.device.type == "mps" else torch.float64
    return h.new_zeros(2, h.shape[0], h.shape[3], dtype=wide)


def _count(sums: Tensor, piece: Tensor, place: Place) -> None:
    sums[0, place[0]] += piece.sum((1, 2))
    sums[1, place[0]] += (piece * piece).sum((1, 2))


def _moments(sums: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
    """Turn sums and sums of squares of the channels of ``h`` into moments of the groups."""
    share = h.shape[3] // GROUPS
    total, squares = sums.unflatten(2, (GROUPS, share)).sum(3)
    count = h.shape[1] * h.shape[2] * share
    mean = total / count
    variance = (squares - total * mean).clamp_min(0) / max(1, count - 1)
    return tuple(x.to(h.dtype).repeat_interleave(share, 1) for x in (mean, variance.sqrt()))


def _activate(h: Tensor, scale: Tensor) -> Tensor:
    """Scale each channel, then the exact Gaussian error linear unit."""
    u = torch.empty_like(h)
    for place in _pieces(h):
        piece = torch.mul(h[place], _each(scale, place), out=u[place])
        torch.ops.aten.gelu_(piece)
    return u


class _Stack(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, h: Tensor, dilations: tuple[int, ...], *parameters: Tensor) -> Tensor:
        needs = ctx.needs_input_grad
        count = len(dilations)
        kernels, scales, gates = (parameters[i * count : (i + 1) * count] for i in range(3))
        train = any(needs[2:])
        kept, maps = [], []
        mean, deviation = deviations(h)
        for i, dilation in enumerate(dilations):
            v = convolve(_activate(h, scales[i] / (deviation + _EPSILON)), kernels[i], dilation)
            if any(needs):
                kept += [h, mean, deviation]
                maps += [v] if train else []
            following = torch.empty_like(h) if train else v
            sums = _no_sums(h)
            gate = gates[i] * _HALF
            for place in _pieces(h):
                piece = torch.mul(v[place], _each(gate, place), out=following[place])
                piece.add_(h[place], alpha=_HALF)
                if i + 1 < count:
                    _count(sums, piece, place)
            mean, deviation = _moments(sums, h)
            h = following
        ctx.dilations, ctx.train = dilations, train
        ctx.save_for_backward(*parameters, *kept, *maps)
        return h

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor | None, ...]:
        count, saved = len(ctx.dilations), ctx.saved_tensors
        kernels, scales, gates = (saved[i * count : (i + 1) * count] for i in range(3))
        kept, maps = saved[3 * count : 6 * count], saved[6 * count :]
        found = [[None] * count for _ in range(3)]
        g = g.contiguous()
        for i in reversed(range(count)):
            h, mean, deviation = kept[3 * i : 3 * i + 3]
            inverse = 1 / (deviation + _EPSILON)
            into = _scaled(g, gates[i] * _HALF)
            if ctx.train:
                u = _activate(h, scales[i] * inverse)
                found[0][i] = _kernel_gradient(u, into, kernels[i], ctx.dilations[i])
                found[2][i] = _HALF * _products(g, maps[i])
                del u
            r = convolve(into, kernels[i].transpose(0, 1).flip(2, 3), ctx.dilations[i])
            del into
            scale = scales[i] * inverse
            along = _through_gelu(r, h, scale)
            found[1][i] = along * inverse
            pull = _pull(scales[i] * along * inverse.square(), deviation, h)
            for place in _pieces(h):
                piece = r[place].mul_(_each(scale, place))
                piece.addcmul_(h[place], _each(pull, place)).add_(g[place], alpha=_HALF)
                piece.sub_(_each(pull * mean, place))
            g = r
        return g, None, *found[0], *found[1], *found[2]


def _scaled(g: Tensor, factor: Tensor) -> Tensor:
    result = torch.empty_like(g)
    for place in _pieces(g):
        torch.mul(g[place], _each(factor, place), out=result[place])
    return result


def _products(a: Tensor, b: Tensor) -> Tensor:
    """Sum the products over all places: (B, C)."""
    total = a.new_zeros(a.shape[0], a.shape[3])
    for place in _pieces(a):
        total[place[0]] += (a[place] * b[place]).sum((1, 2))
    return total


def _through_gelu(r: Tensor, h: Tensor, scale: Tensor) -> Tensor:
    """Turn gradients by gelu(scale h), in place, into those by scale h; sum them times h."""
    along = r.new_zeros(r.shape[0], r.shape[3])
    for place in _pieces(r):
        piece, source = r[place], h[place]
        seen = source * _each(scale, place)
        torch.ops.aten.gelu_backward.grad_input(piece, seen, approximate="none", grad_input=piece)
        along[place[0]] += torch.mul(piece, source, out=seen).sum((1, 2))
    return along


def _pull(products: Tensor, deviation: Tensor, h: Tensor) -> Tensor:
    """Return what each place gets, per unit of its distance from the mean, by the deviation."""
    share = h.shape[3] // GROUPS
    count = h.shape[1] * h.shape[2] * share
    total = products.unflatten(1, (GROUPS, share)).sum(2).repeat_interleave(share, 1)
    flat = deviation == 0  # a constant map: no direction changes its deviation to first order
    return torch.where(flat, 0, -total / (max(1, count - 1) * deviation.where(~flat, 1)))


def _kernel_gradient(u: Tensor, g: Tensor, kernel: Tensor, dilation: int) -> Tensor:
    if kernel.shape[2:] == (1, 1):
        return (g.flatten(0, 2).T @ u.flatten(0, 2))[:, :, None, None]
    padding = (dilation * (kernel.shape[2] // 2), kernel.shape[3] // 2)
    return torch.nn.grad.conv2d_weight(
        u.permute(0, 3, 1, 2), kernel.shape, g.permute(0, 3, 1, 2),
        padding=padding, dilation=(dilation, 1),
    )  # fmt: skip
