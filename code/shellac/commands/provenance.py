"""``shellac provenance FILE``: where a figure, a table, a stimulus or a restoration comes from.

Every file that this package makes is told of beside it: figures and tables by a sidecar
``<file>.json``, stimuli by the manifest of their folder, restorations by ``NAME.json``. What the
pipeline made stands in DVC's lock besides, with the stage that made it and all that went in. These
files are read here, without :mod:`shellac.report`, which needs more than a plain installation has.
"""

import json
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shellac import lock, paths, sidecars
from shellac.errors import DataError, ShellacError

_SHOWN = 12  # characters of a hash


@dataclass
class Origin:
    """What is known of a file: facts by name, and each source with hash and present state."""

    file: str
    facts: dict[str, str] = field(default_factory=dict)
    sources: list[tuple[str, str, str]] = field(default_factory=list)

    @property
    def changed(self) -> bool:
        """Whether the file or something it was made of is no longer what it was."""
        own = self.facts.get("is", sidecars.UNCHANGED)
        states = (own, *(state for *_, state in self.sources))
        return any(state != sidecars.UNCHANGED for state in states)

    def lines(self) -> list[str]:
        """Say it for people."""
        told = [self.file, *(f"  {name:<9}{text}" for name, text in self.facts.items())]
        for path, digest, state in self.sources:
            told.append(f"  {'from':<9}{path} ({digest[:_SHOWN]}, {state})")
        return told

    def record(self) -> dict[str, Any]:
        """Say it for programs."""
        keys = ("path", "hash", "state")
        listed = [dict(zip(keys, source, strict=True)) for source in self.sources]
        return {"file": self.file, **self.facts, "sources": listed, "changed": self.changed}


def origin(path: Path) -> Origin:
    """Find out where ``path`` comes from; :class:`DataError` where nothing is recorded of it."""
    if not path.is_file():
        raise DataError(f"{path}: no such file")
    found = Origin(_from_root(path))
    for tell in (_sidecar, _stimulus, _restoration):
        with suppress(AttributeError, KeyError, TypeError):  # another program's file of that name
            told = Origin(found.file)
            if tell(path, told):
                found = told
                break
    if not (_stage(path, found, sources=not found.facts) or found.facts):
        raise DataError(f"{path}: nothing is recorded of it, so this package did not make it here")
    return found


def _sidecar(path: Path, found: Origin) -> bool:
    try:
        record = sidecars.read(path)
    except DataError:
        return False
    found.facts |= {"what": record["what"], "notice": record["notice"] or "none"}
    if "command" in record:
        found.facts["command"] = record["command"]
    found.facts["is"] = sidecars.state(path, record["sha256"])
    found.sources += sidecars.sources(record)
    return True


def _stimulus(path: Path, found: Origin) -> bool:
    for item in _json(path.parent / "manifest.json").get("items", ()):
        for name, condition in item["conditions"].items():
            if condition["file"] == path.name:
                start, stop = item["start_seconds"], item["start_seconds"] + item["seconds"]
                found.facts |= {
                    "what": f"{name} of {item['track']} ({item['role']}), {start:g} to {stop:g} s,"
                    f" {condition['gain_db']:+.1f} dB for equal loudness",
                    "is": sidecars.state(path, condition["sha256"]),
                }
                return True
    return False


def _restoration(path: Path, found: Origin) -> bool:
    name, _, kind = path.stem.rpartition(".")
    record = _json(path.with_name(f"{name}.json")) if name else {}
    if record.get("outputs", {}).get(kind) != path.name:
        return False
    chain = ", ".join(
        f"{card['network']} ({card['origin']}, {str(card.get('sha256'))[:_SHOWN]})"
        for card in record["weights"]
    )
    heard, chosen = record["input"], record["settings"]
    found.facts |= {
        "what": f"{kind} of {heard['file']} (sha256 {heard['sha256'][:_SHOWN]})",
        "network": chain or ", ".join(chosen["systems"]),
        "settings": ", ".join(f"{key} {value}" for key, value in chosen.items() if value),
        "version": f"shellac {record['shellac']}",
        "is": sidecars.state(path, record["sha256"][kind]),
    }
    return True


def _stage(path: Path, found: Origin, sources: bool) -> bool:
    """Tell the stage of the pipeline, and with ``sources`` all files that it read."""
    try:
        recorded = lock.stages()
    except ShellacError:
        return False
    within = [place.as_posix() for place in (Path(found.file), *Path(found.file).parents)]
    made = {place: told for place, told in lock.outputs(recorded).items() if place in within}
    for place, (digest, name) in made.items():
        found.facts |= {"stage": f"{name}: {recorded[name]['cmd']}"}
        found.facts.setdefault("is", sidecars.state(paths.root() / place, digest, lock.md5))
        if sources:
            found.sources += [
                (dep["path"], dep["md5"],
                 sidecars.state(paths.root() / dep["path"], dep["md5"], lock.md5))
                for dep in recorded[name].get("deps", ()) if "md5" in dep
            ]  # fmt: skip
    return bool(made)


def _json(path: Path) -> dict[str, Any]:
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def _from_root(path: Path) -> str:
    resolved = path.resolve()
    try:
        return resolved.relative_to(paths.root().resolve()).as_posix()
    except (ValueError, ShellacError):
        return str(path)
