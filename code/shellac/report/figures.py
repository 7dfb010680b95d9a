"""Figures: each function takes data, returns the figure, saves nothing.

All draw at the printed size (:mod:`shellac.report.style`), without pyplot and its global state.
"""

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.ticker import LogLocator, MaxNLocator
from scipy.signal import ShortTimeFFT
from scipy.signal.windows import hann

from shellac.report import style

N_FFT = 1024
HOP_LENGTH = 256
_CHARACTERS_PER_INCH = 18  # of a notice
RANGE_DB = 100.0  # below the loudest bin of the reference, nothing is drawn
_PANELS = ("reference", "spline", "band_copy", "audiounet", "tfilm", "tfilm_legacy", "afilm")
_BASELINES = ("low_passed", "spline", "band_copy")
_BINS_PER_BAND = 16  # of the mean spectra: single bins would draw every partial as a spike
_CUT = {"linewidth": 0.7, "linestyle": (0, (4, 3))}
_SMALLEST_POWER = 1e-20  # -200 dB: digital silence has a level to draw


@dataclass(frozen=True)
class Level:
    """A spectrogram to draw: ``db`` (F, N) at ``frequency_hz`` (F,), frames from ``seconds``[0]
    to ``seconds``[1], the outer edges of the first and the last.
    """

    frequency_hz: np.ndarray
    seconds: tuple[float, float]
    db: np.ndarray

    @property
    def top_db(self) -> float:
        """Level of the loudest bin."""
        return float(self.db.max())


def level(waveform: np.ndarray, sample_rate: int) -> Level:
    """Return the spectrogram of a signal (T,), for drawing.

    Hann window of 1024 samples, hop 256, only frames that lie inside the signal; a full-scale
    sine reads about 0 dB.
    """
    window = hann(N_FFT, sym=False)
    transform = ShortTimeFFT(window, HOP_LENGTH, fs=sample_rate, scale_to="magnitude")
    padded = np.pad(waveform, (0, max(0, N_FFT - len(waveform))))
    first, stop = transform.lower_border_end[1], transform.upper_border_begin(len(padded))[1]
    power = 4 * np.abs(transform.stft(padded, p0=first, p1=stop)) ** 2
    seconds = tuple((frame - 0.5) * HOP_LENGTH / sample_rate for frame in (first, stop))
    return Level(transform.f, seconds, 10 * np.log10(np.maximum(power, _SMALLEST_POWER)))


