import json

import numpy as np
import pytest
import torch
from parity import cases, rules

from shellac import published
from shellac.errors import UsageError, WeightsError
from shellac.systems.loading import load_strict
from shellac.systems.superres.network import AudioUNet, TFiLMUNet


def build():
    return AudioUNet(width=1 / 64)


@pytest.fixture
def weights():
    shapes = [[n, t.shape, str(t.numpy().dtype)] for n, t in build().state_dict().items()]
    return rules.checkpoint(shapes, seed=5)


def test_arrays_and_tensors_load_as_copies_in_evaluation_mode(weights):
    network = load_strict(build, weights, "audiounet")
    assert not network.training
    x = torch.ones(1, 1, 1024)
    with torch.inference_mode():
        out = network(x)
        tensors = {name: torch.from_numpy(array) for name, array in weights.items()}
        assert torch.equal(load_strict(build, tensors, "audiounet")(x), out)
        weights["lastconv.0.bias"][...] = 100
        assert torch.equal(network(x), out)
    assert all(p.requires_grad and p.dtype == torch.float32 for p in network.parameters())


def test_half_precision_checkpoints_become_float32(weights):
    halved = {n: a.astype(np.float16) if a.dtype.kind == "f" else a for n, a in weights.items()}
    network = load_strict(build, halved, "audiounet")
    assert network.down1[0].weight.dtype == torch.float32


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda w: w.pop("down1.0.weight"), "down1.0.weight is missing"),
        (lambda w: w.update(extra=np.ones(2)), "extra is unknown"),
        (lambda w: w.update({"up1.0.bias": np.ones(5)}), r"up1.0.bias has shape \(5,\) instead"),
        (lambda w: w["down1.3.running_var"].__setitem__(0, np.nan), "running_var holds NaN"),
        (lambda w: w["bottle.0.bias"].__setitem__(0, -np.inf), "bottle.0.bias holds NaN or inf"),
        (lambda w: w.update({"up1.0.bias": np.ones(4, int)}), "torch.int64 instead of torch.float"),
        (lambda w: w.update({"up1.0.bias": np.ones(4, complex)}), "torch.complex128 instead"),
        (lambda w: w.update({"up1.0.bias": "text"}), "up1.0.bias is no array"),
        (lambda w: w.update({"up1.0.bias": np.array(["a"] * 4)}), "holds no numbers"),
    ],
)
def test_weights_that_do_not_fit_are_named(weights, spoil, message):
    spoil(weights)
    with pytest.raises(WeightsError, match=message) as raised:
        load_strict(build, weights, "audiounet")
    assert "\n" not in str(raised.value)


def test_at_most_three_faults_are_listed(weights):
    for name in list(weights)[:5]:
        del weights[name]
    with pytest.raises(WeightsError) as raised:
        load_strict(build, weights, "audiounet")
    assert str(raised.value).count("missing") == 3 and "and 2 more" in str(raised.value)
    with pytest.raises(WeightsError, match="map names"):
        load_strict(build, [1, 2], "audiounet")


def test_loading_draws_no_random_numbers(weights):
    state = torch.get_rng_state()
    load_strict(build, weights, "audiounet")
    assert torch.equal(torch.get_rng_state(), state)


def test_unknown_models_are_refused_with_the_known_ones():
    with pytest.raises(UsageError, match="superres_audiounet, superres_tfilm"):
        published.load("superres_metrics", {})


@pytest.mark.parametrize("model", published.BUILT)
def test_an_empty_checkpoint_fits_no_model(model):
    with pytest.raises((WeightsError, UsageError), match=model):  # or its settings are asked for
        published.load(model, {})


@pytest.mark.parametrize(
    ("stem", "kind"), [("tfilm_unet", TFiLMUNet), ("tfilm_audiounet", AudioUNet)]
)
def test_names_shapes_and_order_are_those_of_the_published_checkpoint(stem, kind):
    files = [path for path in cases.find(cases.folders()) if path.stem == stem]
    if not files:
        pytest.skip(f"no parity case {stem} here")
    listed = json.loads(files[0].read_text())["parameters"]
    with torch.device("meta"):
        state = kind().state_dict()
    ours = [[n, list(t.shape), str(t.dtype).removeprefix("torch.")] for n, t in state.items()]
    assert ours == listed
