"""``shellac noise-from``: the noise of one's own records, from lead-in, run-out and pauses."""

from pathlib import Path
from typing import Any

from shellac import audio
from shellac.audio import Facts
from shellac.commands.inputs import Job
from shellac.datasets.folder import MANIFEST
from shellac.degradations.click_statistics import summarise
from shellac.degradations.noise_segments import MIN_SECONDS, Stretch, find
from shellac.errors import AudioError, OutputError
from shellac.files import sha256, write_csv

_MIN_RATE = 8000
_BLOCK_SECONDS = 10.0
_MEASURED_SECONDS = 60.0
_COLUMNS = (
    "file", "role", "recording", "source", "start_seconds", "stop_seconds", "level_dbfs",
    "slope_db_per_octave", "clicks_per_minute",
)  # fmt: skip


class Session:
    """Extracts from one recording after the other into ``out``, which becomes a folder corpus.

    Its table names for every segment the recording that it was cut from, so that segments of one
    record never meet across a split. Raises :class:`OutputError` where ``out`` has a table already.
    """

    def __init__(self, out: Path):
        self._out = out
        self._rows: list[dict[str, Any]] = []
        if (out / MANIFEST).exists():
            raise OutputError(f"{out}: holds a {MANIFEST} already; choose a new folder")

    def run(self, job: Job) -> dict[str, Any]:
        """Cut the noise out of one recording; return where it was found.

        Raises :class:`AudioError` where there is none, :class:`OutputError` where a segment would
        replace a file.
        """
        facts = audio.inspect(job.source)
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
        for target in targets:
            if target.exists():
                raise OutputError(f"{target}: exists already; choose a new folder")
        content = sha256(job.source)
        rows = []
        with audio.Reader(job.source, facts.samples) as reader:
            for stretch, target in zip(stretches, targets, strict=True):
                _copy(reader, stretch, target, facts, (container, subtype))
                rows.append(self._row(facts, stretch, target, content))
        self._rows += rows
        write_csv(self._out / MANIFEST, self._rows, _COLUMNS)
        return {"source": str(job.source), "segments": rows}

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


def _copy(
    reader: audio.Reader, stretch: Stretch, target: Path, facts: Facts, form: tuple[str, str]
) -> None:
    container, subtype = form
    block = int(_BLOCK_SECONDS * facts.sample_rate)
    with audio.writer(
        target, facts.sample_rate, facts.channels, subtype=subtype, container=container
    ) as file:
        for start in range(stretch.start, stretch.stop, block):
            file.append(reader.read(start, min(start + block, stretch.stop)))
