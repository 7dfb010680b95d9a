"""Weights on disk: byte-stable, self-describing, and refused when they are not sound."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from shellac import networks, weights
from shellac.errors import UsageError, WeightsError
from shellac.weights import Card

SETTINGS = {"width": 0.03125}
CARD = Card("superres/audiounet", SETTINGS, 16000, 0.5, 0.1, "trained", "CC0", "demo", ("a",))


@pytest.fixture
def stored(tmp_path):
    network = networks.build("superres/audiounet", **SETTINGS)
    path = tmp_path / "w.safetensors"
    weights.store(path, network.state_dict(), CARD)
    return path, network


def test_round_trip_is_exact_and_byte_stable(stored, tmp_path):
    path, network = stored
    state, card = weights.load(path)
    assert card == CARD
    assert all(torch.equal(state[name], value) for name, value in network.state_dict().items())
    weights.store(tmp_path / "again.safetensors", state, card)
    assert (tmp_path / "again.safetensors").read_bytes() == path.read_bytes()


def test_damage_is_refused_in_one_line(stored, tmp_path):
    path, network = stored
    raw = path.read_bytes()
    other = tmp_path / "bad.safetensors"
    for content in (b"", b"PK\x03\x04 a pickle in a zip", raw[: len(raw) // 2], b"\xff" * 100):
        other.write_bytes(content)
        with pytest.raises(WeightsError) as refused:
            weights.load(other)
        assert "bad.safetensors" in str(refused.value)
    save_file(network.state_dict(), other)
    with pytest.raises(WeightsError, match="no sound shellac card"):
        weights.load(other)


def test_values_that_are_not_finite_are_refused(stored):
    path, network = stored
    state = network.state_dict()
    name = next(iter(state))
    state[name][0] = float("nan")
    weights.store(path, state, CARD)
    with pytest.raises(WeightsError, match=name.replace(".", r"\.")):
        weights.load(path)


def test_weights_of_another_width_do_not_fit(stored):
    path, _ = stored
    with pytest.raises(WeightsError, match="does not fit"):
        weights.fill(networks.build("superres/audiounet", width=0.0625), weights.load(path)[0], "w")


def test_finding_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("SHELLAC_ROOT", str(tmp_path))
    with pytest.raises(WeightsError, match="no such file"):
        weights.find("trained", "superres/tfilm")
    with pytest.raises(UsageError, match="--weights trained"):
        weights.find(None, "superres/tfilm")
    with pytest.raises(WeightsError, match="no published weights named 'x'"):
        weights.find("published:x", "superres/tfilm")
    with pytest.raises(WeightsError, match="no such weights file"):
        weights.find(str(tmp_path / "none.safetensors"), "superres/tfilm")


@pytest.mark.parametrize(
    "wrong",
    [
        {"level": "loud"},
        {"level": -1.0},
        {"edge_seconds": 1e9},
        {"sample_rate": 0},
        {"sample_rate": "16000"},
        {"settings": []},
        {"extra": {"scale": 0}},
        {"extra": {"scale": "4"}},
    ],
)
def test_a_card_that_lies_about_its_kind_is_refused(stored, wrong):
    path, network = stored
    weights.store(path, network.state_dict(), replace(CARD, **wrong))
    with pytest.raises(WeightsError, match="no sound shellac card"):
        weights.load(path)


def test_no_level_is_kept(stored):
    path, network = stored
    weights.store(path, network.state_dict(), replace(CARD, level=None))
    assert weights.load(path)[1].level is None


def test_trained_weights_are_found_under_the_name_of_their_entry(tmp_path, monkeypatch):
    profiles = Path(__file__).resolve().parents[1] / "profiles"
    shutil.copy(profiles / "demo.yaml", tmp_path / "params.yaml")
    monkeypatch.setenv("SHELLAC_ROOT", str(tmp_path))
    network = "inpainting/Dual_Res_UNet_v2"
    with pytest.raises(WeightsError, match="not trained on profile demo yet: run make all"):
        weights.find("trained", network)
    entry = weights.trained_path("demo", f"{network}_interpolated")
    entry.parent.mkdir(parents=True)
    entry.touch()
    assert weights.find("trained", network) == entry
    own = weights.trained_path("demo", network)
    own.touch()
    assert weights.find("trained", network) == own
    with pytest.raises(WeightsError, match=r"; trained are inpainting/Dual_Res_UNet_v2_inter"):
        weights.find("trained", "inpainting/FPN")
