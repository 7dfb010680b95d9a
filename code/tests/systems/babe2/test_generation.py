"""Music out of nothing: any length, by its seed, and said to be made up."""

import json

import numpy as np
import pytest
from systems.babe2 import small
from systems.babe2.test_mending import SAMPLING, Known

from shellac import audio
from shellac.cli import main
from shellac.systems.babe2.generation import generated


def test_segments_go_on_from_each_other_and_have_the_priors_spectrum():
    prior = Known(2048)
    blocks = list(generated(prior, SAMPLING, 9000, 5))
    assert len(blocks) == 5
    x = np.concatenate(blocks)
    assert x.shape == (9000,) and 0.7 < np.std(x) < 1.4
    seams = np.cumsum([len(block) for block in blocks])[:-1]
    steps = np.abs(np.diff(x))
    assert steps[seams - 1].max() < 5 * steps.std()
    assert not np.array_equal(x, np.concatenate(list(generated(prior, SAMPLING, 9000, 6))))


@pytest.mark.parametrize(("seconds", "samples"), [(None, 8192), ("0.25", 2756), ("1.5", 16538)])
def test_the_command_writes_any_length_and_says_what_it_is(tmp_path, capsys, seconds, samples):
    path = small.store(tmp_path / "small.safetensors")
    arguments = ["generate", "-o", str(tmp_path / "out"), "--weights", str(path), "--steps", "2",
                 "--seed", "7", "--device", "cpu"]  # fmt: skip
    assert main(arguments + (["--seconds", seconds] if seconds else [])) == 0
    facts = audio.inspect(tmp_path / "out" / "generated-7.wav")
    assert (facts.samples, facts.sample_rate, facts.channels) == (samples, small.RATE, 1)
    told = json.loads((tmp_path / "out" / "generated-7.json").read_text())
    assert "no recording was heard" in told["generated"] and told["steps"] == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--system", "denoiser"], "babe2 does"),
        (["--seconds", "-1"], "--seconds"),
        (["--seconds", "nan"], "--seconds"),
        (["--steps", "1"], "--steps"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(tmp_path, capsys, arguments, words):
    path = small.store(tmp_path / "small.safetensors")
    out = tmp_path / "out"
    assert main(["generate", "-o", str(out), "--weights", str(path), *arguments]) == 2
    error = capsys.readouterr().err
    assert words in error and error.count("\n") == 1 and not out.exists()
