"""Hostile checkpoints through ``shellac restore``: one line, nothing run, nothing written."""

import loopback
import pytest
import torch
from checkpoints import KINDS, layout
from sounds import write_good

from shellac import weights
from shellac.cli import main
from shellac.systems import fetching

LAYOUTS = {
    "denoiser": "denoiser", "behm_gan": "behm_generator", "superres": "superres_audiounet",
}  # fmt: skip


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with a recording, and an empty cache beside it."""
    monkeypatch.setenv("SHELLAC_CACHE", str(tmp_path / "cache"))
    write_good(tmp_path / "in.wav")
    return tmp_path


def refused(place, capsys, system, chosen, named):
    """Restore with weights that must be refused; check that nothing else came of it."""
    before = {path: path.read_bytes() for path in place.rglob("*") if path.is_file()}
    status = main(["restore", str(place / "in.wav"), "-o", str(place / "out"), "--system", system,
                   "--weights", str(chosen), "--device", "cpu"])  # fmt: skip
    told = capsys.readouterr()
    assert (status, told.out) == (2, "")
    assert told.err.count("\n") == 1 and len(told.err) < 600
    assert named in told.err
    assert {path: path.read_bytes() for path in place.rglob("*") if path.is_file()} == before
    assert not (place / "ran").exists() and not (place / "out").exists()
    return told.err


@pytest.mark.parametrize("system", LAYOUTS)
@pytest.mark.parametrize("kind", KINDS)
def test_hostile_checkpoints_are_refused_by_every_system(place, capsys, system, kind):
    checkpoint = place / f"{kind}.pth"
    KINDS[kind](checkpoint, LAYOUTS[system])
    refused(place, capsys, system, checkpoint, checkpoint.name)


@pytest.mark.parametrize(
    ("system", "name"), [("denoiser", "denoiser-22k"), ("behm_gan", "behm-piano")]
)
def test_published_weights_of_another_hash_are_refused(place, capsys, system, name):
    entry = weights.published()[name]
    torch.save(layout(LAYOUTS[system]), place / "w.pth")
    with loopback.serving() as site:
        site.put(f"/{entry.file}", (place / "w.pth").read_bytes())
        fetching.fetch(name, site.address)
    path = weights.published_path(entry)
    path.write_bytes(path.read_bytes() + b"\0")
    error = refused(place, capsys, system, f"published:{name}", entry.file)
    assert "SHA-256" in error


@pytest.mark.parametrize("system", LAYOUTS)
def test_weights_of_another_system_are_refused(place, capsys, system):
    other = next(key for name, key in LAYOUTS.items() if name != system)
    torch.save(layout(other), place / "other.pth")
    refused(place, capsys, system, place / "other.pth", "other.pth")
