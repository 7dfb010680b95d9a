"""What is compared in a listening test: trials of equally long versions, from the results.

A trial with a clean reference comes from what a stage ``*-stimuli`` left; one without from the
historical recordings that the systems restored.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

import numpy as np

from shellac import audio, paths
from shellac.config import Settings
from shellac.datasets import corpora
from shellac.datasets.index import Recording
from shellac.errors import DataError, UsageError
from shellac.files import read_csv, sha256
from shellac.listening.historical import LIST
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
            waveform, rate = audio.read(path)
            if rate != item["sample_rate"]:
                left_out += (name,)  # another rate cannot be aligned to the sample
                continue
            versions[name], sources[name] = waveform, described[name]["sha256"]
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
    discs = list(corpora.recordings(settings, [HISTORICAL], ""))
    called = paths.names((disc.origin, disc.file) for disc in discs)
    for disc in discs:
        found = {name: _restored(folders[name], disc, called[disc.file]) for name in kept}
        there = {name: restored for name, restored in found.items() if restored}
        if there:
            yield _historical_trial(disc, {UNTREATED: (disc.path, None)} | there, left_out, choice)


# a file, and from which second of the recording it is; None: the whole
_Restored = tuple[Path, float | None]


def _restored(folder: Path, disc: Recording, called: PurePath) -> _Restored | None:
    endings = (disc.path.suffix, ".flac", ".wav")
    places = (folder / f"{called}.restored{ending}" for ending in endings)
    place = next((place for place in places if place.is_file()), None)
    return place and (place, _first_seconds(folder).get(disc.file))


def _first_seconds(folder: Path) -> dict[str, float]:
    """Where the excerpts begin of which a system restored no more; none where it did all."""
    listed = folder / LIST
    if not listed.is_file():
        return {}
    told = json.loads(listed.read_text(encoding="utf-8"))["excerpts"]
    return {each["file"]: each["start_seconds"] for each in told}


def _span(restored: _Restored, disc: Recording, samples: int, rate: int) -> tuple[int, int]:
    """First and last sample of the recording that a restored file holds."""
    path, first_seconds = restored
    facts = audio.inspect(path)
    first = round((first_seconds or 0.0) * rate)
    whole = first_seconds is not None or facts.samples == samples
    if facts.sample_rate != rate or not whole or first + facts.samples > samples:
        raise DataError(f"{path}: differs in length or rate from {disc.file}")
    return first, first + facts.samples


def _historical_trial(
    disc: Recording, files: dict[str, _Restored], left_out: tuple[str, ...], choice: Choice
) -> Trial:
    mono, rate = audio.read_mono(disc.path)
    spans = {name: _span(file, disc, len(mono), rate) for name, file in files.items()}
    first = max(begin for begin, _ in spans.values())
    stop = min(end for _, end in spans.values())
    length = min(stop - first, round(choice.seconds * rate))
    if choice.starts and disc.file in choice.starts:
        start = round(choice.starts[disc.file] * rate)
        if not first <= start <= stop - length:
            raise UsageError(f"{disc.file}: all versions last from {first / rate:.1f} to"
                             f" {stop / rate:.1f} s, which does not hold {length / rate:.1f} s from"
                             f" {start / rate:.1f} s")  # fmt: skip
    else:
        digest = hashlib.sha256(disc.file.encode()).digest()
        rng = np.random.default_rng([choice.seed, *digest[:4]])
        start = first + excerpt_start(mono[first:stop], length, rng)
    versions = {}
    for name, (path, _) in files.items():
        begin = start - spans[name][0]
        with audio.Reader(path) as reader:
            versions[name] = reader.read(begin, begin + length).copy()
    return Trial(
        NO_REFERENCE,
        HISTORICAL,
        disc.file,
        disc.role,
        round(start / rate, 6),
        rate,
        versions,
        {name: sha256(path) for name, (path, _) in files.items()},
        left_out,
    )
