import json

import pytest
import torch
from parity import cases
from torch.nn import functional

from shellac.systems.inpainting.blocks import ConvUnit, Norm
from shellac.systems.inpainting.network import NETWORKS, build, fuse, initialise

TABLE = cases.REPOSITORY.parent / "shared" / "reference" / "inpainting_models.json"
SHAPE = (64, 32)
BOUND = [name for name, row in NETWORKS.items() if row.size_bound]
NORMED = [name for name in ("UNet_v2", "LinkNet_v2", "FPN", "dnCNN", "Efficient_UNet_v2")]


def seeded(seed=1):
    return torch.Generator().manual_seed(seed)


def small(name, shape=SHAPE, **settings):
    return build(name, width=1 / 8, input_shape=shape, generator=seeded(), **settings)


def noise(*shape, seed=3):
    return torch.rand(*shape, generator=seeded(seed))


def counts(network):
    trainable = sum(p.numel() for p in network.parameters())
    return trainable + sum(b.numel() for b in network.buffers()), trainable


def parts(estimate):
    return [part for part in estimate if part is not None]


def published_size(name):
    with torch.device("meta"):
        outputs = NETWORKS[name].published_outputs
        return build(name, out_channels=outputs, slopes="positional")


@pytest.mark.parametrize("name", NETWORKS)
def test_published_counts(name):
    if not TABLE.is_file():
        pytest.skip("needs the table of networks in ../shared/reference, which is absent")
    listed = json.loads(TABLE.read_text("utf-8"))["models"]
    if name == "Efficient_UNet_v2_narrow":  # listed with 3 constants of the input's normalisation
        wanted = listed["Efficient_UNet_v2"]
        assert counts(published_size(name))[0] == wanted["total_parameters"] - 3
        assert counts(published_size(name))[1] == wanted["trainable_parameters"]
        return
    if name == "Efficient_UNet_v2":
        assert str(counts(published_size(name))[0]) in listed[name]["note"]
        return
    if not listed[name]["builds"]:  # as published; ours is repaired, so that nothing is listed
        assert name == "FPN_RFB_U_Net"
        assert listed[name].get("total_parameters") is None
        return
    wanted = listed[name]["total_parameters"], listed[name]["trainable_parameters"]
    assert counts(published_size(name)) == wanted


def test_every_listed_network_is_here():
    if not TABLE.is_file():
        pytest.skip("needs the table of networks in ../shared/reference, which is absent")
    listed = json.loads(TABLE.read_text("utf-8"))["models"]
    assert {name for name in listed if not name.startswith("run:")} <= set(NETWORKS)


@pytest.mark.parametrize("name", NETWORKS)
def test_forward_and_one_training_step(name):
    network = small(name, mask_input=True)
    x, mask = noise(2, 1, *SHAPE), (noise(2, 1, SHAPE[0], 1, seed=4) > 0.3).float()
    with torch.no_grad():  # few channels: at zero offsets all of a layer may be below zero
        for i, value in enumerate(network.parameters()):
            if value.ndim == 1:
                value.add_(0.2 * noise(*value.shape, seed=i))
    found = network(x, mask, seeded())
    assert found.restored.shape == x.shape
    loss = sum((part - 0.5).square().mean() for part in parts(found))
    loss.backward()
    torch.optim.SGD(network.parameters(), 1e-5).step()
    after = network(x, mask, seeded())
    assert sum((part - 0.5).square().mean() for part in parts(after)) < loss
    assert all(torch.isfinite(part).all() for part in parts(found))
    for key, value in network.named_parameters():
        assert value.grad is not None and torch.isfinite(value.grad).all(), key
        assert value.grad.any(), f"nothing reaches {key}"


