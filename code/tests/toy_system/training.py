"""Learn to double."""

import numpy as np
import torch

from shellac import networks, paths, weights
from shellac.files import sha256
from shellac.training import determinism
from shellac.training.run import run


class GainTask:
    """Half as loud, and as it was."""

    def __init__(self, network, rows):
        self.network, self._rows = network, rows

    def batch(self, step):
        """Return (half, whole), (2, T) each."""
        whole = self._rows[[step % len(self._rows), (step + 1) % len(self._rows)]]
        return whole / 2, whole

    def losses(self, batch):
        """Return the relative error."""
        return {"loss": (self.network(batch[0]) - batch[1]).square().mean() / batch[1].var()}

    def validate(self):
        """Return it for one batch."""
        return self.losses(self.batch(0))["loss"].item()


def train(settings, name):
    """Train it."""
    task = settings.systems["gain"]
    determinism.pin(settings.compute)
    path = paths.fragments(settings.profile, "gain") / "train.npy"
    network = networks.build("gain/one", seed=settings.seed)
    card = weights.Card("gain/one", {}, 8000, None, 0.0, "trained", "MIT", settings.profile)
    rows = torch.from_numpy(np.load(path))
    run(
        settings, "gain", name, GainTask(network, rows), task.training, lambda: card,
        decisive={"inputs": sha256(path)},
    )  # fmt: skip
