"""The gallery: one static page on which versions of a recording are switched while they play.

Sound, spectrograms and page lie in one folder, which any web host or a disk serves: nothing comes
from elsewhere.
"""

import html
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from urllib.parse import quote

from shellac.files import write_text


@dataclass(frozen=True)
class Version:
    """One version: what it is called, its colour, its sound and its spectrogram, by file name."""

    label: str
    colour: str
    sound: str
    picture: str


@dataclass(frozen=True)
class Item:
    """The same seconds of one recording in all its versions, the first of which is shown first."""

    title: str
    about: str
    seconds: float
    versions: tuple[Version, ...]


def write(path: Path, title: str, about: Sequence[str], items: Sequence[Item]) -> None:
    """Write the page, atomically, beside what it shows; all text is escaped."""
    page = resources.files(__package__)
    style, script = (page.joinpath(name).read_text("utf-8") for name in ("page.css", "page.js"))
    paragraphs = "".join(f"<p>{html.escape(text)}</p>\n" for text in about)
    body = "\n".join(_section(number, item) for number, item in enumerate(items))
    write_text(
        path,
        '<!DOCTYPE html>\n<html lang="en">\n<head><meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(title)}</title>\n<style>\n{style}</style></head>\n<body>\n"
        f"<h1>{html.escape(title)}</h1>\n{paragraphs}"
        "<p><kbd>1</kbd> to <kbd>9</kbd> or the arrow keys switch, <kbd>space</kbd> plays and"
        " pauses; a click on a spectrogram goes to that place.</p>\n"
        "<noscript><p>Without JavaScript the sounds lie beside this page as FLAC.</p></noscript>\n"
        f"{body}\n<script>\n{script}</script>\n</body>\n</html>\n",
    )


def _section(number: int, item: Item) -> str:
    versions = list(enumerate(item.versions, start=1))
    buttons = "".join(
        f'<button type="button" role="radio" style="--colour:{each.colour}"'
        f' aria-checked="false" title="key {place}">{html.escape(each.label)}</button>\n'
        for place, each in versions
    )
    pictures = "".join(
        f'<img src="{quote(each.picture)}" alt="spectrogram: {html.escape(each.label)}">\n'
        for _, each in versions
    )
    sounds = "".join(f'<audio preload="auto" src="{quote(each.sound)}"></audio>\n'
                     for _, each in versions)  # fmt: skip
    name = f"item-{number}"
    return (
        f'<section data-seconds="{item.seconds:.6f}" aria-labelledby="{name}">\n'
        f'<h2 id="{name}">{html.escape(item.title)}</h2>\n'
        f'<p class="about">{html.escape(item.about)}</p>\n'
        f'<div class="versions" role="radiogroup" aria-label="version">\n{buttons}</div>\n'
        f'<div class="picture">\n{pictures}<i></i></div>\n'
        '<div class="transport"><button type="button">Play</button>'
        f'<input type="range" min="0" max="{item.seconds:.6f}" step="0.01" value="0"'
        ' aria-label="place in seconds"><output>0.0 s</output></div>\n'
        f"{sounds}</section>"
    )
