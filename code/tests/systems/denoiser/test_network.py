import json

import pytest
import torch
from parity import cases

from shellac import networks
from shellac.errors import UsageError
from shellac.systems import weight_norm
from shellac.systems.denoiser.network import LAYOUTS, Denoiser
from shellac.systems.spectrogram_unet import padded

SMALL = {"width": 1 / 16}


def spectrogram(frames, bins=513, batch=1):
    generator = torch.Generator().manual_seed(3)
    return torch.randn(batch, 2, frames, bins, generator=generator)


@pytest.mark.parametrize(("layout", "frames"), [("22k", 34), ("22k", 47), ("44k", 1), ("44k", 40)])
def test_every_length_from_the_least_comes_back_in_its_shape(layout, frames):
    network = Denoiser(layout, **SMALL).eval()
    x = spectrogram(frames, LAYOUTS[layout].bins, batch=2)
    with torch.inference_mode():
        found = network(x)
    assert found.final.shape == found.first.shape == x.shape
    assert torch.isfinite(found.final).all()


@pytest.mark.parametrize(("depth", "least"), [(1, 3), (2, 4), (3, 6), (4, 10), (5, 18), (6, 34)])
def test_the_least_number_of_frames_is_what_reflection_allows(depth, least):
    network = Denoiser(depth=depth, **SMALL).eval()
    wanted = max(least, 4)  # the stem reflects three frames
    assert network.least_frames == wanted
    with torch.inference_mode():
        network(spectrogram(wanted))
    with pytest.raises(ValueError, match=f"at least {wanted}"):
        network(spectrogram(wanted - 1))


@pytest.mark.parametrize(("depth", "frames"), [(6, 47), (6, 111), (3, 15), (3, 23)])
def test_what_comes_after_matters_only_by_the_parities_of_the_number_of_frames(depth, frames):
    network = Denoiser(depth=depth, **SMALL).eval()
    assert [network.fitting_frames(n) for n in (frames, frames - 1)] == [frames, frames]
    assert network.fitting_frames(frames + 1) == frames + 2**depth
    original = Denoiser("44k", depth=depth, **SMALL)
    assert [original.fitting_frames(n) for n in (1, 50)] == [1, 50]
    x = torch.randn(1, 2, 431, 513, generator=torch.Generator().manual_seed(0))
    fitting = network.fitting_frames(200)
    with torch.inference_mode():
        whole = network(x).final[:, :, :40]
        same, other = (network(x[:, :, :n]).final[:, :, :40] for n in (fitting, fitting - 1))
    size = whole.square().mean().sqrt()
    assert (same - whole).square().mean().sqrt() < 1e-3 * size
    assert (other - whole).square().mean().sqrt() > 10 * (same - whole).square().mean().sqrt()


def test_one_stage_has_one_estimate_and_no_attention():
    network = Denoiser(num_stages=1, **SMALL).eval()
    found = network(spectrogram(34))
    assert found.first is None
    assert not any(name.startswith("sam_1") for name in network.state_dict())
    several = Denoiser(num_stages=5, **SMALL).state_dict()
    assert list(several) == list(Denoiser(**SMALL).state_dict())


def test_without_attention_the_module_stays_and_only_its_estimate_counts():
    network = Denoiser(use_sam=False, depth=2, **SMALL).eval()
    x = spectrogram(12)
    with torch.inference_mode():
        before = network(x)
        network.sam_1.conv1.weight.add_(1)
        network.sam_1.conv3.weight.add_(1)
        assert torch.equal(network(x).final, before.final)
        network.sam_1.conv2.weight.add_(1)
        assert not torch.equal(network(x).first, before.first)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_prepared_for_inference_it_is_the_same_function(layout):
    network = Denoiser(layout, **SMALL).eval()
    x = spectrogram(40, LAYOUTS[layout].bins)
    with torch.inference_mode():
        before = network(x).final
        after = weight_norm.prepare(weight_norm.prepare(network))(x).final
    torch.testing.assert_close(after, before, rtol=1e-4, atol=1e-5)


def test_a_dense_block_is_that_of_the_paper():
    block = Denoiser(**SMALL).encoder_s1.eblocks[3].i_block.tfc
    x = torch.randn(2, 8, 7, 9)
    seen = x
    for layer in block.H:
        newest = layer(seen)
        seen = torch.cat((newest, seen), 1)
    torch.testing.assert_close(block(x), newest, rtol=1e-4, atol=1e-5)


def test_gradients_reach_every_parameter():
    network = Denoiser(depth=2, **SMALL)
    found = network(spectrogram(12))
    (found.final.abs().mean() + found.first.abs().mean()).backward()
    silent = [n for n, p in network.named_parameters() if p.grad is None or not p.grad.abs().sum()]
    assert silent == []


def test_symmetric_padding_repeats_the_edge_and_is_shorter_at_the_end_for_even_kernels():
    x = torch.arange(6.0).reshape(1, 1, 2, 3)
    row = padded(x, (1, 4), symmetric=True)[0, 0, 0]
    assert row.tolist() == [1, 0, 0, 1, 2, 2]
    assert padded(x, (1, 7), symmetric=True)[0, 0, 0].tolist() == [2, 1, 0, 0, 1, 2, 2, 1, 0]
    assert torch.equal(
        padded(x, (3, 3), symmetric=True)[0, 0, :, 1], torch.tensor([0.0, 0.0, 3.0, 3.0])
    )
    assert padded(x, (1, 4), symmetric=False)[0, 0, 0].tolist() == [2, 1, 0, 1, 2, 1, 0]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"width": 0}, "width is 0"),
        ({"depth": 0}, "depth is 0"),
        ({"depth": 7}, "depth is 7"),
        ({"num_tfc": 0}, "at least one layer"),
        ({"num_stages": 0}, "num_stages is 0"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings, message):
    with pytest.raises(UsageError, match=message):
        networks.build("denoiser/unet_22k", **settings)


@pytest.mark.parametrize("shape", [(1, 2, 40, 512), (1, 1, 40, 513), (2, 40, 513)])
def test_other_shapes_are_refused(shape):
    with pytest.raises(ValueError, match="the network takes"):
        Denoiser(**SMALL)(torch.zeros(shape))


def test_the_two_layouts_start_as_published():
    original = Denoiser("44k", width=1 / 4)
    assert "freq_encoding.fembeddings" not in original.state_dict()
    kernel = original.encoder_s1.i_block.tfc.H[0][0]
    assert kernel.weight.abs().max() <= 0.1
    assert kernel.weight.detach().std() == pytest.approx(0.044, abs=0.002)  # cut at two deviations
    assert not kernel.bias.any()
    network = Denoiser("22k", width=1 / 4)
    place = torch.arange(513) / 512
    column = network.freq_encoding.fembeddings[:, 3].detach()
    torch.testing.assert_close(column, torch.cos(8 * torch.pi * place), rtol=0, atol=1e-4)


@pytest.mark.parametrize("stem", ["denoiser", "denoiser_no_sam"])
def test_names_shapes_and_order_are_those_of_the_published_checkpoint(stem):
    files = [path for path in cases.find(cases.folders()) if path.stem == stem]
    if not files:
        pytest.skip(f"no parity case {stem} here")
    told = json.loads(files[0].read_text())
    config = told["settings"]["config"]
    with torch.device("meta"):
        state = Denoiser(
            depth=config["depth"], num_tfc=config["num_tfc"], use_sam=config["use_SAM"]
        ).state_dict()
    ours = [[n, list(t.shape), str(t.dtype).removeprefix("torch.")] for n, t in state.items()]
    assert ours == told["parameters"]
