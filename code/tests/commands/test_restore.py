"""``shellac restore`` as an archivist uses it."""

import json
import os
import shutil

import numpy as np
import pytest
import soundfile
from sounds import BAD, make_bad, tone, write_good

import shellac
from shellac import audio, weights
from shellac.commands.inputs import collect
from shellac.errors import AudioError, UsageError
from shellac.files import sha256


def snapshot(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("channels", [1, 2, 6])
@pytest.mark.parametrize("sample_rate", [8000, 11025, 16000, 44100, 96000])
def test_length_rate_channels_and_format_stay(tmp_path, restore, sample_rate, channels):
    waveform = tone(0.7, sample_rate, channels)
    audio.write(tmp_path / "in.wav", waveform, sample_rate, "PCM_24")
    status, _, error = restore(tmp_path / "in.wav", "-o", tmp_path / "out")
    assert (status, error) == (0, "")
    for kind in ("restored", "residual"):
        facts = audio.inspect(tmp_path / "out" / f"in.{kind}.wav")
        assert (facts.sample_rate, facts.channels, facts.samples, facts.subtype) == (
            sample_rate, channels, waveform.shape[1], "PCM_24",
        )  # fmt: skip


def test_restored_and_residual_add_up_to_the_input(tmp_path, restore):
    write_good(tmp_path / "in.wav", subtype="FLOAT")
    restore(tmp_path / "in.wav", "-o", tmp_path, "--keep-input")
    restored, _ = audio.read(tmp_path / "in.restored.wav")
    residual, _ = audio.read(tmp_path / "in.residual.wav")
    heard, _ = audio.read(tmp_path / "in.input.wav")
    original, _ = audio.read(tmp_path / "in.wav")
    assert np.allclose(restored + residual, original, atol=1e-6)
    assert np.array_equal(heard, original)
    assert np.abs(residual).max() > 1e-4  # the network did something


def test_of_whole_numbers_too_the_parts_add_up_to_the_input(tmp_path, restore):
    write_good(tmp_path / "in.wav")
    restore(tmp_path / "in.wav", "-o", tmp_path)
    names = ("in.wav", "in.restored.wav", "in.residual.wav")
    heard, *parts = (soundfile.read(tmp_path / name, dtype="int16")[0] for name in names)
    assert np.mean(sum(parts) == heard) > 0.999  # halves are rounded to even


def test_description_tells_the_whole_story(tmp_path, restore, small_weights):
    source = write_good(tmp_path / "in.flac")
    restore(source, "-o", tmp_path / "out")
    told = json.loads((tmp_path / "out" / "in.json").read_text())
    assert told["input"]["sha256"] == sha256(source)
    assert told["weights"][0]["network"] == "superres/audiounet"
    assert told["weights"][0]["profile"] == "test"
    assert told["weights"][0]["sha256"] == sha256(small_weights)
    assert told["settings"]["above_band"] == "keep"
    for kind, name in told["outputs"].items():
        assert sha256(tmp_path / "out" / name) == told["sha256"][kind]


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_one_line_status_2_and_nothing_written(tmp_path, restore, name):
    source = make_bad(tmp_path, name)
    before = snapshot(tmp_path)
    status, output, error = restore(source, "-o", tmp_path / "out")
    assert (status, output) == (2, "")
    assert error.count("\n") == 1
    assert name in error
    assert snapshot(tmp_path) == before
    assert not (tmp_path / "out").exists()


def test_a_good_file_beside_the_bad_is_done(tmp_path, restore):
    for name in ("text.wav", "nan.wav"):
        make_bad(tmp_path / "", name)
    write_good(tmp_path / "good.wav")
    (tmp_path / "notes.txt").write_text("not audio")
    status, output, error = restore(tmp_path, "-o", tmp_path / "out")
    assert status == 2
    assert error.count("\n") == 2
    assert "1 done, 2 failed, 1 other files passed over" in output
    made = {path.name for path in (tmp_path / "out").iterdir()}
    assert made == {"good.restored.wav", "good.residual.wav", "good.json"}
    assert restore(tmp_path / "good.wav", "-o", tmp_path / "out")[0] == 0


def test_the_tree_below_a_folder_is_made_again(tmp_path, restore):
    (tmp_path / "in" / "a" / "b").mkdir(parents=True)
    write_good(tmp_path / "in" / "a" / "b" / "x.flac")
    write_good(tmp_path / "in" / "y.wav")
    assert restore(tmp_path / "in", "-o", tmp_path / "in" / "out")[0] == 0
    assert (tmp_path / "in" / "out" / "a" / "b" / "x.restored.flac").is_file()
    assert (tmp_path / "in" / "out" / "y.residual.wav").is_file()
    # a second run does not take results for inputs
    assert restore(tmp_path / "in", "-o", tmp_path / "in" / "out")[0] == 0
    assert not list((tmp_path / "in" / "out").rglob("*restored.restored*"))


def test_two_inputs_with_one_output_name_are_refused_before_work(tmp_path, restore):
    (tmp_path / "a").mkdir()
    write_good(tmp_path / "a" / "x.wav")
    write_good(tmp_path / "x.flac")
    status, _, error = restore(tmp_path / "a" / "x.wav", tmp_path / "x.flac", "-o", tmp_path / "o")
    assert status == 2
    assert "would both be written" in error
    assert not (tmp_path / "o").exists()


def test_no_input_is_ever_replaced(tmp_path, restore):
    write_good(tmp_path / "x.wav")
    write_good(tmp_path / "x.restored.wav", seconds=0.5)
    before = snapshot(tmp_path)
    status, _, error = restore(tmp_path, "-o", tmp_path)
    assert status == 2
    assert "x.restored.wav, which is an input" in error
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("text", ["{}", "[]", "no JSON", '{"title": "a side"}'])
def test_json_of_somebody_else_is_never_replaced(tmp_path, restore, text):
    write_good(tmp_path / "x.wav")
    (tmp_path / "x.json").write_text(text)
    before = snapshot(tmp_path)
    status, _, error = restore(tmp_path / "x.wav", "-o", tmp_path)
    assert (status, error.count("\n")) == (2, 1)
    assert "x.json, which is no description of ours" in error
    assert snapshot(tmp_path) == before
    assert restore(tmp_path / "x.wav", "-o", tmp_path / "out")[0] == 0


def test_what_is_needed_besides_is_never_replaced(tmp_path, restore):
    source, profile = write_good(tmp_path / "x.wav"), tmp_path / "x.residual.wav"
    assert restore(source, "-o", tmp_path)[0] == 0
    before = snapshot(tmp_path)
    status, _, error = restore(
        source, "-o", tmp_path, "--system", "classical,superres", "--noise-profile", profile
    )
    assert (status, error.count("\n")) == (2, 1)
    assert f"would replace {profile}" in error
    with pytest.raises(UsageError, match=r"would replace .*x\.json"):
        collect([source], tmp_path, [tmp_path / "x.json"])  # a list of gaps
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("place", ["input", "out"])
def test_a_path_without_a_name_is_none(tmp_path, restore, capsys, monkeypatch, place):
    monkeypatch.chdir(tmp_path)
    write_good(tmp_path / "x.wav")
    with pytest.raises(SystemExit, match="2"):
        restore(*{"input": ("", "-o", "out"), "out": ("x.wav", "-o", "")}[place])
    assert "invalid path value: ''" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["x.wav"]


def test_blanks_between_the_systems_of_a_chain_do_no_harm(tmp_path, restore):
    write_good(tmp_path / "x.wav")
    assert restore(tmp_path / "x.wav", "-o", tmp_path, "--system", "classical, superres")[0] == 0


def test_results_beside_the_inputs_are_no_inputs_of_the_next_run(tmp_path, restore):
    write_good(tmp_path / "x.wav")
    for _ in range(2):
        assert restore(tmp_path, "-o", tmp_path)[0] == 0
    assert {path.name for path in tmp_path.iterdir()} == {
        "x.wav", "x.restored.wav", "x.residual.wav", "x.json",
    }  # fmt: skip


@pytest.mark.parametrize("name", [b"caf\xe9.wav", "Škrlup ♪.wav".encode(), b"-o.wav", b"a\nb.wav"])
def test_any_file_name_will_do(tmp_path, restore, name):
    os.mkdir(tmp_path / "in")  # noqa: PTH102
    path = os.path.join(os.fsencode(tmp_path / "in"), name)  # noqa: PTH118
    os.rename(write_good(tmp_path / "plain.wav"), path)  # noqa: PTH104
    status, _, error = restore(tmp_path / "in", "-o", tmp_path / "out")
    assert (status, error) == (0, "")
    made = os.listdir(os.fsencode(tmp_path / "out"))  # noqa: PTH208
    assert name.replace(b".wav", b".restored.wav") in made


@pytest.mark.parametrize("length", [250, 255, 300])
def test_names_that_would_be_too_long_are_told_before_work(tmp_path, restore, length):
    path = tmp_path / ("n" * (length - 4) + ".wav")
    if length <= 255:
        write_good(path)
    status, _, error = restore(path, "-o", tmp_path / "out")
    assert status == 2
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_skip_done_notices_a_result_that_was_changed_or_is_missing(tmp_path, restore):
    write_good(tmp_path / "x.wav")
    arguments = (tmp_path / "x.wav", "-o", tmp_path / "out", "--skip-done")
    restore(*arguments)
    good = snapshot(tmp_path / "out")
    (tmp_path / "out" / "x.restored.wav").write_bytes(b"junk")
    restore(*arguments)
    assert snapshot(tmp_path / "out") == good
    restore(*arguments, "--keep-input")
    assert (tmp_path / "out" / "x.input.wav").is_file()


def test_lossy_comes_out_as_24_bit_flac(tmp_path, restore):
    write_good(tmp_path / "in.ogg", seconds=2.0)
    assert restore(tmp_path / "in.ogg", "-o", tmp_path / "out")[0] == 0
    facts = audio.inspect(tmp_path / "out" / "in.restored.flac")
    assert facts.subtype == "PCM_24"
    assert facts.samples == audio.inspect(tmp_path / "in.ogg").samples


def test_strength_zero_is_the_input(tmp_path, restore):
    write_good(tmp_path / "in.wav", subtype="PCM_24")
    restore(tmp_path / "in.wav", "-o", tmp_path, "--strength", "0")
    assert np.abs(audio.read(tmp_path / "in.residual.wav")[0]).max() == 0


def test_chunked_is_60_db_below_the_programme_against_one_pass(small_weights):
    restorer = shellac.load("superres", weights=str(small_weights), device="cpu")
    waveform = tone(9.0, 22050, 2)
    whole = restorer.restore(waveform, 22050, segment_seconds=100).waveform
    for seconds in (0.5, 1.7, 4.0):
        chunked = restorer.restore(waveform, 22050, segment_seconds=seconds).waveform
        assert chunked.shape == waveform.shape
        error = np.sqrt(np.mean((chunked - whole) ** 2) / np.mean(whole**2))
        assert 20 * np.log10(error + 1e-12) < -60


def test_delay_is_zero(small_weights):
    restorer = shellac.load("superres", weights=str(small_weights), device="cpu")
    waveform = tone(2.0, 44100)
    restored = restorer.restore(waveform, 44100).waveform
    spectrum = np.fft.rfft(waveform[0]).conj() * np.fft.rfft(restored[0])
    assert np.argmax(np.fft.irfft(spectrum)) == 0


def test_above_band_drop_removes_what_the_network_cannot_hear(small_weights):
    rng = np.random.default_rng(0)
    waveform = (0.1 * rng.standard_normal((1, 44100))).astype(np.float32)

    def spectrum(signal):
        return np.abs(np.fft.rfft(signal[0] * np.hanning(44100)))[9000:]

    def above(mode):
        restorer = shellac.load("superres", str(small_weights), "cpu", above_band=mode)
        restored = restorer.restore(waveform, 44100).waveform
        return spectrum(restored).mean() / spectrum(waveform).mean()

    assert above("drop") < 1e-3
    assert above("keep") == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("mode", ["rescale", "clamp", "error"])
def test_clipping_is_never_silent(tmp_path, restore, mode):
    waveform = tone(1.0, 16000)
    audio.write(tmp_path / "in.wav", waveform / np.abs(waveform).max(), 16000, "PCM_16")
    status, _, error = restore(tmp_path / "in.wav", "-o", tmp_path / "o", "--clip", mode)
    if mode == "error":
        assert status == 2
        assert "clip" in error
        assert not (tmp_path / "o").exists()
    elif mode == "rescale":
        assert status == 0
        told = json.loads((tmp_path / "o" / "in.json").read_text())
        assert told["gain"] < 1
        assert "scaled by" in error
    else:
        assert status == 0
        told = json.loads((tmp_path / "o" / "in.json").read_text())
        assert told["clamped_samples"] > 0
        assert "except where" in told["residual"]
        assert f"{told['clamped_samples']} samples" in error


def test_skip_done_repeats_only_what_changed(tmp_path, restore):
    (tmp_path / "in").mkdir()
    write_good(tmp_path / "in" / "a.wav")
    shutil.copy(tmp_path / "in" / "a.wav", tmp_path / "in" / "b.wav")
    restore(tmp_path / "in", "-o", tmp_path / "out")
    times = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").iterdir()}
    write_good(tmp_path / "in" / "b.wav", seconds=1.5)
    _, output, _ = restore(tmp_path / "in", "-o", tmp_path / "out", "--skip-done")
    assert "1 done, 1 done before" in output
    again = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").iterdir()}
    assert {path.name[0] for path in times if again[path] != times[path]} == {"b"}
    _, output, _ = restore(
        tmp_path / "in", "-o", tmp_path / "out", "--skip-done", "--strength", "0.5"
    )
    assert "2 done" in output


def test_a_training_recording_is_pointed_out(tmp_path, restore, small_weights, monkeypatch):
    source = write_good(tmp_path / "in.wav")
    real = weights.load

    def load(path):
        state, card = real(path)
        return state, type(card)(**{**vars(card), "trained_on": (sha256(source),)})

    monkeypatch.setattr(weights, "load", load)
    _, _, error = restore(source, "-o", tmp_path / "out")
    assert "trained on this very recording" in error


@pytest.mark.parametrize("samples", [1, 2, 100, 1023])
def test_very_short_and_silent_files_come_back(tmp_path, restore, samples):
    soundfile.write(tmp_path / "in.wav", np.zeros((samples, 1)), 44100)
    assert restore(tmp_path / "in.wav", "-o", tmp_path / "o")[0] == 0
    restored, _ = audio.read(tmp_path / "o" / "in.restored.wav")
    assert restored.shape == (1, samples)
    assert np.isfinite(restored).all()


def test_json_output_can_be_parsed(tmp_path, restore):
    write_good(tmp_path / "in.wav")
    _, output, _ = restore(tmp_path / "in.wav", "-o", tmp_path, "--json")
    record = json.loads(output)[0]
    assert record["seconds"] > 0
    assert record["outputs"]["restored"] == "in.restored.wav"


@pytest.mark.parametrize(
    ("extra", "told"),
    [
        (["--strength", "2"], "strength"),
        (["--segment-seconds", "0"], "segment-seconds"),
        (["--device", "cuda:99"], "device"),
        (["--device", "quantum"], "device"),
        (["--weights", "trained"], "weights"),
    ],
)
def test_wrong_options_are_told_before_work(tmp_path, restore, extra, told):
    write_good(tmp_path / "in.wav")
    status, _, error = restore(tmp_path / "in.wav", "-o", tmp_path / "o", *extra)
    assert status == 2
    assert told in error
    assert error.count("\n") == 1
    assert not (tmp_path / "o").exists()


def test_arrays_that_were_meant_otherwise_are_refused(small_weights):
    restorer = shellac.load("superres", weights=str(small_weights), device="cpu")
    waveform = tone(0.5, 16000, 2)
    with pytest.raises(AudioError, match=r"looks like \(T, C\)"):
        restorer.restore(waveform.T, 16000)
    with pytest.raises(AudioError, match="type int16: expected floats with full scale = 1"):
        restorer.restore((waveform * 32767).astype(np.int16), 16000)
    for sensible in (waveform[:, :1], waveform[0], waveform.astype(np.float64), waveform.tolist()):
        made = restorer.restore(sensible, 16000).waveform
        assert made.shape == np.atleast_2d(sensible).shape


def test_python_interface(small_weights):
    restorer = shellac.load("superres", weights=str(small_weights), device="cpu")
    waveform = tone(0.5, 16000, 2)
    out = restorer.restore(waveform, 16000)
    assert out.waveform.shape == out.residual.shape == waveform.shape
    assert out.waveform.dtype == out.residual.dtype == np.float32
    with pytest.raises(AudioError):
        restorer.restore(np.full((1, 10), np.nan), 16000)
    with pytest.raises(AudioError):
        restorer.restore(np.full((1, 10), 1e6), 16000)
    assert np.isfinite(restorer.restore(np.full((1, 1000), 1e-42), 16000.0).waveform).all()
    shellac.load("superres/audiounet", weights=[small_weights])
    with pytest.raises(UsageError):
        shellac.load("superres")
    with pytest.raises(UsageError, match="superres"):
        shellac.load("superess", weights=str(small_weights))
