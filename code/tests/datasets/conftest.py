"""A server with miniatures of all published data sets, and a repository that asks it."""

import shutil
from pathlib import Path

import loopback
import miniatures
import pytest

REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session")
def archives():
    """File name -> content."""
    return miniatures.everything()


@pytest.fixture
def site(archives):
    """The server."""
    with loopback.serving() as site:
        miniatures.serve(site, archives)
        yield site


@pytest.fixture
def full_root(tmp_path, monkeypatch):
    """An empty repository."""
    shutil.copytree(REPOSITORY / "code" / "profiles", tmp_path / "code" / "profiles")
    (tmp_path / "dvc.yaml").touch()
    monkeypatch.setenv("SHELLAC_ROOT", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def changes(site, archives):
    """What to --set so that the server is asked for the miniatures."""
    return [f"data.mirror={site.address}", miniatures.vouched(archives), "compute.device=cpu"]
