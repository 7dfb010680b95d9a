"""A folder of recordings prepared for the denoiser."""

import numpy as np
import pytest
from sounds import tone

from shellac import audio, config
from shellac.datasets import corpora
from shellac.degradations.record_noise import draw_settings, record_noise
from shellac.systems.denoiser import fragments

TINY = (
    "data.folder=mine", "compute.threads=1", "denoiser.segment_seconds=1",
    "denoiser.networks={unet_22k: {width: 0.03125, depth: 2, num_tfc: 1, input: classical}}",
    "denoiser.training.seen_seconds=0.5", "denoiser.training.steps=2",
    "denoiser.training.batch_size=2", "denoiser.training.validate_every=1",
    "denoiser.evaluation.resamples=100",
    "denoiser.evaluation.snr_db=[2, 12]", "denoiser.evaluation.seconds=2",
    "denoiser.evaluation.lead_seconds=0.5", "denoiser.stimuli.seconds=1",
)  # fmt: skip


def bright(seed: int, seconds: float) -> np.ndarray:
    """Music whose partials reach high: passes the gate."""
    rng = np.random.default_rng(seed)
    samples = int(seconds * 16000)
    bursts = rng.standard_normal(samples) * np.exp(-(np.arange(samples) % 8000) / 400.0)
    return (tone(seconds, 16000, seed=seed)[0] + 0.2 * bursts).astype(np.float32) * 0.5


@pytest.fixture
def discs(folder_root):
    """Four noises beside the recordings of ``folder_root``, and a take too short to be repeated."""
    for number in range(4):
        rng = np.random.default_rng(number)
        noise = record_noise(draw_settings(rng), 32000, 16000, rng)
        audio.write(folder_root / "mine" / "noise" / f"disc{number}.wav", noise[None], 16000)
    audio.write(folder_root / "mine" / "noise" / "short.wav", noise[None, :9000], 16000)
    (folder_root / "mine" / "noise" / "hiss.wav").unlink()
    return folder_root


@pytest.fixture
def prepared(discs):
    """``prepare(*changes)`` gives settings whose fragments are built."""

    def prepare(*changes):
        settings = config.apply_profile("folder", [*TINY, *changes])
        corpora.obtain(settings, "folder")
        fragments.build(settings)
        return settings

    return prepare
