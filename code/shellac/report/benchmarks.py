"""What the stages cost and how fast their parts are: records of times, which nothing depends on."""

import json
from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.figure import Figure

from shellac import paths
from shellac.report import style

Rows = Sequence[Mapping[str, object]]
_STAGE_COLUMNS = ["stage", "of", "seconds", "cpu_seconds", "peak_memory_mb", "threads"]
_SECONDS_PER_HOUR = 3600
_BAR_COLOUR = "#9db8d6"
_ROW_INCHES, _FRAME_INCHES = 0.15, 0.6
# what a benchmark's rows say, and how to read their figures
READING = {
    "machine": "What the machine reaches by itself: arithmetic, memory, decoding, start-up.",
    "networks": "Time over the floor: the direct algorithm's operations at a plain convolution's"
    " rate. Near 1 is as fast as the machine allows.",
    "operators": "Where the time of networks above their goal goes, operator by operator.",
    "allocation": "Time with memory returned between layers, over that with memory kept.",
    "end-to-end": "`shellac restore` over its network's floor: context, resampling, files.",
    "spline": "SciPy's time over ours. Above 1 ours is faster.",
    "fragments": "The published preparation's time over ours, and memory over a corpus' size.",
    "griffin-lim": "The time of a loop of librosa's transforms over ours.",
    "synthesis": "Synthesised sound per processor second, and how far apart its spectra lie.",
    "long-files": "Memory over length, samples lost and lag of `shellac restore`.",
    "classical": "SI-SDR and distance after classical removal of hiss and clicks, and its time.",
    "inpainting-gaps": "SNR in gaps cut into recordings, by duration.",
    "cqt": "The constant-Q transform beside a dense and a plain one; its network over its floor.",
    "segments": "Memory over the number of segments, with networks of the published size.",
    "babe2-files": "BABE-2 on long recordings: memory, seams, and a killed restoration resumed.",
    "historical": "What a chain takes out of recordings without a reference.",
}
OVER_FLOOR = ("networks", "cqt", "end-to-end")
TIMES_FASTER = ("spline", "griffin-lim", "fragments", "allocation")


def stages(profile: str) -> pd.DataFrame:
    """Return what every stage of a profile cost when it last ran, dearest first; may be empty."""
    found = []
    for path in sorted(paths.results(profile, "records").glob("*.json")):
        record = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(record, dict) and set(_STAGE_COLUMNS) <= set(record):
            found.append({name: record[name] for name in _STAGE_COLUMNS})
    table = pd.DataFrame(found, columns=_STAGE_COLUMNS)
    table["of"] = table["of"].map(", ".join)
    table["peak_memory_mb"] = table["peak_memory_mb"].round().astype(int)
    return table.sort_values("cpu_seconds", ascending=False, ignore_index=True)


def by_kind(stages: pd.DataFrame) -> pd.DataFrame:
    """Sum up :func:`stages` by kind: how many there are, what they cost, the most memory."""
    kinds = stages.groupby("stage", sort=False)
    summed = kinds.agg(
        stages=("of", "size"),
        seconds=("seconds", "sum"),
        cpu_seconds=("cpu_seconds", "sum"),
        peak_memory_mb=("peak_memory_mb", "max"),
    )
    return summed.round().astype(int).sort_values("cpu_seconds", ascending=False).reset_index()


def measured(rows: Rows) -> pd.DataFrame:
    """Return the rows of one benchmark as a table; columns carry their units in their names."""
    table = pd.DataFrame(list(rows)).set_index("what").reset_index()
    return table.astype(object).where(table.notna(), "")


def ratios(bench: Mapping[str, Rows], names: Sequence[str]) -> pd.DataFrame:
    """Return the ratios that some benchmarks measured, with the columns what and ratio."""
    found = [
        {"what": row["what"], "ratio": row["ratio"]}
        for name in names
        for row in bench.get(name, ())
        if "ratio" in row
    ]
    return pd.DataFrame(found, columns=["what", "ratio"])


def compared(table: pd.DataFrame, axis: str) -> Figure:
    """Draw the ratios of :func:`ratios` as bars, with a line at 1."""
    with style.context():
        height = _FRAME_INCHES + _ROW_INCHES * len(table)
        figure = Figure(figsize=(style.PAGE_INCHES, height), layout="constrained")
        axes = figure.subplots()
        bars = axes.barh(range(len(table)), table["ratio"], 0.7, color=_BAR_COLOUR, linewidth=0)
        axes.bar_label(bars, fmt="%.3g", fontsize=5.5, padding=2)
        axes.axvline(1, color=style.MUTED, linewidth=0.6)
        axes.set_xlabel(axis)
        axes.set_yticks(range(len(table)), table["what"], fontsize=5.5)
        axes.invert_yaxis()
        axes.grid(axis="x")
        axes.set_axisbelow(True)
    return figure


def campaigns() -> pd.DataFrame:
    """Return the long runs that are kept in git: one row each, with their processor hours."""
    rows = []
    for path in sorted(paths.results("campaigns").glob("*/about.json")):
        told = json.loads(path.read_text(encoding="utf-8"))
        seconds = told.get("training_cpu_seconds")
        rows.append(
            {
                "campaign": path.parent.name,
                "network": told.get("network", ""),
                "cpu_hours": "" if seconds is None else f"{seconds / _SECONDS_PER_HOUR:.2f}",
                "command": told["command"],
            }
        )
    return pd.DataFrame(rows, columns=["campaign", "network", "cpu_hours", "command"])
