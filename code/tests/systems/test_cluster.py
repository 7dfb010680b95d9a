"""Fragments built by a Dask cluster: the same bytes, also where a worker is killed."""

import os
import signal

import pytest

from shellac import config, paths
from shellac.datasets import corpora
from shellac.errors import DataError, UsageError
from shellac.files import sha256
from shellac.systems import building, registry

SYSTEMS = ("superres", "babe2")


def hashes(system):
    folder = paths.fragments(config.load().profile, system)
    return {path.name: sha256(path) for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture
def workspace(folder_root):
    settings = config.load()
    corpora.obtain(settings, "folder")
    return settings


@pytest.fixture
def cluster(workspace, monkeypatch):
    """Two workers, in the workspace; they begin anew when they are killed."""
    distributed = pytest.importorskip("distributed", reason="Dask is not installed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None,
        local_directory=str(paths.root() / "dask"), silence_logs=50,
    ) as found:  # fmt: skip
        monkeypatch.setenv(building.CLUSTER, found.scheduler_address)
        yield found


@pytest.fixture
def killing(monkeypatch, tmp_path):
    """The first job that is half done ends its worker, once; yields where that is marked."""
    marker, spread = tmp_path / "killed", building.spread

    def fatal(work):
        def half(item):
            result = work(item)
            try:
                os.close(os.open(marker, os.O_CREAT | os.O_EXCL))
            except FileExistsError:
                return result
            os.kill(os.getpid(), signal.SIGKILL)  # done, and nobody knows

        return half

    monkeypatch.setattr(building, "spread", lambda work, *others: spread(fatal(work), *others))
    return marker


def test_a_killed_worker_loses_nothing(workspace, killing, request):
    killing.touch()
    for system in SYSTEMS:
        registry.part(system, "fragments").build(workspace)
    expected = {system: hashes(system) for system in SYSTEMS}
    request.getfixturevalue("cluster")
    for system in SYSTEMS:
        killing.unlink()
        registry.part(system, "fragments").build(workspace)
        assert killing.exists()
        assert hashes(system) == expected[system]


def test_what_a_job_refuses_is_told_as_without_a_cluster(workspace, cluster):
    def refused(item):
        raise DataError(f"{item}: refused")

    with pytest.raises(DataError, match="7: refused"):
        list(building.spread(refused, [7], 1))


def test_an_address_without_a_scheduler_is_refused(monkeypatch):
    pytest.importorskip("distributed", reason="Dask is not installed")
    monkeypatch.setenv(building.CLUSTER, "nonsense://host")
    with pytest.raises(UsageError, match="no Dask scheduler answers"):
        list(building.spread(str, [1], 1))


def test_without_a_cluster_all_items_are_done_in_threads(monkeypatch):
    monkeypatch.delenv(building.CLUSTER, raising=False)
    assert list(building.spread(str, [3, 4, 5], 2)) == ["3", "4", "5"]
