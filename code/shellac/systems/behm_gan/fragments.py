"""Fragments for bandwidth extension: one .npy of clean segments per split, with an index.

``<split>.npy`` holds segments (S, T) float32 at the task's rate, those of one recording adjacent
and in order. Low-pass, level and noise are drawn when segments are read.
"""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from shellac import paths
from shellac.config import Settings
from shellac.datasets import corpora
from shellac.datasets.corpora import Recording
from shellac.datasets.mono import mono_at
from shellac.errors import DataError
from shellac.files import write_csv
from shellac.systems import building
from shellac.systems.behm_gan.settings import BehmGanSettings
from shellac.systems.building import Job
from shellac.transforms.resampling import converted_length

SPLITS = ("train", "validation")
INDEX_COLUMNS = ("segment", "role", "genre", "label", "file", "sha256", "offset")


def segments_path(folder: Path, split: str) -> Path:
    """Where the segments of a split lie."""
    return folder / f"{split}.npy"


def index_path(folder: Path, split: str) -> Path:
    """Where the sources of a split's segments are listed."""
    return folder / f"{split}.index.csv"


def build(settings: Settings) -> None:
    """Build the fragments of every split; a killed build goes on where it was."""
    task: BehmGanSettings = settings.systems["behm_gan"]
    found = {
        split: list(corpora.recordings(settings, task.roles, split, task.corpora))
        for split in SPLITS
    }
    decisive = {
        "sample_rate": task.sample_rate,
        "segment": task.segment,
        "sources": {split: [asdict(each) for each in found[split]] for split in SPLITS},
    }
    with building.resumed(paths.fragments(settings.profile, "behm_gan"), **decisive) as folder:
        for split in SPLITS:
            planned = building.jobs(found[split], lambda each: _segments_of(each, task))
            _fill(folder, planned, task, split, settings.compute.threads)


def _segments_of(recording: Recording, task: BehmGanSettings) -> int:
    samples = converted_length(recording.samples, recording.sample_rate, task.sample_rate)
    return samples // task.segment


def _fill(
    folder: Path, planned: list[Job], task: BehmGanSettings, split: str, threads: int
) -> None:
    """Write one split's segments, then their index."""
    total = sum(job.count for job in planned)
    if not total:
        raise DataError(
            f"behm_gan: no recording of the roles {', '.join(task.roles)} is long enough for"
            f" {split} (at least {task.segment_seconds:g} s each); add more"
        )
    rows = building.npy_rows(segments_path(folder, split), (total, task.segment))

    def work(job: Job) -> list[float]:
        if job.count:
            whole = mono_at(job.recording, task.sample_rate)
            building.check(job, len(whole) // task.segment)
            rows.write(job.first, [whole[: job.count * task.segment]])
        return []

    building.carry_out(planned, work, folder / f".{split}", threads)
    write_csv(index_path(folder, split), _index_rows(planned, task), INDEX_COLUMNS)


def _index_rows(planned: list[Job], task: BehmGanSettings) -> Iterator[dict[str, object]]:
    for job in planned:
        found = job.recording
        source = (found.role, found.genre, found.label, found.file, found.sha256)
        for number in range(job.count):
            row = (job.first + number, *source, number * task.segment)
            yield dict(zip(INDEX_COLUMNS, row, strict=True))
