"""The page of ``shellac example``: one row per recording, every version to see and to hear.

Static HTML that lies beside what it shows: no script, nothing from elsewhere.
"""

import html
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from shellac import files

_SHOWN = ("snr_db", "lsd")
_STYLE = (
    "body{font:14px sans-serif;margin:1.5em}table{border-collapse:collapse}"
    "td,th{padding:.5em;text-align:left;vertical-align:top;border-bottom:1px solid #ccc}"
    "img,audio{display:block;width:15em}img{height:5em}small{color:#555}"
)


@dataclass(frozen=True)
class Version:
    """One version of a recording: its name for people, sound, spectrogram, thumbnail, scores."""

    label: str
    sound: Path
    picture: Path
    thumbnail: Path
    scores: Mapping[str, float]


@dataclass(frozen=True)
class Row:
    """One recording in all its versions."""

    title: str
    versions: tuple[Version, ...]


LEGEND = (
    "SNR in dB, more is better; log-spectral distance in decades of power, less is better;"
    ' all measures with their definitions in <a href="metrics.json">metrics.json</a>. All'
    " spectrograms of a row share one level scale and show the same band."
)


def write(
    path: Path,
    rows: Sequence[Row],
    about: str,
    title: str = "shellac example",
    legend: str = LEGEND,
) -> None:
    """Write the page, atomically; links are relative to it, names are escaped.

    ``legend`` is HTML and stands below the table.
    """
    labels = [version.label for version in rows[0].versions]
    heads = "".join(f"<th>{html.escape(label)}</th>" for label in labels)
    body = "\n".join(_row(row, path.parent) for row in rows)
    files.write_text(
        path,
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>{html.escape(title)}</title><style>{_STYLE}</style></head><body>\n"
        f"<h1>{html.escape(title)}</h1><p>{html.escape(about)}</p>\n"
        f"<table><tr><th>Recording</th>{heads}</tr>\n{body}\n</table>\n"
        f"<p>{legend}</p>\n"
        "</body></html>\n",
    )


def _row(row: Row, folder: Path) -> str:
    cells = "".join(_cell(version, folder) for version in row.versions)
    return f"<tr><th>{html.escape(row.title)}</th>{cells}</tr>"


def _cell(version: Version, folder: Path) -> str:
    links = {
        place: html.escape(_link(getattr(version, place), folder))
        for place in ("sound", "picture", "thumbnail")
    }
    told = ", ".join(
        f"{label} {version.scores[name]:.2f}"
        for name, label in zip(_SHOWN, ("SNR", "LSD"), strict=True)
        if name in version.scores
    )
    return (
        f'<td><a href="{links["picture"]}"><img src="{links["thumbnail"]}"'
        f' alt="spectrogram, {html.escape(version.label)}"></a>'
        f'<audio controls preload="none" src="{links["sound"]}"></audio><small>{told}</small></td>'
    )


def _link(path: Path, folder: Path) -> str:
    relative = Path(os.path.relpath(path, folder)).as_posix()
    return "./" + quote(relative, errors="surrogateescape")
