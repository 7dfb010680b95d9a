"""Killed at calls drawn at random, then started again: the same files, and none besides."""

import shutil
import signal

import loopback
import miniatures
import numpy as np
import pytest
from faults.amounts import LONG, amount
from faults.conftest import REPOSITORY, TRAINED

from shellac.files import sha256

RESTORED = ("restore", "mine/historical", "mine/speech/s0.wav", "-o", "out", "--keep-input",
            "--system", "classical,superres", "--weights", str(TRAINED))  # fmt: skip
STAGES = {
    # command, what it makes
    "restore": (RESTORED, "out"),
    "degrade": (("degrade", "mine/speech", "-o", "out", "--recipe", "gramophone"), "out"),
    "noise-from": (("noise-from", "mine/noise", "-o", "out"), "out"),
    "train": (("train", "superres/audiounet"), "results/folder/models"),
    **{
        f"fragments {system}": (("fragments", system), f"data/fragments/folder/{system}")
        for system in ("superres", "denoiser", "behm_gan", "babe2", "inpainting")
    },
}
OFTEN = ("restore", "train", "fragments behm_gan")  # the others are killed in the long run only
NOTEBOOK = "01-super-resolution"
FIRST = 0.01  # share of the calls before which nothing is begun


def made(place):
    """Hash every file below a place; nothing temporary may be among them."""
    names = {path.relative_to(place) for path in place.rglob("*") if path.is_file()}
    assert not [name for name in names if ".partial" in str(name)]
    return {str(name): sha256(place / name) for name in names}


def made_below(place):
    return lambda: made(place)


def killed(forks, command, calls, rng):
    """Kill a command somewhere; return whether it had not been through before."""
    (done,) = forks.run(*command, kill=int(rng.uniform(FIRST, 1) * calls))
    assert done["status"] in (0, -signal.SIGKILL), done["err"]
    return done["status"] != 0


def campaign(forks, command, clear, found, kills, note):
    """Kill a command so often, each time from the start; compare with a run left alone.

    ``note`` takes what is kept of a long run (``benchmarks/fault_campaign.py``).
    """
    clear()
    (alone,) = forks.run(*command, kill=0)
    assert alone["status"] == 0, alone["err"]
    expected, done, rng = found(), 0, np.random.default_rng(7)
    assert expected
    for _ in range(4 * kills):
        clear()
        done += killed(forks, command, alone["calls"], rng)
        (again,) = forks.run(*command)
        assert again["status"] == 0, again["err"]
        assert found() == expected
        if done == kills:
            note("kills", kills)
            note("outputs", len(expected))
            return
    pytest.fail(f"only {done} of {kills} kills fell before the end")


@pytest.mark.parametrize("stage", STAGES if LONG else OFTEN)
def test_killed_and_started_again_the_files_are_the_same(house, forks, stage, record_property):
    command, place = STAGES[stage]

    def clear():
        keep = house / TRAINED
        if keep.is_file() and house / place in keep.parents:
            keep.unlink()
        elif (house / place).exists():
            shutil.rmtree(house / place)

    found = made_below(house / place)
    campaign(forks, command, clear, found, amount(2, 50), record_property)


@pytest.mark.parametrize("part", ["download", "extract"])
def test_a_killed_download_or_extraction_is_taken_up(house, forks, part, record_property):
    content = miniatures.vocalset()
    place = house / "data" / "published" / "vocalset"

    def clear():
        shutil.rmtree(place / "unpacked" if part == "extract" else place, ignore_errors=True)

    with loopback.serving() as site:
        miniatures.serve(site, content)
        vouched = (f"data.mirror={site.address}", miniatures.vouched(content))
        before = (house / "params.yaml").read_text()
        (done,) = forks.run("profile", "full", "--set", *vouched)
        assert done["status"] == 0, done["err"]
        try:
            found = made_below(house / "data" / "published")
            command = ("download", "vocalset")
            campaign(forks, command, clear, found, amount(2, 50), record_property)
        finally:
            (house / "params.yaml").write_text(before)


def killed_notebook(house, forks, record_property):
    """A killed notebook is executed again; in the long run only, since each takes seconds."""
    for command in (("evaluate", "superres"), ("stimuli", "superres")):
        (done,) = forks.run(*command)
        assert done["status"] == 0, done["err"]
    for kept in ("notebooks", "results/campaigns"):
        shutil.copytree(REPOSITORY / kept, house / kept, dirs_exist_ok=True)
    results = house / "results" / "folder"

    def clear():
        for name in ("figures", "tables", "model-cards", "notebooks"):
            shutil.rmtree(results / name, ignore_errors=True)

    def found():
        copies = [path.name for path in (results / "notebooks").iterdir()]
        assert copies == [f"{NOTEBOOK}.ipynb"]  # no record of times is hashed
        return {name: made(results / name) for name in ("figures", "tables", "model-cards")}

    campaign(forks, ("notebook", NOTEBOOK), clear, found, amount(1, 50), record_property)


if LONG:
    test_a_killed_notebook_is_executed_again = killed_notebook