@pytest.mark.parametrize("name", NETWORKS)
def test_sizes_that_it_takes_and_refuses(name):
    network = small(name).eval()
    with torch.inference_mode():
        if name in BOUND:
            with pytest.raises(ValueError, match=r"this network takes \(64, 32\)"):
                network(torch.zeros(1, 1, 32, 32))
        else:
            side = network.multiple
            for shape in ((side, 2 * side), (96, 32)):
                assert network(noise(3, 1, *shape)).restored.shape == (3, 1, *shape)
        for shape in ((64, 32), (1, 64, 32), (1, 2, 64, 32), (0, 1, 64, 32)):
            with pytest.raises(ValueError, match=r"takes \(B, 1, N, F\)"):
                network(torch.zeros(shape))
        if network.multiple > 1 and name not in BOUND:
            with pytest.raises(ValueError, match=f"multiples of {network.multiple}"):
                network(torch.zeros(1, 1, network.multiple, network.multiple + 1))


@pytest.mark.parametrize("name", NETWORKS)
def test_items_of_a_batch_do_not_mix(name):
    network, x = small(name).eval(), noise(3, 1, *SHAPE)
    with torch.inference_mode():
        together = network(x).restored
        alone = torch.cat([network(item[None]).restored for item in x])
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", NETWORKS)
def test_fused_is_the_same_function(name):
    network, x = small(name).eval(), noise(2, 1, *SHAPE)
    with torch.no_grad():
        for i, norm in enumerate(m for m in network.modules() if isinstance(m, Norm)):
            for value in (norm.weight, norm.bias, norm.running_mean, norm.running_var):
                value.copy_(1 + 0.2 * noise(*value.shape, seed=i))
        wanted = network(x)
        fused = fuse(network)
        got = fused(x)
    for ours, theirs in zip(parts(got), parts(wanted), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-4)
    assert not any(isinstance(module, Norm) for module in fused.modules())
    if name in NORMED:
        assert any(isinstance(module, Norm) for module in network.modules())


@pytest.mark.parametrize("name", NORMED)
def test_affine_norms_are_the_same_in_training_and_batch_norms_are_not(name):
    x = noise(4, 1, *SHAPE)
    with torch.no_grad():
        network = small(name)
        stored = {key: value.clone() for key, value in network.named_buffers()}
        assert torch.equal(network(x).restored, network.eval()(x).restored)
        assert all(torch.equal(value, stored[key]) for key, value in network.named_buffers())
        network = small(name, bn_mode="batch")
        first = network(x).restored
        assert not any(torch.equal(value, stored[key]) for key, value in network.named_buffers())
        assert not torch.allclose(network.eval()(x).restored, first)
        torch.testing.assert_close(
            fuse(network)(x).restored, network(x).restored, rtol=1e-3, atol=1e-4
        )


@pytest.mark.parametrize("shape", [(4, 4), (7, 8), (8, 8), (9, 16)])
@pytest.mark.parametrize(("kernel", "stride"), [(3, 2), (4, 2), (3, 4)])
def test_transposed_units_cut_an_odd_excess_after(shape, kernel, stride):
    unit = ConvUnit(3, 5, kernel, stride, norm=False, act="linear", transposed=True)
    initialise(unit, seeded())
    x = noise(2, 3, *shape).requires_grad_()
    y = unit(x)
    whole = functional.conv_transpose2d(x, unit.conv.weight, unit.conv.bias, stride)
    whole = functional.pad(whole, (0, max(0, stride - kernel)) * 2)  # ends that no tap reaches
    cut, ends = max(0, kernel - stride) // 2, tuple(stride * side for side in shape)
    wanted = whole[:, :, cut:, cut:][:, :, : ends[0], : ends[1]]
    torch.testing.assert_close(y, wanted)
    weights = noise(*wanted.shape, seed=1)
    ours, theirs = (torch.autograd.grad((z * weights).sum(), x)[0] for z in (y, wanted))
    torch.testing.assert_close(ours, theirs)


