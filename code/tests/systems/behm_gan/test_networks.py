import json

import pytest
import torch
from parity import cases

from shellac import networks
from shellac.errors import UsageError
from shellac.systems import weight_norm
from shellac.systems.behm_gan import discriminators
from shellac.systems.behm_gan.audiounet import AudioUNet
from shellac.systems.behm_gan.network import Generator
from shellac.systems.behm_gan.published import BUILDERS
from shellac.systems.behm_gan.seanet import SEANet

WIDTH = 1 / 16


def spectrogram(frames, batch=1):
    return torch.randn(batch, 2, frames, 513, generator=torch.Generator().manual_seed(3))


def signal(samples, batch=2):
    return torch.randn(batch, 1, samples, generator=torch.Generator().manual_seed(4))


@pytest.mark.parametrize("settings", [
    {},
    {"use_weight_norm": False},
    {"use_fencoding": False, "ksize_init": (7, 5), "ksize_encoder": (3, 5), "ksize_bn": (3, 1)},
    {"depth": 3, "num_tfc": 1, "channels": (12, 16, 24, 32), "ksize_decoder": (5, 3)},
    {"depth": 3, "ksize_bn": (9, 3), "ksize_encoder": (11, 1)},
])  # fmt: skip
def test_the_least_number_of_frames_is_what_reflection_allows(settings):
    network = Generator(width=WIDTH, **settings).eval()
    least = network.least_frames
    with torch.inference_mode():
        x = spectrogram(least)
        out = network(x)
        assert out.shape == x.shape
        with pytest.raises(ValueError, match=f"at least {least}"):
            network(spectrogram(least - 1))
        network.least_frames = 1
        with pytest.raises(RuntimeError, match="[Pp]adding"):
            network(spectrogram(least - 1))
        prepared = weight_norm.prepare(network)
        torch.testing.assert_close(prepared(x), out, rtol=1e-4, atol=1e-5)


def test_normalised_kernels_start_as_plain_ones_and_have_the_published_names():
    torch.manual_seed(0)
    plain = Generator(width=WIDTH, use_weight_norm=False).state_dict()
    torch.manual_seed(0)
    network = Generator(width=WIDTH)
    state = network.state_dict()
    assert [n.partition(".weight")[0] for n in state if n.endswith("_v")] == [
        n.removesuffix(".weight") for n in plain if n.endswith("weight")
    ]
    transposed = network.decoder_s1.dblocks[5].tconv_1[0]
    assert transposed.weight_g.shape == (32, 1, 1, 1)
    kernel = plain["decoder_s1.dblocks.5.tconv_1.0.weight"]
    torch.testing.assert_close(transposed.kernel(), kernel)
    transposed.weight_v.data *= 3
    torch.testing.assert_close(transposed.kernel(), kernel)
    transposed.weight_g.data *= -2
    torch.testing.assert_close(transposed.kernel(), -2 * kernel)


@pytest.mark.parametrize("settings", [{"ksize_init": (6, 7)}, {"ksize_bn": (2, 3)}])
def test_even_kernels_are_refused(settings):
    with pytest.raises(ValueError, match="must be odd"):
        Generator(width=WIDTH, **settings)


@pytest.mark.parametrize("samples", [2, 64, 1000, 4098])
def test_audiounet_takes_every_even_length(samples):
    network = AudioUNet(WIDTH).eval()
    with torch.inference_mode():
        assert network(signal(samples)).shape == (2, 1, samples)
        with pytest.raises(ValueError, match="T even"):
            network(signal(samples + 1))


@pytest.mark.parametrize("samples", [850, 851, 4099])
def test_seanet_takes_every_length_from_850(samples):
    network = SEANet(WIDTH).eval()
    with torch.inference_mode():
        assert network(signal(samples)).shape == (2, 1, samples)
        with pytest.raises(ValueError, match="T >= 850"):
            network(signal(849))


def test_discriminators_see_half_the_rate_each_and_their_losses_are_least_squares():
    judges = discriminators.MultiScaleDiscriminator(WIDTH)
    results = judges(signal(8192))
    assert [scores.shape for scores, _ in results] == [(2, 32), (2, 16), (2, 8), (2, 4)]
    assert all(len(features) == 7 for _, features in results)
    ones = [torch.ones(2, 3)] * 4
    assert sum(discriminators.distances_from_one(ones)) == 0
    assert sum(discriminators.distances_from_zero(ones)) == 4
    sum(discriminators.distances_from_one([scores for scores, _ in results])).backward()
    silent = [n for n, p in judges.named_parameters() if p.grad is None or not p.grad.any()]
    assert silent == []


def test_a_narrow_network_is_refused_at_no_width():
    for name in ("unet", "audiounet", "seanet"):
        with pytest.raises(UsageError, match="width is 0"):
            networks.build(f"behm_gan/{name}", width=0)


@pytest.mark.parametrize(
    ("stem", "key"),
    [
        ("behm_generator", "behm_generator"),
        ("behm_discriminators", "behm_discriminators"),
        ("audiounet", "behm_audiounet"),
        ("seanet", "behm_seanet"),
    ],
)
def test_names_shapes_and_order_are_those_of_the_published_checkpoint(stem, key):
    files = [path for path in cases.find(cases.folders()) if path.stem == stem]
    if not files:
        pytest.skip(f"no parity case {stem} here")
    with torch.device("meta"):
        state = BUILDERS[key]().state_dict()
    ours = [[n, list(t.shape), str(t.dtype).removeprefix("torch.")] for n, t in state.items()]
    assert ours == json.loads(files[0].read_text())["parameters"]
