"""Blocks against what the published code does step by step."""

import pytest
import torch
from torch.nn import functional

from shellac.systems.spectrogram_unet import DBlock, EBlock, IBlock, Plan, Style

PUBLISHED = {
    "reflected": Style(),
    "symmetric": Style(symmetric=True, activated_projection=True),
    "normalised": Style(weight_norm=True),
}


def middle(x, sizes):
    """Cut at half the difference, rounded down."""
    for axis, size in zip((2, 3), sizes, strict=True):
        x = x.narrow(axis, (x.shape[axis] - size) // 2, size)
    return x


@pytest.mark.parametrize("style", PUBLISHED.values(), ids=PUBLISHED)
@pytest.mark.parametrize("inputs", [4, 6])
@pytest.mark.parametrize("skip_size", [(9, 12), (8, 13)])
def test_an_up_step_doubles_projects_crops_and_joins(style, inputs, skip_size):
    torch.manual_seed(0)
    plan = Plan((4, 6), depth=1, style=style)
    block = DBlock(inputs, 4, plan)
    low = [size // 2 + 1 if not style.symmetric else -(-size // 2) for size in skip_size]
    x, skip = torch.randn(2, inputs, *low), torch.randn(2, 4, *skip_size)
    joined = []
    block.i_block.register_forward_pre_hook(lambda _, arguments: joined.append(arguments[0]))
    block(x, skip)

    convolution = block.tconv_1[0]
    up = functional.conv_transpose2d(x, convolution.kernel(), convolution.bias, stride=2)
    assert up.shape[2:] == (2 * low[0] + 2, 2 * low[1] + 2)
    nearest = x.repeat_interleave(2, 2).repeat_interleave(2, 3)
    if inputs != 4 or not style.activated_projection:
        nearest = functional.conv2d(nearest, block.projection.kernel(), block.projection.bias)
        if style.activated_projection:
            nearest = functional.elu(nearest)
    else:
        assert block.projection is None
    total = middle(functional.elu(up), nearest.shape[2:]) + nearest
    wanted = torch.cat((middle(total, skip_size), skip), 1)
    torch.testing.assert_close(joined[0], wanted, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("style", "sizes"), [("reflected", (5, 6)), ("symmetric", (4, 5))])
def test_a_down_step_halves_as_its_padding_says(style, sizes):
    block = EBlock(3, 4, 6, Plan((4, 6), depth=1, style=PUBLISHED[style]))
    skip, down = block(torch.randn(1, 3, 8, 10))
    assert skip.shape == (1, 4, 8, 10)
    assert down.shape == (1, 6, *sizes)


def test_an_i_block_adds_the_projected_input_to_the_last_map():
    block = IBlock(3, 5, (3, 3), Plan((3, 5), depth=1))
    x = torch.randn(1, 3, 8, 10)
    side = functional.conv2d(x, block.conv2d_res.weight, block.conv2d_res.bias)
    torch.testing.assert_close(block(x), side + block.tfc(x))
