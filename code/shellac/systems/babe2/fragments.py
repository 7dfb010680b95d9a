"""What BABE-2 is trained on: whole recordings at the network's rate, end to end in one array.

``<split>.npy`` holds samples (T,) float32, mono, unnormalised; the index beside it says where each
recording lies, and which deviation counts as one: its own, or that of all recordings where none is
brought to a level. Segments are cut at any place when they are read.
"""

import shutil
from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.lib.format import open_memmap
from tqdm import tqdm

from shellac import audio, paths
from shellac.config import Settings
from shellac.datasets import corpora
from shellac.datasets.corpora import Recording
from shellac.errors import DataError
from shellac.files import atomic_path, read_csv, write_csv
from shellac.systems import building
from shellac.systems.babe2.settings import Babe2Settings
from shellac.transforms.resampling import resample

SPLITS = ("train", "validation")
INDEX_COLUMNS = ("role", "genre", "file", "sha256", "start", "samples", "deviation")
_SILENCE = 1e-6


def waveform_path(folder: Path, split: str) -> Path:
    """Where the recordings of a split lie."""
    return folder / f"{split}.npy"


def index_path(folder: Path, split: str) -> Path:
    """Where it is listed what they are."""
    return folder / f"{split}.index.csv"


def mono_at(recording: Recording, sample_rate: int) -> np.ndarray:
    """Read a recording, average its channels, convert its rate: (T,) float32."""
    waveform, rate = audio.read(recording.path)
    return resample(waveform.mean(axis=0), rate, sample_rate)


def build(settings: Settings) -> None:
    """Build the fragments of every split; recordings converted by a killed build are kept."""
    task: Babe2Settings = settings.systems["babe2"]
    target = paths.fragments(settings.profile, "babe2")
    found = {
        split: list(corpora.recordings(settings, task.roles, split, task.corpora))
        for split in SPLITS
    }
    decisive = {
        "sample_rate": task.sample_rate,
        "level": 0.0 if task.levelled else task.diffusion.sigma_data,
        "sources": {split: [asdict(each) for each in found[split]] for split in SPLITS},
    }
    with building.resumed(target, **decisive) as folder:
        shards = folder / "shards"
        shards.mkdir(exist_ok=True)

        def convert(recording: Recording) -> Path:
            path = shards / f"{recording.sha256}.npy"
            if not path.exists():
                with atomic_path(path) as temporary:
                    np.save(temporary, mono_at(recording, task.sample_rate))
            return path

        for split in SPLITS:
            ready = building.spread(convert, found[split], settings.compute.threads)
            bar = tqdm(ready, total=len(found[split]), desc=f"fragments {split}", disable=None)
            _assemble(folder, split, list(zip(found[split], bar, strict=True)), task)
        shutil.rmtree(shards)


def _assemble(
    folder: Path, split: str, shards: list[tuple[Recording, Path]], task: Babe2Settings
) -> None:
    rows, start = [], 0
    for recording, path in shards:
        part = np.load(path, mmap_mode="r")
        deviation = float(np.std(part, dtype=np.float64))
        if deviation <= _SILENCE:
            continue
        source = (recording.role, recording.genre, recording.file, recording.sha256)
        one = deviation if task.levelled else task.diffusion.sigma_data
        row = (*source, start, len(part), repr(one))
        rows.append((dict(zip(INDEX_COLUMNS, row, strict=True)), part))
        start += len(part)
    if not rows:
        raise DataError(
            f"babe2: no recording of the roles {', '.join(task.roles)} for {split}; add more"
        )
    joined = open_memmap(waveform_path(folder, split), "w+", np.float32, (start,))
    for row, part in rows:
        joined[row["start"] : row["start"] + len(part)] = part
    joined.flush()
    write_csv(index_path(folder, split), [row for row, _ in rows], INDEX_COLUMNS)


class Recordings:
    """One split's recordings, memory-mapped; raises :class:`DataError` where they are missing."""

    def __init__(self, folder: Path, split: str):
        path = waveform_path(folder, split)
        try:
            self._joined = np.load(path, mmap_mode="r")
            self._rows = read_csv(index_path(folder, split))
            self._places = [(int(row["start"]), int(row["samples"])) for row in self._rows]
            self._gains = [1 / float(row["deviation"]) for row in self._rows]
        except (OSError, ValueError, KeyError, ZeroDivisionError) as error:
            raise DataError(f"{path}: no readable fragments; run shellac fragments") from error
        if not self._rows or sum(self._places[-1]) != len(self._joined):
            raise DataError(f"{path}: its index lists other recordings; run shellac fragments")

    @property
    def sources(self) -> list[str]:
        """SHA-256 of every recording."""
        return [row["sha256"] for row in self._rows]

    def whole(self, number: int) -> np.ndarray:
        """Return a recording (T,) with its deviation as the unit."""
        start, samples = self._places[number]
        return self._joined[start : start + samples] * np.float32(self._gains[number])

    def cut(self, count: int, length: int, rng: np.random.Generator) -> np.ndarray:
        """Draw segments (count, length), as :meth:`whole` has them; short ones are padded.

        The longer a recording, the more often it is drawn.
        """
        lengths = np.array([samples for _, samples in self._places], dtype=np.float64)
        found = np.zeros((count, length), np.float32)
        for row, number in enumerate(rng.choice(len(lengths), count, p=lengths / lengths.sum())):
            start, samples = self._places[number]
            first = start + rng.integers(max(0, samples - length) + 1)
            part = self._joined[first : min(first + length, start + samples)]
            found[row, : len(part)] = part * np.float32(self._gains[number])
        return found

    def __len__(self) -> int:
        return len(self._rows)
