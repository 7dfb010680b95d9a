import json
import os
import subprocess
import sys

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from sounds import tone

from shellac import audio, sidecars
from shellac.errors import DataError, UsageError
from shellac.report import notebooks, provenance

NAME = "01-super-resolution"
MADE = (
    "figures/superres/spectrograms.pdf",
    "figures/superres/training.pdf",
    "figures/superres/low-pass.pdf",
    "figures/superres/longer.pdf",
    "tables/superres/longer.csv",
    "tables/superres/longer-filters.csv",
    "tables/superres/scores.csv",
    "tables/superres/published.csv",
    "tables/superres/low-pass.csv",
    "tables/superres/training.csv",
    "tables/superres/data.csv",
    "tables/superres/left-out.csv",
)


def write(house, name, *cells, tag="parameters"):
    made = [new_code_cell(cell) for cell in cells]
    made[0].metadata["tags"] = [tag]
    nbformat.write(new_notebook(cells=made), house / "notebooks" / f"{name}.ipynb")


def test_it_makes_every_figure_and_table_with_provenance(finished, built):
    folder = built / "results" / "demo"
    for name in MADE:
        assert {state for *_, state in sidecars.sources(sidecars.checked(folder / name))} == {
            sidecars.UNCHANGED
        }
    copy = folder / "notebooks" / f"{NAME}.ipynb"
    assert copy.stat().st_size < 5_000_000
    text = copy.read_text()
    assert text.count("<audio") == 6
    assert provenance.notice("demo") in text
    assert str(finished) not in text
    assert not list(folder.rglob("*.partial*"))


def test_every_network_has_a_card_that_says_its_limits(built):
    folder = built / "results" / "demo" / "model-cards" / "superres"
    assert {path.stem for path in folder.iterdir()} == {
        "audiounet",
        "tfilm",
        "tfilm_legacy",
        "afilm",
    }
    text = (folder / "tfilm_legacy.md").read_text()
    assert "superres/tfilm, settings mode legacy, width 0.0625" in text
    assert "| SNR (dB) | 17.90 [17.69, 18.11] |" in text
    assert (
        "| Codec-like (unseen) | SNR (dB) to cubic spline | +0.42 [+0.32, +0.52] | better |" in text
    )
    assert provenance.notice("demo") in text
    assert "2 recordings (roles: piano)" in text
    assert str(built) not in text


def test_a_second_run_gives_the_same_bytes(built):
    folder = built / "results" / "demo"
    kinds = ("figures/superres", "tables/superres")
    before = {p: p.read_bytes() for kind in kinds for p in (folder / kind).iterdir()}
    notebooks.run(NAME, "demo")
    after = {p: p.read_bytes() for kind in kinds for p in (folder / kind).iterdir()}
    assert before == after
    assert len(before) == 2 * len(MADE)


def test_a_parameter_reaches_the_cells(house):
    write(house, "small", 'profile = "demo"\nnumber = 1', "print(profile, 10 * number)")
    text = notebooks.run("small", "demo", {"number": 7}).read_text()
    assert "demo 70" in text


def test_unknown_parameters_and_notebooks_are_refused(house):
    with pytest.raises(UsageError, match="unknown parameter excerp "):
        notebooks.run(NAME, "demo", {"excerp": 1})
    with pytest.raises(UsageError, match="no notebook 'other'"):
        notebooks.run("other", "demo")
    with pytest.raises(UsageError, match="no notebook"):
        notebooks.run(f"../notebooks/{NAME}", "demo")


def test_only_plain_values_become_parameters(house):
    with pytest.raises(UsageError, match="plain value"):
        notebooks.run(NAME, "demo", {"excerpt": [1]})


@pytest.mark.parametrize("source", ["a = 1\nb = 2 * a", "import os", "a: int = 1", "a, b = 1, 2"])
def test_a_parameters_cell_with_more_than_literals_is_refused(house, source):
    write(house, "derived", source)
    with pytest.raises(DataError, match="plain literals"):
        notebooks.parameters("derived")


def test_a_notebook_without_a_parameters_cell_is_refused(house):
    write(house, "untagged", "a = 1", tag="other")
    with pytest.raises(DataError, match="tagged parameters"):
        notebooks.run("untagged", "demo")


def test_a_failing_cell_is_told_in_one_line_and_the_partial_copy_kept(house):
    write(house, "failing", 'profile = "demo"', "print('so far')", "1 / 0", "print('never')")
    with pytest.raises(DataError, match="ZeroDivisionError") as caught:
        notebooks.run("failing", "demo")
    assert "\n" not in str(caught.value)
    folder = house / "results" / "demo" / "notebooks"
    assert [path.name for path in folder.iterdir()] == ["failing.failed.ipynb"]
    assert "so far" in (folder / "failing.failed.ipynb").read_text()


def test_another_kernel_of_the_same_name_cannot_step_in(house, tmp_path, monkeypatch):
    rival = tmp_path / "jupyter" / "kernels" / "python3"
    rival.mkdir(parents=True)
    spec = {"argv": ["false"], "display_name": "Python 3", "language": "python"}
    (rival / "kernel.json").write_text(json.dumps(spec))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    cells = ('profile = "demo"', "import os, sys\nprint(sys.executable, os.getcwd())")
    write(house, "where", *cells)
    text = notebooks.run("where", "demo").read_text()
    assert f"{sys.executable} {house}" in text
    assert os.environ["JUPYTER_PATH"] == str(tmp_path / "jupyter")


def test_the_source_runs_under_nbval(house):
    command = [sys.executable, "-m", "pytest", "--nbval-lax", "-q", "-p", "no:cacheprovider"]
    source = house / "notebooks" / f"{NAME}.ipynb"
    done = subprocess.run(
        [*command, "--rootdir", str(house), str(source)],
        cwd=source.parent, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_quick_start_restores_a_recording_of_ones_own(built, tmp_path):
    path = built / "disc.wav"
    audio.write(path, 0.3 * tone(2.0, 16000), 16000)
    text = notebooks.run("00-quickstart", "demo", {"recording": str(path)}).read_text()
    figure = built / "results" / "demo" / "figures" / "quickstart" / "disc.pdf"
    assert [entry["path"] for entry in sidecars.checked(figure)["sources"]] == ["disc.wav"]
    assert "residual correlation" in text and "log-spectral distance (" not in text
    assert text.count("<audio") == 4
