"""Fragments for inpainting: one .npy of whole segments per split, with an index.

``<split>_y.npy`` holds segments (S, N, F, 1) float32 of the chosen representation, unnormalised,
those of one recording adjacent and in order, as published. Gaps are drawn when segments are read,
from a seed keyed on recording and segment; with ``published_layout`` the damaged segments lie in
``<split>_X.npy`` beside them. ``normalisation.json`` has the published shift and scale. With
``gaps.filled_draws`` whole waveforms lie beside them too, see :mod:`.filled`.
"""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch

from shellac import paths
from shellac.config import Settings
from shellac.datasets import corpora
from shellac.datasets.corpora import Recording
from shellac.datasets.mono import length_at, mono_at
from shellac.degradations import draws
from shellac.errors import DataError
from shellac.files import write_csv, write_json
from shellac.systems import building
from shellac.systems.building import Job
from shellac.systems.inpainting import filled, masks, representation
from shellac.systems.inpainting.representation import Representation
from shellac.systems.inpainting.settings import InpaintingSettings

SPLITS = ("train", "validation")
INDEX_COLUMNS = ("segment", "role", "genre", "file", "sha256", "place", "offset")
NORMALISATION = "normalisation.json"


def target_path(folder: Path, split: str) -> Path:
    """Where the whole segments of a split lie."""
    return folder / f"{split}_y.npy"


def damaged_path(folder: Path, split: str) -> Path:
    """Where the damaged segments of a split lie, if the published layout was asked for."""
    return folder / f"{split}_X.npy"


def index_path(folder: Path, split: str) -> Path:
    """Where the sources of a split's segments are listed."""
    return folder / f"{split}.index.csv"


def segments(waveform: np.ndarray, form: Representation) -> torch.Tensor:
    """Return the whole segments (S, 1, N, F) of a waveform (T,); a rest at its end is dropped."""
    return form.blocks(form.values(form.encode(torch.from_numpy(waveform)[None])))


def draw_mask(
    task: InpaintingSettings, seed: int, digest: str, place: int, number: int = 0
) -> np.ndarray:
    """Draw which frames (N,) of a segment are lost; see :func:`.draws.generator`."""
    rng = draws.generator(seed, digest, place, number)
    return masks.draw(task.gaps, representation.get(task.representation), rng)


def build(settings: Settings) -> None:
    """Build the fragments of every split; a killed build goes on where it was."""
    task: InpaintingSettings = settings.systems["inpainting"]
    form = representation.get(task.representation)
    found = {
        split: list(corpora.recordings(settings, task.roles, split, task.corpora))
        for split in SPLITS
    }
    stored = task.published_layout or task.gaps.filled_draws
    named = {"sample_rate", "representation", "published_layout"}
    decisive = {
        **task.model_dump(include=named),
        "gaps": task.gaps.model_dump() if stored else None,
        "seed": settings.seed,
        "sources": {split: [asdict(each) for each in found[split]] for split in SPLITS},
    }
    with building.resumed(paths.fragments(settings.profile, "inpainting"), **decisive) as folder:
        bounds = []
        for split in SPLITS:
            planned = building.jobs(found[split], lambda each: _segments_of(each, task, form))
            bounds += _fill(folder, split, planned, task, settings)
            if task.gaps.filled_draws:
                filled.build(folder, split, found[split], settings)
        low, high = min(edges[0] for edges in bounds), max(edges[1] for edges in bounds)
        shift = max(0.0, -low)
        write_json(folder / NORMALISATION, {"shift": shift, "scale": high + shift or 1.0})


def _segments_of(recording: Recording, task: InpaintingSettings, form: Representation) -> int:
    return form.frames(length_at(recording, task.sample_rate)) // form.block_frames


def _fill(
    folder: Path, split: str, planned: list[Job], task: InpaintingSettings, settings: Settings
) -> list[list[float]]:
    """Write one split's arrays, then their index; return the bounds of every recording's cells."""
    form = representation.get(task.representation)
    total = sum(job.count for job in planned)
    if not total:
        raise DataError(
            f"inpainting: no recording of the roles {', '.join(task.roles)} is long enough for"
            f" {split} (at least {form.samples(form.block_frames) / task.sample_rate:.2f} s each);"
            " add more"
        )
    shape = (total, form.block_frames, form.bins, 1)
    kept = building.npy_rows(target_path(folder, split), shape)
    hurt = building.npy_rows(damaged_path(folder, split), shape) if task.published_layout else None

    def work(job: Job) -> list[float]:
        if not job.count:
            return [0.0, 0.0]
        part = segments(mono_at(job.recording, task.sample_rate), form)[:, 0].numpy()
        building.check(job, len(part))
        kept.write(job.first, [part])
        bounds = [min(0.0, float(part.min())), max(0.0, float(part.max()))]
        if hurt is not None:
            for place, segment in enumerate(part):
                segment[draw_mask(task, settings.seed, job.recording.sha256, place)] = 0.0
            hurt.write(job.first, [part])
        return bounds

    bounds = building.carry_out(planned, work, folder / f".{split}", settings.compute.threads)
    write_csv(index_path(folder, split), _index_rows(planned, form), INDEX_COLUMNS)
    return bounds


def _index_rows(planned: list[Job], form: Representation) -> Iterator[dict[str, object]]:
    for job in planned:
        found = job.recording
        source = (found.role, found.genre, found.file, found.sha256)
        for place in range(job.count):
            row = (job.first + place, *source, place, place * form.block_frames * form.hop)
            yield dict(zip(INDEX_COLUMNS, row, strict=True))
