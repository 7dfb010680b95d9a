"""Fragments for inpainting: one .npy of whole segments per split, with an index.

``<split>_y.npy`` holds segments (S, N, F, 1) float32 of the chosen representation, unnormalised,
those of one recording adjacent and in order, as published. Gaps are drawn when segments are read,
from a seed keyed on recording and segment; with ``published_layout`` the damaged segments lie in
``<split>_X.npy`` beside them. ``normalisation.json`` has the published shift and scale. With
``gaps.filled_draws`` whole waveforms lie beside them too, see :mod:`.filled`.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from numpy.lib.format import open_memmap
from tqdm import tqdm

from shellac import audio, paths
from shellac.config import Settings
from shellac.datasets import corpora
from shellac.datasets.corpora import Recording
from shellac.errors import DataError
from shellac.files import atomic_folder, atomic_path, write_csv, write_json
from shellac.systems.inpainting import filled, masks, representation
from shellac.systems.inpainting.representation import Representation
from shellac.systems.inpainting.settings import InpaintingSettings
from shellac.training.checkpoints import key
from shellac.transforms.resampling import resample

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


def mono_at(recording: Recording, sample_rate: int) -> np.ndarray:
    """Read a recording, average its channels, convert its rate: (T,) float32."""
    waveform, rate = audio.read(recording.path)
    return resample(waveform.mean(axis=0), rate, sample_rate)


def segments(waveform: np.ndarray, form: Representation) -> torch.Tensor:
    """Return the whole segments (S, 1, N, F) of a waveform (T,); a rest at its end is dropped."""
    return form.blocks(form.values(form.encode(torch.from_numpy(waveform)[None])))


def draw_mask(
    task: InpaintingSettings, seed: int, digest: str, place: int, number: int = 0
) -> np.ndarray:
    """Draw which frames (N,) of a segment are lost; see :func:`.masks.generator`."""
    rng = masks.generator(seed, digest, place, number)
    return masks.draw(task.gaps, representation.get(task.representation), rng)


def build(settings: Settings) -> None:
    """Build the fragments of every split; shards of a killed build are taken up again."""
    task: InpaintingSettings = settings.systems["inpainting"]
    parameters = task.model_dump(include={"sample_rate", "representation"})
    shards = paths.scratch() / f"fragments-inpainting-{key(**parameters)}"
    shards.mkdir(parents=True, exist_ok=True)
    with atomic_folder(paths.fragments(settings.profile, "inpainting")) as folder:
        bounds = []
        for split in SPLITS:
            found = list(corpora.recordings(settings, task.roles, split))
            ready = list(_with_shards(found, task, shards, settings.compute.threads))
            bounds += _assemble(folder, split, ready, task, settings.seed)
            if task.gaps.filled_draws:
                filled.build(folder, split, found, mono_at, settings)
        low, high = min(bounds), max(bounds)
        shift = max(0.0, -low)
        write_json(folder / NORMALISATION, {"shift": shift, "scale": high + shift or 1.0})
    for shard in shards.iterdir():
        shard.unlink()
    shards.rmdir()


def _with_shards(
    found: list[Recording], task: InpaintingSettings, folder: Path, threads: int
) -> Iterator[tuple[Recording, Path]]:
    """Transform every recording into an array on disk; threads, since the work is in C."""
    form = representation.get(task.representation)

    def prepare(recording: Recording) -> Path:
        path = folder / f"{recording.sha256}.npy"
        if not path.exists():
            with atomic_path(path) as temporary:
                waveform = mono_at(recording, task.sample_rate)
                np.save(temporary, segments(waveform, form)[:, 0].numpy())
        return path

    with ThreadPoolExecutor(threads) as pool:
        ready = pool.map(prepare, found)
        bar = tqdm(zip(found, ready, strict=True), total=len(found), desc="fragments", disable=None)
        yield from bar


def _assemble(
    folder: Path,
    split: str,
    shards: list[tuple[Recording, Path]],
    task: InpaintingSettings,
    seed: int,
) -> tuple[float, float]:
    """Write one split's arrays and index; return the bounds of its cells."""
    form = representation.get(task.representation)
    cut = [np.load(path, mmap_mode="r") for _, path in shards]
    total = sum(map(len, cut))
    if not total:
        raise DataError(
            f"inpainting: no recording of the roles {', '.join(task.roles)} is long enough for"
            f" {split} (at least {form.samples(form.block_frames) / task.sample_rate:.2f} s each);"
            " add more"
        )
    shape = (total, form.block_frames, form.bins, 1)
    kept = open_memmap(target_path(folder, split), "w+", np.float32, shape)
    hurt = (
        open_memmap(damaged_path(folder, split), "w+", np.float32, shape)
        if task.published_layout
        else None
    )
    rows, low, high = [], 0.0, 0.0
    for (recording, _), part in zip(shards, cut, strict=True):
        first = len(rows)
        kept[first : first + len(part), ..., 0] = part
        if len(part):
            low, high = min(low, float(part.min())), max(high, float(part.max()))
        source = (recording.role, recording.genre, recording.file, recording.sha256)
        for place in range(len(part)):
            if hurt is not None:
                lost = draw_mask(task, seed, recording.sha256, place)
                hurt[first + place, ..., 0] = part[place] * ~lost[:, None]
            row = (first + place, *source, place, place * form.block_frames * form.hop)
            rows.append(dict(zip(INDEX_COLUMNS, row, strict=True)))
    kept.flush()
    write_csv(index_path(folder, split), rows, INDEX_COLUMNS)
    return low, high