def spectrogram_comparison(
    waveforms: Mapping[str, np.ndarray],
    sample_rate: int,
    cutoff_hz: float | None,
    *,
    start_seconds: float = 0.0,
    title: str = "",
    notice: str = "",
    panels: Sequence[str] = _PANELS,
) -> Figure:
    """Draw one excerpt under every condition, and the mean spectra of all in the last panel.

    Parameters
    ----------
    waveforms : mapping of condition to ndarray, shape (T,)
        ``reference`` must be among them: it sets the one level scale that all panels share.
    sample_rate : int
        Hz, of all of them.
    cutoff_hz : float or None
        Top of the band that the degradation kept; marked in every panel, if given.
    start_seconds : float
        Time of the first sample in the track.
    title, notice : str
        Above and below the panels; may be empty.
    panels : sequence of str
        The conditions that may be drawn, in this order.
    """
    shown = [name for name in panels if name in waveforms]
    levels = {name: level(waveforms[name], sample_rate) for name in shown}
    top_db = levels["reference"].top_db
    seconds = len(waveforms["reference"]) / sample_rate
    with style.context():
        figure = Figure(figsize=(style.PAGE_INCHES, 3.55), layout="constrained")
        columns = -(-(len(shown) + 1) // 2)
        grid = list(figure.subplots(2, columns, sharey=True).flat)
        drawings, spectra = grid[: len(shown)], grid[-1]
        for unused in grid[len(shown) : -1]:
            unused.remove()
        for axes, name in zip(drawings, shown, strict=True):
            drawn = spectrogram(axes, levels[name], top_db, start_seconds)
            if cutoff_hz is not None:
                axes.axhline(cutoff_hz / 1000, color="white", **_CUT)
            axes.set_xlim(start_seconds, start_seconds + seconds)
            axes.set_xlabel("Time in the track (s)")
            _name_panel(axes, style.look(name))
        _mean_spectra(spectra, levels, top_db, cutoff_hz)
        grid[0].yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
        for axes in grid[::columns]:
            axes.set_ylabel("Frequency (kHz)")
        bar = figure.colorbar(drawn, ax=drawings + [spectra], aspect=40, pad=0.01, fraction=0.03)
        bar.set_label("Level (dB re loudest bin of the reference)")
        bar.outline.set_visible(False)
        frame(figure, title, notice)
    return figure


def spectrogram(axes: Axes, drawn: Level, top_db: float, start_seconds: float = 0.0) -> AxesImage:
    """Draw one spectrogram into ``axes``, over seconds and kHz, in dB below ``top_db``."""
    axes.spines[:].set_visible(False)
    left, right = (start_seconds + edge for edge in drawn.seconds)
    return axes.imshow(
        drawn.db - top_db,
        origin="lower",
        aspect="auto",
        extent=(left, right, 0.0, drawn.frequency_hz[-1] / 1000),
        cmap=style.LEVEL_COLOURS,
        norm=Normalize(-RANGE_DB, 0),
    )


def _name_panel(axes: Axes, look: style.Look) -> None:
    """Title a panel with the method's name behind the line that stands for it in the spectra."""
    axes.set_title(look.label, loc="left", x=0.1, pad=3)
    axes.plot(
        (0.0, 0.08), (1.05, 1.05), color=look.colour, linestyle=look.line, linewidth=2,
        clip_on=False, transform=axes.transAxes,
    )  # fmt: skip


def _mean_spectra(
    axes: Axes, levels: Mapping[str, Level], top_db: float, cutoff_hz: float | None
) -> None:
    """Draw the mean power in narrow bands of every condition, frequency upwards as beside it."""
    for name, drawn in levels.items():
        look = style.look(name)
        power = np.mean(10 ** (drawn.db[:-1] / 10), axis=1)
        bands = power.reshape(-1, _BINS_PER_BAND).mean(axis=1)
        centres_hz = drawn.frequency_hz[:-1].reshape(-1, _BINS_PER_BAND).mean(axis=1)
        width = 1.8 if name == "reference" else 1.1
        drawing = {"color": look.colour, "linestyle": look.line, "linewidth": width}
        axes.plot(10 * np.log10(bands) - top_db, centres_hz / 1000, **drawing)
    if cutoff_hz is not None:
        axes.axhline(cutoff_hz / 1000, color=style.MUTED, **_CUT)
    axes.set_xlim(-RANGE_DB, 0)
    axes.set_title("Mean spectra", loc="left", pad=3)
    axes.set_xlabel("Mean level (dB, same reference)")


def spectrogram_page(
    waveforms: Mapping[str, np.ndarray], sample_rate: int, *, title: str = "", notice: str = ""
) -> Figure:
    """Draw recordings (T,) of one rate one by one, each below its own loudest bin, two in a row."""
    with style.context():
        rows = -(-len(waveforms) // 2)
        figure = Figure(figsize=(style.PAGE_INCHES, 0.5 + 1.35 * rows), layout="constrained")
        grid = list(figure.subplots(rows, 2, sharey=True, squeeze=False).flat)
        for unused in grid[len(waveforms) :]:
            unused.remove()
        for axes, (name, waveform) in zip(grid, waveforms.items(), strict=False):
            measured = level(waveform, sample_rate)
            drawn = spectrogram(axes, measured, measured.top_db)
            axes.set_title(name, loc="left", pad=3)
        for axes in grid[::2]:
            axes.set_ylabel("Frequency (kHz)")
        for axes in grid[max(0, len(waveforms) - 2) : len(waveforms)]:
            axes.set_xlabel("Time (s)")
        bar = figure.colorbar(drawn, ax=grid[: len(waveforms)], aspect=60, pad=0.01, fraction=0.03)
        bar.set_label("Level (dB re loudest bin of each)")
        bar.outline.set_visible(False)
        frame(figure, title, notice)
    return figure


def thumbnail(
    waveform: np.ndarray, sample_rate: int, cutoff_hz: float | None, top_db: float
) -> Figure:
    """Draw one spectrogram without axes, to stand beside a player; ``top_db`` ends its scale.

    ``cutoff_hz`` is marked, if given.
    """
    with style.context():
        figure = Figure(figsize=(2.4, 0.7))
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_axis_off()
        spectrogram(axes, level(waveform, sample_rate), top_db)
        if cutoff_hz is not None:
            axes.axhline(cutoff_hz / 1000, color="white", **_CUT)
    return figure


def low_pass_comparison(
    table: pd.DataFrame, *, of: str = "Low-pass before decimation", notice: str = ""
) -> Figure:
    """Draw what networks gain on the baselines under every filter, with 95 % intervals.

    ``table`` is what :func:`shellac.report.tables.paired` returns. One panel per metric; the line
    at 0 is the baseline that the panel's axis names, the shaded filters are unseen in training.
    ``of`` is what the filters are.
    """
    table = table[(table["role"] == "all") & ~table["method"].isin(_BASELINES)]
    metrics = list(dict.fromkeys(table["metric"]))
    filters = list(dict.fromkeys(table["low_pass"]))
    with style.context():
        size = (style.COLUMN_INCHES, 0.8 + 1.25 * len(metrics))
        figure = Figure(figsize=size, layout="constrained")
        for axes, metric in zip(
            figure.subplots(len(metrics), 1, sharex=True, squeeze=False).flat, metrics, strict=True
        ):
            chosen = table[table["metric"] == metric]
            _differences(axes, chosen, filters)
            first = chosen.iloc[0]
            axes.set_ylabel(f"{first['metric_label']}\nminus {first['against_label'].lower()}")
        heard = dict(zip(table["low_pass"], table["seen"], strict=True))
        words = {"yes": "seen", "no": "unseen"}
        labels = [f"{style.low_pass(name)}\n({words[heard[name]]})" for name in filters]
        axes.set_xticks(range(len(filters)), labels)
        axes.set_xlabel(f"{of} (seen or unseen in training)")
        handles, names = axes.get_legend_handles_labels()
        figure.legend(handles, names, loc="outside upper center", ncols=min(3, len(names)))
        frame(figure, "", notice)
    return figure


def _differences(axes: Axes, table: pd.DataFrame, filters: list[str]) -> None:
    """Draw points with intervals, methods side by side within each filter."""
    methods = list(dict.fromkeys(table["method"]))
    for place, name in enumerate(filters):
        if (table.loc[table["low_pass"] == name, "seen"] == "no").all():
            axes.axvspan(place - 0.5, place + 0.5, color="#f2f2f2", linewidth=0)
    for number, method in enumerate(methods):
        rows = table[table["method"] == method].set_index("low_pass").reindex(filters)
        look, shift = style.look(method), 0.5 * ((number + 0.5) / len(methods) - 0.5)
        bounds = rows[["low", "high"]].fillna({"low": rows["mean"], "high": rows["mean"]})
        errors = (rows["mean"] - bounds["low"], bounds["high"] - rows["mean"])
        axes.errorbar(
            [place + shift for place in range(len(filters))], rows["mean"], errors,
            color=look.colour, marker=look.marker, linestyle="none", capsize=1.5, elinewidth=0.8,
            label=look.label,
        )  # fmt: skip
    axes.axhline(0, color=style.MUTED, linewidth=0.7)
    axes.set_xlim(-0.5, len(filters) - 0.5)
    axes.grid(axis="y")
    axes.set_axisbelow(True)


def training_curves(
    curves: Mapping[str, pd.DataFrame],
    *,
    loss: str = "Mean squared error",
    scale: str = "log",
    notice: str = "",
) -> Figure:
    """Draw training loss (thin) and validation loss (marked) over steps, one colour per network.

    ``curves`` maps a network to a table with columns step, loss, validation_loss; the last may be
    empty in rows where nothing was validated. ``loss`` names the axis, ``scale`` is Matplotlib's.
    """
    with style.context():
        figure = Figure(figsize=(style.COLUMN_INCHES, 2.5), layout="constrained")
        axes = figure.subplots()
        for name, table in curves.items():
            look = style.look(name)
            axes.plot(table["step"], table["loss"], color=look.colour, linewidth=0.5, alpha=0.55)
            validated = table.dropna(subset=["validation_loss"])
            axes.plot(
                validated["step"], validated["validation_loss"], color=look.colour,
                linestyle=look.line, marker=look.marker, label=look.label,
                markevery=max(1, len(validated) // 12),
            )  # fmt: skip
        axes.set_yscale(scale)
        axes.set_xlabel("Training step")
        axes.set_ylabel(loss)
        axes.grid(axis="y", which="major")
        legend_above(axes, columns=2, title="thin: training, marked: validation")
        frame(figure, "", notice)
    return figure


def longer_training(
    curves: Mapping[str, pd.DataFrame], network: str, *, notice: str = ""
) -> Figure:
    """Draw the validation loss of trainings of one network of different length, longest darkest.

    ``curves`` maps what the legend says to a table with columns step and validation_loss; the
    lowest loss of each, whose weights were kept, is ringed.
    """
    look = style.look(network)
    with style.context():
        figure = Figure(figsize=(style.COLUMN_INCHES, 2.1), layout="constrained")
        axes = figure.subplots()
        for number, (label, table) in enumerate(curves.items(), 1):
            validated = table.dropna(subset=["validation_loss"])
            best = validated.loc[validated["validation_loss"].idxmin()]
            drawing = {"color": look.colour, "alpha": number / len(curves)}
            axes.plot(validated["step"], validated["validation_loss"], label=label, **drawing)
            axes.plot(best["step"], best["validation_loss"], "o", fillstyle="none", **drawing)
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 3)))  # two in a decade have room
        axes.xaxis.set_major_formatter(lambda x, _: f"{x / 1000:g}k" if x >= 1000 else f"{x:g}")
        axes.xaxis.set_minor_formatter("")
        axes.set_yscale("log")
        axes.set_xlabel("Training step")
        axes.set_ylabel("Validation loss")
        axes.grid(axis="y", which="both")
        axes.legend(title=look.label, title_fontsize=6.5)
        frame(figure, "", notice)
    return figure


def legend_above(axes: Axes, *, columns: int, title: str | None = None) -> None:
    """Name what is drawn above the panel, where the names hide nothing."""
    count = min(columns, len(axes.get_legend_handles_labels()[1]))
    axes.legend(
        title=title, title_fontsize=6.5, loc="lower left", bbox_to_anchor=(0, 1), ncols=count,
        borderaxespad=0.2, columnspacing=1.2, handlelength=2.4, alignment="left",
    )  # fmt: skip


def frame(figure: Figure, title: str, notice: str) -> None:
    """Put the title above and the notice below the panels."""
    if title:
        figure.suptitle(title, fontsize=7, x=0.01, ha="left")
    if notice:
        lines = textwrap.fill(notice, int(_CHARACTERS_PER_INCH * figure.get_figwidth()))
        figure.supxlabel(lines, fontsize=6.5, color=style.MUTED, style="italic")
