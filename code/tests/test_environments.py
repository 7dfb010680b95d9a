"""Notebooks away from home: the first cell on a simulated Colab, and what Binder installs."""

import os
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path

import nbformat
import pytest
import yaml
from clones import copy_sources
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
CELL = (ROOT / "notebooks" / "colab.py").read_text("utf-8").rstrip("\n")
# of Colab's runtime (googlecolab/backend-info, August 2026): never to be replaced there
COLAB = {
    "h5py": "3.16.0", "ipykernel": "6.17.1", "librosa": "0.11.0", "matplotlib": "3.10.0",
    "numpy": "2.1.3", "pandas": "2.2.3", "scipy": "1.16.3", "soundfile": "0.14.0",
    "torch": "2.11.0", "torchaudio": "2.11.0",
}  # fmt: skip
ITS_OWN = {"jupyterlab", "nbconvert"}  # Colab is what these are for


def code_cells(path):
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]


def dependencies():
    project = tomllib.loads((ROOT / "code" / "pyproject.toml").read_text("utf-8"))["project"]
    listed = project["dependencies"] + project["optional-dependencies"]["compendium"]
    return {canonicalize_name(Requirement(line).name): Requirement(line) for line in listed}


def requirements(path):
    lines = (line.split("#")[0].strip() for line in path.read_text("utf-8").splitlines())
    return [line for line in lines if line]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_notebook_begins_with_the_cell_for_colab(path):
    first = code_cells(path)[0]
    assert first.metadata == {"tags": ["colab"], "jupyter": {"source_hidden": True}}
    assert first.source == CELL, "copy notebooks/colab.py into the first code cell"


def test_the_cell_knows_the_address_that_the_citation_names():
    address = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8")).get("repository-code", "")
    assert f'"SHELLAC_REPOSITORY", "{address}"' in CELL


def run_cells(python, folder, cells, **variables):
    """Run cells one after another in one interpreter in ``folder``."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("SHELLAC")}
    environment.pop("PYTHONPATH", None)
    return subprocess.run(
        [python, "-c", "\n".join(cells)],
        cwd=folder, env=environment | variables, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_elsewhere_the_cell_does_nothing(tmp_path):
    done = run_cells(sys.executable, tmp_path, [CELL, "assert 'subprocess' not in dir()"])
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert not list(tmp_path.iterdir())


@pytest.fixture(scope="module")
def colab(tmp_path_factory):
    """A Python of its own that sees this one's packages as Colab's, and a module google.colab.

    Offline: pip may look into no index. Returns the interpreter and its environment.
    """
    home = tmp_path_factory.mktemp("colab")
    venv = [sys.executable, "-m", "venv", "--without-pip", str(home / "python")]
    subprocess.run(venv, check=True)
    (home / "fake" / "google" / "colab").mkdir(parents=True)
    (home / "fake" / "google" / "__init__.py").touch()
    (home / "fake" / "google" / "colab" / "__init__.py").touch()
    there = (str(home / "fake"), sysconfig.get_path("purelib"))
    variables = {
        "PYTHONPATH": os.pathsep.join(there),
        "PIP_NO_INDEX": "1",
        "PIP_NO_BUILD_ISOLATION": "0",  # pip reads the value of a setting "no" as its contrary
    }
    return home / "python" / "bin" / "python", variables


def test_without_an_address_one_line_says_what_is_missing(colab, tmp_path):
    python, variables = colab
    done = run_cells(python, tmp_path, ["import google.colab", CELL], **variables)
    assert done.returncode != 0
    assert done.stderr.count("\n") == 1
    assert "SHELLAC_REPOSITORY" in done.stderr
    assert not list(tmp_path.iterdir())


def test_on_colab_the_cell_fetches_and_installs_what_notebooks_import(colab, tmp_path):
    origin, content = tmp_path / "origin", tmp_path / "content"
    origin.mkdir()
    content.mkdir()
    copy_sources(origin)
    git = ["git", "-C", str(origin), "-c", "user.name=test", "-c", "user.email=test@example.org"]
    for arguments in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "sources"]):
        subprocess.run([*git, *arguments], check=True)
    python, variables = colab
    quickstart = [cell.source for cell in code_cells(ROOT / "notebooks" / "00-quickstart.ipynb")]
    told = "print('from', shellac.__file__)\nprint('in', paths.root())"
    done = run_cells(
        python, content, ["import google.colab", *quickstart[:3], told],
        SHELLAC_REPOSITORY=origin.as_uri(), **variables,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "no results here" in done.stdout
    assert f"from {python.parents[1]}" in done.stdout  # installed, not the checkout under test
    assert f"in {content / 'shellac'}" in done.stdout
    again = run_cells(python, content / "shellac", ["import google.colab", CELL], **variables)
    assert again.returncode == 0, again.stderr  # a second run needs no address


def test_colabs_own_packages_are_recent_enough_and_never_replaced():
    listed = {
        canonicalize_name(Requirement(line).name): line
        for line in requirements(ROOT / "code" / "requirements-colab.txt")
    }
    wanted = dependencies()
    assert set(listed) | set(COLAB) | ITS_OWN == set(wanted)
    assert not set(listed) & (set(COLAB) | ITS_OWN)
    for name, line in listed.items():
        assert Requirement(line).specifier == wanted[name].specifier
    for name, version in COLAB.items():
        assert wanted[name].specifier.contains(version), name


def test_binder_installs_what_the_lock_pins():
    folder = ROOT / ".binder"
    lines = requirements(folder / "requirements.txt")
    names = [line for line in lines if not line.startswith("-")]
    assert sorted(map(canonicalize_name, names)) == sorted(dependencies())
    (constraint,) = (line.split()[1] for line in lines if line.startswith("-c "))
    assert (folder / constraint).resolve() == ROOT / "requirements.lock.txt"
    python = yaml.safe_load((ROOT / "environment.yml").read_text("utf-8"))["dependencies"][0]
    assert (folder / "runtime.txt").read_text("utf-8").strip() == python.replace("=", "-")
    assert os.access(folder / "postBuild", os.X_OK)
    subprocess.run(["bash", "-n", folder / "postBuild"], check=True)
    assert "--no-deps -e ./code" in (folder / "postBuild").read_text("utf-8")
