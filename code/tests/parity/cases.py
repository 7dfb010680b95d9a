"""Where parity cases are, and what is in one."""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from parity import rules

VARIABLE = "SHELLAC_PARITY"
REPOSITORY = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class Case:
    """One case, read when it is asked for."""

    path: Path

    @cached_property
    def description(self) -> dict[str, Any]:
        """The JSON file: model key, settings, parameters, inputs, outputs, tolerance."""
        return json.loads(self.path.read_text(encoding="utf-8"))

    @cached_property
    def arrays(self) -> dict[str, np.ndarray]:
        """The npz file beside it: all inputs and all wanted outputs."""
        with np.load(self.path.with_suffix(".npz"), allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}

    def weights(self) -> dict[str, np.ndarray]:
        """The checkpoint that the fill rules make for this case."""
        return rules.checkpoint(self.description.get("parameters", ()), self.description["seed"])


def folders(environment: Mapping[str, str] = os.environ, root: Path = REPOSITORY) -> list[Path]:
    """The folders that the environment names, or the one beside the repository."""
    named = [Path(name) for name in environment.get(VARIABLE, "").split(os.pathsep) if name]
    return named or [root.parent / "shared" / "parity"]


def find(where: list[Path]) -> Iterator[Path]:
    """Every case file of the folders that are there, in order."""
    for folder in where:
        yield from sorted(folder.glob("*.json"))
