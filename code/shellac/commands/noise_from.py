"""``shellac noise-from``: the noise of one's own records, from lead-in, run-out and pauses."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from shellac import audio
from shellac.audio import Facts
from shellac.commands.inputs import Job
from shellac.datasets.folder import MANIFEST
from shellac.degradations.click_statistics import summarise
from shellac.degradations.noise_segments import MIN_SECONDS, Stretch, find
from shellac.errors import AudioError, OutputError
from shellac.files import read_csv, sha256, temporary_path, write_csv

_MIN_RATE = 8000
_BLOCK_SECONDS = 10.0
_MEASURED_SECONDS = 60.0
_COLUMNS = (
    "file", "role", "recording", "source", "start_seconds", "stop_seconds", "level_dbfs",
    "slope_db_per_octave", "clicks_per_minute",
)  # fmt: skip
_TEXTS = _COLUMNS[:4]


class Session:
    """Extracts from one recording after the other into ``out``, which becomes a folder corpus.

    Its table names for every segment the recording that it was cut from, so that segments of one
    record never meet across a split; recordings that it has already are not cut again. Raises
    :class:`OutputError` where ``out`` has a table of another kind.
    """

    def __init__(self, out: Path):
        self._out = out
        self._rows = list(_listed(out / MANIFEST)) if (out / MANIFEST).exists() else []

    def run(self, job: Job) -> dict[str, Any]:
        """Cut the noise out of one recording; return where it was found.

        Raises :class:`AudioError` where there is none, :class:`OutputError` where a segment would
        replace another file.
        """
        facts, content = audio.inspect(job.source), sha256(job.source)
        if done := self._cut_before(job, content):
            return {"source": str(job.source), "segments": done}
        if facts.sample_rate < _MIN_RATE:
            raise AudioError(f"{job.source}: {facts.sample_rate} Hz, {_MIN_RATE} Hz are needed")
        with audio.Reader(job.source, facts.samples) as reader:
            stretches = find(reader.read, facts.samples, facts.sample_rate)
        if not stretches:
            raise AudioError(
                f"{job.source}: no noise alone was found; what is needed is {MIN_SECONDS:g} s or"
                " more of lead-in, run-out or pause without music or speech"
            )
        container, subtype, suffix = audio.output_format(facts, "flac")
        targets = [
            job.folder / f"{job.source.stem}.noise-{number:03d}{suffix}"
            for number in range(1, len(stretches) + 1)
        ]
        rows = []
        with audio.Reader(job.source, facts.samples) as reader:
            for stretch, target in zip(stretches, targets, strict=True):
                _copy(reader, stretch, target, facts, (container, subtype))
                rows.append(self._row(facts, stretch, target, content))
        self._rows += rows
        write_csv(self._out / MANIFEST, self._rows, _COLUMNS)
        return {"source": str(job.source), "segments": rows}

    def _cut_before(self, job: Job, content: str) -> list[dict[str, Any]]:
        """Return the rows of a recording whose segments are all there; forget them otherwise."""
        place = job.folder.relative_to(self._out)
        found = [
            row
            for row in self._rows
            if (row["recording"], row["source"]) == (content, job.source.name)
            and Path(row["file"]).parent == place
        ]
        if all((self._out / row["file"]).is_file() for row in found):
            return found
        self._rows = [row for row in self._rows if row not in found]
        return []

    def _row(self, facts: Facts, stretch: Stretch, target: Path, content: str) -> dict[str, Any]:
        with audio.Reader(target) as reader:
            measured = min(reader.samples, int(_MEASURED_SECONDS * facts.sample_rate))
            mono = reader.read(0, measured).mean(axis=0)
        statistics = summarise(mono, facts.sample_rate)
        return {
            "file": target.relative_to(self._out).as_posix(),
            "role": "noise",
            "recording": content,
            "source": facts.path.name,
            "start_seconds": stretch.start / facts.sample_rate,
            "stop_seconds": stretch.stop / facts.sample_rate,
            "level_dbfs": round(stretch.level_dbfs, 2),
            "slope_db_per_octave": round(stretch.slope_db_per_octave, 2),
            "clicks_per_minute": round(statistics.per_minute_above_12, 1),
        }


def _listed(table: Path) -> Iterator[dict[str, Any]]:
    """Read what an earlier run wrote; numbers are numbers again."""
    for row in read_csv(table):
        try:
            yield {name: row[name] if name in _TEXTS else float(row[name]) for name in _COLUMNS}
        except (KeyError, TypeError, ValueError) as error:
            raise OutputError(
                f"{table}: is no table of shellac noise-from; choose a new folder"
            ) from error


def _copy(
    reader: audio.Reader, stretch: Stretch, target: Path, facts: Facts, form: tuple[str, str]
) -> None:
    """Write a segment, unless it is there already; a file that is another stays."""
    container, subtype = form
    block = int(_BLOCK_SECONDS * facts.sample_rate)
    with temporary_path(target.parent, target.suffix) as whole:
        with audio.writer(
            whole, facts.sample_rate, facts.channels, subtype=subtype, container=container
        ) as file:
            for start in range(stretch.start, stretch.stop, block):
                file.append(reader.read(start, min(start + block, stretch.stop)))
        if target.exists() and sha256(target) != sha256(whole):
            raise OutputError(f"{target}: exists already; choose a new folder")
        whole.replace(target)
