import json

import numpy as np
import pytest
import torch
from parity import rules
from sounds import tone

import shellac
from shellac import audio, weights
from shellac.cli import main
from shellac.errors import UsageError, WeightsError
from shellac.files import sha256
from shellac.systems import conversion
from shellac.systems.denoiser import published
from shellac.systems.denoiser.network import Denoiser
from shellac.transforms.resampling import resample

WIDTH = 1 / 32
RATE = 22050


@pytest.fixture
def small(tmp_path, monkeypatch):
    """The published layouts at a small width, and an empty cache."""
    monkeypatch.setenv("SHELLAC_CACHE", str(tmp_path / "cache"))
    settings = {key: {"width": WIDTH} for key in published.NETWORKS}
    monkeypatch.setattr(published, "SETTINGS", settings)


@pytest.fixture
def tensorflow_state():
    """Variables of the 44.1 kHz network as TensorFlow names and orders them."""
    state = {}
    for name, value in Denoiser("44k", width=WIDTH).state_dict().items():
        path, _, leaf = name.rpartition(".")
        *modules, last = path.split(".")
        if last == "0" and modules[-1] in {"conv2d_1", "conv2d_2", "tconv_1"}:
            path = ".".join(modules)
        elif last == "0" and modules[-2] == "H":
            path = ".".join(modules)
        listed = f"{path}.{'kernel' if leaf == 'weight' else leaf}"
        state[listed] = rules.filled(7, listed, value.shape)
    return state


def restore(tmp_path, checkpoint, system="denoiser"):
    return main(["restore", str(tmp_path / "in.wav"), "-o", str(tmp_path / "out"),
                 "--system", system, "--weights", str(checkpoint), "--device", "cpu"])  # fmt: skip


def as_tensorflow_stores(state):
    return {
        f"layer_with_weights-0/{name.replace('.', '/')}/.ATTRIBUTES/VARIABLE_VALUE": (
            value.transpose(2, 3, 1, 0) if value.ndim == 4 else value
        )
        for name, value in state.items()
    }


def test_both_spellings_and_orders_of_tensorflow_give_one_network(small, tensorflow_state):
    listed = published.load("denoiser_tf", tensorflow_state, {})
    stored = published.load("denoiser_tf", as_tensorflow_stores(tensorflow_state), {})
    first, second = listed.state_dict(), stored.state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)
    kernel = tensorflow_state["decoder_s1.dblocks.5.tconv_1.kernel"]
    assert torch.equal(listed.decoder_s1.dblocks[5].tconv_1[0].weight, torch.from_numpy(kernel))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda s: s.pop("conv2d_1.0.weight"), "conv2d_1.0.weight is missing"),
        (lambda s: s.update(extra=torch.zeros(1)), "extra is unknown"),
        (lambda s: s.update({"sam_1.conv2.bias": torch.zeros(3)}), r"has shape \(3,\)"),
    ],
)
def test_loading_is_strict(small, spoil, message):
    state = Denoiser(width=WIDTH).state_dict()
    spoil(state)
    with pytest.raises(WeightsError, match=message):
        published.load("denoiser", state, {})


@pytest.mark.parametrize(
    ("config", "message"), [({"depth": 9}, "depth is 9"), ({"f_dim": 1025}, "f_dim is 1025")]
)
def test_options_that_cannot_be_are_refused(config, message):
    with pytest.raises(UsageError, match=message):
        shellac.published.load("denoiser", {}, {"config": config})


def test_the_other_layout_and_other_networks_are_told_apart(small, tensorflow_state):
    names = list(Denoiser(width=WIDTH).state_dict())
    assert published.recognise(names, "x") == "denoiser"
    assert published.recognise(list(tensorflow_state), "x") == "denoiser_tf"
    assert published.recognise(list(as_tensorflow_stores(tensorflow_state)), "x") == "denoiser_tf"
    with pytest.raises(WeightsError, match="^x: its parameter names"):
        published.recognise(["down1.0.weight", "conv2d_1.0.weight"], "x")


