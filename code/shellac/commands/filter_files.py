"""The filter that a chain estimated of a recording: as a table and as a picture."""

from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from shellac.commands.inputs import Job
from shellac.files import write_csv

FILTER = "filter"  # the key of an estimate that holds one: ``hz`` and ``gain_db``, equally long
COLUMNS = ("frequency_hz", "gain_db")


def write(job: Job, estimates: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Write the last filter among the estimates as ``STEM.filter.csv`` and ``STEM.curve.pdf``.

    Returns the names by kind; none where nothing estimated a filter, no picture where what draws is
    not installed.
    """
    found = [each[FILTER] for each in estimates if FILTER in each]
    if not found:
        return {}
    hz, gain_db = found[-1]["hz"], found[-1]["gain_db"]
    table = job.output("filter", ".csv")
    rows = [dict(zip(COLUMNS, row, strict=True)) for row in zip(hz, gain_db, strict=True)]
    write_csv(table, rows, COLUMNS)
    names = {"filter": table.name}
    picture = job.output("curve", ".pdf")
    if _drawn(hz, gain_db, job.source.name, picture):
        names["curve"] = picture.name
    return names


def _drawn(hz: Sequence[float], gain_db: Sequence[float], title: str, path: Path) -> bool:
    try:
        pictures = import_module("shellac.report.pictures")
    except ImportError:  # the extra that brings it is not installed
        return False
    pictures.save(pictures.response(hz, gain_db, title), path)
    return True


def without(estimates: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the estimates without their filters, which have files of their own."""
    return [{key: value for key, value in each.items() if key != FILTER} for each in estimates]
