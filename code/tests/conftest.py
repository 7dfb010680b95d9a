"""What all tests share."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from sounds import tone

from shellac import audio, config, stages

REPOSITORY = Path(__file__).resolve().parents[2]


def pytest_collection_modifyitems(items):
    """Begin with what takes longest: of several processes each takes file after file."""
    items.sort(key=lambda item: item.path.parent.name != "pipeline")


@pytest.fixture
def rng() -> np.random.Generator:
    """One seeded generator; a test that needs another seed makes its own."""
    return np.random.default_rng(2026)


@pytest.fixture
def demo(tmp_path, monkeypatch):
    """Settings of the profile ``demo``, where the pipeline is described and nothing was run."""
    shutil.copy(REPOSITORY / "dvc.yaml", tmp_path / "dvc.yaml")
    shutil.copy(REPOSITORY / "code" / "profiles" / "demo.yaml", tmp_path / "params.yaml")
    monkeypatch.setenv("SHELLAC_ROOT", str(tmp_path))
    return config.load()


@pytest.fixture
def described(demo):
    """The stages that these settings call for."""
    return stages.described(demo)


@pytest.fixture
def folder_root(tmp_path, monkeypatch):
    """Four speakers, two discs, one noise, a copy, a narrow file, a broken one and a text."""
    shutil.copytree(REPOSITORY / "code" / "profiles", tmp_path / "code" / "profiles")
    (tmp_path / "dvc.yaml").touch()
    mine = tmp_path / "mine"
    for number in range(4):
        audio.write(mine / "speech" / f"s{number}.wav", _bright(number), 16000)
    shutil.copy(mine / "speech" / "s0.wav", mine / "speech" / "same.wav")
    audio.write(mine / "music" / "narrow.wav", tone(3.0, 8000), 8000)
    (mine / "music" / "broken.wav").write_bytes(b"RIFF")
    (mine / "music" / "notes.txt").write_text("not audio")
    audio.write(mine / "noise" / "hiss.wav", 0.1 * _bright(9), 16000)
    audio.write(mine / "historical" / "disc.wav", tone(3.0, 16000), 16000)
    monkeypatch.setenv("SHELLAC_ROOT", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    config.apply_profile(
        "folder", ["data.folder=mine", "superres.dimension=8192", "superres.stride=4096"]
    )
    return tmp_path


def _bright(seed):
    """A tone whose partials reach the Nyquist frequency: passes the gate at 16 kHz."""
    rng = np.random.default_rng(seed)
    bursts = rng.standard_normal(48000) * np.exp(-(np.arange(48000) % 8000) / 400.0)
    return (tone(3.0, 16000, seed=seed)[0] + 0.2 * bursts).astype(np.float32) * 0.5
