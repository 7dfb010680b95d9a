"""From what a user names to a list of jobs: folders walked, output names made and checked."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shellac import audio
from shellac.audio import Facts
from shellac.errors import AudioError, OutputError, UsageError

KINDS = ("restored", "residual", "input", "degraded")
_LONGEST_NAME = 255  # bytes, on every file system in use


@dataclass(frozen=True)
class Job:
    """One recording and the folder its results go to, under ``OUT``."""

    source: Path
    folder: Path

    def output(self, kind: str, suffix: str) -> Path:
        """``FOLDER/STEM.KIND.SUFFIX``."""
        return self.folder / f"{self.source.stem}.{kind}{suffix}"

    @property
    def description(self) -> Path:
        """``FOLDER/STEM.json``, written last: its presence says that the job is done."""
        return self.folder / f"{self.source.stem}.json"

    def outputs(self) -> list[Path]:
        """Every name that a result of this job may have."""
        suffixes = {self.source.suffix, ".wav", ".flac"}
        sounds = [self.output(kind, suffix) for kind in KINDS for suffix in sorted(suffixes)]
        return [*sounds, self.output("pictures", ".pdf"), self.description]


def collect(
    inputs: Sequence[Path], out: Path, needed: Sequence[Path] = ()
) -> tuple[list[Job], int]:
    """Return the jobs, and how many files of the folders were no audio.

    The tree below a folder is re-created under ``out``; links to folders are not followed, and
    results of an earlier run in ``out`` are no inputs. Raises :class:`UsageError` where two
    inputs would have the same output name, or an output would replace an input, a file ``needed``
    besides or a JSON file that is none of ours; :class:`OutputError` where ``out`` is a file.
    """
    if os.path.exists(out) and not os.path.isdir(out):  # noqa: PTH110, PTH112 - never raise
        raise OutputError(f"{out}: is a file, not a folder for results")
    jobs, skipped = [], 0
    for source in inputs:
        if os.path.isdir(source):  # noqa: PTH112
            found, others = _walk(source, out)
            skipped += others
            if not found:
                raise AudioError(f"{source}: no recording in this folder")
            jobs += found
        else:
            jobs.append(Job(source, out))
    _check_names(jobs, needed)
    return jobs, skipped


def _check_names(jobs: Sequence[Job], needed: Sequence[Path] = ()) -> None:
    taken: dict[str, Path] = {}
    sources = {_folded(path) for path in (*(job.source for job in jobs), *needed)}
    for job in jobs:
        name = _folded(job.description)
        if name in taken:
            raise UsageError(
                f"{taken[name]} and {job.source} would both be written as"
                f" {job.description.with_suffix('')}.*: rename one or restore them apart"
            )
        taken[name] = job.source
        for output in job.outputs():
            if _folded(output) in sources:
                raise UsageError(
                    f"a result of {job.source} would replace {output}, which is an input itself:"
                    " choose another folder for the results"
                )
        if job.description.is_file() and _told(job.description) is None:
            raise UsageError(
                f"the description of {job.source} would replace {job.description}, which is no"
                " description of ours: choose another folder for the results"
            )


def _told(path: Path) -> dict[str, Any] | None:
    """Return a description that an earlier run wrote; None for anything else."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return told if isinstance(told, dict) and "shellac" in told else None


def _folded(path: Path) -> str:
    return os.path.realpath(path).casefold()  # some file systems ignore case


def described(facts: Facts, content: str) -> dict[str, Any]:
    """Return what a result's JSON says of its input; ``content`` is the file's SHA-256."""
    return {
        "file": facts.path.name,
        "sha256": content,
        "sample_rate": facts.sample_rate,
        "channels": facts.channels,
        "samples": facts.samples,
        "container": facts.container,
        "subtype": facts.subtype,
    }


def check_length(job: Job, suffix: str) -> None:
    """Raise :class:`OutputError` where a result's name would be too long for a file system."""
    longest = max((job.output(kind, suffix).name for kind in KINDS), key=len)
    if len(os.fsencode(longest)) > _LONGEST_NAME:
        raise OutputError(f"{job.source}: its name is too long to add to it; shorten it")


def _walk(folder: Path, out: Path) -> tuple[list[Job], int]:
    found, others, own = [], 0, out.resolve()
    in_place = folder.resolve() == own
    for place, folders, names in os.walk(folder, onerror=_unreadable):
        here = Path(place)
        folders[:] = sorted(name for name in folders if (here / name).resolve() != own)
        results = _results_in(here) if in_place else set()
        for name in sorted(set(names) - results):
            if Path(name).suffix.lower() in audio.SUFFIXES and not name.startswith("."):
                found.append(Job(here / name, out / here.relative_to(folder)))
            else:
                others += 1
    return found, others


def _unreadable(error: OSError) -> None:
    raise AudioError(f"{error.filename}: {error.strerror}") from error


def _results_in(folder: Path) -> set[str]:
    """Names that descriptions of earlier runs in this folder list as their outputs."""
    names: set[str] = set()
    for path in folder.glob("*.json"):
        outputs = (_told(path) or {}).get("outputs")
        if isinstance(outputs, dict):
            names |= {name for name in outputs.values() if isinstance(name, str)}
    return names
