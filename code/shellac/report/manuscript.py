"""Typesetting the manuscript: one call to Typst, offline, the same bytes from the same results."""

import datetime
import subprocess
from dataclasses import dataclass
from pathlib import Path

import typst

from shellac import paths
from shellac.errors import DataError, OutputError
from shellac.files import atomic_path

SOURCE = "main.typ"


@dataclass(frozen=True)
class Stamp:
    """What the first page says of the moment of building; never part of a hashed output."""

    commit: str
    date: str


def stamp() -> Stamp:
    """Return commit and date of today; outside a git repository the commit says so."""

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(paths.root()), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    try:
        top = Path(git("rev-parse", "--show-toplevel")).resolve()
        commit = git("rev-parse", "--short=12", "HEAD")
        changed = git("status", "--porcelain")
    except (OSError, subprocess.CalledProcessError):
        top, commit, changed = None, "", ""
    if top != paths.root().resolve():
        commit, changed = "none (no git repository)", ""
    if changed:
        commit += " with uncommitted changes"
    return Stamp(commit, datetime.date.today().isoformat())


def build(profile: str, output: Path, stamp: Stamp | None = None, source: str = SOURCE) -> Path:
    """Typeset ``manuscript/main.typ``, or a ``source`` beside it, from the results of a profile.

    Parameters
    ----------
    profile : str
        Whose ``results/<profile>`` is read.
    output : Path
        PDF to write. It is written whole or not at all.
    stamp : Stamp, optional
        Printed on the first page. Without it the same results give the same bytes.

    Raises
    ------
    DataError
        If a result is missing or malformed, or the source has a fault; in one line.
    OutputError
        If the PDF cannot be written.
    """
    place = paths.manuscript() / source
    if not place.is_file():
        raise DataError(f"{place}: no such file")
    inputs = {"profile": profile}
    if stamp is not None:
        inputs |= {"commit": stamp.commit, "date": stamp.date}
    try:
        pdf = typst.compile(
            str(place), root=str(paths.root()), ignore_system_fonts=True, sys_inputs=inputs
        )
    except typst.TypstError as error:
        raise DataError(f"manuscript: {_in_one_line(error)}") from error
    if not isinstance(pdf, bytes):
        raise OutputError("manuscript: Typst gave no PDF")
    with atomic_path(Path(output)) as temporary:
        temporary.write_bytes(pdf)
    return Path(output)


def _in_one_line(error: typst.TypstError) -> str:
    told = [str(error), *error.trace, *(f"hint: {hint}" for hint in error.hints)]
    missing = "; run make all" if "file not found" in told[0] else ""
    return " ".join(" ".join(told).split()) + missing
