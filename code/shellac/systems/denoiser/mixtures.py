"""Random access to the denoiser's fragments: segments of music with noise mixed in on reading."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from shellac.degradations import draws
from shellac.errors import DataError
from shellac.files import read_csv
from shellac.systems.denoiser import fragments
from shellac.systems.denoiser.mixing import extended, mixed
from shellac.systems.denoiser.settings import DenoiserSettings
from shellac.systems.spectrogram_unet import TRAINING_FRAMES

_HOPS = {22050: 256, 44100: 512}
_CYCLE = 64  # frames: as many halvings as the deepest network has


def segment_samples(seconds: float, sample_rate: int) -> int:
    """Return the length of a training segment: ``seconds``, or a little more.

    Its number of frames differs from that of the published 5 s by a multiple of 64, since
    otherwise the network is another function (:meth:`.spectrogram_unet.Plan.fitting_frames`).
    """
    hop = _HOPS[sample_rate]
    frames = max(1, int(seconds * sample_rate) // hop + 1)
    frames += (TRAINING_FRAMES - frames) % _CYCLE
    return max(int(seconds * sample_rate), (frames - 1) * hop)


@dataclass(frozen=True)
class Stored:
    """Recordings of one kind and split: all samples, and where each recording lies."""

    samples: np.ndarray
    rows: list[dict[str, str]]

    @classmethod
    def read(cls, folder: Path, split: str, kind: str) -> "Stored":
        """Open what :func:`.fragments.build` left; raise :class:`DataError` if it is not there."""
        path = fragments.array_path(folder, split, kind)
        try:
            samples = np.load(path, mmap_mode="r")
            rows = read_csv(fragments.index_path(folder, split, kind))
            last = int(rows[-1]["start"]) + int(rows[-1]["samples"])
        except (OSError, ValueError, KeyError, IndexError) as error:
            raise DataError(f"{path}: no readable fragments; run shellac fragments") from error
        if samples.shape != (last,):
            raise DataError(f"{path}: its index lists another length; run shellac fragments again")
        return cls(samples, rows)

    def waveform(self, number: int) -> np.ndarray:
        """Return one recording (T,)."""
        row = self.rows[number]
        start = int(row["start"])
        return self.samples[start : start + int(row["samples"])]


class Noises:
    """Noise by disc: every disc is as likely as another, however many takes there are of it."""

    def __init__(self, folder: Path, split: str, sample_rate: int):
        self._stored = Stored.read(folder, split, fragments.NOISE)
        self._sample_rate = sample_rate
        discs: dict[str, list[int]] = {}
        for number, row in enumerate(self._stored.rows):
            discs.setdefault(row["label"] or row["file"], []).append(number)
        self._discs = list(discs.values())

    def draw(self, samples: int, rng: np.random.Generator, anywhere: bool) -> np.ndarray:
        """Return noise (samples,) of a disc drawn at random; shorter takes are extended.

        ``anywhere``: longer takes start at random instead of at their beginning.
        """
        takes = self._discs[rng.integers(len(self._discs))]
        noise = self._stored.waveform(takes[rng.integers(len(takes))])
        start = rng.integers(len(noise) - samples + 1) if len(noise) > samples else 0
        return extended(noise[start if anywhere else 0 :], samples, self._sample_rate)


class Mixtures:
    """One split's segments of ``samples`` samples, with noise that follows from seed and place."""

    def __init__(
        self, folder: Path, split: str, task: DenoiserSettings, seed: int, published: bool
    ):
        self._clean = Stored.read(folder, split, fragments.CLEAN)
        self._noises = Noises(folder, split, task.sample_rate)
        self._mixing, self._seed, self._published = task.mixing, seed, published
        self.samples = segment_samples(task.segment_seconds, task.sample_rate)
        self._places = [
            (number, place)
            for number, row in enumerate(self._clean.rows)
            for place in range(max(1, int(row["samples"]) // self.samples))
        ]

    def __len__(self) -> int:
        return len(self._places)

    @property
    def digests(self) -> set[str]:
        """SHA-256 of every clean recording."""
        return {row["sha256"] for row in self._clean.rows}

    def row(self, number: int, draw_number: int = 0) -> tuple[np.ndarray, np.ndarray]:
        """Return (noisy, clean), (samples,) float32 each, of one segment.

        ``draw_number`` 0 gives the segments of validation; others begin elsewhere and have other
        noise at other levels. A recording shorter than a segment lies somewhere in silence.
        """
        recording, place = self._places[number]
        rng = draws.generator(self._seed, self._clean.rows[recording]["sha256"], place, draw_number)
        clean = self._cut(self._clean.waveform(recording), place, draw_number, rng)
        noise = self._noises.draw(self.samples, rng, anywhere=not self._published)
        snr_db = rng.uniform(*self._mixing.snr_db)
        scale_db = rng.uniform(*self._mixing.scale_db)
        noisy, clean = mixed(clean, noise, snr_db, scale_db)
        return noisy.astype(np.float32), clean.astype(np.float32)

    def _cut(
        self, waveform: np.ndarray, place: int, draw_number: int, rng: np.random.Generator
    ) -> np.ndarray:
        offset = int(rng.integers(self.samples)) if draw_number else 0
        if len(waveform) < self.samples:
            silent = np.zeros(self.samples - len(waveform), waveform.dtype)
            return np.roll(np.concatenate((waveform, silent)), offset)
        start = min(place * self.samples + offset, len(waveform) - self.samples)
        return waveform[start : start + self.samples]
