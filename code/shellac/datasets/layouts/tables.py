"""Layouts with a table that says what each recording is: MAESTRO, MusicNet, gramophone noise."""

import ast
from pathlib import Path

from shellac.datasets.index import Found
from shellac.datasets.layouts.request import Request
from shellac.errors import DataError

_SPLITS = ("train", "validation", "test")
_MAX_LIST = 200_000
# subsets of BEHM-GAN; its authors name the instruments, not the ensembles
MUSICNET_SUBSETS = {
    "piano": ("Solo Piano",),
    "strings": (
        "String Quartet", "String Sextet", "Viola Quintet", "Solo Cello", "Solo Violin",
    ),
}  # fmt: skip


def maestro(request: Request) -> list[Found]:
    """MAESTRO: the table names every performance's file, split and year; the label is the year.

    A composition is one group. A local copy may hold some years only: select them.
    """
    table = request.find("maestro-v3.0.0.csv")
    columns = ("canonical_composer", "canonical_title", "split", "year", "audio_filename")
    found = []
    for row in request.table(table, *columns):
        if not request.wants(row["year"]):
            continue
        found.append(
            Found(
                request.inside(table.parent / row["audio_filename"]),
                "piano",
                group=f"{row['canonical_composer']} | {row['canonical_title']}",
                split=_known_split(row["split"], table),
                label=row["year"],
            )
        )
    return found


def musicnet(request: Request) -> list[Found]:
    """MusicNet: test recordings as published; validation is drawn from train by composition.

    The label is the ensemble. Solo piano has the role piano, the others music. ``select`` may
    name ensembles or the subsets ``piano`` and ``strings``.
    """
    wanted = {name for each in request.select for name in MUSICNET_SUBSETS.get(each, (each,))}
    table = request.find("musicnet_metadata.csv")
    columns = ("id", "composer", "composition", "ensemble")
    about = {row["id"]: row for row in request.table(table, *columns)}
    found = []
    for part, split in (("train_data", ""), ("test_data", "test")):
        for path in sorted(request.find(part).glob("*.wav")):
            if path.stem not in about:
                raise DataError(f"{path}: {table.name} does not know this recording")
            row = about[path.stem]
            if wanted and row["ensemble"] not in wanted:
                continue
            role = "piano" if row["ensemble"] in MUSICNET_SUBSETS["piano"] else "music"
            group = f"{row['composer']} | {row['composition']}"
            found.append(Found(path, role, "classical", group, split, row["ensemble"]))
    return found


def gramophone_noise(request: Request) -> list[Found]:
    """Gramophone Record Noise Dataset: every segment of every recording, split by recording."""
    table = request.find("info.csv")
    found = []
    for row in request.table(table, "recording", "segments", "largest_segment", "split"):
        recording = row["recording"]
        if not request.wants(recording):
            continue
        for segment in _segments(row["segments"], table, recording):
            path = request.inside(table.parent / recording / segment)
            split = _known_split(row["split"], table)
            found.append(Found(path, "noise", "gramophone", recording, split, recording))
    return found


def _segments(text: str, table: Path, recording: str) -> list[str]:
    """Read the text of a Python list of names as a literal, never as code."""
    try:
        listed = ast.literal_eval(text) if len(text) <= _MAX_LIST else None
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        listed = None
    if not isinstance(listed, list) or not all(isinstance(name, str) for name in listed):
        raise DataError(f"{table}: segments of {recording!r} is no list of file names")
    return listed


def _known_split(split: str, table: Path) -> str:
    if split not in _SPLITS:
        raise DataError(f"{table}: the split {split!r} is none of {', '.join(_SPLITS)}")
    return split
