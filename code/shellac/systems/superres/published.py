"""The authors' super-resolution weights, under the names of their checkpoints."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

import numpy as np
import torch
from torch import nn

from shellac.errors import WeightsError
from shellac.systems.edges import edge_seconds
from shellac.systems.loading import load_strict
from shellac.systems.superres.network import AudioUNet, TFiLMUNet
from shellac.systems.superres.preparation import degrade
from shellac.systems.superres.restoration import processor
from shellac.weights import Card

BUILDERS: dict[str, Callable[[], nn.Module]] = {
    "superres_tfilm": lambda: TFiLMUNet(mode="legacy"),
    "superres_audiounet": AudioUNet,
}
NETWORKS = {"superres_tfilm": "superres/tfilm", "superres_audiounet": "superres/audiounet"}
SETTINGS: dict[str, dict[str, Any]] = {
    "superres_tfilm": {"width": 1.0, "mode": "legacy"},
    "superres_audiounet": {"width": 1.0},
}
SCALE = 4
SAMPLE_RATE = 16000
# Twice the reach of the longer network's convolutions (AudioUNet, 1.2 s to either side), and more.
PROBE_SAMPLES = 65536
_PROBE_RMS = 0.1


def load(key: str, state_dict: Mapping[str, Any], settings: Mapping[str, Any]) -> nn.Module:
    """Return the published network holding ``state_dict``, in evaluation mode.

    The published classes take no arguments, so nothing in ``settings`` is read. ``superres_tfilm``
    is the legacy mode, whose result depends on what else is in the batch: pass one item at a time.
    Raises :class:`WeightsError` for any name, shape, type or value that does not belong.
    """
    return load_strict(BUILDERS[key], state_dict, key)


def recognise(names: Collection[str], source: str) -> str:
    """Return the published model that has most of these parameter names.

    Raises :class:`WeightsError`, beginning with ``source``, where none has more than half of its
    own among them.
    """
    shares = {}
    for key, build in BUILDERS.items():
        with torch.device("meta"):
            wanted = set(build().state_dict())
        shares[key] = len(wanted.intersection(names)) / len(wanted)
    best = max(shares, key=shares.__getitem__)
    if shares[best] <= 0.5:
        raise WeightsError(
            f"{source}: its parameter names are those of no published super-resolution network"
        )
    return best


def card(key: str, network: nn.Module, digest: str) -> Card:
    """Describe published weights, in a ``network`` that holds them; measures the edge effect.

    They were trained on audio as it is (``level`` None), low-passed, at a quarter of 16 kHz. The
    weights that the authors trained on GTZAN heard 22 kHz, which a state_dict does not tell: they
    are run at 16 kHz like the others. ``digest`` is the SHA-256 of the checkpoint.

    The factors of the legacy TFiLM network lie interleaved over the whole of its input, so that no
    distance is far enough there: its edge effect reads the most that the probe can show, half of
    ``edge_probe_seconds``, and its result depends a little on where a recording is cut.
    """
    probe = torch.from_numpy(_programme(PROBE_SAMPLES))[None]
    reach = edge_seconds(processor(network), probe, SAMPLE_RATE, network.multiple)
    return Card(
        network=NETWORKS[key],
        settings=dict(SETTINGS[key]),
        sample_rate=SAMPLE_RATE,
        level=None,
        edge_seconds=reach,
        origin="published",
        licence="that of the recordings it was trained on, which the checkpoint does not name",
        extra={
            "scale": SCALE,
            "low_pass": True,
            "checkpoint_sha256": digest,
            "edge_probe_seconds": PROBE_SAMPLES / SAMPLE_RATE,
        },
    )


def _programme(samples: int) -> np.ndarray:
    """Noise with the spectral slope of music, as the network hears it: (T,) float32, seeded."""
    white = np.fft.rfft(np.random.default_rng(0).standard_normal(samples))
    pink = np.fft.irfft(white / np.sqrt(np.maximum(np.arange(len(white)), 1)), samples)
    return degrade(_PROBE_RMS * pink / np.sqrt(np.mean(pink**2)), SCALE)
