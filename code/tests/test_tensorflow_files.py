"""TensorFlow checkpoints, read by something that answers as TensorFlow does."""

import json
import sys
import types

import numpy as np
import pytest
from parity import cases, rules
from sounds import tone

from shellac import audio, tensorflow_files, weights
from shellac.cli import main
from shellac.errors import UsageError, WeightsError
from shellac.systems import conversion
from shellac.systems.denoiser import published
from shellac.systems.denoiser.network import Denoiser

PREFIX, SUFFIX = "layer_with_weights-0/", "/.ATTRIBUTES/VARIABLE_VALUE"
WIDTH = 1 / 32
LEFT_BESIDE = {
    "_CHECKPOINTABLE_OBJECT_GRAPH": np.array(b"graph"),
    f"save_counter{SUFFIX}": np.array(3),
    f"{PREFIX}finalblock/conv2/bias/.OPTIMIZER_SLOT/optimizer/m{SUFFIX}": np.zeros(2),
}


class Reader:
    """A checkpoint's variables, as ``tf.train.load_checkpoint`` gives them."""

    def __init__(self, variables):
        self._variables = variables

    def get_variable_to_shape_map(self):
        return {name: list(value.shape) for name, value in self._variables.items()}

    def get_tensor(self, name):
        return self._variables[name]


@pytest.fixture
def pretend(monkeypatch):
    """Put a TensorFlow in place that holds these variables under any name."""
    asked = []

    def put(variables):
        def load_checkpoint(prefix):
            asked.append(prefix)
            if isinstance(variables, Exception):
                raise variables
            return Reader(variables)

        module = types.SimpleNamespace(train=types.SimpleNamespace(load_checkpoint=load_checkpoint))
        monkeypatch.setitem(sys.modules, "tensorflow", module)
        return asked

    return put


@pytest.fixture
def pair(tmp_path):
    (tmp_path / "checkpoint.index").write_bytes(b"table")
    (tmp_path / "checkpoint.data-00000-of-00001").write_bytes(b"tensors")
    return tmp_path / "checkpoint.index"


def as_stored(listed, shape):
    """What the checkpoint holds of a listed parameter: height and width first."""
    value = rules.filled(7, listed, shape)
    return value.transpose(2, 3, 1, 0) if value.ndim == 4 else value


def stored_name(listed):
    return f"{PREFIX}{listed.replace('.', '/')}{SUFFIX}"


def listed_names(network):
    """Names of a 44.1 kHz network as its parity case lists them."""
    for name, value in network.state_dict().items():
        path, _, leaf = name.rpartition(".")
        modules = path.split(".")
        if modules[-1] == "0" and (modules[-2] in {"conv2d_1", "conv2d_2", "tconv_1"}
                                   or modules[-3] == "H"):  # fmt: skip
            modules = modules[:-1]
        yield ".".join((*modules, "kernel" if leaf == "weight" else leaf)), tuple(value.shape)


def variables(network):
    found = {stored_name(name): as_stored(name, shape) for name, shape in listed_names(network)}
    return found | LEFT_BESIDE


def test_variables_are_read_and_nothing_else(pair, pretend):
    asked = pretend(variables(Denoiser("44k", width=WIDTH)))
    state = tensorflow_files.read_state(pair)
    assert asked == [str(pair.with_suffix(""))]
    assert len(state) == 284
    assert not any("OPTIMIZER" in name or "counter" in name for name in state)


def test_every_name_that_the_published_checkpoint_lists_has_its_place():
    files = [path for path in cases.find(cases.folders()) if path.stem == "denoiser_tf"]
    if not files:
        pytest.skip("no parity case denoiser_tf here")
    told = json.loads(files[0].read_text())["parameters"]
    ours = {name: list(shape) for name, shape in listed_names(Denoiser("44k"))}
    assert {name: shape for name, shape, _ in told} == ours
    state = {stored_name(name): None for name, _, _ in told}
    assert published.recognise(state, "x") == "denoiser_tf"


def test_a_checkpoint_is_converted_once_and_restores(tmp_path, pair, pretend, monkeypatch):
    monkeypatch.setenv("SHELLAC_CACHE", str(tmp_path / "cache"))
    settings = {key: {"width": WIDTH} for key in published.NETWORKS}
    monkeypatch.setattr(published, "SETTINGS", settings)
    held = variables(Denoiser("44k", width=WIDTH))
    asked = pretend(held)
    audio.write(tmp_path / "in.wav", tone(0.4, 44100), 44100, "FLOAT")
    command = ["restore", str(tmp_path / "in.wav"), "-o", str(tmp_path / "out"), "--system",
               "denoiser/unet_44k", "--weights", str(pair), "--device", "cpu"]  # fmt: skip
    assert main(command) == 0
    assert main(command) == 0
    assert len(asked) == 1
    state, card = weights.load(conversion.converted_path(tensorflow_files.digest(pair)))
    assert card.network == "denoiser/unet_44k"
    kernel = held[stored_name("encoder_s1.eblocks.0.conv2d_2.kernel")]
    found = state["encoder_s1.eblocks.0.conv2d_2.0.weight"].numpy()
    np.testing.assert_array_equal(found, kernel.transpose(3, 2, 0, 1))


def test_other_tensors_are_another_checkpoint(pair):
    before = tensorflow_files.digest(pair)
    pair.with_name("checkpoint.data-00000-of-00001").write_bytes(b"Tensors")
    assert tensorflow_files.digest(pair) != before


def test_without_tensorflow_the_extra_is_named(pair, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    with pytest.raises(UsageError, match=r"install the extra .*shellac\[tensorflow\]"):
        tensorflow_files.read_state(pair)


def test_what_is_no_checkpoint_is_refused_in_one_line(pair, pretend):
    pretend(ValueError("Data loss:\n not an sstable"))
    with pytest.raises(
        WeightsError, match=r"not a readable TensorFlow checkpoint \(Data loss: not"
    ):
        tensorflow_files.read_state(pair)
    pair.with_name("checkpoint.data-00000-of-00001").unlink()
    with pytest.raises(WeightsError, match=r"NAME.index with NAME.data"):
        tensorflow_files.read_state(pair)
