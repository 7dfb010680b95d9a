"""``shellac verify``: is what lies here what the pipeline made, and is it what was committed?

Three questions, in this order. Is every output, and every object of DVC's cache, still what
``dvc.lock`` says, bit by bit? Are the hashes those of the committed lock: was the run reproduced?
Where they are not, as on another kind of processor: does every mean of every metric lie in the
interval of the reference means that are committed beside it?
"""

import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from shellac import config, lock, paths
from shellac.errors import DataError
from shellac.files import read_csv, write_csv

_COLUMNS = ("system", "what", "mean", "low", "high")
_NUMBERS = ("mean", "low", "high", "tracks")
_ROUNDING = 2e-6  # of the six digits that are kept


@dataclass(frozen=True)
class Verdict:
    """What was found: lines to read, and whether anything is wrong."""

    lines: tuple[str, ...]
    wrong: bool


def verify() -> Verdict:
    """Check outputs, cache and metrics of the current profile; raise :class:`DataError` unbuilt."""
    profile = config.load().profile
    made = lock.outputs(lock.stages())
    here = {path: told for path, told in made.items() if profile in Path(path).parts}
    if not here:
        raise DataError(f"{lock.NAME}: has no output of profile {profile}; run make all first")
    damaged = list(_damaged(here))
    if not any((paths.root() / path).exists() for path in here):
        raise DataError(f"nothing of profile {profile} lies here yet; run make all first")
    objects, broken = _cache(paths.root() / ".dvc" / "cache" / "files" / "md5")
    lines = [
        f"{len(here)} outputs, {len(damaged)} not as {lock.NAME} says;"
        f" {objects} objects in the cache, {len(broken)} damaged",
        *(f"  {path}: {why}" for path, why in damaged),
        *(f"  {path}: damaged; remove it and run make all" for path in broken),
    ]
    committed = _committed()
    wrong = bool(damaged or broken)
    if committed is None:
        return Verdict((*lines, "no commit to compare with"), wrong)
    known = [path for path in here if path in committed]
    differ = [path for path in known if committed[path][0] != here[path][0]]
    amiss = {path for path, _ in damaged}
    reproduced = len(set(known) - set(differ) - amiss)
    lines.append(f"{reproduced} of {len(known)} committed outputs reproduced to the bit")
    lines += [f"  {path} (stage {here[path][1]}) differs" for path in sorted(differ)]
    told, outside = _metrics(profile)
    return Verdict((*lines, *told), wrong or outside)


def keep() -> Path:
    """Write the means of this profile's metrics as the reference to be committed."""
    profile = config.load().profile
    rows = list(_means(profile))
    if not rows:
        raise DataError(f"profile {profile} has no metrics; run make all first")
    write_csv(_reference(profile), rows, _COLUMNS)
    return _reference(profile)


def _reference(profile: str) -> Path:
    return paths.results("reference", f"{profile}.csv")


def _committed() -> Mapping[str, tuple[str, str]] | None:
    command = ["git", "-C", str(paths.root()), "show", f"HEAD:./{lock.NAME}"]
    try:
        done = subprocess.run(command, capture_output=True, check=False)
    except OSError:  # no git on this machine
        return None
    return lock.outputs(lock.stages(done.stdout)) if done.returncode == 0 else None


def _damaged(made: Mapping[str, tuple[str, str]]) -> Iterator[tuple[str, str]]:
    for path, (wanted, stage) in made.items():
        place = paths.root() / path
        if not place.exists():
            yield path, f"missing; dvc checkout or make all brings it back (stage {stage})"
        elif lock.md5(place) != wanted:
            yield path, f"not what stage {stage} made; remove it and run make all"


def _cache(folder: Path) -> tuple[int, list[str]]:
    """Return how many objects a cache holds, and those that are not what their name says."""
    objects = [path for path in folder.glob("??/*") if not path.name.endswith(".tmp")]
    broken = [
        str(path.relative_to(paths.root()))
        for path in objects
        if lock.md5(path) != path.parent.name + path.name.removesuffix(".dir")
    ]
    return len(objects), broken


def _means(profile: str) -> Iterator[dict[str, object]]:
    """Yield the mean over all tracks of every metric, with its interval and what it is of."""
    for path in sorted(paths.results(profile, "metrics").glob("*-summary.csv")):
        for row in read_csv(path):
            group = next(iter(row.values()))
            if group == "all" and row["low"] and row["high"]:
                what = "/".join(value for key, value in row.items() if key not in _NUMBERS)
                system = path.name.removesuffix("-summary.csv")
                numbers = {key: f"{float(row[key]):.6g}" for key in _COLUMNS[2:]}
                yield {"system": system, "what": what} | numbers


def _metrics(profile: str) -> tuple[list[str], bool]:
    """Compare means with the committed ones; return lines, and whether one lies outside."""
    if not _reference(profile).is_file():
        return [f"no reference means of profile {profile}"], False
    wanted = {(row["system"], row["what"]): row for row in read_csv(_reference(profile))}
    found = {(row["system"], row["what"]): row for row in _means(profile)}
    shared = [key for key in wanted if key in found]
    outside = []
    for key in shared:
        low, high = float(wanted[key]["low"]), float(wanted[key]["high"])
        mean = float(found[key]["mean"])
        slack = _ROUNDING * max(abs(low), abs(high))
        if not low - slack <= mean <= high + slack:
            outside.append(f"  {'/'.join(key)}: {mean:.4g}, committed {low:.4g} to {high:.4g}")
    lines = [
        f"{len(shared)} of {len(wanted)} committed means compared,"
        f" {len(outside)} outside their interval",
        *outside,
    ]
    return lines, bool(outside) or len(shared) < len(wanted)