def test_batch_norms_normalise_by_the_batch():
    unit = ConvUnit(1, 4)
    initialise(unit, seeded())
    unit.norm.batch = True
    y = unit(noise(8, 1, 16, 16))
    assert unit.act == "relu" and y.min() == 0
    unit.act = "linear"
    y = unit(noise(8, 1, 16, 16))
    torch.testing.assert_close(y.mean((0, 2, 3)), torch.zeros(4), atol=1e-5, rtol=0)
    torch.testing.assert_close(y.std((0, 2, 3)), torch.ones(4), atol=0.05, rtol=0)


@pytest.mark.parametrize("name", ["UNet_v2", "Card", "FPN", "Dual_Res_UNet_v2", "WaveNet"])
def test_the_mask_is_read_where_it_was_asked_for(name):
    x = noise(2, 1, *SHAPE)
    ones, zeros = torch.ones(2, 1, SHAPE[0], 1), torch.zeros(2, 1, SHAPE[0], 1)
    with torch.inference_mode():
        network = small(name, mask_input=True).eval()
        assert not torch.allclose(network(x, ones).restored, network(x, zeros).restored)
        for mask in (None, torch.ones(2, 1, SHAPE[0], SHAPE[1]), ones[:1]):
            with pytest.raises(ValueError, match="needs a mask"):
                network(x, mask)
        network = small(name).eval()
        assert torch.equal(network(x, zeros).restored, network(x).restored)


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("channels", [1, 3])
def test_the_rule_says_what_becomes_of_the_heads_output(name, channels):
    network, x = small(name, out_channels=channels).eval(), noise(1, 1, *SHAPE)
    body = network.body
    head = next(
        part
        for part in (getattr(body, "second", body), body)
        for part in (getattr(part, "head", None), getattr(part, "last", None))
        if part is not None
    )
    if name == "WaveNet":
        head = body.last
    with torch.inference_mode():
        convolutions = [m for m in head.modules() if getattr(m, "weight", None) is not None]
        convolutions[-1].weight.zero_()
        convolutions[-1].bias.fill_(0.25)
        restored = network(x).restored
    sign = {"plain": 0, "x + y": 1, "x - y": -1}[network.rule]
    wanted = (x + sign * 0.25 if sign else torch.full_like(x, 0.25)).expand(1, channels, *SHAPE)
    torch.testing.assert_close(restored, wanted)


def test_the_second_network_of_a_cascade_reads_the_first_ones_residual():
    network, x = small("Dual_Res_UNet_v2").eval(), noise(1, 1, *SHAPE)
    with torch.inference_mode():
        found = network(x)
        first = network.body.first(x, None).restored
        second = network.body.second(first, None).restored
    torch.testing.assert_close(found.intermediate, x - first)
    torch.testing.assert_close(found.restored, x - second)
    assert not torch.allclose(found.restored, found.intermediate)


@pytest.mark.parametrize("name", ["VAE_UNet_v2", "VAE_Res_UNet_v2", "VAE_Res_UNet_v2_metade"])
def test_the_draw_of_variational_networks_is_explicit(name):
    network, x = small(name).eval(), noise(2, 1, *SHAPE)
    state = torch.get_rng_state()
    with torch.inference_mode():
        still = network(x)
        zero = network(x, eps=torch.zeros(2, network.latent))
        drawn, again, other = (network(x, eps=seeded(seed)) for seed in (5, 5, 6))
        given = network(x, eps=torch.randn(2, network.latent, generator=seeded(5)))
        with pytest.raises(ValueError, match="eps has shape"):
            network(x, eps=torch.zeros(2, network.latent + 1))
    assert torch.equal(still.restored, zero.restored)
    assert torch.equal(drawn.restored, again.restored)
    assert torch.equal(drawn.restored, given.restored)
    assert not torch.equal(drawn.restored, other.restored)
    assert not torch.equal(drawn.restored, still.restored)
    assert drawn.mean.shape == drawn.log_variance.shape == (2, network.latent)
    assert torch.equal(torch.get_rng_state(), state)


