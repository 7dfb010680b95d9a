"""Exponential moving averages of weights, kept beside the weights that are trained."""

import copy

import torch
from torch import nn


class Averaged(nn.Module):
    """A network in training and the moving average of its weights, in one state_dict.

    A checkpoint of it resumes both. :meth:`follow` is told how many updates there were and does
    nothing if it has seen them; ``rate`` is the share of the old average that an update keeps,
    and grows with the examples seen until ``ramp_examples`` are reached (none: from the start).

    Calls go to the average in evaluation mode, to the network in training mode.
    """

    def __init__(self, network: nn.Module, rate: float, batch_size: int, ramp_examples: int):
        super().__init__()
        self.network = network
        self.average = copy.deepcopy(network).requires_grad_(False)
        self.register_buffer("updates", torch.zeros((), dtype=torch.int64))
        self._rate, self._batch, self._ramp = rate, batch_size, ramp_examples

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        """Run the network, or its average in evaluation mode."""
        return (self.network if self.training else self.average)(*inputs)

    def rate(self, updates: int) -> float:
        """Return the share of the average that update number ``updates`` (from 1) keeps."""
        seen = updates * self._batch
        return min(seen / self._ramp, self._rate) if seen < self._ramp else self._rate

    @torch.no_grad()
    def follow(self, updates: int) -> None:
        """Take update number ``updates`` (from 1) into the average, once."""
        if updates <= int(self.updates):
            return
        self.updates.fill_(updates)
        kept = self.rate(updates)
        pairs = zip(self.average.parameters(), self.network.parameters(), strict=True)
        for mean, now in pairs:
            mean.lerp_(now, 1 - kept)
        for mean, now in zip(self.average.buffers(), self.network.buffers(), strict=True):
            mean.copy_(now)
