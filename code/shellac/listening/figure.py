"""The figure of a listening test: every group's conditions as boxes, best first."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from shellac.report import figures, style

if TYPE_CHECKING:
    from shellac.listening.analysis import Analysis

_ROW_INCHES = 0.22
_FRAME_INCHES = 0.55  # of a panel: title and axis
_ENOUGH_PERCENT = 80
_GRADES = ("bad", "poor", "fair", "good", "excellent")


def draw(found: "Analysis", notice: str) -> Figure:
    """Draw quartiles (box), median with its 95 % interval, and each listener's mean (dots)."""
    groups = list(found.summary.groupby("group", sort=False))
    heights = [_ROW_INCHES * len(rows) + _FRAME_INCHES for _, rows in groups]
    with style.context():
        figure = Figure(figsize=(style.COLUMN_INCHES, sum(heights)), layout="constrained")
        panels = figure.subplots(len(groups), 1, squeeze=False, height_ratios=heights)[:, 0]
        for axes, (name, rows) in zip(panels, groups, strict=True):
            kept = found.kept
            _panel(axes, rows, kept[kept["group"] == name])
            listeners = int(rows["listeners"].iloc[0])
            axes.set_title(f"{name}: {listeners} listeners", loc="left", pad=9)
        panels[-1].set_xlabel("Rating")
        if notice:
            figure.supxlabel(notice, fontsize=5.5, color=style.MUTED)
    return figure


def power(table: pd.DataFrame, notice: str) -> Figure:
    """Draw how often a difference is found over the number of listeners, a line per group.

    ``table`` is that of :func:`shellac.listening.design.power`: a panel per difference.
    """
    panels = list(table.groupby("difference"))
    with style.context():
        figure = Figure(figsize=(style.COLUMN_INCHES, 2.4), layout="constrained")
        grid = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
        for axes, (difference, rows) in zip(grid, panels, strict=True):
            for group, line in rows.groupby("group"):
                look = style.SYSTEM_LOOKS.get(group) or style.look("untreated")
                axes.plot(line["listeners"], 100 * line["found"], color=look.colour,
                          linestyle=look.line, marker=look.marker, clip_on=False,
                          label=line["label"].iloc[0])  # fmt: skip
            axes.axhline(_ENOUGH_PERCENT, color=style.MUTED, linewidth=0.6, linestyle=":")
            axes.set_title(f"{difference:g} points apart", loc="left")
            axes.set_xlabel("Listeners")
            axes.set_ylim(0, 100)
            axes.grid(axis="y")
        grid[0].set_ylabel("Difference found (%)")
        grid[0].legend(loc="upper left", handlelength=2, fontsize=5.5, labelspacing=0.3,
                       frameon=True, framealpha=1, edgecolor="none")  # fmt: skip
        figures.frame(figure, "", notice)
    return figure


def _panel(axes: Axes, rows: pd.DataFrame, ratings: pd.DataFrame) -> None:
    rng = np.random.default_rng(0)  # of the dots' heights, which mean nothing
    for place, row in enumerate(rows.itertuples()):
        width = row.upper_quartile - row.lower_quartile
        axes.barh(place, width, 0.6, left=row.lower_quartile, color="#c9dcdb", linewidth=0)
        if pd.notna(row.interval_low):
            axes.hlines(place, row.interval_low, row.interval_high, color="#17635f", linewidth=1.4)
        axes.plot(row.median, place, "o", color="#17635f", markersize=3.5, clip_on=False)
        means = ratings[ratings["condition"] == row.condition].groupby("session")["score"].mean()
        heights = place + rng.uniform(-0.22, 0.22, len(means))
        axes.plot(means, heights, ".", color=style.MUTED, markersize=2, alpha=0.6, linewidth=0,
                  clip_on=False)  # fmt: skip
    axes.set_yticks(range(len(rows)), [style.label(name) for name in rows["condition"]])
    axes.invert_yaxis()
    axes.set_xlim(0, 100)
    axes.set_xticks(range(0, 101, 20))
    axes.grid(axis="x")
    axes.set_axisbelow(True)
    for place, grade in enumerate(_GRADES):
        axes.text(20 * place + 10, 1.0, grade, transform=axes.get_xaxis_transform(),
                  ha="center", va="bottom", fontsize=5, color=style.MUTED)  # fmt: skip
