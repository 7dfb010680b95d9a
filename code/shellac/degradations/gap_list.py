"""Lists of gaps in files: where a recording is to be repaired."""

import csv
import json
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from shellac.degradations.gaps import Interval
from shellac.errors import UsageError

LONGEST_SECONDS = 2.0  # of what can be filled with anything like the music around it
_MAX_BYTES = 50_000_000
_HEADERS = {"start", "start_s", "start_seconds"}


def read_gaps(path: Path, sample_rate: int, samples: int) -> list[Interval]:
    """Read the gaps of a recording; return them as (start, stop) in samples, in order, merged.

    A ``.json`` file holds a list of [start, end] or {"start": ..., "end": ...} in seconds, by
    itself or under ``gaps``, or is what ``shellac degrade --recipe gaps`` wrote. Any other file is
    CSV: two columns, start and end in seconds, after a header or none; lines that begin with #
    are passed over.

    Raises :class:`UsageError`, naming the line or the entry, for anything that is not a gap inside
    the recording of at most 2 s.
    """
    path = Path(path)
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise UsageError(f"{path}: too large for a list of gaps")
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        cause = getattr(error, "strerror", None) or "is no text"
        raise UsageError(f"{path}: {cause}") from error
    rows = _from_json(path, text, sample_rate) if path.suffix == ".json" else _from_csv(path, text)
    gaps = [_checked(place, start, end, sample_rate, samples) for place, start, end in rows]
    if not gaps:
        raise UsageError(f"{path}: lists no gap")
    return merged(gaps)


def merged(gaps: Iterable[Interval]) -> list[Interval]:
    """Return gaps in order; those that touch or overlap become one."""
    found: list[Interval] = []
    for start, stop in sorted(gaps):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(stop, found[-1][1]))
        else:
            found.append((start, stop))
    return found


Row = tuple[str, Any, Any]  # where it stands, start and end in seconds as they were read


def _from_csv(path: Path, text: str) -> list[Row]:
    rows: list[Row] = []
    reader = csv.reader(text.splitlines())
    try:
        for cells in reader:
            if not any(cell.strip() for cell in cells) or cells[0].lstrip().startswith("#"):
                continue
            if not rows and cells[0].strip().lower() in _HEADERS:
                continue
            place = f"{path}:{reader.line_num}"
            if len(cells) < 2:
                raise UsageError(f"{place}: expected start and end in seconds, as 1.25,1.31")
            rows.append((place, cells[0], cells[1]))
    except csv.Error as error:
        raise UsageError(f"{path}:{reader.line_num}: not CSV ({error})") from error
    return rows


def _from_json(path: Path, text: str, sample_rate: int) -> list[Row]:
    try:
        told = json.loads(text)
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", 1)
        raise UsageError(f"{path}:{line}: not JSON") from error
    divisor = 1
    if isinstance(told, dict) and told.get("recipe") == "gaps" and "applied" in told:
        told, divisor = told["applied"], sample_rate
    entries = told.get("gaps") if isinstance(told, dict) else told
    if not isinstance(entries, list):
        raise UsageError(f"{path}: expected a list of [start, end] in seconds")
    return [_entry(f"{path}: gap {n}", each, divisor) for n, each in enumerate(entries, start=1)]


def _entry(place: str, entry: Any, divisor: int) -> Row:
    pair: Sequence[Any] = entry if isinstance(entry, list) else ()
    if isinstance(entry, dict) and {"start", "end"} <= set(entry):
        pair = (entry["start"], entry["end"])
    if len(pair) != 2 or not all(type(value) in (int, float) for value in pair):
        raise UsageError(f"{place}: expected [start, end] in seconds, not {entry!r:.60}")
    try:
        return place, pair[0] / divisor, pair[1] / divisor
    except OverflowError as error:
        raise UsageError(f"{place}: no time is that long") from error


def _checked(place: str, start: Any, end: Any, sample_rate: int, samples: int) -> Interval:
    try:
        first, last = float(start), float(end)
    except (ValueError, OverflowError) as error:
        raise UsageError(f"{place}: {start!r:.40}, {end!r:.40} are no two numbers") from error
    if not (math.isfinite(first) and math.isfinite(last) and 0 <= first < last):
        raise UsageError(f"{place}: a gap from {first:g} to {last:g} s does not begin before it"
                         " ends")  # fmt: skip
    if last > samples / sample_rate + 0.5 / sample_rate:
        raise UsageError(
            f"{place}: ends at {last:g} s, but the recording lasts {samples / sample_rate:g} s"
        )
    if last - first > LONGEST_SECONDS:
        raise UsageError(
            f"{place}: lasts {last - first:g} s, but gaps of {LONGEST_SECONDS:g} s at most can be"
            " filled"
        )
    begin = min(round(first * sample_rate), samples - 1)
    return begin, min(samples, max(begin + 1, round(last * sample_rate)))
