"""``shellac restore --system classical``, alone and in chains."""

import json

from sounds import RECORD_RATE as RATE
from sounds import noisy

from shellac import audio


def run(capsys, *arguments):
    from shellac.cli import main

    status = main(["restore", *map(str, arguments)])
    told = capsys.readouterr()
    return status, told.out, told.err


def test_the_command_needs_no_weights_and_tells_what_it_found(tmp_path, capsys):
    _, heard = noisy(12.0)
    audio.write(tmp_path / "in.flac", heard / 2, RATE, "PCM_16")
    status, _, error = run(capsys, tmp_path / "in.flac", "-o", tmp_path, "--system", "classical")
    assert (status, error) == (0, "")
    told = json.loads((tmp_path / "in.json").read_text())
    assert told["weights"] == []
    (found,) = told["estimates"]
    assert found["network"] == "classical/full"
    assert all(40 < clicks < 150 for clicks in found["clicks_repaired"])
    assert round(found["hum_lines"][0]["frequency_hz"]) == 50
    assert found["noise_profile"]["from"] == "quietest frames"
    assert audio.inspect(tmp_path / "in.restored.flac").samples == heard.shape[1]
    again = ["--system", "classical", "--skip-done"]
    written = (tmp_path / "in.json").stat().st_mtime_ns
    assert run(capsys, tmp_path / "in.flac", "-o", tmp_path, *again) == (0, "", "")
    assert (tmp_path / "in.json").stat().st_mtime_ns == written
    status, output, _ = run(
        capsys, tmp_path / "in.flac", "-o", tmp_path, *again, "--noise-profile", "1-2"
    )
    assert status == 0 and "real time" in output  # another profile is another result


def test_too_short_for_a_profile_is_said_aloud(tmp_path, capsys):
    audio.write(tmp_path / "in.wav", noisy(0.5)[1], RATE, "FLOAT")
    status, _, error = run(capsys, tmp_path / "in.wav", "-o", tmp_path, "--system", "classical")
    assert status == 0
    assert "hiss was left alone" in error


def test_a_chain_with_a_network_takes_weights_for_the_network_alone(
    tmp_path, capsys, small_weights
):
    audio.write(tmp_path / "in.wav", noisy(4.0, rate=22050)[1], 22050, "FLOAT")
    for system in ("classical,superres", "superres,classical"):
        status, _, error = run(capsys, tmp_path / "in.wav", "-o", tmp_path, "--system", system,
                               "--weights", small_weights, "--segment-seconds", "2")  # fmt: skip
        assert (status, error) == (0, "")
        told = json.loads((tmp_path / "in.json").read_text())
        assert [member["network"] for member in told["weights"]] == ["superres/audiounet"]
        assert [member["network"] for member in told["estimates"]] == ["classical/full"]
        assert audio.inspect(tmp_path / "in.restored.wav").samples == 4 * 22050


def test_options_that_do_not_fit_are_refused(tmp_path, capsys, small_weights):
    audio.write(tmp_path / "in.wav", noisy(1.0)[1], RATE, "FLOAT")
    for arguments, message in (
        (("--system", "classical", "--weights", "trained"), "leave out --weights"),
        (("--system", "classical", "--noise-profile", "3-2"), "ends before it starts"),
        (("--system", "superres", "--weights", small_weights, "--noise-profile", "0-1"),
         "takes a --noise-profile"),
        (("--system", "superres"), "--system classical, which needs none"),
    ):  # fmt: skip
        status, _, error = run(capsys, tmp_path / "in.wav", "-o", tmp_path / "out", *arguments)
        assert status == 2 and message in error and error.count("\n") == 1
        assert not (tmp_path / "out").exists()
