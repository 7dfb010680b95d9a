import json

import numpy as np
import pytest
import torch
from parity import cases, rules

from shellac import published
from shellac.errors import WeightsError
from shellac.systems.inpainting.network import NETWORKS, build
from shellac.systems.inpainting.published import recognise, slots

MODEL = {"model": "UNet_Sun"}


def listing(name, **settings):
    """Published names and shapes of a network."""
    settings.setdefault("out_channels", NETWORKS[name].published_outputs)
    with torch.device("meta"):
        return slots(build(name, slopes="positional", **settings))


def weights(name, seed=5, **settings):
    found = listing(name, **settings)
    return rules.checkpoint([[n, slot.listed, "float32"] for n, slot in found.items()], seed)


def in_keras_order(name, state, **settings):
    found = listing(name, **settings)
    return {n: np.ascontiguousarray(state[n].transpose(found[n].axes)) for n in state}


def load(name, state):
    return published.load("inpainting", state, {"model": name})


@pytest.mark.parametrize("name", NETWORKS)
def test_every_array_of_a_network_has_one_published_name(name):
    with torch.device("meta"):
        network = build(name, slopes="positional")
    found = slots(network)
    assert sorted(slot.name for slot in found.values()) == sorted(network.state_dict())


PARITY = [path for path in cases.find(cases.folders()) if path.stem.startswith("inpaint_")]


@pytest.mark.skipif(not PARITY, reason="no parity cases here")
def test_names_and_shapes_are_those_of_the_cases():
    for path in PARITY:
        described = json.loads(path.read_text("utf-8"))
        name = described["settings"]["model"]
        shape = described["inputs"]["in_x"]["shape"][1:3]
        ours = {n: list(slot.listed) for n, slot in listing(name, input_shape=shape).items()}
        assert ours == {n: shape for n, shape, _ in described["parameters"]}, path.stem


@pytest.mark.parametrize("name", ["CANDI", "FPN_RFB_RON", "WaveNet", "UNet_Sun", "ARCNN"])
def test_both_orders_of_axes_give_the_same_network(name):
    shape = {"input_shape": (8, 16)} if name == "ARCNN" else {}
    state = weights(name, **shape)
    keras = in_keras_order(name, state, **shape)
    suffixed = {f"{key}/.ATTRIBUTES/VARIABLE_VALUE": value for key, value in keras.items()}
    assert any(keras[key].shape != state[key].shape for key in state)
    first, second = load(name, state), load(name, suffixed)
    assert not first.training
    for (key, value), other in zip(
        first.state_dict().items(), second.state_dict().values(), strict=True
    ):
        assert torch.equal(value, other), key
    assert first.shape == ((8, 16) if name == "ARCNN" else None)


def test_efficient_unet_gets_the_decoder_that_the_weights_have():
    found = listing("Efficient_UNet_v2_narrow")
    network = load("Efficient_UNet_v2", {n: torch.zeros(s.listed) for n, s in found.items()})
    assert network.body.head.conv.weight.shape[1] == 16


def test_arrays_of_the_vae_are_told_apart_by_order_kind_and_shape():
    found = listing("VAE")
    wanted = {name: np.float32(i) for i, name in enumerate(found)}
    state = {
        f"layer{i}/{name.rpartition('/')[2]}": np.full(slot.listed, wanted[name])
        for i, (name, slot) in enumerate(found.items())
    }
    network = load("VAE", state)
    for name, slot in found.items():
        assert (network.state_dict()[slot.name] == wanted[name]).all(), name
    state.popitem()
    with pytest.raises(WeightsError, match="not for VAE: last_conv/bias is missing"):
        load("VAE", state)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda w: w.pop("last_conv/kernel"), "last_conv/kernel is missing"),
        (lambda w: w.update(extra=np.ones(2)), "extra is unknown"),
        (lambda w: w.update({"last_conv/bias": np.ones(5)}), r"bias has shape \(5,\) instead of"),
        (lambda w: w["last_conv/bias"].fill(np.nan), "holds NaN"),
        (lambda w: w.update({"last_conv/bias": np.ones(1, int)}), "torch.int64 instead"),
        (lambda w: w.update({"last_conv/bias": np.array(["a"])}), "holds no numbers"),
        (lambda w: w.clear(), "and 35 more"),
    ],
)
def test_weights_that_do_not_fit_are_named(spoil, message):
    state = weights("UNet_Sun")
    spoil(state)
    with pytest.raises(WeightsError, match=message) as raised:
        load("UNet_Sun", state)
    assert "\n" not in str(raised.value)


def test_the_model_must_be_named():
    for settings in ({}, {"model": "UNet_v3"}, {"model": None}):
        with pytest.raises(WeightsError, match="inpainting: settings must name the model"):
            published.load("inpainting", weights("UNet_Sun"), settings)
    with pytest.raises(WeightsError, match="map names to arrays"):
        published.load("inpainting", [1, 2], MODEL)
    with pytest.raises(WeightsError, match=r"w\.pth: its 1 names do not say"):
        recognise(["a"], "w.pth")
