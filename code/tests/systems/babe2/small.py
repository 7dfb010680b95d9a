"""A network of a few hundred weights, as a prior and as weights on disk."""

import numpy as np
import torch

from shellac import networks, weights
from shellac.systems.babe2.restoration import prior_of
from shellac.weights import Card

RATE = 11025
SETTINGS = {
    "samples": 8192, "sample_rate": RATE, "channels": [8, 8, 8], "dilated_layers": [1, 1, 1],
    "bins_per_octave": 8, "embedding": 16,
}  # fmt: skip
SAMPLING = {"steps": 3, "order": 1, "start_sigma": 1.0, "sigma_min": 1e-3, "level": 1.0,
            "n_fft": 1024, "iterations": 5, "least_noise": 1.0}  # fmt: skip


def card(**sampling):
    """What the weights say; ``sampling`` replaces what they say about sampling."""
    spectrum = 1 / (1 + (np.arange(257) / 40) ** 2)
    return Card(
        network="babe2/cqtdiff_22k", settings=SETTINGS, sample_rate=RATE, level=None,
        edge_seconds=0.0, origin="trained", licence="none", profile="test",
        extra={"sigma_data": 1.0, "ltas": spectrum.tolist(), "sampling": SAMPLING | sampling},
    )  # fmt: skip


def network():
    return networks.build("babe2/cqtdiff_22k", seed=4, **SETTINGS)


def prior(**sampling):
    return prior_of(network().state_dict(), card(**sampling), torch.device("cpu"))


def store(path, **sampling):
    weights.store(path, network().state_dict(), card(**sampling))
    return path
