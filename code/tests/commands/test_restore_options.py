"""Options of ``shellac restore`` that change what is heard, and what is told before and after."""

import json
import shutil

import numpy as np
import pytest
import shared_audio
import torch
from sounds import noisy, tone, write_good

from shellac import audio
from shellac.cli import main
from shellac.metrics import snr_db
from shellac.systems.behm_gan import published as behm
from shellac.systems.behm_gan import published_pipeline
from shellac.systems.behm_gan.network import Generator
from shellac.systems.denoiser import published as denoiser
from shellac.systems.denoiser.network import Denoiser

WIDTH = 1 / 32
RATE = 22050


def run(capsys, *arguments):
    status = main(["restore", *map(str, arguments)])
    told = capsys.readouterr()
    return status, told.out, told.err


def classical(capsys, tmp_path, *arguments):
    return run(capsys, *arguments, "-o", tmp_path / "out", "--system", "classical/dehum")


@pytest.mark.parametrize("mode", ["mix", "quieter", "left", "right"])
def test_a_mono_record_comes_out_as_one_channel(tmp_path, capsys, mode):
    music = tone(3.0, RATE)[0]
    both = np.stack([music, np.roll(music, 4)])
    audio.write(tmp_path / "in.flac", both, RATE, "PCM_24")
    arguments = (tmp_path / "in.flac", "--mono", mode, "--keep-input")
    assert classical(capsys, tmp_path, *arguments)[0] == 0
    told = json.loads((tmp_path / "out" / "in.json").read_text())
    facts = audio.inspect(tmp_path / "out" / "in.restored.flac")
    assert (facts.channels, facts.samples, facts.sample_rate) == (1, both.shape[1], RATE)
    assert told["mono"]["how"] == mode
    assert f"one channel ({mode})" in told["residual"]
    heard, _ = audio.read(tmp_path / "out" / "in.input.flac")
    expected = both[1] if mode == "right" else music
    assert snr_db(expected[100:-100], heard[0, 100:-100]) > 40
    if mode == "mix":
        assert told["mono"]["right_late_by_ms"] == pytest.approx(4e3 / RATE, abs=1e-3)


def test_one_channel_stays_and_more_than_two_are_refused(tmp_path, capsys):
    audio.write(tmp_path / "one.wav", tone(1.0, RATE), RATE, "PCM_16")
    assert classical(capsys, tmp_path, tmp_path / "one.wav", "--mono", "mix")[0] == 0
    assert json.loads((tmp_path / "out" / "one.json").read_text())["mono"] is None
    audio.write(tmp_path / "six.wav", tone(1.0, RATE, 6), RATE, "PCM_16")
    status, _, error = classical(capsys, tmp_path, tmp_path / "six.wav", "--mono", "mix")
    assert status == 2 and "6 channels" in error and error.count("\n") == 1
    assert not (tmp_path / "out" / "six.json").exists()


def test_channels_that_are_no_walls_are_said_to_be_none(tmp_path, capsys):
    both = np.concatenate([tone(2.0, RATE), tone(2.0, RATE, seed=9)])
    both[1] = np.random.default_rng(0).permutation(both[1])
    audio.write(tmp_path / "in.wav", both, RATE, "FLOAT")
    status, _, error = classical(capsys, tmp_path, tmp_path / "in.wav", "--mono", "mix")
    assert status == 0 and "no two walls" in error


def test_mono_goes_with_a_raised_rate(tmp_path, capsys, small_weights):
    audio.write(tmp_path / "in.wav", tone(1.0, 4000, 2), 4000, "PCM_16")
    arguments = (tmp_path / "in.wav", "-o", tmp_path / "out", "--mono", "left")
    arguments += ("--system", "superres", "--weights", small_weights, "--rate", "network")
    status, _, _ = run(capsys, *arguments)
    facts = audio.inspect(tmp_path / "out" / "in.restored.wav")
    assert (status, facts.channels, facts.sample_rate, facts.samples) == (0, 1, 16000, 16000)


