"""The stages of ``dvc.yaml``: what each does, makes and reads, and which others it rests on."""

import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import Any

from shellac import config, paths
from shellac.config import Settings
from shellac.errors import DataError

PIPELINE = "dvc.yaml"


def bodies() -> dict[str, dict[str, Any]]:
    """Return every stage's description by its name; of a repeated one, that of a single item."""
    return {name: stage.get("do", stage) for name, stage in _written().items()}


def graph() -> dict[str, list[str]]:
    """Return what every stage, item by item, needs directly, in an order that can be run.

    As DVC resolves it: raises :class:`DataError` where DVC cannot.
    """
    done = subprocess.run(
        [sys.executable, "-m", "dvc", "dag", "--dot"],
        cwd=paths.root(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        cause = (done.stderr.strip() or "no answer").splitlines()[0]
        raise DataError(f"dvc cannot tell the stages: {cause}")
    needs: dict[str, list[str]] = {}
    for line in done.stdout.splitlines():
        names = re.findall(r'"([^"]+)"', line)
        for name in names:
            needs.setdefault(name, [])
        if len(names) == 2:
            needs[names[1]].append(names[0])
    return {name: needs[name] for name in TopologicalSorter(needs).static_order()}


def needed(needs: Mapping[str, Iterable[str]], wanted: Iterable[str]) -> set[str]:
    """Return the stages ``wanted`` and all that they rest on, by each one's direct needs."""
    found, left = set(), list(wanted)
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left += needs[name]
    return found


@dataclass(frozen=True)
class Stage:
    """One stage of ``dvc.yaml`` under the settings at hand.

    ``items`` are what it is repeated for, empty for a stage that runs once; ``reads`` are the
    stages whose outputs it reads, ``files`` the other files that are not code.
    """

    name: str
    about: str
    seeded: bool
    items: tuple[str, ...]
    outputs: tuple[str, ...]
    reads: tuple[str, ...]
    files: tuple[str, ...]


def described(settings: Settings) -> list[Stage]:
    """Read the stages that the settings call for, in the order of ``dvc.yaml``."""
    pipeline, tree, told = _written(), config.read_tree(paths.params()), bodies()
    items = {
        name: tuple(map(str, _resolved(body["foreach"], tree))) if "foreach" in body else None
        for name, body in pipeline.items()
    }
    made = {
        name: tuple(
            _filled(path, settings.profile)
            for kind in ("outs", "metrics", "plots")
            for out in body.get(kind, ())
            for path in ([out] if isinstance(out, str) else out)
        )
        for name, body in told.items()
        if items[name] != ()
    }
    found = []
    for name, outputs in made.items():
        deps = [_filled(path, settings.profile) for path in told[name].get("deps", ())]
        reads = [other for other in made if other != name and _meet(deps, made[other])]
        produced = [dep for dep in deps if any(_meet([dep], made[other]) for other in reads)]
        files = [dep for dep in deps if not dep.startswith(("code/", "${")) and dep not in produced]
        seeded = "seed" in told[name].get("params", ())
        about, repeated = told[name]["desc"], items[name] or ()
        found.append(
            Stage(name, about, seeded, repeated, outputs, tuple(reads), tuple(files))
        )  # fmt: skip
    return found


def _resolved(reference: str, tree: Mapping[str, Any]) -> Iterable[str]:
    """Follow ``${a.b}`` into the settings; a mapping stands for its keys."""
    value: Any = tree
    for key in reference.removeprefix("${").removesuffix("}").split("."):
        value = value[key]
    return value


def _filled(path: str, profile: str) -> str:
    return path.replace("${profile}", profile)


def _meet(deps: Iterable[str], outputs: Iterable[str]) -> bool:
    """Whether one of ``deps`` is, holds or lies in one of ``outputs``, whatever its items."""
    plain = [re.split(r"/?\$\{", path)[0].rstrip("/") for path in outputs]
    return any(
        f"{dep}/".startswith(f"{output}/") or f"{output}/".startswith(f"{dep}/")
        for dep in (re.split(r"/?\$\{", path)[0].rstrip("/") for path in deps)
        for output in plain
    )


def _written() -> dict[str, dict[str, Any]]:
    return config.read_tree(paths.root() / PIPELINE)["stages"]
