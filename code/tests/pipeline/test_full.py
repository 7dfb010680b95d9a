"""Profile ``full`` through the graph itself: data sets from a server, then fragments."""

import shutil

import h5py
import loopback
import miniatures
import pytest
import yaml
from clones import run

from shellac.files import read_csv


@pytest.fixture
def repository(sources, tmp_path):
    target = tmp_path / "shellac"
    shutil.copytree(sources, target)
    run(target, "make", "workspace")
    return target


def test_the_graph_downloads_every_set_and_builds_the_fragments(repository):
    contents = miniatures.everything()
    corpora = ("vctk", "gtzan", "beethoven", "beethoven-published", "maestro", "musicnet",
               "gramophone-noise", "fma-small", "fma-inpainting", "vocalset")  # fmt: skip
    with loopback.serving() as site:
        miniatures.serve(site, contents)
        run(repository, "shellac", "profile", "full", "--set", f"data.mirror={site.address}",
            miniatures.vouched(contents), f"data.corpora=[{', '.join(corpora)}]",
            "superres.dimension=1024", "superres.stride=512")  # fmt: skip
        run(repository, "dvc", "repro", "superres-fragments")
        asked = len(site.requests)
        assert "up to date" in run(repository, "dvc", "repro", "superres-fragments").stdout
        assert len(site.requests) == asked
    used = {
        corpus: sum(row["used"] == "yes" for row in read_csv(
            repository / "data" / "raw" / "full" / corpus / "index.csv"))
        for corpus in corpora
    }  # fmt: skip
    assert used == {
        "vctk": 24, "gtzan": 20, "beethoven": 32, "beethoven-published": 10, "maestro": 10,
        "musicnet": 14, "gramophone-noise": 8, "fma-small": 40, "fma-inpainting": 60,
        "vocalset": 16,
    }  # fmt: skip
    fragments = repository / "data" / "fragments" / "full" / "superres"
    with h5py.File(fragments / "full-train.4.16000.1024.512.h5") as file:
        assert len(file["data"]) == 16 * 30
    with h5py.File(fragments / "full-val.4.16000.1024.512.h5") as file:
        assert len(file["data"]) == 8 * 30
    stages = yaml.safe_load((repository / "dvc.lock").read_text())["stages"]
    assert {f"download@{corpus}" for corpus in corpora} <= set(stages)
