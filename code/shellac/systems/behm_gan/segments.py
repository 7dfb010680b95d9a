"""Random access to the fragments of bandwidth extension."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from shellac.errors import DataError
from shellac.files import read_csv
from shellac.systems.behm_gan import fragments

_AT_ONCE = 64


class Segments:
    """One split's segments, memory-mapped, of the wanted ``material`` alone.

    ``material`` names roles, genres or labels; none stands for all. Raises :class:`DataError` where
    the fragments are missing, do not belong together, or hold none of the material.
    """

    def __init__(self, folder: Path, split: str, material: Sequence[str] = ()):
        path = fragments.segments_path(folder, split)
        try:
            self._clean = np.load(path, mmap_mode="r")
            rows = read_csv(fragments.index_path(folder, split))
            told = [{row["role"], row["genre"], row["label"]} for row in rows]
            fits = [not material or bool(each & {*material}) for each in told]
            sources = [row["sha256"] for row in rows]
        except (OSError, ValueError, KeyError) as error:
            raise DataError(
                f"{path}: no readable fragments; run shellac fragments behm_gan"
            ) from error
        if len(rows) != len(self._clean):
            raise DataError(f"{path}: its index lists other segments; run shellac fragments again")
        self._numbers = np.flatnonzero(fits)
        if not len(self._numbers):
            raise DataError(
                f"behm_gan: no {split} segment has the role, genre or label {' or '.join(material)}"
            )
        self.sources = {sources[number] for number in self._numbers}

    def __len__(self) -> int:
        return len(self._numbers)

    def rows(self, places: np.ndarray) -> Tensor:
        """Return the segments (B, T) at the given places, in the given order."""
        return torch.from_numpy(self._clean[self._numbers[places]])

    def peak(self) -> float:
        """Largest magnitude of all segments."""
        starts = range(0, len(self), _AT_ONCE)
        parts = (np.arange(start, min(start + _AT_ONCE, len(self))) for start in starts)
        return max(float(self.rows(part).abs().max()) for part in parts)
