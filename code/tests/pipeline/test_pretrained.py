"""Profile ``pretrained`` through the graph itself: weights and discs from a server, to the PDF."""

import io
import os
import shutil

import loopback
import pytest
import torch
from clones import REPOSITORY, run
from pypdf import PdfReader
from sounds import noisy

from shellac import audio
from shellac.files import read_csv, sha256
from shellac.systems.behm_gan.network import Generator
from shellac.systems.denoiser.network import Denoiser

WIDTH = 1 / 32
RATE = 22050
# Published layouts are full-size, which takes minutes: in this test's processes they are narrow.
NARROW = f"""
import importlib.abc, importlib.util, sys

class Narrow(importlib.abc.MetaPathFinder):
    names = {{"shellac.systems.denoiser.published", "shellac.systems.behm_gan.published"}}

    def find_spec(self, name, path, target=None):
        if name not in self.names:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        sys.meta_path.insert(0, self)
        whole = spec.loader.exec_module

        def exec_module(module):
            whole(module)
            module.SETTINGS = {{key: {{"width": {WIDTH}}} for key in module.SETTINGS}}

        spec.loader.exec_module = exec_module
        return spec

sys.meta_path.insert(0, Narrow())
"""
SETTINGS = [
    "pretrained.weights=[denoiser-22k, behm-piano]",
    "pretrained.chains={classical: {system: classical, weights: []},"
    " both: {system: 'denoiser,behm_gan',"
    " weights: ['published:denoiser-22k', 'published:behm-piano']}}",
    "pretrained.excerpt_seconds=1.0",
    "data.corpora=[discs, folder]",
]


def stored(network):
    torch.manual_seed(1)
    written = io.BytesIO()
    torch.save(network.state_dict(), written)
    return written.getvalue()


@pytest.fixture
def repository(sources, tmp_path):
    target = tmp_path / "shellac"
    shutil.copytree(sources, target)
    run(target, "make", "workspace")
    return target


@pytest.fixture
def variables(tmp_path):
    place = tmp_path / "site"
    place.mkdir()
    (place / "sitecustomize.py").write_text(NARROW)
    code = os.environ.get("PYTHONPATH") or str(REPOSITORY / "code")
    cache = str(tmp_path / "cache")
    return {"PYTHONPATH": f"{place}{os.pathsep}{code}", "SHELLAC_CACHE": cache}


def test_the_graph_ends_in_a_manuscript_without_training(repository, variables, tmp_path):
    audio.write(tmp_path / "disc.flac", noisy(2.5, rate=RATE)[1], RATE, "PCM_16")
    own = tmp_path / "own" / "historical" / "my own.wav"
    audio.write(own, noisy(2.0, 2, 16000, seed=3)[1] / 2, 16000, "PCM_16")
    with loopback.serving() as site:
        site.put("/checkpoint_denoiser", stored(Denoiser("22k", width=WIDTH)))
        site.put("/checkpoint_piano", stored(Generator(WIDTH)))
        site.put("/an%20old%20disc.flac", (tmp_path / "disc.flac").read_bytes())
        digest = sha256(tmp_path / "disc.flac")
        disc = (
            "data.discs={waltz: {address: 'https://discs.example/an%20old%20disc.flac',"
            f" title: A waltz of 1921, licence: public domain, sha256: {digest}}}}}"
        )
        run(repository, "shellac", "profile", "pretrained", "--set", *SETTINGS, disc,
            f"data.mirror={site.address}", f"data.folder={own.parents[1]}")  # fmt: skip
        run(repository, "dvc", "repro", "pretrained-manuscript", **variables)
        asked = len(site.requests)
        again = run(repository, "dvc", "repro", "pretrained-manuscript", **variables)
        assert "up to date" in again.stdout
        assert len(site.requests) == asked == 3
    place = repository / "results" / "pretrained" / "pretrained"
    made = {path.relative_to(place / "restored").as_posix()
            for path in (place / "restored").rglob("*.restored.flac")}  # fmt: skip
    assert made == {
        "classical/waltz.restored.flac", "classical/historical/my own.restored.flac",
        "both/waltz.restored.flac", "both/historical/my own.restored.flac",
    }  # fmt: skip
    rows = read_csv(place / "report" / "measures.csv")
    assert {(row["recording"], row["chain"]) for row in rows} == {
        (recording, chain)
        for recording in ("waltz.flac", "historical/my own.wav")
        for chain in ("classical", "both")
    }
    page = (place / "report" / "gallery" / "index.html").read_text()
    assert page.count("<audio") == 10 and "A waltz of 1921" in page
    text = " ".join(page.extract_text() for page in PdfReader(place / "manuscript.pdf").pages)
    text = " ".join(text.split())
    assert "A waltz of 1921" in text and "denoiser-22k" in text
    assert "none stated by the authors" in text and "public domain" in text
    assert not (repository / "results" / "pretrained" / "models").exists()
    run(repository, "shellac", "manuscript", "--stamp", **variables)
    assert (repository / "manuscript" / "output" / "manuscript.pdf").is_file()


def test_under_other_profiles_there_are_no_such_stages(repository):
    listed = run(repository, "dvc", "stage", "list", "--name-only").stdout
    assert "superres-evaluate" in listed and "pretrained-" not in listed
