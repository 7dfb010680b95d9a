"""Where a figure or a table comes from: a JSON sidecar beside each, and the notice it must carry.

A sidecar (:mod:`shellac.sidecars`) holds content hashes, never times or commits, so that outputs
are the same bytes whenever they are made from the same data.
"""

import importlib.metadata
from collections.abc import Iterable
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from shellac import paths, sidecars
from shellac.errors import DataError, OutputError, UsageError
from shellac.files import atomic_path, sha256, write_json, write_text
from shellac.report import style

_NOTICES = {
    "demo": "Synthesised data, reduced networks, not comparable.",
    "folder": "The user's own recordings, reduced networks, not comparable with published numbers.",
    "pretrained": "",
    "full": "",
}
_OTHER_NOTICE = "An experiment of its own, not comparable with published numbers."
_LIBRARIES = ("matplotlib", "numpy", "pandas", "scipy")


def notice(profile: str) -> str:
    """Return what every table, figure and first page must say under ``profile``; may be empty."""
    return _NOTICES.get(profile, _OTHER_NOTICE)


def profile_of(path: Path) -> str:
    """Return the profile whose results hold ``path``; :class:`UsageError` if none does."""
    try:
        inside = Path(path).resolve().relative_to((paths.root() / "results").resolve())
    except ValueError:
        raise UsageError(f"{path}: figures and tables are saved under results/<profile>") from None
    return inside.parts[0]


def save_figure(
    figure: Figure, path: Path, *, what: str, sources: Iterable[Path], notebook: str
) -> Path:
    """Write a figure as PDF or SVG, byte-stable, with its sidecar.

    Parameters
    ----------
    figure : Figure
        Drawn at its printed size.
    path : Path
        Under ``results/<profile>``; the suffix chooses the format.
    what : str
        One sentence saying what the figure shows.
    sources : iterable of Path
        Every file whose content went into it, the most telling first.
    notebook : str
        Name of the notebook that made it, such as ``01-super-resolution``.

    Raises
    ------
    UsageError
        For another suffix, or a path outside the results.
    DataError
        If a source does not exist.
    """
    path = Path(path)
    undated = {".pdf": {"CreationDate": None}, ".svg": {"Date": None}}
    if path.suffix not in undated:
        raise UsageError(f"{path.name}: figures are saved as .pdf or .svg")
    record = _record(path, what, sources, notebook)
    with style.context(), atomic_path(path) as temporary:
        figure.savefig(temporary, metadata=undated[path.suffix])
    _write_sidecar(path, record)
    return path


def save_table(
    table: pd.DataFrame,
    path: Path,
    *,
    what: str,
    sources: Iterable[Path],
    notebook: str = "",
    command: str = "",
) -> Path:
    """Write a table as CSV, byte-stable, with its sidecar; arguments as :func:`save_figure`.

    One that no notebook makes names the ``command`` that does.
    """
    path = Path(path)
    if path.suffix != ".csv":
        raise UsageError(f"{path.name}: tables are saved as .csv")
    record = _record(path, what, sources, notebook, command)
    write_text(path, table.to_csv(index=False, float_format="%.6g", lineterminator="\n"))
    _write_sidecar(path, record)
    return path


def _record(
    path: Path, what: str, sources: Iterable[Path], notebook: str, command: str = ""
) -> dict:
    profile = profile_of(path)
    maker = (
        {"command": command}
        if command
        else {"notebook": _named(paths.notebooks() / f"{notebook}.ipynb")}
    )
    return {
        "file": _from_root(path),
        "what": what,
        "profile": profile,
        "notice": notice(profile),
        **maker,
        "sources": [_named(Path(source)) for source in dict.fromkeys(sources)],
        "libraries": {name: importlib.metadata.version(name) for name in _LIBRARIES},
    }


def _write_sidecar(path: Path, record: dict) -> None:
    write_json(sidecars.place(path), {**record, "sha256": sha256(path)})


def _named(path: Path) -> dict[str, str]:
    if not path.is_file():
        raise DataError(f"{path}: no such file, so nothing can be made from it")
    return {"path": _from_root(path), "sha256": sha256(path)}


def _from_root(path: Path) -> str:
    try:
        return Path(path).resolve().relative_to(paths.root().resolve()).as_posix()
    except ValueError:
        raise OutputError(f"{path}: lies outside the repository, so it has no provenance") from None