@pytest.mark.parametrize("ending", ["", ".pth"])
def test_a_checkpoint_restores_at_once_in_exact_length(tmp_path, small, ending):
    torch.save(Denoiser(width=WIDTH).state_dict(), tmp_path / f"checkpoint{ending}")
    audio.write(tmp_path / "in.wav", tone(1.2345, 44100, 2), 44100, "FLOAT")
    assert restore(tmp_path, tmp_path / f"checkpoint{ending}") == 0
    facts = audio.inspect(tmp_path / "out" / "in.restored.wav")
    assert (facts.samples, facts.sample_rate, facts.channels) == (54441, 44100, 2)
    told = json.loads((tmp_path / "out" / "in.json").read_text())
    assert told["weights"][0]["network"] == "denoiser/unet_22k"
    assert told["settings"]["above_band"] == "drop"
    kept = conversion.converted_path(sha256(tmp_path / f"checkpoint{ending}"))
    card = weights.load(kept)[1]
    assert (card.level, card.sample_rate) == (None, RATE)
    assert 0 <= card.edge_seconds <= card.extra["edge_probe_seconds"] / 2


def passing(state):
    """Make a denoiser return its input: nothing but the first stage's estimate counts."""
    for name in state:
        if name.startswith(("finalblock", "sam_1.conv2")):
            state[name].zero_()
    return state


def test_delay_is_zero_and_the_length_exact_for_any_length(small):
    network = Denoiser(width=WIDTH).eval()
    network.load_state_dict(passing(network.state_dict()))
    from shellac.systems.denoiser.restoration import FRAMINGS
    from shellac.systems.spectrogram_front import processor

    process = processor(lambda x: network(x).first, FRAMINGS[513], network.fitting_frames)
    for samples in (1, 255, 5000, 16384, 20001):
        x = torch.from_numpy(tone(1.0, RATE, 2)[:, :samples].copy())
        with torch.inference_mode():
            assert torch.allclose(process(x), x, atol=1e-5)


def test_chunks_are_60_db_below_the_programme_against_one_pass(tmp_path, small):
    torch.manual_seed(0)
    torch.save(Denoiser(width=WIDTH).state_dict(), tmp_path / "w.pth")
    restorer = shellac.load("denoiser", tmp_path / "w.pth", "cpu")
    waveform = tone(6.0, RATE)
    whole = restorer.restore(waveform, RATE, segment_seconds=100).waveform
    chunked = restorer.restore(waveform, RATE, segment_seconds=1.7).waveform
    error = np.sqrt(np.mean((chunked - whole) ** 2) / np.mean(whole**2))
    assert 20 * np.log10(error + 1e-12) < -60


def test_what_lies_above_the_band_is_dropped(tmp_path, small):
    torch.save(passing(Denoiser(width=WIDTH).state_dict()), tmp_path / "w.pth")
    restorer = shellac.load("denoiser", tmp_path / "w.pth", "cpu")
    waveform = tone(0.5, 44100)
    assert restorer.above_band == "drop"
    assert np.abs(restorer.restore(waveform, 44100).waveform).max() == 0
    kept = shellac.load("denoiser", tmp_path / "w.pth", "cpu", above_band="keep")
    high = waveform - resample(resample(waveform, 44100, RATE), RATE, 44100)[:, :22050]
    np.testing.assert_allclose(kept.restore(waveform, 44100).waveform, high, atol=1e-5)


def test_the_44k_network_restores_through_the_command(tmp_path, small, tensorflow_state):
    tensors = {name: torch.from_numpy(value) for name, value in tensorflow_state.items()}
    torch.save(tensors, tmp_path / "tf.pt")
    audio.write(tmp_path / "in.wav", tone(0.4, 44100), 44100, "FLOAT")
    assert restore(tmp_path, tmp_path / "tf.pt", "denoiser/unet_44k") == 0
    assert audio.inspect(tmp_path / "out" / "in.restored.wav").samples == 17640
    assert restore(tmp_path, tmp_path / "tf.pt", "denoiser/unet_22k") == 2
