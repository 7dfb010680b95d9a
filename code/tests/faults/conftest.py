"""A repository of little recordings, a trained network, and a process that runs commands in it."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from faults.forks import Forks
from sounds import noisy, tone

from shellac import audio

REPOSITORY = Path(__file__).resolve().parents[3]
TINY = (
    "data.folder=mine", "superres.roles=[speech]", "superres.dimension=1024",
    "superres.stride=1024", "superres.networks={audiounet: {width: 0.03125}}",
    "superres.training.steps=6", "superres.training.batch_size=2",
    "superres.training.validate_every=2", "superres.training.checkpoint_seconds=1",
    "superres.evaluation.resamples=100", "superres.stimuli.tracks=1", "superres.stimuli.seconds=1",
    "behm_gan.roles=[speech]", "behm_gan.segment_seconds=0.25",
    "babe2.roles=[speech]", "denoiser.roles=[speech]", "inpainting.roles=[speech]",
)  # fmt: skip
TRAINED = Path("results/folder/models/superres/audiounet.safetensors")


@pytest.fixture(scope="session")
def house(tmp_path_factory):
    """The repository: recordings by role, and one trained network."""
    root = tmp_path_factory.mktemp("faults") / "house"
    shutil.copytree(REPOSITORY / "code" / "profiles", root / "code" / "profiles")
    (root / "dvc.yaml").touch()
    for number in range(5):
        rng = np.random.default_rng(number)
        bursts = rng.standard_normal(32000) * np.exp(-(np.arange(32000) % 8000) / 400.0)
        bright = 0.5 * (tone(2.0, 16000, seed=number)[0] + 0.2 * bursts)
        audio.write(root / "mine" / "speech" / f"s{number}.wav", bright, 16000)
    hiss = 0.1 * np.random.default_rng(9).standard_normal(64000)
    audio.write(root / "mine" / "noise" / "hiss.wav", hiss, 16000)
    audio.write(root / "mine" / "historical" / "disc.wav", noisy(2.0, 2)[1], 16000)
    return root


@pytest.fixture(scope="session")
def forks(house):
    """Runs commands in the repository, which has fragments and a network afterwards."""
    forks = Forks(house)
    for command in (
        ("profile", "folder", "--set", *TINY),
        ("download", "folder"),
        ("fragments", "superres"),
        ("train", "superres/audiounet"),
    ):
        (done,) = forks.run(*command)
        assert done["status"] == 0, done["err"]
    yield forks
    forks.close()
