"""Profile ``full`` through the graph itself: data sets from a server, then fragments.

A new data set costs a row in ``SETS``, a system's fragments a row in ``FRAGMENTS``.
"""

import shutil
from collections import Counter
from dataclasses import dataclass, field

import loopback
import miniatures
import numpy as np
import pytest
import yaml
from clones import run

from shellac.datasets.catalogue import CATALOGUE
from shellac.files import read_csv

SETS = {
    # data set: recordings that the published rules put into each split of its miniature
    "maestro": {"train": 6, "validation": 2, "test": 2},
    "musicnet": {"train": 8, "validation": 4, "test": 2},
    "gtzan": {"train": 16, "validation+test": 4},
    "beethoven": {"train": 20, "validation": 4, "test": 8},
    "beethoven-published": {"train": 5, "validation": 3, "test": 2},
    "fma-small": {"train": 24, "validation": 8, "test": 8},
    "fma-medium": {"train": 36, "validation": 12, "test": 12},
    "fma-inpainting": {"train": 32, "validation": 8, "test": 20},
    "fma-large": {"train": 37, "validation": 12, "test": 12},
    "fma-full": {"train": 37, "validation": 12, "test": 12},
    "vctk": {"train": 16, "validation+test": 8},
    "gramophone-noise": {"train": 4, "validation": 2, "test": 2},
    "vocalset": {"train": 8, "validation": 4, "test": 4},
}
SMALL = ["superres.dimension=1024", "superres.stride=512", "behm_gan.segment_seconds=0.25"]


@dataclass(frozen=True)
class Built:
    """A system's fragments in a profile: index -> (recordings, fragments of each).

    ``shapes``: array -> its shape.
    """

    system: str
    counts: dict[str, tuple[int, int]]
    profile: str = "full"
    changes: tuple[str, ...] = ()
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)


FRAGMENTS = (
    Built("superres", {
        "full-train.4.16000.1024.512": (16, 30), "full-val.4.16000.1024.512": (8, 30),
    }),
    Built("inpainting", {"train": (24, 3), "validation": (8, 3)}),
    # MusicNet whole, and of every disc the takes that hold a revolution and half a second: one of 2
    Built("denoiser", {
        "train_clean": (8, 1), "validation_clean": (4, 1),
        "train_noise": (2, 1), "validation_noise": (1, 1), "test_noise": (1, 1),
    }, shapes={
        "train_clean": (8 * 22050,), "validation_clean": (4 * 22050,),
        "train_noise": (2 * 44100,), "validation_noise": (44100,), "test_noise": (44100,),
    }),
    # MAESTRO and MusicNet, a second each; a quarter of a second is 5512 samples
    Built("behm_gan", {"train": (6 + 8, 4), "validation": (2 + 4, 4)},
          shapes={"train": (56, 5512), "validation": (24, 5512)}),
    # MAESTRO whole
    Built("babe2", {"train": (6, 1), "validation": (2, 1)},
          shapes={"train": (6 * 22050,), "validation": (2 * 22050,)}),
    Built("superres", {
        "full-gtzan-train.4.22000.1024.512": (16, 84), "full-gtzan-val.4.22000.1024.512": (4, 84),
    }, "full-gtzan", ("data.corpora=[gtzan]", "superres.corpora=[gtzan]", "superres.roles=[music]",
                      "superres.sample_rate=22000")),
    Built("superres", {
        "full-piano-train.4.16000.1024.512": (20, 92), "full-piano-val.4.16000.1024.512": (4, 92),
    }, "full-piano", ("data.corpora=[beethoven]", "superres.corpora=[beethoven]",
                      "superres.roles=[piano]")),
    Built("inpainting", {"train": (32, 3), "validation": (8, 3)}, "full-fma",
          ("data.corpora=[fma-inpainting]", "inpainting.corpora=[fma-inpainting]")),
)  # fmt: skip


@pytest.fixture(scope="module")
def served(sources, tmp_path_factory):
    """A repository, and how to ask the server for the miniatures of all sets."""
    target = tmp_path_factory.mktemp("full") / "shellac"
    shutil.copytree(sources, target)
    run(target, "make", "workspace")
    contents = miniatures.everything()
    with loopback.serving() as site:
        miniatures.serve(site, contents)
        yield target, site, [f"data.mirror={site.address}", miniatures.vouched(contents)]


def check(repository, built):
    folder = repository / "data" / "fragments" / built.profile / built.system
    for name, (recordings, of_each) in built.counts.items():
        found = Counter(row["sha256"] for row in read_csv(folder / f"{name}.index.csv"))
        assert len(found) == recordings
        assert set(found.values()) == {of_each}
    for name, shape in built.shapes.items():
        assert np.load(folder / f"{name}.npy", mmap_mode="r").shape == shape


def test_every_set_that_a_program_can_fetch_has_a_miniature():
    assert set(SETS) == {name for name, entry in CATALOGUE.items() if entry.files or entry.items}


def test_the_graph_downloads_every_set_and_builds_all_fragments(served):
    repository, site, changes = served
    built = [each for each in FRAGMENTS if each.profile == "full"]
    stages = sorted({f"{each.system}-fragments" for each in built})
    run(repository, "shellac", "profile", "full", "--set", *changes, *SMALL,
        f"data.corpora=[{', '.join(SETS)}]")  # fmt: skip
    run(repository, "dvc", "repro", *stages)
    asked = len(site.requests)
    assert "up to date" in run(repository, "dvc", "repro", *stages).stdout
    assert len(site.requests) == asked
    for name, splits in SETS.items():
        rows = read_csv(repository / "data" / "raw" / "full" / name / "index.csv")
        assert Counter(row["split"] for row in rows if row["used"] == "yes") == splits, name
    for each in built:
        check(repository, each)
    done = yaml.safe_load((repository / "dvc.lock").read_text())["stages"]
    assert {*stages, *(f"download@{name}" for name in SETS)} <= set(done)


@pytest.mark.parametrize(
    "built", [each for each in FRAGMENTS if each.profile != "full"], ids=lambda each: each.profile
)
def test_other_profiles_of_the_published_sets(served, built):
    repository, _, changes = served
    run(repository, "shellac", "profile", "full", "--set", *changes, *SMALL,
        f"profile={built.profile}", *built.changes)  # fmt: skip
    run(repository, "dvc", "repro", f"{built.system}-fragments")
    check(repository, built)
