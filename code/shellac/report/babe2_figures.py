"""Figures of the generative equaliser: each takes data, returns the figure, saves nothing."""

import pandas as pd
from matplotlib.figure import Figure

from shellac.report import style
from shellac.report.figures import frame

_PANELS = 6
_RANGE_DB = 60.0


def responses(curves: pd.DataFrame, *, title: str = "", notice: str = "") -> Figure:
    """Draw the true response of every track's filter and what was estimated of it.

    ``curves`` has columns track, hz, true_db, ltas_db, blind_db; the first six tracks are drawn.
    """
    tracks = list(dict.fromkeys(curves["track"]))[:_PANELS]
    columns = min(3, len(tracks))
    rows = -(-len(tracks) // columns)
    drawn = {"true_db": "reference", "ltas_db": "ltas", "blind_db": "blind"}
    with style.context():
        size = (style.PAGE_INCHES, 0.7 + 1.5 * rows)
        figure = Figure(figsize=size, layout="constrained")
        panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
        for axes, track in zip(panels.flat, tracks, strict=False):
            found = curves[curves["track"] == track]
            for column, name in drawn.items():
                look = style.look(name)
                label = "True filter" if name == "reference" else look.label
                axes.semilogx(
                    found["hz"], found[column], color=look.colour, linestyle=look.line, label=label
                )
            axes.set_title(str(track), loc="left", pad=3, parse_math=False)
            axes.set_ylim(-_RANGE_DB, 20)
            axes.grid(axis="y")
        for axes in list(panels.flat)[len(tracks) :]:
            axes.set_axis_off()
        for axes in panels[-1]:
            axes.set_xlabel("Frequency (Hz)")
        for axes in panels[:, 0]:
            axes.set_ylabel("Gain (dB)")
        panels[0, 0].legend(loc="lower center")
        frame(figure, title, notice)
    return figure


def training(curve: pd.DataFrame, *, notice: str = "") -> Figure:
    """Draw the loss over training steps: thin of the batches, marked of the averaged weights."""
    with style.context():
        figure = Figure(figsize=(style.COLUMN_INCHES, 2.1), layout="constrained")
        axes = figure.subplots()
        look = style.look("blind")
        axes.plot(curve["step"], curve["loss"], color=look.colour, linewidth=0.5, alpha=0.55,
                  label="training, last weights")  # fmt: skip
        axes.plot(curve["step"], curve["validation_loss"], color=look.colour, marker=look.marker,
                  label="validation, averaged weights")  # fmt: skip
        axes.set_xlabel("Training step")
        axes.set_ylabel("Loss (1: nothing learned)")
        axes.set_ylim(bottom=0)
        axes.grid(axis="y")
        axes.legend(loc="best")
        frame(figure, "", notice)
    return figure
