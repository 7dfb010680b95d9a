"""The gradient by hand against the same layers in PyTorch's operations."""

import pytest
import torch
from torch.nn import functional

from shellac.systems.babe2 import network_dilated
from shellac.systems.babe2.network_dilated import GROUPS, Layer, convolve, deviations, dilated

CHANNELS, BATCH = 16, 2


@pytest.fixture(params=[64, 700, 1 << 16], ids=["rows", "items", "all in one"])
def pieces(request, monkeypatch):
    """Pieces of few rows, of single items, and all items in one."""
    monkeypatch.setattr(network_dilated, "_PIECE", request.param)


def plainly(h, layers):
    for kernel, scale, gate, dilation in layers:
        spread = h.unflatten(3, (GROUPS, -1)).std((1, 2, 4))
        spread = spread.repeat_interleave(h.shape[3] // GROUPS, 1)
        u = functional.gelu(h * (scale / (spread + 1e-7))[:, None, None])
        padding = (dilation * (kernel.shape[2] // 2), kernel.shape[3] // 2)
        v = functional.conv2d(u.movedim(3, 1), kernel, None, 1, padding, (dilation, 1))
        h = (h + gate[:, None, None] * v.movedim(1, 3)) / 2**0.5
    return h


def given(kernel, count, seed=0):
    make = torch.Generator().manual_seed(seed)

    def draw(*shape):
        return torch.randn(*shape, generator=make, dtype=torch.float64).requires_grad_()

    h = (2 + draw(BATCH, 7, 5, CHANNELS)).detach().requires_grad_()  # a mean that is not zero
    shapes = ((CHANNELS, CHANNELS, *kernel), (BATCH, CHANNELS), (BATCH, CHANNELS))
    return h, [Layer(*(draw(*shape) for shape in shapes), 1 << i) for i in range(count)]


@pytest.mark.parametrize(("kernel", "count"), [((5, 3), 3), ((1, 1), 1), ((3, 5), 2)])
def test_values_and_every_gradient_are_those_of_the_plain_layers(pieces, kernel, count):
    h, layers = given(kernel, count)
    wanted, found = plainly(h, layers), dilated(h, layers)
    torch.testing.assert_close(found, wanted)
    along = torch.randn(found.shape, generator=torch.Generator().manual_seed(1)).double()
    every = [h, *(tensor for layer in layers for tensor in layer[:3])]
    for name, ours, theirs in zip(
        range(len(every)),
        torch.autograd.grad(found, every, along),
        torch.autograd.grad(wanted, every, along),
        strict=True,
    ):
        torch.testing.assert_close(ours, theirs, msg=lambda text, name=name: f"{name}: {text}")


def test_frozen_layers_give_the_same_gradient_and_keep_one_map_each():
    h, layers = given((5, 3), 3)
    frozen = [Layer(*(tensor.detach() for tensor in layer[:3]), layer[3]) for layer in layers]
    kept = []
    with torch.autograd.graph.saved_tensors_hooks(lambda x: kept.append(x) or x, lambda x: x):
        found = dilated(h, frozen)
    maps = {each.data_ptr() for each in kept if each.shape == h.shape}
    assert len(maps) == 3
    ours = torch.autograd.grad(found.square().sum(), h)
    theirs = torch.autograd.grad(dilated(h, layers).square().sum(), h)
    torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize("level", [0.0, 3.0])
def test_a_constant_map_has_a_finite_gradient(level):
    h, layers = given((5, 3), 2)
    flat = torch.full_like(h, level, requires_grad=True)
    found = dilated(flat, layers)
    torch.autograd.backward(found.sum())
    assert torch.isfinite(found).all() and torch.isfinite(flat.grad).all()


def test_deviations_survive_a_mean_that_is_thirty_times_larger():
    x = torch.randn(1, 8, 64, CHANNELS, generator=torch.Generator().manual_seed(0)) + 30
    mean, spread = deviations(x)
    wanted = x.double().unflatten(3, (GROUPS, -1))
    torch.testing.assert_close(mean[:, ::2].double(), wanted.mean((1, 2, 4)), rtol=1e-6, atol=0)
    torch.testing.assert_close(spread[:, ::2].double(), wanted.std((1, 2, 4)), rtol=1e-3, atol=0)


def test_zeros_lie_around_a_convolution_however_wide_its_dilation():
    x = torch.randn(1, 4, 3, 2, generator=torch.Generator().manual_seed(0))
    kernel = torch.randn(6, 2, 5, 3, generator=torch.Generator().manual_seed(1))
    middle = convolve(x, kernel[:, :, 2:3])
    torch.testing.assert_close(convolve(x, kernel, 64), middle)
