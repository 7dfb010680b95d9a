"""Training of networks that correct autoregression, on what is heard in the gaps."""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn

from shellac.systems.inpainting import correction
from shellac.systems.inpainting.filled import FilledGaps
from shellac.systems.inpainting.preparation import Conversion

Batch = tuple[Tensor, Tensor, Tensor]  # whole and filled (B, T), missing bool (B, T)


class CorrectionTask:
    """Batches, loss and validation for :func:`shellac.training.loop.fit`.

    Every epoch visits all gaps in an order of its own.
    """

    def __init__(
        self,
        network: nn.Module,
        conversion: Conversion,
        parts: Mapping[str, FilledGaps],
        batch_size: int,
        seed: int,
        device: torch.device,
    ):
        self.network = network.to(device, memory_format=torch.channels_last)
        self._conversion, self._device, self._seed = conversion, device, seed
        self._train, self._validation = parts["train"], parts["validation"]
        self._size = min(batch_size, len(self._train))

    def batch(self, step: int) -> Batch:
        """Return (whole, filled, missing) of ``step``."""
        epoch, place = divmod(step, len(self._train) // self._size)
        order = np.random.default_rng([self._seed, epoch]).permutation(len(self._train))
        return self._moved(self._train, order[place * self._size : (place + 1) * self._size])

    def _moved(self, gaps: FilledGaps, numbers: np.ndarray) -> Batch:
        return tuple(part.to(self._device) for part in gaps.rows(numbers))

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Return the negative SNR in dB inside the gaps."""
        whole, filled, missing = batch
        heard = correction.correct(self.network, self._conversion, filled, missing)
        return {"loss": correction.loss(heard, whole, missing)}

    def validate(self) -> float:
        """Return the mean loss over all validation gaps."""
        total, count = 0.0, len(self._validation)
        for start in range(0, count, self._size):
            numbers = np.arange(start, min(start + self._size, count))
            batch = self._moved(self._validation, numbers)
            total += self.losses(batch)["loss"].item() * len(numbers)
        return total / count
