"""The command line as a whole: fast help, one-line errors, JSON for programs."""

import json
import subprocess
import sys

import numpy as np
import pytest
from sounds import BAD, make_bad, tone, write_good

from shellac import audio
from shellac.cli import main

COMMANDS = ["restore", "example", "degrade", "noise-from", "score", "systems", "profile",
            "download", "fragments", "train", "evaluate", "stimuli", "notebook",
            "manuscript", "listening-test"]  # fmt: skip


def shellac(capsys, *arguments):
    try:
        status = main([str(argument) for argument in arguments])
    except SystemExit as stop:  # argparse
        status = stop.code
    told = capsys.readouterr()
    return status, told.out, told.err


def test_help_imports_nothing_heavy():
    program = (
        "import sys; from shellac.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'numpy', 'scipy', 'soundfile', 'yaml', 'pydantic'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(capsys, command):
    status, output, _ = shellac(capsys, command, "--help")
    assert status == 0
    assert command in output


def test_the_command_can_be_run_as_a_module():
    done = subprocess.run(
        [sys.executable, "-m", "shellac", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("shellac ")


@pytest.mark.parametrize(
    "arguments",
    [
        ["restore", "x.wav", "-o", "o"],
        ["restore", "-o", "o", "--system", "superres"],
        ["restore", "x.wav", "-o", "o", "--system", "superres", "--strength", "loud"],
        ["frobnicate"],
        [],
        ["restore", "x.wav", "-o", "o", "--system", "superres"],
        ["restore", "x.wav", "-o", "o", "--system", "nothing", "--weights", "trained"],
        ["restore", "x.wav", "-o", "o", "--system", "superres", "--weights", "published:none"],
        ["example", "x.wav", "-o", "o"],
        ["example", "x.wav", "-o", "o", "--system", "superres,superres"],
        ["degrade", "x.wav", "-o", "o", "--recipe", "acid"],
        ["degrade", "x.wav", "-o", "o", "--recipe", "gaps", "--seed", "-1"],
        ["score", "missing.wav", "missing.wav"],
        ["score", "n" * 300, "n" * 300],
        ["download", "maestro-the-cat"],
        ["train", "superres/lstm"],
        ["fragments", "nothing"],
        ["notebook", "99-nothing"],
        ["profile", "nothing"],
    ],
)
def test_mistakes_are_one_line_and_status_2(capsys, arguments):
    status, output, error = shellac(capsys, *arguments)
    assert status == 2
    assert output == ""
    assert error.count("\n") == 1
    assert "Traceback" not in error


def test_what_can_be_downloaded_is_told(capsys):
    _, _, error = shellac(capsys, "download", "nope")
    assert "'nope'" in error
    assert "synthesised-piano" in error and "denoiser-22k" in error and "behm-piano" in error


def test_a_name_with_a_newline_stays_one_line(capsys, tmp_path):
    status, _, error = shellac(capsys, "score", tmp_path / "a\nb.wav", tmp_path / "c.wav")
    assert status == 2
    assert error.count("\n") == 1


def test_missing_published_weights_name_what_to_do(capsys, tmp_path):
    write_good(tmp_path / "a.wav")
    _, _, error = shellac(
        capsys, "restore", tmp_path / "a.wav", "-o", tmp_path, "--system", "superres"
    )
    assert "--weights trained" in error


def test_systems_as_json(capsys):
    status, output, _ = shellac(capsys, "systems", "--json")
    records = json.loads(output)
    assert status == 0
    assert {"superres/tfilm", "superres/audiounet"} <= {record["name"] for record in records}
    for record in records:
        assert {
            "name",
            "system",
            "task",
            "sample_rate",
            "parameters",
            "weights",
            "use_when",
        } <= set(record)
        for weight in record["weights"]:
            assert {"name", "origin", "licence", "sha256", "present"} <= set(weight)
    assert records[0]["parameters"] == 47_655_734


@pytest.mark.parametrize("name", BAD)
def test_bad_input_to_degrade_and_score_writes_nothing(capsys, tmp_path, name):
    source = make_bad(tmp_path, name)
    good = write_good(tmp_path / "good.wav")
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    for arguments in (
        ["degrade", source, "-o", tmp_path / "out", "--recipe", "record-noise"],
        ["score", good, source],
        ["score", source, good],
    ):
        status, output, error = shellac(capsys, *arguments)
        assert (status, output) == (2, "")
        assert error.count("\n") == 1
        assert name in error
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("recipe", ["record-noise", "low-pass", "decimate", "gaps", "gramophone"])
def test_degrade_is_seeded_and_says_what_it_did(capsys, tmp_path, recipe):
    audio.write(tmp_path / "in.flac", tone(1.5, 44100, 2), 44100)
    for out in ("a", "b"):
        status, _, error = shellac(
            capsys, "degrade", tmp_path / "in.flac", "-o", tmp_path / out, "--recipe", recipe,
            "--seed", 4,
        )  # fmt: skip
        assert (status, error) == (0, "")
    first, second = (tmp_path / out / "in.degraded.flac" for out in ("a", "b"))
    assert first.read_bytes() == second.read_bytes()
    facts, original = audio.inspect(first), audio.inspect(tmp_path / "in.flac")
    assert (facts.samples, facts.channels, facts.sample_rate) == (
        original.samples, original.channels, original.sample_rate,
    )  # fmt: skip
    told = json.loads((tmp_path / "a" / "in.json").read_text())
    assert told["recipe"] == recipe
    assert told["applied"]
    assert not np.allclose(audio.read(first)[0], audio.read(tmp_path / "in.flac")[0], atol=1e-4)


def test_degrade_refuses_rates_that_hold_no_music_and_goes_on(capsys, tmp_path):
    (tmp_path / "in").mkdir()
    audio.write(tmp_path / "in" / "slow.wav", tone(2000.0, 7), 7)
    write_good(tmp_path / "in" / "good.wav")
    status, output, error = shellac(
        capsys, "degrade", tmp_path / "in", "-o", tmp_path / "out", "--recipe", "gramophone"
    )
    assert status == 2
    assert error.count("\n") == 1
    assert "slow.wav" in error
    assert (tmp_path / "out" / "good.degraded.wav").is_file()


def test_score_names_every_definition(capsys, tmp_path):
    reference = write_good(tmp_path / "a.wav", subtype="FLOAT")
    waveform, rate = audio.read(reference)
    audio.write(tmp_path / "b.wav", 0.9 * waveform, rate, "FLOAT")
    status, output, _ = shellac(capsys, "score", reference, tmp_path / "b.wav", "--json")
    records = {record["metric"]: record for record in json.loads(output)}
    assert status == 0
    assert records["snr_db"]["value"] == pytest.approx(20, abs=1e-3)
    assert all(len(record["definition"]) > 20 for record in records.values())
    audio.write(tmp_path / "c.wav", waveform[:, :-1], rate, "FLOAT")
    status, _, error = shellac(capsys, "score", reference, tmp_path / "c.wav")
    assert status == 2
    assert "samples" in error
