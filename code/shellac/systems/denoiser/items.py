"""Test items: music after a stretch of noise alone, in noise of a disc that training never heard.

After eloimoliner/denoising-historical-recordings: the first seconds of every test recording behind
two seconds of silence, with noise at fixed signal-to-noise ratios over the whole.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from shellac import paths
from shellac.config import Settings
from shellac.datasets.corpora import Recording
from shellac.datasets.mono import mono_at
from shellac.degradations import draws
from shellac.errors import DataError
from shellac.systems.denoiser.mixing import mixed
from shellac.systems.denoiser.mixtures import Noises
from shellac.systems.denoiser.settings import DenoiserSettings
from shellac.systems.denoiser.summaries import CLEAN, condition


@dataclass(frozen=True)
class Item:
    """Noisy and clean versions (T,) float32 of one recording; ``condition`` names the ratio."""

    condition: str
    noisy: np.ndarray
    clean: np.ndarray
    sample_rate: int
    lead_seconds: float

    @property
    def noise(self) -> np.ndarray:
        """What was added, (T,)."""
        return self.noisy - self.clean


def music(recording: Recording, task: DenoiserSettings) -> np.ndarray:
    """Return a recording's first seconds behind silence, (T,) float32, peak 1.

    Raises :class:`DataError` where there is nothing but silence.
    """
    rate, chosen = task.sample_rate, task.evaluation
    lead = np.zeros(round(chosen.lead_seconds * rate), np.float32)
    heard = mono_at(recording, rate)[: round(chosen.seconds * rate) - len(lead)]
    peak = float(np.abs(heard).max(initial=0))
    if peak == 0:
        raise DataError(f"{recording.path}: silent, so that it cannot be a test of denoising")
    return np.concatenate((lead, heard / np.float32(peak)))


def items(
    recording: Recording, settings: Settings, noises: Noises, ratios: list[float]
) -> Iterator[Item]:
    """Yield a recording's items, the same at every call: noisy at each ratio, then clean.

    All ratios have the same noise.
    """
    task: DenoiserSettings = settings.systems["denoiser"]
    clean = music(recording, task)
    rate, lead = task.sample_rate, task.evaluation.lead_seconds
    rng = draws.generator(settings.seed, recording.sha256, 0)
    noise = noises.draw(len(clean), rng, anywhere=True)
    for snr_db in ratios:
        noisy = mixed(clean, noise, snr_db, 0.0)[0].astype(np.float32)
        yield Item(condition(snr_db), noisy, clean, rate, lead)
    yield Item(CLEAN, clean, clean, rate, lead)


def held_out_noises(settings: Settings) -> Noises:
    """Open the noise that is tested with."""
    task: DenoiserSettings = settings.systems["denoiser"]
    return Noises(paths.fragments(settings.profile, "denoiser"), "test", task.sample_rate)
