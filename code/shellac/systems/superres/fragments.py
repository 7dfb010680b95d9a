"""Fragments for super-resolution: one HDF5 file per split in the published layout, with an index.

``data`` holds the spline-interpolated low-rate patches, ``label`` the originals, both
(patches, dimension, 1) float32, contiguous and uncompressed, as in the published preparation.
Beside each file an index names every patch's source recording, its SHA-256, the offset, and the
filter before decimation.
"""

import math
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import h5py
import numpy as np

from shellac import chunking, paths
from shellac.chunking import Layout
from shellac.config import Settings
from shellac.datasets import corpora
from shellac.datasets.corpora import Recording
from shellac.datasets.mono import Stream, length_at, mono_at
from shellac.degradations.lowpass import CODEC_HOP
from shellac.errors import DataError, OutputError
from shellac.files import atomic_path, write_csv
from shellac.systems import building
from shellac.systems.building import Job, Rows
from shellac.systems.superres.preparation import degrade, patch_count, windows
from shellac.systems.superres.settings import ALIASED, SuperResolutionSettings
from shellac.transforms.decimation import EDGE

SPLITS = ("train", "validation")
DATASETS = ("data", "label")
_SHORT = {"train": "train", "validation": "val"}  # as the published file names have it
INDEX_COLUMNS = ("patch", "role", "file", "sha256", "offset", "low_pass", "edge")
SEGMENT, CONTEXT = 1 << 19, 1 << 14  # samples of long recordings that are filtered at a time
DRAWN_EDGES = (0.6, 0.95)  # of the low rate's Nyquist frequency


def file_name(settings: Settings, task: SuperResolutionSettings, split: str) -> str:
    """``<set>-<split>.<scale>.<sample rate>.<dimension>.<stride>.h5``, the published pattern."""
    numbers = (task.scale, task.sample_rate, task.dimension, task.stride)
    return f"{settings.profile}-{_SHORT[split]}.{'.'.join(map(str, numbers))}.h5"


