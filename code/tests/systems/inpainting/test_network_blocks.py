import numpy as np
import pytest
import torch

from shellac.systems.inpainting.blocks import (
    ChannelAttention,
    ConvUnit,
    Gate,
    Join,
    Slopes,
    same_padding,
)
from shellac.systems.inpainting.network import initialise


def noise(*shape, seed=3):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def made(module, seed=1):
    initialise(module, torch.Generator().manual_seed(seed))
    return module.eval()


@pytest.mark.parametrize(
    ("length", "kernel", "stride", "pads"),
    [
        (8, 3, 1, (1, 1)),
        (8, 3, 2, (0, 1)),
        (7, 3, 2, (1, 1)),
        (8, 4, 1, (1, 2)),
        (8, 6, 1, (2, 3)),
        (8, 4, 2, (1, 1)),
        (8, 5, 2, (1, 2)),
        (8, 1, 2, (0, 0)),
    ],
)
def test_the_odd_zero_goes_after(length, kernel, stride, pads):
    assert same_padding(length, kernel, stride) == pads


@pytest.mark.parametrize(
    ("kernel", "stride"), [(1, 1), (3, 1), (4, 1), (5, 1), (6, 1), (9, 1), (3, 2), (4, 2), (5, 2)]
)
def test_a_unit_pads_as_its_definition_says(kernel, stride):
    unit = made(ConvUnit(2, 3, kernel, stride, norm=False, act="linear"))
    x = noise(1, 2, 6, 9)
    rows, columns = same_padding(6, kernel, stride), same_padding(9, kernel, stride)
    padded = torch.zeros(1, 2, 6 + sum(rows), 9 + sum(columns))
    padded[:, :, rows[0] : rows[0] + 6, columns[0] : columns[0] + 9] = x
    with torch.no_grad():
        wanted = torch.nn.functional.conv2d(padded, unit.conv.weight, unit.conv.bias, stride)
        got = unit(x)
    assert got.shape[2:] == (-(-6 // stride), -(-9 // stride))
    torch.testing.assert_close(got, wanted)


@pytest.mark.parametrize(
    ("kernel", "stride"), [(3, 2), (4, 2), (3, 4), (4, 8), (3, 16), (4, 4), (5, 2)]
)
def test_a_transposed_unit_adds_its_kernel_at_every_place_and_crops(kernel, stride):
    unit = made(ConvUnit(2, 3, kernel, stride, norm=False, act="linear", transposed=True))
    x, weight = noise(1, 2, 3, 4), unit.conv.weight.detach().numpy()
    with torch.no_grad():
        unit.conv.bias.copy_(torch.tensor([1.0, 2.0, 3.0]))
        got = unit(x)[0].numpy()
    full = np.zeros((3, 2 * stride + max(kernel, stride), 3 * stride + max(kernel, stride)))
    for i, j in np.ndindex(3, 4):
        place = np.s_[:, i * stride : i * stride + kernel, j * stride : j * stride + kernel]
        full[place] += np.einsum("c,cokl->okl", x[0, :, i, j].numpy(), weight)
    cut = max(kernel - stride, 0) // 2
    wanted = full[:, cut : cut + 3 * stride, cut : cut + 4 * stride]
    np.testing.assert_allclose(got, wanted + np.array([1, 2, 3])[:, None, None], atol=1e-5)


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("bias", [False, True])
def test_stored_statistics_normalise_after_the_convolution(transposed, bias):
    unit = made(ConvUnit(3, 5, 3, 2, transposed=transposed, bias=bias))
    norm = unit.norm
    with torch.no_grad():
        for value, seed in ((norm.weight, 1), (norm.bias, 2), (norm.running_mean, 4)):
            value.copy_(noise(5, seed=seed))
        norm.running_var.copy_(noise(5, seed=5).square())
        if bias:
            unit.conv.bias.copy_(noise(5, seed=6))
        x = noise(2, 3, 6, 6)
        got = unit(x)
        y = (
            unit.conv(x)[:, :, :12, :12]
            if transposed
            else unit.conv(torch.nn.functional.pad(x, (0, 1, 0, 1)))
        )
        each = (None, slice(None), None, None)
        y = (y - norm.running_mean[each]) / torch.sqrt(norm.running_var[each] + 1e-3)
        wanted = torch.relu(y * norm.weight[each] + norm.bias[each])
        torch.testing.assert_close(got, wanted)
        unit.fold()
        assert unit.norm is None
        torch.testing.assert_close(unit(x), wanted)


def test_slopes_scale_negative_values_alone():
    shared, placed = Slopes(2), Slopes(2, (1, 3))
    x = torch.tensor([[-1.0, 2.0, -3.0], [1.0, -2.0, 3.0]]).view(1, 2, 1, 3)
    with torch.no_grad():
        shared.weight.copy_(torch.tensor([0.5, 0.25]).view(2, 1, 1))
        placed.weight.copy_(torch.arange(6.0).view(2, 1, 3))
        assert shared(x).flatten().tolist() == [-0.5, 2, -1.5, 1, -0.5, 3]
        assert placed(x).flatten().tolist() == [0, 2, -6, 1, -8, 3]


@pytest.mark.parametrize("channels", [1, 4])
def test_a_gate_scales_the_skip_between_zero_and_one(channels):
    gate, skip, below = made(Gate(4, 6, channels)), noise(1, 4, 3, 5), noise(1, 6, 3, 5, seed=4)
    with torch.no_grad():
        ratio = gate(skip, below) / skip
        gate.both.bias.fill_(50)
        torch.testing.assert_close(gate(skip, below), skip)
    assert (ratio > 0).all() and (ratio < 1).all()
    assert (ratio.std(1).max() < 1e-5) == (channels == 1)


def test_joins_put_the_skip_first_unless_told_otherwise():
    skip, below = noise(1, 2, 3, 3), noise(1, 2, 3, 3, seed=4)
    assert torch.equal(Join("concat")(skip, below), torch.cat((skip, below), 1))
    assert torch.equal(Join("concat_below_first")(skip, below), torch.cat((below, skip), 1))
    assert torch.equal(Join("add")(skip, below), skip + below)
    assert Join("none")(None, below) is below


def test_channel_attention_weighs_channels_by_their_means():
    attention, x = made(ChannelAttention(3, 2)), noise(2, 3, 4, 4)
    with torch.no_grad():
        inner = torch.relu(x.mean((2, 3)) @ attention.squeeze.weight[:, :, 0, 0].T)
        weights = torch.sigmoid(inner @ attention.excite.weight[:, :, 0, 0].T)
        torch.testing.assert_close(attention(x), x * weights[:, :, None, None])
