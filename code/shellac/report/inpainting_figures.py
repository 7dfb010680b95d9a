"""Figures of inpainting: each function takes data, returns the figure, saves nothing."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from shellac.report import style
from shellac.report.figures import frame

_RANGE_DB = 60.0  # below the loudest cell of the whole segment, nothing is drawn
_SMALLEST = 1e-9
_LIGHT = 0.55  # share of the scale from which a heat map's numbers are printed dark


def segments(
    shown: Mapping[str, np.ndarray],
    lost: np.ndarray,
    seconds: float,
    top_hz: float,
    *,
    title: str = "",
    notice: str = "",
) -> Figure:
    """Draw one segment in every version over the error that is left in it.

    Parameters
    ----------
    shown : mapping of condition to ndarray (N, F)
        Magnitudes; ``reference`` must be among them and sets the one level scale.
    lost : ndarray of bool (N,)
        Frames that are lost, marked above the damaged version.
    seconds, top_hz : float
        Duration of the segment, frequency of its highest bin.
    title, notice : str
        Above and below the panels; may be empty.
    """
    reference = shown["reference"]
    top = max(float(reference.max()), _SMALLEST)
    extent = (0.0, 1000 * seconds, 0.0, top_hz / 1000)
    with style.context():
        figure = Figure(figsize=(style.PAGE_INCHES, 2.9), layout="constrained")
        grid = figure.subplots(2, len(shown), sharex=True, sharey=True, squeeze=False)
        for column, (name, values) in enumerate(shown.items()):
            rows = ((grid[0, column], values), (grid[1, column], np.abs(values - reference)))
            for axes, drawn in rows:
                level = 20 * np.log10(np.maximum(drawn, _SMALLEST) / top)
                image = axes.imshow(
                    level.T, origin="lower", aspect="auto", extent=extent,
                    cmap=style.LEVEL_COLOURS, norm=Normalize(-_RANGE_DB, 0),
                    interpolation="nearest",
                )  # fmt: skip
                axes.spines[:].set_visible(False)
            grid[0, column].set_title(style.look(name).label, loc="left", pad=5)
            grid[1, column].set_xlabel("Time (ms)")
            grid[0, column].eventplot(
                (np.flatnonzero(lost) + 0.5) * extent[1] / len(lost), lineoffsets=1.02,
                linelengths=0.03, linewidths=0.8, colors=style.MUTED, clip_on=False,
                transform=grid[0, column].get_xaxis_transform(),
            )  # fmt: skip
        grid[0, 0].set_ylabel("Magnitude\nFrequency (kHz)")
        grid[1, 0].set_ylabel("Error\nFrequency (kHz)")
        bar = figure.colorbar(image, ax=grid, aspect=40, pad=0.01, fraction=0.03)
        bar.set_label("Level (dB re loudest cell)")
        bar.outline.set_visible(False)
        frame(figure, title, notice)
    return figure


def differences(table: pd.DataFrame, *, title: str = "", notice: str = "") -> Figure:
    """Draw how methods differ from the baseline, one line each with its 95 % interval.

    ``table`` has columns method_label, mean, low, high, metric_label, against_label; its first
    row is drawn on top. The line at 0 is the baseline.
    """
    with style.context():
        height = 0.9 + 0.17 * len(table)
        figure = Figure(figsize=(style.COLUMN_INCHES, height), layout="constrained")
        axes = figure.subplots()
        places = np.arange(len(table))[::-1]
        low, high = (table[name].fillna(table["mean"]) for name in ("low", "high"))
        errors = (table["mean"] - low, high - table["mean"])
        look = style.look("network")
        axes.errorbar(
            table["mean"], places, xerr=errors, color=look.colour, marker=look.marker,
            linestyle="none", capsize=1.5, elinewidth=0.8,
        )  # fmt: skip
        axes.axvline(0, color=style.MUTED, linewidth=0.7)
        axes.set_yticks(places, table["method_label"])
        first = table.iloc[0]
        axes.set_xlabel(f"{first['metric_label']} minus that of\n{first['against_label'].lower()}")
        axes.grid(axis="x")
        axes.set_axisbelow(True)
        frame(figure, title, notice)
    return figure


def genre_map(table: pd.DataFrame, metric: str, *, notice: str = "") -> Figure:
    """Draw a heat map of a metric's means, methods (rows) by genres (columns), numbers in it."""
    with style.context():
        width = min(style.PAGE_INCHES, 1.9 + 0.45 * max(3, len(table.columns)))
        figure = Figure(figsize=(width, 1.3 + 0.17 * len(table)), layout="constrained")
        axes = figure.subplots()
        values = table.to_numpy(dtype=float)
        norm = Normalize(np.nanmin(values), np.nanmax(values))
        image = axes.imshow(values, aspect="auto", cmap="cividis", norm=norm)
        for row, column in np.ndindex(*values.shape):
            if np.isfinite(values[row, column]):
                dark = norm(values[row, column]) > _LIGHT
                axes.text(
                    column, row, f"{values[row, column]:.3f}", ha="center", va="center",
                    fontsize=6, color="black" if dark else "white",
                )  # fmt: skip
        axes.set_xticks(range(len(table.columns)), _breakable(table.columns), rotation=35,
                        ha="right", rotation_mode="anchor")  # fmt: skip
        axes.set_yticks(range(len(table)), [style.label(name) for name in table.index])
        axes.spines[:].set_visible(False)
        axes.tick_params(length=0)
        bar = figure.colorbar(image, ax=axes, aspect=25, pad=0.02, fraction=0.05)
        bar.set_label(metric)
        bar.outline.set_visible(False)
        frame(figure, "", notice)
    return figure


def _breakable(names: Sequence[str]) -> list[str]:
    return [str(name).replace("_", " ") for name in names]
