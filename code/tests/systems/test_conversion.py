"""The authors' checkpoints through ``shellac restore``: converted once, or refused in one line."""

import json
import resource

import numpy as np
import pytest
import torch
from checkpoints import HOSTILE, layout, make_hostile
from sounds import tone, write_good

from shellac import audio, weights
from shellac.cli import main
from shellac.files import sha256
from shellac.systems import conversion
from shellac.systems.superres import published
from shellac.systems.superres.network import AudioUNet, TFiLMUNet


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("SHELLAC_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def small(monkeypatch):
    """The published layouts at a small width, and a short probe."""
    settings = {"superres_tfilm": {"width": 1 / 32, "mode": "legacy"},
                "superres_audiounet": {"width": 1 / 32}}  # fmt: skip
    builders = {
        "superres_tfilm": lambda: TFiLMUNet(**settings["superres_tfilm"]),
        "superres_audiounet": lambda: AudioUNet(**settings["superres_audiounet"]),
    }
    monkeypatch.setattr(published, "SETTINGS", settings)
    monkeypatch.setattr(published, "BUILDERS", builders)
    monkeypatch.setattr(published, "PROBE_SAMPLES", 8192)
    return builders


def restore(tmp_path, checkpoint, system="superres"):
    return main(["restore", str(tmp_path / "in.wav"), "-o", str(tmp_path / "out"),
                 "--system", system, "--weights", str(checkpoint), "--device", "cpu"])  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_checkpoints_are_one_line_and_leave_nothing(tmp_path, cache, capsys, name):
    write_good(tmp_path / "in.wav")
    checkpoint = make_hostile(tmp_path, name)
    before = sorted(tmp_path.iterdir())
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert restore(tmp_path, checkpoint) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.count("\n") == 1
    assert name in told.err
    assert "\x1b" not in told.err
    assert len(told.err) < 600
    assert sorted(tmp_path.iterdir()) == before  # nothing run, no output, no cache
    # copying the matching tensors of a full-size layout is the most that a refusal may cost
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory < 500_000


@pytest.mark.parametrize("key", ["superres_tfilm", "superres_audiounet"])
@pytest.mark.parametrize("zipped", [True, False])
def test_a_checkpoint_is_converted_once(tmp_path, cache, small, key, zipped, monkeypatch):
    write_good(tmp_path / "in.wav")
    torch.manual_seed(1)
    network = small[key]().eval()
    torch.save(network.state_dict(), tmp_path / "w.pth", _use_new_zipfile_serialization=zipped)
    assert restore(tmp_path, tmp_path / "w.pth") == 0
    kept = conversion.converted_path(sha256(tmp_path / "w.pth"))
    state, card = weights.load(kept)
    assert all(torch.equal(state[name], value) for name, value in network.state_dict().items())
    assert card.origin == "published"
    assert (card.level, card.sample_rate, card.extra["scale"]) == (None, 16000, 4)
    assert 0 < card.edge_seconds <= 0.256
    told = json.loads((tmp_path / "out" / "in.json").read_text())["weights"][0]
    assert (told["origin"], told["file"], told["level"]) == ("published", "w.pth", None)
    assert told["extra"]["checkpoint_sha256"] == sha256(tmp_path / "w.pth")
    monkeypatch.setattr(conversion.torch_files, "read_state", lambda path: pytest.fail("again"))
    assert restore(tmp_path, tmp_path / "w.pth") == 0


def test_a_damaged_conversion_is_made_again(tmp_path, cache, small):
    write_good(tmp_path / "in.wav")
    torch.save(small["superres_audiounet"]().state_dict(), tmp_path / "w.pt")
    restore(tmp_path, tmp_path / "w.pt")
    kept = conversion.converted_path(sha256(tmp_path / "w.pt"))
    good = kept.read_bytes()
    kept.write_bytes(good[:1000])
    assert restore(tmp_path, tmp_path / "w.pt") == 0
    assert kept.read_bytes() == good


def test_the_other_network_is_refused_before_and_after_conversion(tmp_path, cache, small, capsys):
    write_good(tmp_path / "in.wav")
    torch.save(small["superres_audiounet"]().state_dict(), tmp_path / "w.pth")
    assert restore(tmp_path, tmp_path / "w.pth", "superres/tfilm") == 2
    assert not cache.exists()
    assert restore(tmp_path, tmp_path / "w.pth", "superres/audiounet") == 0
    assert restore(tmp_path, tmp_path / "w.pth", "superres/tfilm") == 2
    assert "holds superres/audiounet, not superres/tfilm" in capsys.readouterr().err


def test_no_level_means_the_recording_as_it_is(tmp_path, cache, small):
    network = small["superres_audiounet"]().eval()
    torch.save(network.state_dict(), tmp_path / "w.pth")
    waveform = 0.3 * tone(1.024, 16000)[:, :16384]
    audio.write(tmp_path / "in.wav", waveform, 16000, "FLOAT")
    assert restore(tmp_path, tmp_path / "w.pth") == 0
    with torch.inference_mode():
        wanted = network(torch.from_numpy(waveform)[None])[0].numpy()
    assert np.allclose(audio.read(tmp_path / "out" / "in.restored.wav")[0], wanted, atol=1e-6)


def test_the_published_size_goes_through_the_command(tmp_path, cache, monkeypatch):
    monkeypatch.setattr(published, "PROBE_SAMPLES", 2048)  # at full size 4 s take 20 s to measure
    torch.save(layout("superres_tfilm"), tmp_path / "w.pth")
    audio.write(tmp_path / "in.wav", tone(0.2, 16000), 16000)
    assert restore(tmp_path, tmp_path / "w.pth", "superres/tfilm") == 0
    state, card = weights.load(conversion.converted_path(sha256(tmp_path / "w.pth")))
    assert sum(value.numel() for value in state.values()) == 47_655_734
    assert card.settings == {"width": 1.0, "mode": "legacy"}
    assert audio.inspect(tmp_path / "out" / "in.restored.wav").samples == 3200
