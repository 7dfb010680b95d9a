"""Figures of denoising: each function takes data, returns the figure, saves nothing."""

import pandas as pd
from matplotlib.figure import Figure

from shellac.report import style
from shellac.report.figures import frame, legend_above

PANELS = ("reference", "noisy", "classical", "classical_profile", "unet_22k", "oracle_mask")


def gains(table: pd.DataFrame, *, notice: str = "") -> Figure:
    """Draw SI-SDR over that of the noisy input against its ratio, with 95 % intervals.

    ``table`` is what :func:`.denoiser_tables.ratios` returns; methods without a look of their own
    are drawn as ``network``.
    """
    with style.context():
        figure = Figure(figsize=(style.COLUMN_INCHES, 2.4), layout="constrained")
        axes = figure.subplots()
        heard = table[table["mean"].notna()]
        noisy = heard[heard["method"] == "noisy"].set_index("snr_db")["mean"]
        for name, rows in heard.groupby("method", sort=False):
            if name == "noisy":
                continue
            look = style.look(name if name in style.DENOISING_LOOKS else "network")
            input_db = rows["snr_db"].map(noisy).to_numpy()
            low, high = (rows[column].fillna(rows["mean"]) for column in ("low", "high"))
            axes.errorbar(
                rows["snr_db"], rows["mean"] - input_db, yerr=(rows["mean"] - low,
                high - rows["mean"]), color=look.colour, linestyle=look.line, marker=look.marker,
                capsize=1.5, elinewidth=0.8, label=style.label(name),
            )  # fmt: skip
        axes.axhline(0, color=style.MUTED, linewidth=0.7)
        axes.set_xlabel("Signal-to-noise ratio of the input (dB)")
        axes.set_ylabel("SI-SDR over that of the input (dB)")
        axes.grid(axis="y")
        axes.set_axisbelow(True)
        legend_above(axes, columns=2)
        frame(figure, "", notice)
    return figure
