"""Layouts whose folders and names say what each recording is."""

import json
import re
from pathlib import Path

import numpy as np

from shellac import audio
from shellac.datasets.index import BOTH, Found
from shellac.datasets.layouts.request import Request, recordings_below
from shellac.errors import DataError

# the published lists (olvrhhn/audio_super_resolution), as rules
_P225_VALIDATION = {355, 356, 357, 358, 359, 363, 365, 366}
_VCTK_VALIDATION = {"p347", "p351", "p360", "p361", "p362", "p363", "p364", "p374", "p376"}
_GTZAN_VALIDATION = {
    3, 9, 11, 17, 26, 34, 38, 43, 48, 55, 56, 61, 64, 67, 72, 83, 84, 85, 96, 98,
}  # fmt: skip
_UTTERANCE = re.compile(r"^(?P<speaker>[ps]\d+)_(?P<number>\d+)(_mic1)?\.(wav|flac)$")
_CLIP = re.compile(r"^(?P<genre>[a-z]+)\.(?P<number>\d{5})\.(au|wav)$")
_ARRAY_RATE = 16000
ITEM_NOTE = "item.json"  # what the Internet Archive says of an item


def vctk(request: Request) -> list[Found]:
    """VCTK 0.92 (first microphone) or 0.80; the label is the speaker.

    p225 alone is split by utterance and several speakers by speaker, as published; another
    speaker alone is split by a draw.
    """
    found = []
    for path in sorted(request.find("wav48_silence_trimmed", "wav48").glob("*/*")):
        told = _UTTERANCE.match(path.name)
        if not told or not request.wants(told["speaker"]):
            continue
        speaker, number = told["speaker"], int(told["number"])
        if request.select == ("p225",):
            group, split = path.stem, BOTH if number in _P225_VALIDATION else "train"
        elif len(request.select) == 1:
            group, split = path.stem, ""
        else:
            group, split = speaker, BOTH if speaker in _VCTK_VALIDATION else "train"
        found.append(Found(path, "speech", group=group, split=split, label=speaker))
    return found


def gtzan(request: Request) -> list[Found]:
    """GTZAN as .au or .wav; the label is the genre. The list for blues is applied to all."""
    found = []
    for path in sorted(request.find("genres", "genres_original").glob("*/*")):
        told = _CLIP.match(path.name)
        if told and request.wants(told["genre"]):
            split = BOTH if int(told["number"]) in _GTZAN_VALIDATION else "train"
            genre = told["genre"]
            found.append(Found(path, "music", genre, path.stem, split, genre))
    return found


def vocalset(request: Request) -> list[Found]:
    """VocalSet: the label is the singer.

    Several singers are split by singer: as published where the lists of singers are there, else
    by a draw. One singer alone is split by file.
    """
    full = request.find("FULL")
    test = _singers(full.parent, "test_singers_technique.txt") or _singers(
        full, "test_singers_technique.txt"
    )
    found = []
    for path in recordings_below(full):
        singer = path.relative_to(full).parts[0]
        if not request.wants(singer):
            continue
        alone = len(request.select) == 1
        split = "test" if singer in test and not alone else ""
        group = path.stem if alone else singer
        found.append(Found(path, "music", "singing", group, split, singer))
    return found


def _singers(folder: Path, name: str) -> set[str]:
    path = folder / name
    return set(path.read_text(encoding="utf-8").split()) if path.is_file() else set()


def singing(request: Request) -> list[Found]:
    """Any folder of singing: the first sub-folder is the label, the holding folder a song."""
    found = []
    for path in recordings_below(request.root):
        inside = path.relative_to(request.root).parts
        label = inside[0] if len(inside) > 1 else ""
        if request.wants(label):
            group = path.parent.as_posix() if label else ""
            found.append(Found(path, "music", "singing", group, label=label))
    return found


def beethoven(request: Request) -> list[Found]:
    """The sonatas: one folder an item, which is one group, so that no sonata spans two splits.

    Beside its recordings an item may hold ``item.json``, what the Internet Archive says of it.
    """
    found = []
    for path in recordings_below(request.root):
        sonata = path.relative_to(request.root).parts[0]
        if request.wants(sonata):
            licence = _item_licence(request.root / sonata / ITEM_NOTE)
            found.append(Found(path, "piano", "", sonata, "", sonata, licence))
    return found


def _item_licence(note: Path) -> str:
    try:
        return str(json.loads(note.read_text(encoding="utf-8"))["metadata"]["licenseurl"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def beethoven_arrays(request: Request) -> list[Found]:
    """The published arrays (rows, samples) at 16 kHz: every row becomes a recording."""
    found = []
    for name, split in (("train", "train"), ("valid", "validation"), ("test", "test")):
        path = request.find(f"music_{name}.npy")
        try:
            rows = np.load(path, mmap_mode="r", allow_pickle=False)
        except (ValueError, OSError, EOFError) as error:
            raise DataError(
                f"{path}: no readable array ({' '.join(str(error).split())})"
            ) from error
        if rows.ndim != 2 or rows.dtype.kind != "f" or not rows.size:
            raise DataError(f"{path}: is {rows.dtype} {rows.shape}, not rows of samples")
        for number, row in enumerate(rows):
            if not np.abs(row).max() <= 1.0:  # also true for NaN
                raise DataError(f"{path}: row {number} goes beyond full scale")
            made = request.target / split / f"{number:05d}.flac"  # float WAV would hold the time
            audio.write(made, row.astype(np.float32), _ARRAY_RATE, subtype="PCM_24")
            found.append(Found(made, "piano", "", f"{split} {number}", split))
    return found
