import math

import pytest
import torch
from torch import nn

from shellac.systems.superres import afilm
from shellac.systems.superres.afilm import AFiLMUNet, AttentionFiLM


def noise(*shape, seed=3):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def film():
    torch.manual_seed(2)
    return AttentionFiLM(channels=6, block_length=4, feed_forward=10).eval()


def test_position_codes_follow_their_formula_at_any_length_and_parity():
    for channels in (6, 7):
        codes = afilm.positions(9000, channels, torch.zeros(1))
        assert codes.shape == (9000, channels)
        for step, channel in ((0, 0), (0, 1), (5, 2), (8999, 4), (17, channels - 1)):
            angle = step / 10000 ** (2 * (channel // 2) / channels)
            wanted = math.cos(angle) if channel % 2 else math.sin(angle)
            assert codes[step, channel] == pytest.approx(wanted, abs=2e-3)


def test_heads_divide_the_channels_and_stay_wide():
    assert [afilm.heads(c) for c in (512, 128, 64, 50, 49, 32, 16, 7, 1)] == [
        8,
        8,
        4,
        2,
        1,
        2,
        1,
        1,
        1,
    ]


def test_an_encoder_layer_is_that_of_pytorch_with_the_same_weights():
    torch.manual_seed(5)
    ours = afilm.EncoderLayer(32, 24).eval()
    theirs = nn.TransformerEncoderLayer(
        32, ours.heads, 24, batch_first=True, layer_norm_eps=afilm.NORMALISATION_EPSILON
    ).eval()
    with torch.no_grad():
        for parameter, like in (
            (theirs.self_attn.in_proj_weight, ours.projection.weight),
            (theirs.self_attn.in_proj_bias, ours.projection.bias),
            (theirs.self_attn.out_proj.weight, ours.combination.weight),
            (theirs.self_attn.out_proj.bias, ours.combination.bias),
            (theirs.linear1.weight, ours.dense[0].weight),
            (theirs.linear1.bias, ours.dense[0].bias),
            (theirs.linear2.weight, ours.dense[2].weight),
            (theirs.linear2.bias, ours.dense[2].bias),
        ):
            parameter.copy_(like)
        x = noise(2, 9, 32)
        torch.testing.assert_close(ours(x), theirs(x))


def test_one_factor_scales_each_block_of_each_channel(film):
    x = noise(2, 6, 20)
    with torch.inference_mode():
        factors = (film(x) / x).unflatten(2, (-1, 4))
    torch.testing.assert_close(factors, factors[..., :1].expand_as(factors), rtol=1e-4, atol=1e-5)
    assert factors[..., 0].std() > 0.1


def test_the_factors_see_the_maxima_of_all_blocks_and_nothing_else(film):
    x = noise(1, 6, 20)
    lower = x.clone()
    lower[0, :, 4:8] = x[0, :, 4:8].amax(1, keepdim=True) - torch.tensor([0.0, 1.0, 2.0, 3.0])
    louder = x.clone()
    louder[0, 2, 17] = 9.0
    with torch.inference_mode():
        first, same, other = (film(y)[0, :, 0] for y in (x, lower, louder))
    torch.testing.assert_close(first, same, rtol=0, atol=1e-6)
    assert (first - other).abs().max() > 1e-3


def test_order_in_time_matters(film):
    x = noise(1, 6, 20)
    with torch.inference_mode():
        swapped = film(x.unflatten(2, (5, 4)).flip(2).flatten(2))
    assert not torch.allclose(swapped.unflatten(2, (5, 4)).flip(2).flatten(2), film(x), atol=1e-3)


def test_dropout_acts_in_training_alone():
    torch.manual_seed(1)
    net, x = AFiLMUNet(width=1 / 32, dropout=0.0), noise(1, 1, 512)
    with torch.no_grad():
        assert not torch.equal(net(x), net(x))
        net.eval()
        assert torch.equal(net(x), net(x))


def test_one_channel_is_refused_since_normalisation_would_make_it_constant():
    assert AFiLMUNet(width=1 / 64).down1[0].out_channels == 2
    with pytest.raises(ValueError, match="two channels"):
        AFiLMUNet(width=1 / 128)
