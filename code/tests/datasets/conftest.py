"""A server with miniatures of all published data sets, and a repository that asks it."""

import hashlib
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


def vouched(archives):
    """The setting by which a user vouches for other archives than the published ones."""
    sums = ", ".join(
        f"'{name}': 'sha256:{hashlib.sha256(content).hexdigest()}'"
        for name, content in archives.items()
        if "/" not in name
    )
    return f"data.checksums={{{sums}}}"


@pytest.fixture
def site(archives):
    """The server."""
    with loopback.serving() as site:
        for name, content in archives.items():
            site.put(f"/{name.replace(' ', '%20')}", content)
        yield site


@pytest.fixture
def full_root(tmp_path, monkeypatch, site, archives):
    """An empty repository; ``changes`` to --set that make it ask the server."""
    shutil.copytree(REPOSITORY / "code" / "profiles", tmp_path / "code" / "profiles")
    (tmp_path / "dvc.yaml").touch()
    monkeypatch.setenv("SHELLAC_ROOT", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def changes(site, archives):
    """What to --set."""
    return [f"data.mirror={site.address}", vouched(archives), "compute.device=cpu"]