def test_the_decoder_of_vae_reads_no_sample():
    network, x = small("VAE").eval(), noise(1, 1, *SHAPE)
    with torch.inference_mode():
        still, drawn = network(x), network(x, eps=seeded())
    assert network.latent == 0 and still.mean is not None
    assert torch.equal(still.restored, drawn.restored)


def test_positional_slopes_bind_the_size_and_shared_ones_do_not():
    shared, placed = small("ARCNN"), small("ARCNN", slopes="positional")
    assert shared.shape is None and placed.shape == SHAPE
    assert shared.body.layers[0].slopes.weight.shape == (8, 1, 1)
    assert placed.body.layers[0].slopes.weight.shape == (8, *SHAPE)
    with pytest.raises(ValueError, match="takes"):
        placed(torch.zeros(1, 1, 32, 32))
    x = noise(1, 1, *SHAPE)
    with torch.inference_mode():
        for network in (shared, placed):
            for layer in network.body.layers:
                layer.slopes.weight.fill_(0.3)
        torch.testing.assert_close(shared(x).restored, placed(x).restored)


def test_weights_come_from_the_generator_and_start_as_published():
    state = torch.get_rng_state()
    first, again = (build("UNet", width=1 / 4, generator=seeded(7)) for _ in range(2))
    other = build("UNet", width=1 / 4, generator=seeded(8))
    assert torch.equal(torch.get_rng_state(), state)
    pairs = list(zip(first.state_dict().items(), again.state_dict().values(), strict=True))
    assert all(torch.equal(value, same) for (_, value), same in pairs)
    weight = first.body.neck[0].conv.weight
    assert not torch.equal(weight, other.body.neck[0].conv.weight)
    wanted = (2 / (9 * (128 + 256))) ** 0.5
    assert abs(weight.std().item() / wanted - 1) < 0.01
    assert weight.abs().max() <= 2 * wanted / 0.8796
    for name, value in first.state_dict().items():
        if name.endswith(("bias", "running_mean")):
            assert not value.any(), name
        elif name.endswith(("norm.weight", "running_var")):
            assert (value == 1).all(), name
    arcnn = build("ARCNN", width=1 / 4, generator=seeded())
    assert not arcnn.body.layers[0].slopes.weight.any()


def test_without_a_generator_the_seeded_one_of_the_caller_draws():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        first = build("UNet_Sun")
        torch.manual_seed(3)
        again = build("UNet_Sun")
    assert torch.equal(first.body.head.conv.weight, again.body.head.conv.weight)


def test_nothing_is_computed_on_the_meta_device():
    with torch.device("meta"):
        network = build("VAE_Res_UNet_v2_metade")
    assert all(value.is_meta for value in network.state_dict().values())


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("UNet_v3", {}, "'UNet_v3'; there are: ARCNN, "),
        ("UNet", {"width": 0}, "width is 0"),
        ("UNet", {"width": float("nan")}, "width is nan"),
        ("UNet", {"bn_mode": "instance"}, "'instance' is none of affine, batch"),
        ("ARCNN", {"slopes": "none"}, "'none' is none of shared, positional"),
        ("UNet", {"out_channels": 0}, "out_channels is 0"),
        ("UNet", {"input_shape": (128, 100)}, "two multiples of 32"),
        ("UNet_Sun", {"input_shape": (6, 8)}, "two multiples of 4"),
        ("UNet", {"input_shape": (0, 32)}, "two multiples of 32"),
    ],
)
def test_settings_that_cannot_be_are_refused(name, settings, message):
    with pytest.raises(ValueError, match=message):
        build(name, **settings)


def test_every_row_tells_what_it_is():
    families = {row.family for row in NETWORKS.values()}
    assert families == {"full resolution", "U-Net", "pyramid"}
    descriptions = [row.description for row in NETWORKS.values()]
    assert len(set(descriptions)) == len(descriptions) and all(descriptions)
