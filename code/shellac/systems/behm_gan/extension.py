"""What stands around a network that extends a band: the noise it hears, and the band it keeps."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from functools import lru_cache
from typing import Any

import torch
from scipy import signal
from torch import Tensor, nn
from torch.nn import functional

from shellac.errors import WeightsError
from shellac.systems import spectrogram_front
from shellac.systems.behm_gan.network import Generator
from shellac.systems.behm_gan.seanet import SEANet
from shellac.transforms.stft import HAMMING_1024

SAMPLE_RATE = 22050
NOISE_RMS = 0.001  # as published
_TAPS = 129  # of the crossover: 570 Hz from pass to stop
# The baselines shift their maps against each other by what the strides leave of the length: only
# lengths that differ by a multiple from that of training, 5 s, give the same function.
_TRAINING_SAMPLES, _STRIDES = 110_250, 128


@dataclass(frozen=True)
class Extension:
    """How a network is used; weights carry it on their card.

    ``noise_rms``: of the white noise that it hears beside the recording, full scale = 1.
    ``kept_hz``: above it, what the network makes up is added to the recording, which stays as it is
    below; 0, as published, takes what the network gives for the whole signal.
    """

    noise_rms: float = NOISE_RMS
    kept_hz: float = 0.0

    @classmethod
    def from_card(cls, extra: Mapping[str, Any]) -> "Extension":
        """Read what :meth:`for_card` put on a card; the published way where there is nothing.

        Raises :class:`WeightsError` for values that make no sense.
        """
        told = extra.get("extension", {})
        sound = isinstance(told, dict) and told.keys() <= {field.name for field in fields(cls)}
        if not (sound and all(isinstance(value, int | float) for value in told.values())):
            raise WeightsError("the weights' card does not say how a band is extended")
        found = cls(**told)
        if not (0 <= found.noise_rms <= 1 and 0 <= found.kept_hz < SAMPLE_RATE / 2):
            raise WeightsError("the weights' card keeps no band that there is, or adds loud noise")
        return found

    def for_card(self) -> dict[str, Any]:
        """Return what a card's ``extra`` holds of it."""
        return {"extension": asdict(self)}

    def apply(
        self, network: nn.Module, waveform: Tensor, noise: Tensor, published_frames: bool = False
    ) -> Tensor:
        """Extend (B, T), ``noise`` (T,) or (B, T) of RMS 1 being scaled and added to what is heard.

        Networks of waveforms add to their input: what they add to the noisy one is taken.
        ``published_frames``: as in :func:`through`.
        """
        heard = waveform + self.noise_rms * noise
        found = through(network, heard, published_frames)
        if not self.kept_hz:
            return found
        added = found if isinstance(network, Generator) else found - heard
        kernel = _high_pass(self.kept_hz).to(added)
        return waveform + functional.conv1d(added[:, None], kernel, padding=_TAPS // 2)[:, 0]


def through(network: nn.Module, waveform: Tensor, published_frames: bool = False) -> Tensor:
    """Run a network on (B, T), any T, continued with silence to a length that suits it.

    ``published_frames`` begin with the first sample and are as many as there are, as in the
    authors' training; else those of a restoration.
    """
    if isinstance(network, Generator) and published_frames:
        found = spectrogram_front.transformed(network, waveform, HAMMING_1024)
        return found[:, : waveform.shape[-1]]
    if isinstance(network, Generator):
        fitting = network.fitting_frames
        return spectrogram_front.fitted(network, waveform, HAMMING_1024, fitting)
    samples = waveform.shape[-1]
    wanted = max(samples, SEANet.least_samples)
    wanted += (_TRAINING_SAMPLES - wanted) % _STRIDES
    heard = functional.pad(waveform, (0, wanted - samples))
    return network(heard[:, None])[:, 0, :samples]


@lru_cache(maxsize=8)
def _high_pass(cutoff_hz: float) -> Tensor:
    kernel = signal.firwin(_TAPS, cutoff_hz, pass_zero=False, window="hamming", fs=SAMPLE_RATE)
    with torch.inference_mode(False):  # kept for later calls, which may need gradients
        return torch.from_numpy(kernel.astype("float32"))[None, None]
