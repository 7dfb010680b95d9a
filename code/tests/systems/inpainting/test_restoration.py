"""``shellac restore --system inpainting`` as an archivist uses it."""

import json

import numpy as np
import pytest
from sounds import tone

from shellac import audio, networks, weights
from shellac.cli import main
from shellac.degradations.gaps import cut_gaps
from shellac.weights import Card

NETWORK = "inpainting/UNet_v2"
RATE = 44100
GAPS = [(20000, 20882), (50000, 50220), (70000, 72000)]
ONE_SCALE = {"published": (0.0, 127.98), "mdct-128": (187.7, 376.1), "mdct-64": (94.2, 189.3)}


@pytest.fixture(params=["spectrogram", "published", "mdct-128", "mdct-64"])
def network_weights(request, tmp_path):
    settings = {"width": 0.03125, "mask_input": True}
    network = networks.build(NETWORK, seed=1, **settings)
    shift, scale = ONE_SCALE.get(request.param, (None, None))
    kept = {
        "representation": request.param, "shift": shift, "scale": scale, "input": "interpolated",
    }  # fmt: skip
    card = Card(NETWORK, settings, 16000, None, 0.0, "trained", "none", "test", (),
                {"conversion": kept})  # fmt: skip
    path = tmp_path / "weights.safetensors"
    weights.store(path, network.state_dict(), card)
    return path


@pytest.fixture
def restore(network_weights, capsys):
    def run(*arguments, system="inpainting"):
        status = main(["restore", "--system", system, "--weights", str(network_weights),
                       *map(str, arguments)])  # fmt: skip
        told = capsys.readouterr()
        return status, told.out, told.err

    return run


@pytest.fixture
def damaged(tmp_path):
    whole = tone(2.0, RATE, 2)
    audio.write(tmp_path / "x.wav", cut_gaps(whole, GAPS), RATE, "PCM_24")
    return tmp_path / "x.wav"


def outside():
    flags = np.ones(2 * RATE, bool)
    for start, stop in GAPS:
        flags[start:stop] = False
    return flags


def heard(path):
    return audio.read(path)[0]


def test_gaps_are_found_and_filled_and_all_else_stays(tmp_path, restore, damaged):
    status, _, error = restore(damaged, "-o", tmp_path / "out")
    assert (status, error) == (0, "")
    before, after = heard(damaged), heard(tmp_path / "out" / "x.restored.wav")
    assert np.array_equal(before[:, outside()], after[:, outside()])
    for start, stop in GAPS:
        assert np.abs(after[:, start:stop]).max() > 0.001
    told = json.loads((tmp_path / "out" / "x.json").read_text())
    assert told["gaps"] == [[start / RATE, stop / RATE] for start, stop in GAPS]
    assert told["settings"]["gaps"] == "auto"


def test_gaps_are_taken_from_a_list_whatever_they_hold(tmp_path, restore, damaged):
    noisy = tone(2.0, RATE, 2)
    noisy[:, ~outside()] = 0.3
    audio.write(tmp_path / "y.wav", noisy, RATE, "PCM_24")
    lines = (f"{start / RATE},{stop / RATE}\n" for start, stop in GAPS)
    (tmp_path / "gaps.csv").write_text("start,end\n" + "".join(lines))
    arguments = (tmp_path / "y.wav", "-o", tmp_path / "out", "--gaps", tmp_path / "gaps.csv")
    assert restore(*arguments)[0] == 0
    after = heard(tmp_path / "out" / "y.restored.wav")
    restore(damaged, "-o", tmp_path / "out")
    assert np.abs(after - heard(tmp_path / "out" / "x.restored.wav")).max() < 1e-5
    _, output, _ = restore(*arguments, "--skip-done", "--json")
    assert json.loads(output) == []
    (tmp_path / "gaps.csv").write_text("0.1,0.11\n")
    _, output, _ = restore(*arguments, "--skip-done", "--json")
    assert json.loads(output)[0]["gaps"] == [[0.1, 0.11]]


def test_no_gap_is_told(tmp_path, restore):
    audio.write(tmp_path / "x.wav", tone(0.5, 16000), 16000, "PCM_16")
    status, _, error = restore(tmp_path / "x.wav", "-o", tmp_path / "out")
    assert status == 0
    assert "no gap was found" in error
    assert np.abs(heard(tmp_path / "out" / "x.residual.wav")).max() == 0


@pytest.mark.parametrize(
    ("lines", "told"), [("1,9\n", "lasts 2 s"), ("a,b\n", "gaps.csv:1"), (None, "gaps.csv")]
)
def test_a_faulty_list_is_told_and_nothing_written(tmp_path, restore, damaged, lines, told):
    if lines is not None:
        (tmp_path / "gaps.csv").write_text(lines)
    status, _, error = restore(damaged, "-o", tmp_path / "o", "--gaps", tmp_path / "gaps.csv")
    assert status == 2
    assert told in error
    assert error.count("\n") == 1
    assert not (tmp_path / "o").exists()
