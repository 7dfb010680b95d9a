"""Historical recordings for the systems that restore a few of their seconds alone.

What takes minutes of work for a minute of sound would keep a pipeline for days over a collection.
"""

from collections.abc import Sequence
from pathlib import Path

from shellac import audio
from shellac.datasets.corpora import Recording
from shellac.files import write_json

LIST = "excerpts.json"
_BLOCK = 1 << 20  # samples


def spread(discs: Sequence[Recording], count: int) -> list[Recording]:
    """Choose ``count`` recordings, evenly spread over the list; all of them where it is shorter."""
    if len(discs) <= count:
        return list(discs)
    return [discs[(2 * i + 1) * len(discs) // (2 * count)] for i in range(count)]


def middle(disc: Recording, seconds: float, folder: Path) -> tuple[Path, dict[str, object]]:
    """Write the middle of a recording into ``folder``; say which seconds it is.

    The excerpt has the recording's name, format, rate and channels; a recording no longer than
    ``seconds`` is taken whole. Raises :class:`AudioError` for what cannot be read.
    """
    facts = audio.inspect(disc.path)
    container, subtype, suffix = audio.output_format(facts, "same")
    path = folder / f"{disc.path.stem}{suffix}"
    length = min(facts.samples, max(1, round(seconds * facts.sample_rate)))
    start = (facts.samples - length) // 2
    with (
        audio.Reader(disc.path, facts.samples) as reader,
        audio.writer(path, facts.sample_rate, facts.channels, container=container, subtype=subtype,
                     samples=length, tags=facts.tags) as out,
    ):  # fmt: skip
        for first in range(0, start + length, _BLOCK):  # a reader only goes forward
            block = reader.read(first, min(first + _BLOCK, start + length))
            if first + block.shape[1] > start:
                out.append(block[:, max(0, start - first) :])
    told = {
        "file": disc.file,
        "sha256": disc.sha256,
        "start_seconds": round(start / facts.sample_rate, 6),
        "seconds": round(length / facts.sample_rate, 6),
        "of_seconds": round(facts.samples / facts.sample_rate, 6),
    }
    return path, told


def write_list(folder: Path, told: Sequence[dict[str, object]], recordings: int) -> None:
    """Write :data:`LIST`: the seconds that were restored, and how many recordings there are."""
    write_json(folder / LIST, {"recordings": recordings, "excerpts": list(told)})
