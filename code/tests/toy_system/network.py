"""One number."""

import torch
from torch import nn


class Gain(nn.Module):
    """Multiply (B, T)."""

    def __init__(self, start: float):
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(start))

    def forward(self, x):
        """Return (B, T)."""
        return self.factor * x