def test_a_folder_of_mixed_quality_is_done_file_by_file(tmp_path, capsys):
    place = tmp_path / "in"
    place.mkdir()
    audio.write(place / "telephone.wav", noisy(1.5, rate=8000)[1], 8000, "PCM_U8")
    audio.write(place / "disc.flac", noisy(1.5, 2, 44100)[1], 44100, "PCM_24")
    audio.write(place / "studio.wav", tone(1.0, 96000, 2), 96000, "FLOAT")
    write_good(place / "lossy.ogg", seconds=2.0)
    audio.write(place / "silent.aiff", np.zeros((1, 8000)), 8000, "PCM_16")
    raw = write_good(place / "cut.wav", seconds=2.0).read_bytes()
    (place / "cut.wav").write_bytes(raw[: len(raw) * 2 // 3])
    (place / "notes.txt").write_text("pressed in 1921")
    arguments = (place, "-o", tmp_path / "out", "--system", "classical")
    status, output, error = run(capsys, *arguments)
    assert status == 2
    assert "5 done, 1 failed, 1 other files passed over" in output
    assert "cut.wav: cut short" in error and "--allow-truncated" in error
    status, output, error = run(capsys, *arguments, "--allow-truncated", "--skip-done")
    assert status == 0 and "5 done before" not in output  # what allows more is another setting
    kept = {path.name: audio.inspect(path) for path in (tmp_path / "out").glob("*.restored.*")}
    shapes = {name: (f.sample_rate, f.channels, f.subtype) for name, f in kept.items()}
    assert shapes == {
        "telephone.restored.wav": (8000, 1, "PCM_U8"),
        "disc.restored.flac": (44100, 2, "PCM_24"),
        "studio.restored.wav": (96000, 2, "FLOAT"),
        "lossy.restored.flac": (16000, 2, "PCM_24"),
        "silent.restored.aiff": (8000, 1, "PCM_16"),
        "cut.restored.wav": (16000, 2, "PCM_16"),
    }
    assert json.loads((tmp_path / "out" / "cut.json").read_text())["warnings"]


@pytest.mark.parametrize(("wanted", "suffix"), [("wav", ".wav"), ("flac", ".flac")])
def test_the_format_may_be_chosen(tmp_path, capsys, wanted, suffix):
    audio.write(tmp_path / "in.aiff", tone(1.0, RATE), RATE, "PCM_16")
    assert classical(capsys, tmp_path, tmp_path / "in.aiff", "--format", wanted)[0] == 0
    facts = audio.inspect(tmp_path / "out" / f"in.residual{suffix}")
    assert (facts.subtype, facts.samples) == ("PCM_16", RATE)


def test_time_is_foretold_once_and_speed_and_memory_told_after(tmp_path, capsys):
    for name in ("a", "b"):
        audio.write(tmp_path / "in" / f"{name}.wav", tone(3.0, RATE), RATE, "PCM_16")
    arguments = (tmp_path / "in", "--segment-seconds", "1")
    status, output, error = classical(capsys, tmp_path, *arguments)
    assert (status, error) == (0, "")
    first, *others = output.splitlines()
    assert first.startswith("6.0 s of sound: about ")
    assert sum("of sound" in line for line in others) == 0
    assert sum("x real time, peak memory" in line for line in others) == 2
    _, output, _ = classical(capsys, tmp_path, *arguments, "--json")
    assert len(json.loads(output)) == 2  # nothing but JSON


def test_real_discs_in_one_folder(tmp_path, capsys):
    source = shared_audio.require() / "historical"
    (tmp_path / "in" / "78").mkdir(parents=True)
    for name in ("edison_cylinder_1903_spring_of_love", "shellac_1921_fronne_e_limone"):
        waveform, rate = audio.read(source / f"{name}.flac")
        cut = waveform[:, 10 * rate : 16 * rate]
        audio.write(tmp_path / "in" / "78" / f"{name}.flac", cut, rate, "PCM_16")
    status, _, _ = run(capsys, tmp_path / "in", "-o", tmp_path / "out", "--system", "classical",
                       "--mono", "mix")  # fmt: skip
    assert status == 0
    for path in (tmp_path / "in" / "78").iterdir():
        told = json.loads((tmp_path / "out" / "78" / f"{path.stem}.json").read_text())
        facts = audio.inspect(path)
        made = audio.inspect(tmp_path / "out" / "78" / told["outputs"]["restored"])
        assert (made.samples, made.sample_rate, made.channels) == (
            facts.samples, facts.sample_rate, 1,
        )  # fmt: skip
        assert told["estimates"][0]["noise_profile"]["from"] == "quietest frames"


@pytest.fixture
def small(tmp_path, monkeypatch):
    """Published layouts at a small width, their checkpoints, and an empty cache."""
    monkeypatch.setenv("SHELLAC_CACHE", str(tmp_path / "cache"))
    for module in (behm, denoiser):
        settings = {key: {"width": WIDTH} for key in module.SETTINGS}
        monkeypatch.setattr(module, "SETTINGS", settings)
    torch.manual_seed(1)
    torch.save(Denoiser("22k", width=WIDTH).state_dict(), tmp_path / "denoiser.pth")
    torch.save(Generator(WIDTH).state_dict(), tmp_path / "generator.pth")


def test_the_published_chunking_is_that_of_the_authors(tmp_path, capsys, small):
    waveform = 0.3 * tone(10.0, RATE, 2)
    audio.write(tmp_path / "in.wav", waveform, RATE, "FLOAT")
    weights = ("--weights", tmp_path / "denoiser.pth", "--weights", tmp_path / "generator.pth")
    arguments = (tmp_path / "in.wav", "-o", tmp_path / "out", "--system", "denoiser,behm_gan")
    status, _, error = run(capsys, *arguments, *weights, "--chunking", "published")
    assert status == 0 and "may lose an end" in error
    restored, rate = audio.read(tmp_path / "out" / "in.restored.wav")
    assert (rate, restored.shape) == (RATE, (1, 10 * RATE))
    # ten seconds are two segments, and the second begins 1024 samples early
    assert not restored[0, -1000:].any() and restored[0, -5000:-3000].any()
    residual, _ = audio.read(tmp_path / "out" / "in.residual.wav")
    assert np.allclose(restored + residual, published_pipeline.heard(waveform, RATE), atol=1e-6)
    told = json.loads((tmp_path / "out" / "in.json").read_text())
    assert told["settings"]["chunking"] == "published"
    status, _, _ = run(capsys, *arguments, *weights)
    mended, _ = audio.read(tmp_path / "out" / "in.restored.wav")
    assert mended.shape == waveform.shape and mended[0, -1000:].any()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--system", "classical"], "leave it out"),
        (["--system", "classical", "--mono", "mix"], "neither --mono nor --rate"),
    ],
)
def test_the_published_chunking_is_refused_where_there_is_none(
    tmp_path, capsys, arguments, message
):
    write_good(tmp_path / "in.wav")
    status, _, error = run(capsys, tmp_path / "in.wav", "-o", tmp_path / "out", *arguments,
                           "--chunking", "published")  # fmt: skip
    assert status == 2 and message in error and error.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_chain_that_denoises_drops_what_it_cannot_hear(tmp_path, capsys, small):
    heard = (0.1 * np.random.default_rng(0).standard_normal((1, 44100))).astype(np.float32)
    audio.write(tmp_path / "in.wav", heard, 44100, "FLOAT")
    for system, default in (("denoiser", "drop"), ("behm_gan", "keep")):
        name = "denoiser" if system == "denoiser" else "generator"
        for option in ((), ("--above-band", "keep"), ("--above-band", "drop")):
            shutil.rmtree(tmp_path / "out", ignore_errors=True)
            status, _, _ = run(capsys, tmp_path / "in.wav", "-o", tmp_path / "out", "--system",
                               system, "--weights", tmp_path / f"{name}.pth", *option)  # fmt: skip
            assert status == 0
            wanted = option[1] if option else default
            told = json.loads((tmp_path / "out" / "in.json").read_text())
            assert told["settings"]["above_band"] == wanted
            restored, _ = audio.read(tmp_path / "out" / "in.restored.wav")
            power = np.abs(np.fft.rfft(restored[0] * np.hanning(44100)))[12500:].mean()
            assert (power > 1) == (wanted == "keep")
