"""Writing model cards: one file per trained network of a system, each described by its system."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd

from shellac import paths, weights
from shellac.files import sha256, write_text
from shellac.report import style
from shellac.weights import Card

Describe = Callable[[str, Path, Card], str]  # entry, file of its weights, their card -> Markdown


def folder(profile: str, system: str) -> Path:
    """Return where the model cards of a system's networks lie."""
    return paths.results(profile, "model-cards", system)


def write(profile: str, system: str, names: Sequence[str], describe: Describe) -> list[Path]:
    """Write ``<name>.md`` for every trained network; return the files.

    Raises :class:`WeightsError` where weights are missing or carry no card.
    """
    written = []
    for name in names:
        path = weights.trained_path(profile, f"{system}/{name}")
        text = describe(name, path, weights.load(path)[1])
        written.append(folder(profile, system) / f"{name}.md")
        write_text(written[-1], text)
    return written


def facts(name: str, path: Path, card: Card, notice: str) -> dict[str, object]:
    """Return what every card says of its weights, by the names that texts have for it."""
    return {
        "label": style.label(name),
        "name": name,
        "profile": card.profile,
        "notice": notice,
        "network": card.network,
        "settings": ", ".join(f"{key} {value}" for key, value in sorted(card.settings.items())),
        "file": path.resolve().relative_to(paths.root().resolve()).as_posix(),
        "digest": sha256(path),
        "sample_rate": card.sample_rate,
        "recordings": len(card.trained_on),
        "roles": ", ".join(card.extra["roles"]),
        "steps": card.extra["steps"],
        "licence": card.licence,
        "edge": card.edge_seconds,
    }


def markdown(table: pd.DataFrame, columns: dict[str, str]) -> str:
    """Return some columns of a table as Markdown, each under the heading that it is mapped to."""
    lines = [f"| {' | '.join(columns.values())} |", "|---" * len(columns) + "|"]
    for row in table[list(columns)].itertuples(index=False):
        lines.append(f"| {' | '.join(map(str, row))} |")
    return "\n".join(lines)
