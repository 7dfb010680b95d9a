"""Tables: one formatter from a summary over tracks to cells a person can read.

A table is long (one row per cell) and complete: a cell that nobody measured has a row that says
so. It keeps the numbers beside the text, so that programs and the manuscript read the same file.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from pandas.io.formats.style import Styler

from shellac.report import style
from shellac.report.published import Published

NOT_MEASURED = "not measured"
BEST = "best"
NOT_SEPARABLE = "not separable"
ALL_ROLES = "all"
COLUMNS = (
    "source", "data", "role", "method", "method_label", "metric", "metric_label",
    "mean", "low", "high", "tracks", "cell", "standing", "notice", "reference",
)  # fmt: skip
_THIS_WORK = "this work"
_PUBLISHED = "published"
_MARK = " \N{DAGGER}"  # after the cells of a column whose best cannot be told apart


@dataclass(frozen=True)
class Metric:
    """How one metric is named, ordered and rounded."""

    label: str
    higher_is_better: bool
    digits: int = 2


SUPERRES_METRICS = {
    "snr_db": Metric("SNR (dB)", True),
    "si_sdr_db": Metric("SI-SDR (dB)", True),
    "kept_band_snr_db": Metric("Kept-band SNR (dB)", True),
    "lsd": Metric("LSD", False),
    "lsd_above_cut": Metric("LSD above the cut", False),
    "snr_reference_db": Metric("Reference SNR (dB)", True),
    "lsd_reference": Metric("Reference LSD", False),
}
BASELINES = ("spline", "band_copy")
SUPERRES_METHODS = (*BASELINES, "audiounet", "tfilm", "tfilm_legacy")
PUBLISHED_METRICS = {name: SUPERRES_METRICS[name] for name in ("snr_reference_db", "lsd_reference")}
PAIRED_COLUMNS = (
    "role", "low_pass", "low_pass_label", "seen", "method", "method_label", "against",
    "against_label", "metric", "metric_label", "mean", "low", "high", "tracks", "cell", "standing",
    "notice",
)  # fmt: skip
BETTER, WORSE = "better", "worse"


def build(
    summary: pd.DataFrame,
    methods: Sequence[str] = SUPERRES_METHODS,
    metrics: Mapping[str, Metric] = SUPERRES_METRICS,
    *,
    published: Sequence[Published] = (),
    notice: str = "",
) -> pd.DataFrame:
    """Lay a summary out as the complete table of every role, method and metric.

    Parameters
    ----------
    summary : DataFrame
        Columns role, method, metric, mean, low, high, tracks; ``low`` and ``high`` bound the 95 %
        interval over tracks.
    methods, metrics
        What the table has rows and columns for; ``metrics`` says how each is named and ordered.
    published : sequence of Published
        Appended as rows of their own, with their source. Roles that only they have get rows of
        ours too, which then say that nobody measured them.
    notice : str
        Repeated in every row, so that no part of the table travels without it.

    Returns
    -------
    DataFrame
        Columns :data:`COLUMNS`. ``cell`` is the text of the cell. ``standing`` is ``best`` for
        the one best method of a role and metric, ``not separable`` for the best and all others
        whose intervals overlap with its own, else empty.
    """
    measured = {(row.role, row.method, row.metric): row for row in summary.itertuples(index=False)}
    rows = []
    for role in _roles(summary, published):
        for name, metric in metrics.items():
            found = [measured.get((role, method, name)) for method in methods]
            standings = _standings(found, metric.higher_is_better)
            for method, row, standing in zip(methods, found, standings, strict=True):
                rows.append(_row(role, method, name, metric, row) | {"standing": standing})
    for value in published:
        rows.append(_published_row(value, metrics[value.metric]))
    return pd.DataFrame(rows).assign(notice=notice)[list(COLUMNS)]


def _roles(summary: pd.DataFrame, published: Sequence[Published]) -> list[str]:
    others = (set(summary["role"]) | {value.role for value in published}) - {ALL_ROLES}
    return [ALL_ROLES, *sorted(others)]


def _row(role: str, method: str, name: str, metric: Metric, found: tuple | None) -> dict:
    measured = _is_measured(found)
    numbers = [found.mean, found.low, found.high, int(found.tracks)] if measured else [None] * 4
    return dict(
        zip(("mean", "low", "high", "tracks"), numbers, strict=True),
        source=_THIS_WORK,
        data=role,
        role=role,
        method=method,
        method_label=style.label(method),
        metric=name,
        metric_label=metric.label,
        cell=cell(*numbers, digits=metric.digits),
        reference="",
    )


def _published_row(value: Published, metric: Metric) -> dict:
    return {
        "source": _PUBLISHED,
        "data": value.data,
        "role": value.role,
        "method": value.method,
        "method_label": style.label(value.method),
        "metric": value.metric,
        "metric_label": metric.label,
        "mean": value.value,
        "low": None,
        "high": None,
        "tracks": None,
        "cell": f"{value.value:g}",
        "standing": "",
        "reference": value.reference,
    }


def _is_measured(found: tuple | None) -> bool:
    return found is not None and found.tracks >= 1 and not np.isnan(found.mean)


def cell(
    mean: float | None,
    low: float | None,
    high: float | None,
    tracks: int | None,
    digits: int = 2,
    signed: bool = False,
) -> str:
    """Return ``mean [low, high]``, or what stands there instead.

    One track has no interval over tracks, so it says ``one track``; no track says
    ``not measured``. Minus signs are typographic; ``signed`` prints a plus too.
    """
    if not tracks or mean is None or np.isnan(mean):
        return NOT_MEASURED
    text = _number(mean, digits, signed)
    if tracks < 2:
        return f"{text} (one track)"
    if low is None or high is None or np.isnan(low) or np.isnan(high):
        return text
    return f"{text} [{_number(low, digits, signed)}, {_number(high, digits, signed)}]"


def paired(
    differences: pd.DataFrame,
    seen: Collection[str],
    metrics: Mapping[str, Metric] = SUPERRES_METRICS,
    *,
    notice: str = "",
) -> pd.DataFrame:
    """Lay out mean differences to a baseline, over the same tracks, filter by filter.

    Parameters
    ----------
    differences : DataFrame
        What :func:`shellac.report.results.paired` returns.
    seen : collection of str
        Low-pass families that training has heard.
    metrics, notice
        As in :func:`build`.

    Returns
    -------
    DataFrame
        Columns :data:`PAIRED_COLUMNS`. ``cell`` is signed. ``standing`` is ``better`` or
        ``worse`` where the interval of the difference excludes 0, else ``not separable``.
    """
    order = differences["metric"].map(list(metrics).index)
    low_pass = differences["low_pass"]
    told = differences.assign(
        low_pass_label=low_pass.map(style.low_pass),
        seen=low_pass.isin(list(seen)).map({True: "yes", False: "no"}),
    )
    in_order = told.loc[order.sort_values(kind="stable").index]
    return laid_out(in_order, metrics, PAIRED_COLUMNS, notice=notice)


def laid_out(
    differences: pd.DataFrame,
    metrics: Mapping[str, Metric],
    columns: Sequence[str],
    *,
    notice: str = "",
) -> pd.DataFrame:
    """Lay out mean paired differences, whatever they are grouped by; the result has ``columns``.

    Labels, ``cell`` and ``standing``, as of :func:`paired`, are added to what there is.
    """
    rows = []
    for found in differences.itertuples(index=False):
        metric = metrics[found.metric]
        numbers = (found.mean, found.low, found.high, found.tracks)
        row = {name: getattr(found, name) for name in differences.columns}
        rows.append(
            row
            | {
                "method_label": style.label(found.method),
                "against_label": style.label(found.against),
                "metric_label": metric.label,
                "cell": cell(*numbers, digits=metric.digits, signed=True),
                "standing": against_zero(found, metric.higher_is_better),
                "notice": notice,
            }
        )
    return pd.DataFrame(rows, columns=list(columns))


def against_zero(found: tuple, higher_is_better: bool) -> str:
    """Say how a difference with bounds ``low`` and ``high`` stands: its interval against 0."""
    if np.isnan([found.low, found.high]).any() or found.low <= 0 <= found.high:
        return NOT_SEPARABLE
    return BETTER if (found.low > 0) == higher_is_better else WORSE


def _number(value: float, digits: int, signed: bool = False) -> str:
    plus = "+" if signed else ""
    if np.isinf(value):
        return f"{plus}\N{INFINITY}" if value > 0 else "\N{MINUS SIGN}\N{INFINITY}"
    return f"{value:{plus}.{digits}f}".replace("-", "\N{MINUS SIGN}")


def _standings(found: Sequence[tuple | None], higher_is_better: bool) -> list[str]:
    """Say of each method whether it is the best, or cannot be told apart from the best.

    Overlap of intervals is a cautious rule: intervals that overlap a little may still differ.
    Without an interval (one track) nothing is separable.
    """
    sign = 1 if higher_is_better else -1
    measured = [row for row in found if _is_measured(row)]
    if not measured:
        return [""] * len(found)
    best = max(measured, key=lambda row: sign * row.mean)
    tied = [row for row in measured if row is best or _overlap(row, best)]
    word = NOT_SEPARABLE if len(tied) > 1 else BEST
    return [word if any(row is one for one in tied) else "" for row in found]


def _overlap(one: tuple, other: tuple) -> bool:
    bounds = (one.low, one.high, other.low, other.high)
    if min(one.tracks, other.tracks) < 2 or np.isnan(bounds).any():
        return True
    return one.low <= other.high and other.low <= one.high


def wide(table: pd.DataFrame, source: str = _THIS_WORK) -> pd.DataFrame:
    """Return the cells with one row per data set and method, one column per metric, to look at.

    Data sets on which nothing was measured are left out, and a single role, which repeats ``all``.
    The best of a column is starred; a dagger marks those that cannot be told apart from it.
    """
    marks = {BEST: " \N{BLACK STAR}", NOT_SEPARABLE: _MARK}
    chosen = table[table["source"] == source]
    chosen = chosen[chosen.groupby("data")["mean"].transform("count") > 0]
    if chosen["data"].nunique() == 2 and (chosen["data"] == ALL_ROLES).any():
        chosen = chosen[chosen["data"] == ALL_ROLES]
    shown = chosen.assign(shown=chosen["cell"] + chosen["standing"].map(marks).fillna(""))
    columns = list(dict.fromkeys(shown["metric_label"]))
    keys = ["data", "method_label"]
    order = list(dict.fromkeys(shown[keys].itertuples(index=False, name=None)))
    cells = shown.pivot(index=keys, columns="metric_label", values="shown")
    return cells.reindex(index=pd.MultiIndex.from_tuples(order, names=keys), columns=columns)


def shown(table: pd.DataFrame, notice: str = "") -> Styler:
    """Return a table for the screen: the notice once, above it, instead of in every row.

    Columns are named in words; one that has a ``_label`` beside it gives way to it. A value that
    is missing stays empty.
    """
    labelled = [name for name in table.columns if f"{name}_label" in table.columns]
    plain = table.drop(columns=["notice", *labelled], errors="ignore")
    plain = plain.rename(columns=_heading).rename_axis(index=_heading, columns=None)
    styled = plain.style.format(lambda v: f"{v:.3g}" if isinstance(v, float) else str(v), na_rep="")
    if not isinstance(table.index, pd.MultiIndex):
        styled = styled.hide(axis="index")
    return styled.set_caption(notice)


def _heading(name: str | None) -> str | None:
    if name == "cell":
        return "value [95 % interval]"
    return name and name.removesuffix("_label").replace("_", " ")


def by_low_pass(table: pd.DataFrame, role: str = ALL_ROLES) -> pd.DataFrame:
    """Return the cells of :func:`paired` with one column per filter, to look at.

    A star marks a difference for the better, a minus sign in brackets one for the worse.
    """
    marks = {BETTER: " \N{BLACK STAR}", WORSE: " (\N{MINUS SIGN})"}
    chosen = table[table["role"] == role]
    heard = chosen["seen"].map({"yes": "seen", "no": "unseen"})
    chosen = chosen.assign(
        shown=chosen["cell"] + chosen["standing"].map(marks).fillna(""),
        filter=chosen["low_pass_label"] + " (" + heard + ")",
        difference=chosen["metric_label"] + " to " + chosen["against_label"],
    )
    keys = ["difference", "method_label"]
    order = list(dict.fromkeys(chosen[keys].itertuples(index=False, name=None)))
    cells = chosen.pivot(index=keys, columns="filter", values="shown")
    columns = list(dict.fromkeys(chosen["filter"]))
    return cells.reindex(index=pd.MultiIndex.from_tuples(order, names=keys), columns=columns)


def training(curves: Mapping[str, pd.DataFrame], *, notice: str = "") -> pd.DataFrame:
    """Sum up training records: steps, first, last and best validation loss of every network.

    ``curves`` maps a network to a table with columns step, loss, validation_loss.
    """
    rows = []
    for name, curve in curves.items():
        validated = curve.dropna(subset=["validation_loss"])
        best = validated.loc[validated["validation_loss"].idxmin()]
        rows.append(
            {
                "network": name,
                "label": style.label(name),
                "steps": int(curve["step"].max()),
                "first_validation_loss": validated["validation_loss"].iloc[0],
                "last_validation_loss": validated["validation_loss"].iloc[-1],
                "best_validation_loss": best["validation_loss"],
                "best_step": int(best["step"]),
                "notice": notice,
            }
        )
    return pd.DataFrame(rows)


def data(recordings: pd.DataFrame, *, notice: str = "") -> pd.DataFrame:
    """Count recordings and minutes by corpus, role and use.

    ``recordings`` is what :func:`shellac.report.results.recordings` returns. ``use`` is the
    split, ``restored only`` where a recording has none, or ``left out``.
    """
    used = recordings["used"] == "yes"
    use = recordings["split"].where(recordings["split"] != "", "restored only")
    minutes = recordings["samples"] / recordings["sample_rate"].clip(lower=1) / 60
    counted = recordings.assign(use=use.where(used, "left out"), minutes=minutes)
    groups = counted.groupby(["corpus", "role", "use"], sort=True)
    table = groups.agg(recordings=("file", "size"), minutes=("minutes", "sum")).reset_index()
    return table.assign(notice=notice)


def left_out(recordings: pd.DataFrame, *, notice: str = "") -> pd.DataFrame:
    """List the recordings that are not used, each with the reason; may be empty."""
    dropped = recordings[recordings["used"] != "yes"]
    return dropped[["corpus", "role", "file", "reason"]].assign(notice=notice)
