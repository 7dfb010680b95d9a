"""A page to look at: spectrograms of ten synthesised pieces and of ten record noises.

``python code/benchmarks/corpus_page.py PAGE.png``
"""

import sys
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from synthesis import SAMPLE_RATE, noise

from shellac.datasets.synthesis.ensemble import ensemble_piece
from shellac.datasets.synthesis.idioms import GENRES
from shellac.datasets.synthesis.piano import piano_piece
from shellac.datasets.synthesis.voice import voice_piece
from shellac.report import figures, pictures, style

SECONDS = 10.0
TOP_KHZ = 20.0


def pieces(seconds: float) -> dict[str, np.ndarray]:
    """Return title -> piece (T,): three pianos, five ensembles, two voices."""
    made = {
        f"piano {seed}": piano_piece(seed, seconds, SAMPLE_RATE) for seed in range(3)
    }  # fmt: skip
    for seed, genre in enumerate(GENRES[:5]):
        made[genre] = ensemble_piece(seed, seconds, SAMPLE_RATE, genre)
    for seed, kind in enumerate(("soprano", "man speaking")):
        made[kind] = voice_piece(seed, seconds, SAMPLE_RATE, kind)
    return made


def page(seconds: float = SECONDS) -> Figure:
    """Draw the page: pieces on the left, noises on the right, each on its own level scale."""
    left = pieces(seconds)
    right = {f"record noise {seed}": noise(seed, seconds) for seed in range(len(left))}
    with style.context():
        figure = Figure(figsize=(style.PAGE_INCHES, 10.4), layout="constrained")
        grid = figure.subplots(len(left), 2, sharex=True, sharey=True)
        for column, made in zip(grid.T, (left, right), strict=True):
            for axes, (name, x) in zip(column, made.items(), strict=True):
                level = figures.level(x, SAMPLE_RATE)
                figures.spectrogram(axes, level, level.top_db)
                axes.set_xlim(0, seconds)
                axes.set_ylim(0, TOP_KHZ)
                axes.set_title(name, loc="left", pad=2)
            column[-1].set_xlabel("Time (s)")
        figure.supylabel("Frequency (kHz)", fontsize=7)
    return figure


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python code/benchmarks/corpus_page.py PAGE.png")
    pictures.save(page(), Path(sys.argv[1]))
