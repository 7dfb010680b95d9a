"""What is compared in a listening test: trials of equally long versions, from the results.

A trial with a clean reference comes from what a stage ``*-stimuli`` left; one without from the
historical recordings that the systems restored.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from shellac import audio, paths
from shellac.config import Settings
from shellac.datasets import corpora
from shellac.datasets.index import Recording
from shellac.errors import DataError, UsageError
from shellac.files import read_csv, sha256
from shellac.listening.stimuli import MANIFEST, excerpt_start

MUSHRA = "BS.1534-3"  # reference and anchors
NO_REFERENCE = "BS.2132"  # multiple stimuli, none of which is known to be right
HISTORICAL = "historical"
REFERENCE = "reference"
UNTREATED = "untreated"
# after BS.1534-3: at most twelve signals, hidden reference and anchors included
MAX_SYSTEMS = 9


@dataclass(frozen=True)
class Trial:
    """One excerpt in all versions.

    ``versions``: condition to (C, T) float32 at ``sample_rate``, the same T for all, with
    :data:`REFERENCE` (method :data:`MUSHRA`) or :data:`UNTREATED` (:data:`NO_REFERENCE`) among
    them. ``group`` is the system, or :data:`HISTORICAL`. ``left_out``: conditions that did not
    fit on a page. ``sources``: the SHA-256 of each version's file.
    """

    method: str
    group: str
    track: str
    role: str
    start_seconds: float
    sample_rate: int
    versions: dict[str, np.ndarray]
    sources: dict[str, str]
    left_out: tuple[str, ...]


@dataclass(frozen=True)
class Choice:
    """Which conditions and which seconds are heard.

    ``conditions``: names; none: all that fit, else :data:`MAX_SYSTEMS` of them by a draw.
    ``seconds`` of historical recordings; ``starts``: where, by recording; others by a draw among
    the louder half.
    """

    seed: int
    conditions: tuple[str, ...] = ()
    seconds: float = 10.0
    starts: dict[str, float] | None = None


def read_starts(path: Path) -> dict[str, float]:
    """Read a list of excerpts, CSV with the columns recording and start_seconds.

    Raises :class:`UsageError` for anything else.
    """
    try:
        starts = {row["recording"]: float(row["start_seconds"]) for row in read_csv(path)}
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror})") from error
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(
            f"{path}: a list of excerpts is a CSV with the columns recording, start_seconds"
        ) from error
    if not starts:
        raise UsageError(f"{path}: lists no excerpt (columns recording, start_seconds)")
    if wrong := [name for name, start in starts.items() if not 0 <= start < np.inf]:
        raise UsageError(f"{path}: {wrong[0]} has no start of 0 s or more")
    return starts


def available(settings: Settings) -> list[str]:
    """Return the groups that the results of this profile hold trials of."""
    folder = paths.results(settings.profile, "stimuli")
    found = [name for name in settings.systems if (folder / name / MANIFEST).is_file()]
    return found + ([HISTORICAL] if _restorations(settings) else [])


def trials(settings: Settings, groups: Sequence[str], choice: Choice) -> Iterator[Trial]:
    """Yield the trials of some groups; none stands for all there are.

    Raises :class:`DataError` for a group whose stage has not run, a stimulus that changed since,
    or where nothing is there at all.
    """
    there = available(settings)
    for group in groups:
        if group not in there:
            raise DataError(
                f"no stimuli of {group!r} in results/{settings.profile}"
                f" (there are: {', '.join(there) or 'none'}); run `make all` first"
            )
    if not there:
        raise DataError(f"no stimuli in results/{settings.profile}; run `make all` first")
    for group in groups or there:
        if group == HISTORICAL:
            yield from _historical_trials(settings, choice)
        else:
            yield from _reference_trials(settings, group, choice)


def _reference_trials(settings: Settings, system: str, choice: Choice) -> Iterator[Trial]:
    folder = paths.results(settings.profile, "stimuli", system)
    for item in json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["items"]:
        described = item["conditions"]
        kept, left_out = _chosen([name for name in described if name != REFERENCE], system, choice)
        versions, sources = {}, {}
        for name in (REFERENCE, *kept):
            path = folder / described[name]["file"]
            if not path.is_file() or sha256(path) != described[name]["sha256"]:
                raise DataError(f"{path}: missing or changed; run `dvc repro {system}-stimuli`")
            versions[name] = audio.read(path)[0]
            sources[name] = described[name]["sha256"]
        yield Trial(
            MUSHRA,
            system,
            item["track"],
            item["role"],
            item["start_seconds"],
            item["sample_rate"],
            versions,
            sources,
            left_out,
        )


def _chosen(names: list[str], group: str, choice: Choice) -> tuple[list[str], tuple[str, ...]]:
    """Conditions to be heard, in the order given, and those left out; the same in every trial."""
    names = sorted(names)
    kept = [name for name in names if not choice.conditions or name in choice.conditions]
    if not kept:
        raise UsageError(f"{group} has none of these conditions; it has: {', '.join(names)}")
    if len(kept) > MAX_SYSTEMS:
        if choice.conditions:
            raise UsageError(f"{group}: {len(kept)} conditions; a trial holds {MAX_SYSTEMS}")
        rng = np.random.default_rng([choice.seed, *hashlib.sha256(group.encode()).digest()[:4]])
        kept = sorted(rng.choice(kept, MAX_SYSTEMS, replace=False).tolist())
    return kept, tuple(name for name in names if name not in kept)


def _restorations(settings: Settings) -> dict[str, Path]:
    """Folders of restored historical recordings by condition: systems, and published chains."""
    folders = {name: paths.results(settings.profile, "restored", name) for name in settings.systems}
    folders |= {
        name: paths.results(settings.profile, "pretrained", "restored", name)
        for name in settings.pretrained.chains
    }
    return {name: folder for name, folder in folders.items() if any(folder.rglob("*.restored.*"))}


def _historical_trials(settings: Settings, choice: Choice) -> Iterator[Trial]:
    folders = _restorations(settings)
    kept, left_out = _chosen(list(folders), HISTORICAL, choice)
    for disc in corpora.recordings(settings, [HISTORICAL], ""):
        found = {name: _restored(folders[name], disc) for name in kept}
        there = {name: path for name, path in found.items() if path}
        if there:
            yield _historical_trial(disc, {UNTREATED: disc.path} | there, left_out, choice)


def _restored(folder: Path, disc: Recording) -> Path | None:
    beside = Path(disc.file)
    names = (f"{beside.stem}.restored{ending}" for ending in (beside.suffix, ".flac", ".wav"))
    places = (folder / beside.parent / name for name in names)
    return next((place for place in places if place.is_file()), None)


def _historical_trial(
    disc: Recording, files: dict[str, Path], left_out: tuple[str, ...], choice: Choice
) -> Trial:
    mono, rate = audio.read_mono(disc.path)
    length = min(len(mono), round(choice.seconds * rate))
    if choice.starts and disc.file in choice.starts:
        start = round(choice.starts[disc.file] * rate)
        if start + length > len(mono):
            raise UsageError(f"{disc.file}: lasts {len(mono) / rate:.1f} s, too short for a start"
                             f" at {start / rate:.1f} s")  # fmt: skip
    else:
        digest = hashlib.sha256(disc.file.encode()).digest()
        start = excerpt_start(mono, length, np.random.default_rng([choice.seed, *digest[:4]]))
    versions = {}
    for name, path in files.items():
        with audio.Reader(path) as reader:
            if (reader.samples, reader.sample_rate) != (len(mono), rate):
                raise DataError(f"{path}: differs in length or rate from {disc.file}")
            versions[name] = reader.read(start, start + length).copy()
    return Trial(
        NO_REFERENCE,
        HISTORICAL,
        disc.file,
        disc.role,
        round(start / rate, 6),
        rate,
        versions,
        {name: sha256(path) for name, path in files.items()},
        left_out,
    )
