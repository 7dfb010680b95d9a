"""Recordings with gaps that autoregression has filled: what networks that correct it learn from.

``<split>_filled/<sha256>.npy`` holds a recording (1 + D, T) float32: whole, and with the gaps of
D draws filled. ``<split>.gaps.csv`` lists the gaps, those of one recording together.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from shellac.config import Settings
from shellac.datasets.corpora import Recording
from shellac.datasets.mono import length_at, mono_at
from shellac.degradations import draws
from shellac.degradations.gaps import Interval, draw_gaps
from shellac.errors import DataError
from shellac.files import atomic_path, read_csv, write_csv
from shellac.systems.inpainting.filling import fill
from shellac.systems.inpainting.settings import InpaintingSettings

COLUMNS = ("sha256", "draw", "start", "stop")


def index_path(folder: Path, split: str) -> Path:
    """Where the gaps of a split are listed."""
    return folder / f"{split}.gaps.csv"


def waveforms_path(folder: Path, split: str, digest: str) -> Path:
    """Where a recording lies, whole and filled."""
    return folder / f"{split}_filled" / f"{digest}.npy"


def build(folder: Path, split: str, found: Sequence[Recording], settings: Settings) -> None:
    """Fill the gaps of every recording of a split; those that are there already are kept."""
    task: InpaintingSettings = settings.systems["inpainting"]
    (folder / f"{split}_filled").mkdir(exist_ok=True)

    def make(recording: Recording) -> list[dict[str, object]]:
        samples = length_at(recording, task.sample_rate)
        gaps = {
            draw: _drawn(samples, recording.sha256, draw, task, settings.seed)
            for draw in range(1, 1 + task.gaps.filled_draws)
        }
        path = waveforms_path(folder, split, recording.sha256)
        if not path.exists():
            whole = mono_at(recording, task.sample_rate)
            filled = [
                fill(whole[None], task.sample_rate, each, None, None)[0] for each in gaps.values()
            ]
            with atomic_path(path) as temporary, temporary.open("wb") as file:
                np.save(file, np.stack([whole, *filled]))
        rows = [(recording.sha256, draw, *gap) for draw, each in gaps.items() for gap in each]
        return [dict(zip(COLUMNS, row, strict=True)) for row in rows]

    with ThreadPoolExecutor(settings.compute.threads) as pool:
        bar = tqdm(pool.map(make, found), desc="filled gaps", total=len(found), disable=None)
        rows = [row for part in bar for row in part]
    write_csv(index_path(folder, split), rows, COLUMNS)


def _drawn(
    samples: int, digest: str, draw: int, task: InpaintingSettings, seed: int
) -> list[Interval]:
    rng = draws.generator(seed, digest, 0, draw)
    return draw_gaps(samples, task.sample_rate, rng, task.gaps.gap_ms, task.gaps.per_second)


class FilledGaps:
    """The gaps of one split, each in the window in which it would be restored.

    Raises :class:`DataError` where the recordings or their list are missing.
    """

    def __init__(self, folder: Path, split: str, window: int):
        self._folder, self._split, self._window = folder, split, window
        path = index_path(folder, split)
        try:
            rows = read_csv(path)
            self._gaps = [
                (row["sha256"], *(int(row[name]) for name in COLUMNS[1:])) for row in rows
            ]
        except (OSError, ValueError, KeyError) as error:
            raise DataError(
                f"{path}: no readable list of filled gaps; run shellac fragments inpainting"
            ) from error
        if not self._gaps:
            raise DataError(f"{path}: lists no gap; add recordings")
        self._places: dict[tuple[str, int], list[Interval]] = {}
        for digest, draw, start, stop in self._gaps:
            self._places.setdefault((digest, draw), []).append((start, stop))

    def __len__(self) -> int:
        return len(self._gaps)

    @property
    def sources(self) -> list[tuple[str, int]]:
        """SHA-256 of the recording and place in it, of every gap."""
        return [(digest, start) for digest, _, start, _ in self._gaps]

    def rows(self, numbers: np.ndarray) -> tuple[Tensor, Tensor, Tensor]:
        """Return (whole (B, T), filled (B, T), missing bool (B, T)) around gaps, T the window."""
        cut = [self._cut(*self._gaps[number]) for number in numbers]
        return tuple(torch.from_numpy(np.stack(part)) for part in zip(*cut, strict=True))

    def _cut(self, digest: str, draw: int, start: int, stop: int) -> tuple[np.ndarray, ...]:
        """Cut a window around a gap; silence beyond the ends of the recording."""
        waveforms = np.load(waveforms_path(self._folder, self._split, digest), mmap_mode="r")
        first = (start + stop - self._window) // 2
        left, right = max(0, first), min(waveforms.shape[1], first + self._window)
        inside = np.zeros((2, self._window), dtype=np.float32)
        inside[:, left - first : right - first] = waveforms[[0, draw], left:right]
        missing = np.zeros(self._window, dtype=bool)
        for near_start, near_stop in self._places[digest, draw]:
            if near_stop > first and near_start < first + self._window:
                missing[max(0, near_start - first) : near_stop - first] = True
        return inside[0], inside[1], missing
