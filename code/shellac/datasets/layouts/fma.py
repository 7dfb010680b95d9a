"""The Free Music Archive's data set: clips by number, and a table with two rows of headings."""

import csv
import hashlib
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from shellac.datasets.index import Found
from shellac.datasets.layouts.request import MAX_FIELD, Request
from shellac.errors import DataError

_SPLITS = {"training": "train", "validation": "validation", "test": "test"}
_COLUMNS = {
    "split": ("set", "split"),
    "subset": ("set", "subset"),
    "genre": ("track", "genre_top"),
    "licence": ("track", "license"),
    "artist": ("artist", "id"),
}
# of TeleMidia/audio_reconstruction: clips of FMA small by genre, and test clips by genre
TRAIN_SHARE = 0.8
TEST_COUNTS = {
    "Electronic": 637, "Experimental": 624, "Rock": 608, "Hip-Hop": 585, "Folk": 518,
    "Instrumental": 349, "Pop": 186, "International": 18, "Classical": 619,
    "Old-Time / Historic": 510, "Jazz": 384, "Country": 178, "Soul-RnB": 154, "Spoken": 118,
    "Blues": 74, "Easy Listening": 21,
}  # fmt: skip


@dataclass(frozen=True)
class _Track:
    """A row of the table."""

    number: str
    split: str
    subset: str
    genre: str
    licence: str
    artist: str


def published(request: Request) -> list[Found]:
    """The clips of ``fma_small`` or ``fma_medium`` with their published split, genre, licence."""
    folder = request.find(request.name.replace("-", "_"))
    found = []
    for track in _tracks(request):
        path = _clip(folder, track)
        if path.is_file() and request.wants(track.genre):
            group = f"artist {track.artist}"
            split = _SPLITS[track.split]
            found.append(
                Found(path, "music", track.genre, group, split, track.genre, track.licence)
            )
    return found


def inpainting(request: Request) -> list[Found]:
    """The selection for inpainting: counts by genre as published, tracks by a draw from the seed.

    Of every genre of FMA small four fifths train and a fifth validates; of every genre of the
    rest of FMA medium as many as published are tested on, or all that there are.
    """
    folder = request.find("fma_medium")
    small, rest = defaultdict(list), defaultdict(list)
    for track in _tracks(request):
        if _clip(folder, track).is_file() and request.wants(track.genre):
            (small if track.subset == "small" else rest)[track.genre].append(track)
    chosen = []
    for genre in sorted(small):
        drawn = _shuffled(small[genre], request.seed)
        train = round(TRAIN_SHARE * len(drawn))
        chosen += [(track, "train") for track in drawn[:train]]
        chosen += [(track, "validation") for track in drawn[train:]]
    for genre in sorted(rest):
        drawn = _shuffled(rest[genre], request.seed)
        chosen += [(track, "test") for track in drawn[: TEST_COUNTS.get(genre, 0)]]
    chosen.sort(key=lambda pair: pair[0].number)
    return [
        Found(
            _clip(folder, track), "music", track.genre, f"artist {track.artist}", split,
            track.genre, track.licence,
        )
        for track, split in chosen
    ]  # fmt: skip


def _shuffled(tracks: list[_Track], seed: int) -> list[_Track]:
    """Order tracks by a hash of seed and number, which no other track changes."""
    return sorted(
        tracks, key=lambda track: hashlib.sha256(f"{seed}\n{track.number}".encode()).digest()
    )


def _clip(folder: Path, track: _Track) -> Path:
    return folder / track.number[:3] / f"{track.number}.mp3"


def _tracks(request: Request) -> list[_Track]:
    """Read ``tracks.csv``: two rows of headings, one that names the index, then the tracks."""
    path = request.find("tracks.csv")
    tracks = []
    csv.field_size_limit(MAX_FIELD)
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = csv.reader(file)
            headings = list(zip(next(rows), next(rows), strict=True))
            place = {name: headings.index(pair) for name, pair in _COLUMNS.items()}
            for row in rows:
                if row and row[0].isdecimal() and row[place["split"]] in _SPLITS:
                    told = {name: row[column] for name, column in place.items()}
                    tracks.append(_Track(number=f"{int(row[0]):06d}", **told))
    except (ValueError, StopIteration, IndexError, csv.Error) as error:
        raise DataError(f"{path}: is not FMA's table of tracks ({error})") from error
    return tracks
