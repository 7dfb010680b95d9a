"""Random access to the fragments of inpainting: whole segments with gaps drawn on reading."""

import json
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from shellac.errors import DataError
from shellac.files import read_csv
from shellac.systems.inpainting import fragments
from shellac.systems.inpainting.settings import InpaintingSettings


class Segments:
    """One split's segments, memory-mapped; their gaps follow from seed, recording and place.

    Raises :class:`DataError` where the fragments are missing or do not belong together.
    """

    def __init__(self, folder: Path, split: str, task: InpaintingSettings, seed: int):
        path = fragments.target_path(folder, split)
        try:
            self._targets = np.load(path, mmap_mode="r")
            rows = read_csv(fragments.index_path(folder, split))
            self.sources = [(row["sha256"], int(row["place"])) for row in rows]
        except (OSError, ValueError, KeyError) as error:
            raise DataError(f"{path}: no readable fragments; run shellac fragments") from error
        if len(self.sources) != len(self._targets):
            raise DataError(f"{path}: its index lists other segments; run shellac fragments again")
        self._task, self._seed = task, seed

    def __len__(self) -> int:
        return len(self._targets)

    def rows(self, numbers: np.ndarray, draw_number: int = 0) -> tuple[Tensor, Tensor]:
        """Return (whole segments (B, 1, N, F), lost (B, N)) of the given numbers.

        ``draw_number`` 0 gives every segment the gaps of evaluation and of the published layout;
        other numbers give others.
        """
        whole = np.stack([self._targets[number, ..., 0] for number in numbers])
        lost = np.stack(
            [
                fragments.draw_mask(self._task, self._seed, *self.sources[number], draw_number)
                for number in numbers
            ]
        )
        return torch.from_numpy(whole)[:, None], torch.from_numpy(lost)


def normalisation(folder: Path) -> tuple[float, float]:
    """Return the published (shift, scale) of fragments: over train and validation."""
    path = folder / fragments.NORMALISATION
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return float(found["shift"]), float(found["scale"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path}: not readable; run shellac fragments inpainting") from error
