"""What training minimises: the squared error of the network's output, and two published options.

Both are off in the published piano training; that of the singing voice learned a weight for every
level of noise.
"""

import numpy as np
import torch
from scipy.signal import firwin2
from torch import Tensor, nn
from torch.nn.functional import conv1d

from shellac.systems.babe2.network_blocks import FEATURES, FourierFeatures

TAPS = 101
_POLES_HZ = (20.6, 107.7, 737.9, 12194.0)  # of the A-curve, IEC 61672-1


def a_curve(hz: np.ndarray) -> np.ndarray:
    """Return the gain of the A-curve (IEC 61672-1) at frequencies in Hz: about 1 at 1 kHz."""
    low, second, third, high = (pole**2 for pole in _POLES_HZ)
    square = np.square(np.asarray(hz, dtype=np.float64))
    between = np.sqrt((square + second) * (square + third))
    return 10 ** (2.0 / 20) * high * square**2 / ((square + low) * between * (square + high))


def a_filter(sample_rate: int) -> Tensor:
    """Return the A-curve as a symmetric filter of :data:`TAPS` taps."""
    hz = np.linspace(0, sample_rate / 2, 1025)
    taps = firwin2(TAPS, hz, a_curve(hz), fs=sample_rate)
    return torch.from_numpy(taps).float()


class LevelWeights(FourierFeatures):
    """A weight for every level, learned along: ``error / exp(u) + u``, u linear in features.

    u comes to be the logarithm of the mean error at a level, so that no level outweighs another.
    It begins at 0, where nothing is weighted; ``seed`` is that of its features' frequencies.
    """

    def __init__(self, seed: int):
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            super().__init__()
        self.weight = nn.Parameter(torch.zeros(1, 2 * FEATURES))

    def forward(self, error: Tensor, conditioning: Tensor) -> Tensor:
        """Weigh errors (B,) at levels given as c_noise (B, 1)."""
        u = nn.functional.linear(self.features(conditioning), self.weight)[:, 0]
        return error / u.exp() + u


class TrainingLoss(nn.Module):
    """The loss of a batch.

    a_weighted : weigh the error by how well its frequencies are heard
    level_weights : learn a :class:`LevelWeights`; validation goes without, so that losses compare
    """

    def __init__(self, a_weighted: bool, level_weights: bool, sample_rate: int, seed: int):
        super().__init__()
        self.levels = LevelWeights(seed) if level_weights else None
        self._taps = a_filter(sample_rate)[None, None] if a_weighted else None

    def forward(self, error: Tensor, conditioning: Tensor) -> Tensor:
        """Return the mean loss of errors (B, T) at levels given as c_noise (B, 1): a scalar."""
        if self._taps is not None:
            error = conv1d(error[:, None], self._taps.to(error), padding=TAPS // 2)[:, 0]
        squared = error.square().mean(dim=-1)
        if self.levels is not None and self.training:
            squared = self.levels(squared, conditioning)
        return squared.mean()
