"""The authors' training states: read without running what they hold besides the weights."""

import pickle
import shutil
import sys
import types
from pathlib import Path

import pytest
import torch

from shellac import torch_files, weights
from shellac.errors import UsageError, WeightsError
from shellac.systems import conversion, registry
from shellac.systems.babe2 import published
from shellac.systems.babe2.network import CQTDiff

REDUCED = {
    "babe2_piano": {
        "samples": 8192, "sample_rate": 22050, "channels": [8, 16, 16],
        "dilated_layers": [1, 2, 2], "bins_per_octave": 8, "embedding": 16, "grid": "compat",
    },
    "babe2_singing": {
        "samples": 8192, "sample_rate": 44100, "channels": [8, 8, 16, 16],
        "dilated_layers": [1, 2, 2, 2], "bins_per_octave": 8, "embedding": 16, "grid": "compat",
    },
}  # fmt: skip


@pytest.fixture(autouse=True)
def small(tmp_path, monkeypatch):
    """Both published layouts reduced, and an empty cache."""
    monkeypatch.setenv("SHELLAC_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(published, "SETTINGS", REDUCED)


class Ran:
    """Pickles as a call that leaves a file behind."""

    def __init__(self, mark: Path, function=Path.touch, *given):
        self.call = (function, (*given, mark))

    def __reduce__(self):
        return self.call


@pytest.fixture
def configuration(monkeypatch):
    """A class that pickles under the name of OmegaConf's, gone again before anything is read."""
    made = []

    def make(**held):
        module = types.ModuleType("omegaconf.dictconfig")
        kind = type("DictConfig", (), {"__module__": module.__name__})
        module.DictConfig = kind
        monkeypatch.setitem(sys.modules, module.__name__, module)
        made.append(kind())
        made[-1].__dict__.update(held)
        return made[-1]

    return make


def state(key="babe2_piano", seed=1):
    torch.manual_seed(seed)
    return CQTDiff(**REDUCED[key]).state_dict()


def training(key="babe2_piano", **changed):
    """A training state as the authors' trainer writes it."""
    averaged = state(key)
    optimiser = {"state": {0: {"step": torch.tensor(7.0), "exp_avg": torch.zeros(3)}},
                 "param_groups": [{"lr": 2e-4, "betas": (0.9, 0.999), "params": [0]}]}  # fmt: skip
    held = {"it": 850000, "network": state(key, 2), "optimizer": optimiser, "ema": averaged,
            "LTAS": torch.arange(2049.0)}  # fmt: skip
    return {**held, **changed}


@pytest.mark.parametrize("key", REDUCED)
def test_a_training_state_is_converted_to_its_averaged_weights(tmp_path, configuration, key):
    held = training(key, args=configuration(network={"name": "cqtdiff+"}, lr=2e-4))
    torch.save(held, tmp_path / "w.pt")
    del sys.modules["omegaconf.dictconfig"]
    path = conversion.convert(tmp_path / "w.pt", "babe2", list(published.NETWORKS.values()))
    kept, card = weights.load(path)
    assert set(kept) == set(held["ema"])
    assert all(torch.equal(kept[name], value) for name, value in held["ema"].items())
    assert card.network == published.NETWORKS[key]
    assert card.settings["grid"] == "compat"
    assert card.extra["ltas"] == held["LTAS"].tolist()


def test_objects_of_the_real_library_are_stripped(tmp_path):
    omegaconf = pytest.importorskip("omegaconf")
    text = {"exp": {"sample_rate": 22050, "paths": ["a", "b"], "none": None}, "lr": 2e-4}
    torch.save(training(args=omegaconf.OmegaConf.create(text)), tmp_path / "w.pt")
    found, extra = published.read(tmp_path / "w.pt")
    assert set(found) == set(state())
    assert len(extra["ltas"]) == 2049


def test_a_bare_state_and_one_without_a_spectrum_are_read(tmp_path):
    torch.save(state(), tmp_path / "bare.pt")
    held = training()
    del held["LTAS"]
    torch.save(held, tmp_path / "silent.pt")
    for name in ("bare.pt", "silent.pt"):
        found, extra = published.read(tmp_path / name)
        assert all(torch.equal(found[each], value) for each, value in state().items())
        assert extra == {}


HOSTILE = {
    "a call beside the weights": lambda mark: {"args": Ran(mark)},
    "a function of a library": lambda mark: {"args": Ran(str(mark), shutil.copyfile, __file__)},
    "a call in the weights": lambda mark: {"ema": {"a": Ran(mark)}},
    "weights that are a list": lambda mark: {"ema": [torch.zeros(1)]},
    "a spectrum that is a list": lambda mark: {"LTAS": [1.0, 2.0]},
    "a spectrum of petabytes": lambda mark: {"LTAS": torch.zeros(1).expand(10**9, 10**6)},
    "a spectrum below zero": lambda mark: {"LTAS": torch.tensor([1.0, -1.0])},
    "another network": lambda mark: {"ema": {"weight": torch.zeros(1)}},
    "a tensor too many": lambda mark: {"ema": {**state(), "more": torch.zeros(1)}},
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_training_states_are_refused_and_leave_nothing(tmp_path, kind):
    path, mark = tmp_path / "w.pt", tmp_path / "ran"
    torch.save(training(**HOSTILE[kind](mark)), path)
    with pytest.raises(WeightsError) as told:
        conversion.convert(path, "babe2", list(published.NETWORKS.values()))
    assert str(told.value).startswith(str(path)) and "\n" not in str(told.value)
    assert sorted(tmp_path.iterdir()) == [path]


class Dressed:
    """Pickles as a call of a name that looks like the configuration's."""

    def __init__(self, name, *given):
        self.name, self.given = name, given

    def __reduce__(self):
        module, _, name = self.name.rpartition(".")
        function = type(name, (), {"__module__": module})
        sys.modules[module] = types.ModuleType(module)
        setattr(sys.modules[module], name, function)
        return function, self.given


@pytest.mark.parametrize("name", ["omegaconf.base.system", "omegaconf.os.system"])
def test_what_only_claims_to_be_a_configuration_is_not_run_either(tmp_path, monkeypatch, name):
    module = name.rpartition(".")[0]
    monkeypatch.setitem(sys.modules, module, None)
    torch.save(training(args=Dressed(name, f"touch {tmp_path / 'ran'}")), tmp_path / "w.pt")
    ran = []
    real = types.ModuleType(module)
    real.system = ran.append
    monkeypatch.setitem(sys.modules, module, real)
    found, _ = published.read(tmp_path / "w.pt")
    assert set(found) == set(state())
    assert ran == []
    assert not (tmp_path / "ran").exists()


def test_a_configuration_in_place_of_the_weights_is_refused(tmp_path, configuration):
    torch.save(training(ema=configuration(a=1)), tmp_path / "w.pt")
    with pytest.raises(WeightsError, match="not a state_dict"):
        published.read(tmp_path / "w.pt")


def test_a_bare_state_may_hold_no_configuration(tmp_path, configuration):
    torch.save({"a": torch.zeros(1), "args": configuration(a=1)}, tmp_path / "w.pt")
    with pytest.raises(WeightsError, match="more than tensors"):
        torch_files.read_state(tmp_path / "w.pt")


def test_the_older_format_is_read_without_any_object(tmp_path, configuration):
    old = {"_use_new_zipfile_serialization": False}
    torch.save(training(), tmp_path / "plain.pt", **old)
    assert set(published.read(tmp_path / "plain.pt")[0]) == set(state())
    torch.save(training(args=configuration(a=1)), tmp_path / "w.pt", **old)
    with pytest.raises(WeightsError, match="more than tensors"):
        published.read(tmp_path / "w.pt")


def test_reading_leaves_pytorch_as_strict_as_it_was(tmp_path, configuration):
    before = torch.serialization.get_safe_globals()
    torch.save(training(args=configuration(a=1)), tmp_path / "w.pt")
    published.read(tmp_path / "w.pt")
    assert torch.serialization.get_safe_globals() == before
    with pytest.raises(pickle.UnpicklingError):
        torch.load(tmp_path / "w.pt", weights_only=True)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "lack 'network'"),
        ({"network": {"cqt": {"num_octs": 4}, "Ns": [8, 8]}}, "4 octaves"),
    ],
)
def test_configurations_that_cannot_be_are_refused(settings, message):
    with pytest.raises(UsageError, match=message):
        published.load("babe2_network", {}, settings)


def test_other_networks_are_not_taken_for_it():
    with pytest.raises(WeightsError, match="^x: its parameter names"):
        published.recognise(["downs.0.0.res_conv.weight", "conv.weight"], "x")


def test_a_room_that_a_system_lacks_is_named():
    with pytest.raises(UsageError, match="classical has no training"):
        registry.part("classical", "training")