def pair(
    recording: Recording, task: SuperResolutionSettings, family: str, edge: float = EDGE
) -> tuple[np.ndarray, np.ndarray]:
    """Return (low-rate version after the spline, original), both (T,) at the task's rate.

    The end is cut to a multiple of the scale. Filtering is done on the whole file, before any
    cutting into patches, as published. ``family`` and ``edge`` are the filter's; the family
    ``none`` drops samples without one. Raises :class:`DataError` for a recording of no length.
    """
    label = mono_at(recording, task.sample_rate)
    label = label[: len(label) // task.scale * task.scale]
    if len(label) < 4 * task.scale:
        raise DataError(f"{recording.path}: too short for super-resolution")
    filtered = family != ALIASED
    return degrade(label, task.scale, filtered, family=family, edge=edge), label


def drawn_low_pass(task: SuperResolutionSettings, seed: int, digest: str) -> tuple[str, float]:
    """Return (family, edge) of the filter that a recording with this SHA-256 is trained with.

    A single family keeps the published edge. Of several, one is drawn, and the edge uniformly
    from 0.6 to 0.95 of the low rate's Nyquist frequency: both follow from seed and content
    alone, whatever else there is in the corpus.
    """
    families = task.trained_low_pass
    if len(families) == 1:
        return families[0], EDGE
    rng = np.random.default_rng([seed, int(digest[:16], 16)])
    return families[rng.integers(len(families))], round(float(rng.uniform(*DRAWN_EDGES)), 4)


def training_pair(
    recording: Recording, task: SuperResolutionSettings, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """:func:`pair` under the filter that this recording is trained (or validated) with."""
    return pair(recording, task, *drawn_low_pass(task, seed, recording.sha256))


def training_blocks(
    recording: Recording, task: SuperResolutionSettings, seed: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield :func:`training_pair` in blocks, (n,) each, in the memory of half a minute of sound.

    A filter hears a second and more beyond a block: what it would hear of the rest is below the
    rounding of its output, but for the brick wall, whose response fades as slowly as 1 / t.
    """
    family, edge = drawn_low_pass(task, seed, recording.sha256)
    stream, place, held = Stream(recording, task.sample_rate), 0, (0, np.zeros(0, np.float32))

    def read(start: int, stop: int) -> np.ndarray:
        nonlocal held
        held = start, stream.read(start, stop)
        return held[1][np.newaxis]

    def lowered(block: np.ndarray, _: int) -> np.ndarray:
        return degrade(block, task.scale, family != ALIASED, family=family, edge=edge)

    align = math.lcm(task.scale, CODEC_HOP)  # frames of a codec lie where they would in one pass
    layout = Layout(SEGMENT // align * align, CONTEXT, align=align)
    for data in chunking.process(read, usable_length(recording, task), lowered, layout):
        start, label = held
        yield data[0], label[place - start : place - start + data.shape[1]]
        place += data.shape[1]
    stream.finish()


def usable_length(recording: Recording, task: SuperResolutionSettings) -> int:
    """Samples of a recording at the task's rate, cut to a multiple of the scale."""
    return length_at(recording, task.sample_rate) // task.scale * task.scale


def build(settings: Settings) -> None:
    """Build the fragments of every split; a killed build goes on where it was."""
    task: SuperResolutionSettings = settings.systems["superres"]
    found = {
        split: list(corpora.recordings(settings, task.roles, split, task.corpora))
        for split in SPLITS
    }
    named = {"sample_rate", "scale", "low_pass", "training_low_pass", "dimension", "stride"}
    decisive = {
        **task.model_dump(include=named),
        "names": [file_name(settings, task, split) for split in SPLITS],
        "seed": settings.seed,
        "sources": {split: [asdict(each) for each in found[split]] for split in SPLITS},
    }
    with building.resumed(paths.fragments(settings.profile, "superres"), **decisive) as folder:
        for split in SPLITS:
            planned = building.jobs(found[split], lambda each: _patches_of(each, task))
            target = folder / file_name(settings, task, split)
            _fill(target, planned, task, split, settings)


def _patches_of(recording: Recording, task: SuperResolutionSettings) -> int:
    return patch_count(usable_length(recording, task), task.dimension, task.stride)


def _fill(
    target: Path,
    planned: list[Job],
    task: SuperResolutionSettings,
    split: str,
    settings: Settings,
) -> None:
    """Write one split's patches, then their index."""
    total = sum(job.count for job in planned)
    if not total:
        raise DataError(
            f"super-resolution: no recording of the roles {', '.join(task.roles)} is long enough"
            f" for {split} (at least {task.dimension / task.sample_rate:.2f} s each); add more"
        )
    stored = _laid_out(target, (total, task.dimension, 1))

    def work(job: Job) -> list[float]:
        if job.count:
            blocks = training_blocks(job.recording, task, settings.seed)
            for number, both in windows(blocks, task.dimension, task.stride):
                for rows, pieces in zip(stored, both, strict=True):
                    rows.write(job.first + number, pieces)
        return []

    building.carry_out(planned, work, target.with_name(f".{split}"), settings.compute.threads)
    rows = _index_rows(planned, task, settings.seed)
    write_csv(target.with_suffix(".index.csv"), rows, INDEX_COLUMNS)


def _laid_out(path: Path, shape: tuple[int, int, int]) -> list[Rows]:
    """Make the HDF5 file with room for all patches, or find the one that is there.

    Return where the rows of ``data`` and of ``label`` lie.
    """
    if not path.exists():
        room = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        room.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
        room.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
        try:
            with atomic_path(path) as temporary, h5py.File(temporary, "w") as file:
                for name in DATASETS:
                    file.create_dataset(name, shape, "<f4", dcpl=room)
        except RuntimeError as error:  # h5py's for a full disk that shows on closing
            raise OutputError(f"cannot write {path}: {error}") from error
    with h5py.File(path) as file:
        return [Rows(path, file[name].id.get_offset(), shape[1]) for name in DATASETS]


def _index_rows(
    planned: list[Job], task: SuperResolutionSettings, seed: int
) -> Iterator[dict[str, object]]:
    for job in planned:
        source = (job.recording.role, job.recording.file, job.recording.sha256)
        filtered = drawn_low_pass(task, seed, job.recording.sha256)
        for number in range(job.count):
            row = (job.first + number, *source, number * task.stride, *filtered)
            yield dict(zip(INDEX_COLUMNS, row, strict=True))
