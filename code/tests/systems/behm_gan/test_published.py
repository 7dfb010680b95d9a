import json

import numpy as np
import pytest
import torch
from sounds import tone

import shellac
from shellac import audio
from shellac.cli import main
from shellac.errors import UsageError, WeightsError
from shellac.systems.behm_gan import published, restoration
from shellac.systems.behm_gan.audiounet import AudioUNet
from shellac.systems.behm_gan.network import Generator
from shellac.systems.behm_gan.seanet import SEANet
from shellac.systems.denoiser import published as denoiser
from shellac.systems.denoiser.network import Denoiser

WIDTH = 1 / 32
RATE = 22050


@pytest.fixture
def small(tmp_path, monkeypatch):
    """The published layouts at a small width, and an empty cache."""
    monkeypatch.setenv("SHELLAC_CACHE", str(tmp_path / "cache"))
    for module in (published, denoiser):
        settings = {key: {"width": WIDTH} for key in module.SETTINGS}
        monkeypatch.setattr(module, "SETTINGS", settings)


@pytest.fixture
def checkpoint(tmp_path):
    torch.manual_seed(1)
    torch.save(Generator(WIDTH).state_dict(), tmp_path / "checkpoint_piano")
    return tmp_path / "checkpoint_piano"


@pytest.mark.parametrize(
    ("build", "network"), [(Generator, "unet"), (AudioUNet, "audiounet"), (SEANet, "seanet")]
)
@pytest.mark.parametrize("samples", [1, 501, 30001])
def test_a_checkpoint_restores_at_once_in_exact_length(tmp_path, small, build, network, samples):
    torch.save(build(WIDTH).state_dict(), tmp_path / "w.pth")
    audio.write(tmp_path / "in.wav", tone(1.5, RATE, 2)[:, :samples], RATE, "FLOAT")
    arguments = ["--system", "behm_gan", "--weights", tmp_path / "w.pth", "--device", "cpu"]
    restore = ["restore", tmp_path / "in.wav", "-o", tmp_path / "out", *arguments]
    assert main([str(argument) for argument in restore]) == 0
    facts = audio.inspect(tmp_path / "out" / "in.restored.wav")
    assert (facts.samples, facts.channels) == (samples, 2)
    told = json.loads((tmp_path / "out" / "in.json").read_text())
    assert told["weights"][0]["network"] == f"behm_gan/{network}"
    assert told["settings"]["above_band"] == "keep"


def test_a_chain_denoises_and_extends_in_one_pass(tmp_path, small, checkpoint):
    torch.save(Denoiser(width=WIDTH).state_dict(), tmp_path / "checkpoint_denoiser")
    audio.write(tmp_path / "in.wav", tone(1.1, 32000), 32000, "FLOAT")
    assert main(["restore", str(tmp_path / "in.wav"), "-o", str(tmp_path / "out"), "--device",
                 "cpu", "--system", "denoiser,behm_gan",
                 "--weights", str(tmp_path / "checkpoint_denoiser"),
                 "--weights", str(checkpoint)]) == 0  # fmt: skip
    facts = audio.inspect(tmp_path / "out" / "in.restored.wav")
    assert (facts.samples, facts.sample_rate) == (35200, 32000)
    told = json.loads((tmp_path / "out" / "in.json").read_text())
    assert told["settings"]["above_band"] == "drop"
    assert [member["network"] for member in told["weights"]] == [
        "denoiser/unet_22k", "behm_gan/unet",
    ]  # fmt: skip


def test_the_noise_is_faint_and_the_same_wherever_a_recording_is_cut():
    process = restoration.processor(torch.nn.Identity())
    noise = process(torch.zeros(2, 3 * restoration.GRID + 5))
    assert noise.std() == pytest.approx(0.001, rel=0.02)
    assert torch.equal(noise[0], noise[1])
    assert torch.equal(process(torch.zeros(1, 99))[0], noise[0, restoration.GRID :][:99])


def test_chunks_are_60_db_below_the_programme_against_one_pass(small, checkpoint):
    restorer = shellac.load("behm_gan", checkpoint, "cpu")
    waveform = tone(6.0, RATE)
    whole = restorer.restore(waveform, RATE, segment_seconds=100).waveform
    assert np.array_equal(whole, restorer.restore(waveform, RATE, segment_seconds=100).waveform)
    chunked = restorer.restore(waveform, RATE, segment_seconds=1.7).waveform
    error = np.sqrt(np.mean((chunked - whole) ** 2) / np.mean(whole**2))
    assert 20 * np.log10(error + 1e-12) < -60


def test_denoiser_and_generator_are_not_taken_for_each_other(tmp_path, small, checkpoint):
    torch.save(Denoiser(width=WIDTH).state_dict(), tmp_path / "denoiser.pth")
    with pytest.raises(WeightsError, match="no published bandwidth extension"):
        shellac.load("behm_gan", tmp_path / "denoiser.pth", "cpu")
    with pytest.raises(WeightsError, match="no published denoiser"):
        shellac.load("denoiser", checkpoint, "cpu")
    with pytest.raises(WeightsError, match="holds behm_gan/unet, not behm_gan/seanet"):
        shellac.load("behm_gan/seanet", checkpoint, "cpu")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda s: s.pop("finalblock.conv2.weight_g"), "finalblock.conv2.weight_g is missing"),
        (lambda s: s.update({"finalblock.conv2.weight": torch.zeros(1)}), "weight is unknown"),
        (lambda s: s.update({"conv2d_1.0.bias": torch.full((2,), torch.nan)}), "holds NaN"),
    ],
)
def test_loading_is_strict(small, spoil, message):
    state = Generator(WIDTH).state_dict()
    spoil(state)
    with pytest.raises(WeightsError, match=message):
        published.load("behm_generator", state, {})


@pytest.mark.parametrize(
    "config", [{"f_dim": 1025}, {"Ns": [4, 4]}, {"ksize_init": [2, 2]}, {"Ns": "many"}]
)
def test_options_that_cannot_be_are_refused(config):
    with pytest.raises(UsageError, match="behm_generator"):
        published.load("behm_generator", {}, {"config": config})
