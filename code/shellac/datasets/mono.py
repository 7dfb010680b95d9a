"""Recordings of an index as systems hear them: one channel, at a system's rate."""

from collections.abc import Iterator

import numpy as np

from shellac import audio
from shellac.datasets.index import Recording
from shellac.errors import DataError
from shellac.transforms.resampling import converted_length, resample, resample_blocks


def mono_at(recording: Recording, sample_rate: int) -> np.ndarray:
    """Read a recording, average its channels, convert its rate: (T,) float32."""
    return resample(*audio.read_mono(recording.path), sample_rate)


def length_at(recording: Recording, sample_rate: int) -> int:
    """Return how many samples :func:`mono_at` gives, from the index alone."""
    return converted_length(recording.samples, recording.sample_rate, sample_rate)


class Stream:
    """What :func:`mono_at` returns, in the memory of a block: ``read`` only ever goes forward."""

    def __init__(self, recording: Recording, sample_rate: int):
        self._recording, self._length = recording, length_at(recording, sample_rate)
        blocks = audio.mono_blocks(recording.path)
        self._blocks: Iterator[np.ndarray] = resample_blocks(
            blocks, recording.sample_rate, sample_rate
        )
        self._kept, self._start = np.zeros(0, np.float32), 0

    def read(self, start: int, stop: int) -> np.ndarray:
        """Return samples [start, stop), (n,); ``start`` never goes back behind the one before.

        Raises :class:`DataError` for a recording that is shorter than its index says.
        """
        until = self._start + len(self._kept)
        parts = [self._kept] if len(self._kept) else []
        while until < stop:
            parts.append(self._next())
            until += len(parts[-1])
        held = parts[0] if len(parts) == 1 else np.concatenate((*parts, self._kept[:0]))
        self._kept, self._start = held[start - self._start :], start
        return self._kept[: stop - start]

    def finish(self) -> None:
        """Decode what is left; raise :class:`DataError` if a recording is unfit, or too long."""
        until = self._start + len(self._kept) + sum(map(len, self._blocks))
        if until != self._length:
            raise self._other()

    def _next(self) -> np.ndarray:
        try:
            return next(self._blocks)
        except StopIteration:
            raise self._other() from None

    def _other(self) -> DataError:
        return DataError(
            f"{self._recording.path}: is not as long as its index says; run shellac download again"
        )
