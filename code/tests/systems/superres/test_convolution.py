import pytest
import torch
from torch import nn

from shellac.systems.superres import convolution
from shellac.systems.superres.convolution import DilatedConv1d, algorithm

# (in, out, kernel, batch, length) and the algorithm that these shapes take on the CPU.
SHAPES = {
    "single": (1, 3, 9, 2, 41),
    "narrow": (512, 2, 33, 1, 40),
    "channels_last": (5, 7, 9, 2, 41),
    "plain": (64, 64, 3, 1, 20),
    "spectral": (32, 16, 65, 1, 3001),
}


@pytest.fixture(params=SHAPES)
def layers(request):
    """The layer, PyTorch's own with the same weights, and an input, in float64."""
    in_channels, out_channels, kernel, batch, length = SHAPES[request.param]
    assert algorithm(out_channels, in_channels, kernel, batch, length)[0] == request.param
    torch.manual_seed(1)
    ours = DilatedConv1d(in_channels, out_channels, kernel).double()
    plain = nn.Conv1d(in_channels, out_channels, kernel, padding=kernel - 1, dilation=2).double()
    plain.load_state_dict(ours.state_dict(), strict=True)
    return ours, plain, torch.randn(batch, in_channels, length).double()


def gradients(layer, x):
    x = x.clone().requires_grad_()
    out = layer(x)
    slopes = torch.linspace(-1, 1, out.numel(), dtype=out.dtype).view(out.shape)
    return out, *torch.autograd.grad((out * slopes).sum(), (x, layer.weight, layer.bias))


def test_every_algorithm_gives_the_plain_convolution_and_its_gradients(layers):
    ours, plain, x = layers
    for got, wanted in zip(gradients(ours, x), gradients(plain, x), strict=True):
        torch.testing.assert_close(got, wanted, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("kernel", [5, 9, 17, 33, 65])
@pytest.mark.parametrize("length", [1, 2, 63, 400])
def test_spectral_blocks_fit_any_length(kernel, length):
    torch.manual_seed(1)
    layer = DilatedConv1d(3, 2, kernel)
    x = torch.randn(2, 3, length)
    wanted = nn.Conv1d.forward(layer.double(), x.double())
    blocks = [n for n in convolution._BLOCKS if n - kernel + 1 >= kernel - 1]
    layer.float()
    assert blocks
    for block in blocks:
        got = convolution._spectral(x, layer.weight, layer.bias, block)
        torch.testing.assert_close(got.double(), wanted, rtol=0, atol=3e-6)


def test_many_channels_are_multiplied_in_groups_of_bins(monkeypatch):
    torch.manual_seed(1)
    layer, x = DilatedConv1d(6, 5, 9), torch.randn(1, 6, 100)
    whole = convolution._spectral(x, layer.weight, layer.bias, 24)
    monkeypatch.setattr(convolution, "_GROUP_VALUES", 4 * 6 * 5 * 5)
    torch.testing.assert_close(
        convolution._spectral(x, layer.weight, layer.bias, 24), whole, rtol=0, atol=1e-6
    )


def test_a_training_step_repeats_bit_by_bit(layers):
    ours, _, x = layers
    ours, x = ours.float(), x.float()
    torch.use_deterministic_algorithms(True)
    try:
        first, second = gradients(ours, x), gradients(ours, x)
    finally:
        torch.use_deterministic_algorithms(False)
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def test_training_may_follow_inference(layers):
    ours, _, x = layers
    convolution._transforms.cache_clear()
    with torch.inference_mode():
        out = ours(x)
    torch.testing.assert_close(gradients(ours, x)[0], out)


def test_other_devices_take_pytorchs_convolution():
    with torch.device("meta"):
        layer, x = DilatedConv1d(48, 32, 33), torch.empty(2, 48, 1001)
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        assert layer(x).shape == (2, 32, 1001)
    assert counter.get_total_flops() == 2 * 2 * 48 * 32 * 33 * 1001
