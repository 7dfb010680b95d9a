"""Memory of ``shellac restore`` over the number of segments, with networks of the published size.

What is kept of one segment when the next is computed would show: the memory of 16 would be above
that of 4. One run each: where small blocks lie in the heap is left to chance, some 100 MB.
Fresh weights, with the context of published ones. Networks that fill gaps take no more than loading
them does. BABE-2 is measured by ``babe2_files.py``, whole recordings by ``long_files.py``.
"""

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from end_to_end import EDGE_SECONDS, fresh
from long_files import SAMPLE_RATE, restore

from shellac import audio

SEGMENTS = (1, 4, 16)
_SEGMENT_SECONDS = 8.0  # what is heard at a time, of which context is up to a half
_SHORT_SECONDS = 0.1  # what is computed of it is next to nothing: memory of the loaded process


def measure(
    names: Sequence[str] = tuple(EDGE_SECONDS),
    counts: Sequence[int] = SEGMENTS,
    width: float = 1.0,
) -> Iterator[dict[str, object]]:
    """Yield a row per network and number of segments; ``over_shortest`` compares memory above that
    of the loaded process with the first row's."""
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            yield from _rows(name, Path(folder), counts, width)


def _rows(
    name: str, folder: Path, counts: Sequence[int], width: float
) -> Iterator[dict[str, object]]:
    stored = str(fresh(name, folder, width)[1])
    base, first = _peak_mb(name, folder, stored, _SHORT_SECONDS), None
    for count in counts:
        above = _peak_mb(name, folder, stored, count * _SEGMENT_SECONDS) - base
        first = first or above
        yield {
            "what": f"{name} restores {count} segments",
            "base_mb": base,
            "above_base_mb": above,
            "over_shortest": above / first,
        }


def _peak_mb(name: str, folder: Path, stored: str, seconds: float) -> float:
    source, cut = folder / f"{seconds:g}.wav", ("--segment-seconds", f"{_SEGMENT_SECONDS:g}")
    noise = np.random.default_rng(0).standard_normal((1, round(seconds * SAMPLE_RATE)), np.float32)
    audio.write(source, 0.05 * noise, SAMPLE_RATE)
    return restore(source, folder / "out", name, *cut, weights=stored)[0]
