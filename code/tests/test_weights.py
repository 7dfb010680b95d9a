"""Weights on disk: byte-stable, self-describing, and refused when they are not sound."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import loopback
import pytest
import torch
from safetensors.torch import save_file

from shellac import networks, weights
from shellac.cli import main
from shellac.errors import DataError, UsageError, WeightsError
from shellac.files import sha256
from shellac.systems import fetching
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
    monkeypatch.setenv("SHELLAC_CACHE", str(tmp_path / "cache"))
    with pytest.raises(WeightsError, match="no such file"):
        weights.find("trained", "superres/tfilm")
    with pytest.raises(UsageError, match="--weights trained"):
        weights.find(None, "superres/tfilm")
    with pytest.raises(UsageError, match="fetch them with shellac download denoiser-22k, or train"):
        weights.find(None, "denoiser/unet_22k")
    with pytest.raises(UsageError, match="no published weights are called 'x'; there are: deno"):
        weights.find("published:x", "superres/tfilm")
    with pytest.raises(WeightsError, match="fetch it with shellac download behm-piano"):
        weights.find("published:behm-piano", "behm_gan/unet")
    with pytest.raises(WeightsError, match="no such weights file"):
        weights.find(str(tmp_path / "none.safetensors"), "superres/tfilm")


@pytest.fixture
def site(tmp_path, monkeypatch):
    monkeypatch.setenv("SHELLAC_CACHE", str(tmp_path / "cache"))
    with loopback.serving() as serving:
        for name in ("denoiser", "piano", "strings"):
            serving.put(f"/checkpoint_{name}", f"the weights of {name}".encode())
        yield serving


def test_published_weights_are_fetched_once_and_found_by_name(site):
    digest = fetching.fetch("denoiser-22k", site.address)
    entry = weights.published()["denoiser-22k"]
    path = weights.published_path(entry)
    assert (path.name, sha256(path)) == ("checkpoint_denoiser", digest)
    assert weights.pinned(entry) == digest
    assert weights.find("published:denoiser-22k", "denoiser/unet_22k") == path
    assert weights.find(None, "denoiser/unet_22k") == path
    with pytest.raises(UsageError, match="are weights of denoiser/unet_22k, not of behm_gan/unet"):
        weights.find("published:denoiser-22k", "behm_gan/unet")
    asked = len(site.requests)
    assert fetching.fetch("denoiser-22k", site.address) == digest
    assert len(site.requests) == asked


def test_several_published_weights_of_one_network_must_be_chosen_from(site):
    for name in ("piano", "strings"):
        fetching.fetch(f"behm-{name}", site.address)
    with pytest.raises(UsageError, match="say --weights published:behm-piano or --weights pub"):
        weights.find(None, "behm_gan/unet")
    assert weights.find("published:behm-strings", "behm_gan/unet").name == "checkpoint_strings"


def test_weights_that_were_changed_since_are_refused(site):
    fetching.fetch("denoiser-22k", site.address)
    path = weights.published_path(weights.published()["denoiser-22k"])
    path.write_bytes(path.read_bytes()[:-1] + b"X")
    with pytest.raises(WeightsError, match=r"not the file that was fetched, by its SHA-256"):
        weights.find(None, "denoiser/unet_22k")
    with pytest.raises(DataError, match="remove it, and it is fetched again"):
        fetching.fetch("denoiser-22k", site.address)
    path.unlink()
    site.put("/checkpoint_denoiser", b"other weights under the name")
    with pytest.raises(DataError, match="sha256"):  # the first file is the one that counts
        fetching.fetch("denoiser-22k", site.address)
    assert not path.exists()


def test_a_hash_that_the_user_vouches_for_decides(site):
    wrong = {"checkpoint_denoiser": "sha256:" + "0" * 64}
    with pytest.raises(DataError, match="sha256"):
        fetching.fetch("denoiser-22k", site.address, wrong)


def test_weights_are_listed_with_licence_and_presence(site, capsys):
    fetching.fetch("behm-piano", site.address)
    assert main(["systems", "--json"]) == 0
    listed = {record["name"]: record for record in json.loads(capsys.readouterr().out)}
    found = {each["name"]: each for each in listed["behm_gan/unet"]["weights"]}
    assert {name: found[name]["present"] for name in ("behm-piano", "behm-strings")} == {
        "behm-piano": True, "behm-strings": False,
    }  # fmt: skip
    assert found["behm-piano"]["origin"] == "published"
    assert found["behm-piano"]["licence"] == "none stated by the authors"
    assert found["behm-piano"]["sha256"] and found["behm-strings"]["sha256"] is None


def test_the_command_fetches_outside_a_compendium_too(site, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("SHELLAC_ROOT", str(tmp_path / "nowhere"))
    assert main(["download", "behm-piano", "--mirror", site.address]) == 0
    assert "licence: none stated by the authors" in capsys.readouterr().out
    assert not (tmp_path / "nowhere").exists()


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


def test_weights_trained_under_the_name_of_an_entry_are_listed(tmp_path, monkeypatch, capsys):
    profiles = Path(__file__).resolve().parents[1] / "profiles"
    shutil.copy(profiles / "demo.yaml", tmp_path / "params.yaml")
    monkeypatch.setenv("SHELLAC_ROOT", str(tmp_path))
    weights.store(weights.trained_path("demo", "behm_gan/gan"), {"a": torch.ones(1)}, CARD)
    assert main(["systems", "--json"]) == 0
    listed = {record["name"]: record for record in json.loads(capsys.readouterr().out)}
    for name, present in (("behm_gan/unet", True), ("babe2/cqtdiff_22k", False)):
        (trained,) = [each for each in listed[name]["weights"] if each["origin"] == "trained"]
        assert (trained["present"], trained["sha256"] is not None) == (present, present)
