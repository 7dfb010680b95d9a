"""Tables of inpainting: one row for each of many networks, ranks as intervals bear them out."""

from collections.abc import Mapping, Sequence

import pandas as pd

from shellac.report import style, tables
from shellac.report.tables import ALL_ROLES, NOT_MEASURED, Metric
from shellac.weights import Card

METRICS = {
    "nrmse": Metric("NRMSE", False, 3),
    "peak_psnr_db": Metric("PSNR, own peak (dB)", True),
    "psnr_db": Metric("PSNR, range 1 (dB)", True),
    "psnr_gain_db": Metric("PSNR gain (dB)", True),
}
PUBLISHED_METRICS = {name: METRICS[name] for name in ("psnr_db", "psnr_gain_db", "nrmse")}
GAP_METRICS = {
    "gap_snr_db": Metric("SNR in gaps (dB)", True),
    "gap_lsd": Metric("LSD in gaps", False),
}
ALL_METRICS = METRICS | GAP_METRICS
BASELINES = ("damaged", "hold", "linear")
AUTOREGRESSIVE = ("autoregressive", "autoregressive_two_orders")
PAIRED_COLUMNS = (
    "genre", "unit", "method", "method_label", "against", "against_label", "metric",
    "metric_label", "mean", "low", "high", "tracks", "cell", "standing", "notice",
)  # fmt: skip
SIZE_COLUMNS = (
    "method", "method_label", "network", "input", "parameters", "steps", "cell", "mean",
    "difference", "standing", "rank", "notice",
)  # fmt: skip


def paired(differences: pd.DataFrame, *, notice: str = "") -> pd.DataFrame:
    """Lay out mean differences to a baseline, over the same tracks.

    ``differences`` is what :func:`shellac.report.results.paired` returns. The result has
    :data:`PAIRED_COLUMNS`; ``cell`` is signed, ``standing`` as in :func:`.tables.paired`.
    """
    return tables.laid_out(differences, ALL_METRICS, PAIRED_COLUMNS, notice=notice)


def sizes(
    scores: pd.DataFrame,
    differences: pd.DataFrame,
    ranks: pd.DataFrame,
    cards: Mapping[str, Card],
    *,
    notice: str = "",
) -> pd.DataFrame:
    """One row per method, best first: what it is, how large, its NRMSE, and its rank.

    Parameters
    ----------
    scores : DataFrame
        What :func:`.tables.build` made of whole segments.
    differences : DataFrame
        What :func:`paired` returns.
    ranks : DataFrame
        What :func:`.results.ranks` returns.
    cards
        Of the trained networks' weights, by name.
    """
    rows = []
    ours = _of_all(scores, "role", metric="nrmse", source="this work").set_index("method")
    against = _of_all(differences, "genre", metric="nrmse", unit="segment").set_index("method")
    placed = _of_all(ranks, "genre", metric="nrmse", unit="segment")
    for found in placed.itertuples(index=False):
        name, card = found.method, cards.get(found.method)
        told = against.loc[name] if name in against.index else None
        rows.append(
            {
                "method": name,
                "method_label": style.label(name),
                "network": card.network.partition("/")[2] if card else "",
                "input": card.extra["conversion"]["input"] if card else "",
                "parameters": card.extra["parameters"] if card else None,
                "steps": card.extra["steps"] if card else None,
                "cell": ours.loc[name, "cell"] if name in ours.index else NOT_MEASURED,
                "mean": found.mean,
                "difference": "" if told is None else told["cell"],
                "standing": "" if told is None else told["standing"],
                "rank": rank(found.rank, found.last_rank),
                "notice": notice,
            }
        )
    return pd.DataFrame(rows, columns=list(SIZE_COLUMNS)).astype(
        {"parameters": "Int64", "steps": "Int64"}
    )


def every(
    networks: Mapping[str, tuple[int, str]], sizes: pd.DataFrame, *, notice: str = ""
) -> pd.DataFrame:
    """One row per network that can be built: parameters at published size, use, NRMSE here.

    ``networks`` maps a name to its parameters and when to use it; ``sizes`` is what :func:`sizes`
    returns. Of several entries of one network the best counts; ``cell`` is empty where none is.
    """
    best = sizes[sizes["network"] != ""].drop_duplicates("network").set_index("network")["cell"]
    rows = [
        (name, parameters, use, best.get(name, ""), notice)
        for name, (parameters, use) in networks.items()
    ]
    return pd.DataFrame(rows, columns=["network", "parameters", "use_when", "cell", "notice"])


def _of_all(table: pd.DataFrame, group: str, **where: str) -> pd.DataFrame:
    chosen = table[table[group] == ALL_ROLES]
    for column, value in where.items():
        chosen = chosen[chosen[column] == value]
    return chosen


def rank(first: int, last: int) -> str:
    """Say a rank as far as it is known: ``3``, or ``2 to 5`` where intervals do not separate."""
    return str(first) if first == last else f"{first} to {last}"


def genres(scores: pd.DataFrame, metric: str = "nrmse") -> pd.DataFrame:
    """Return means of one metric, one row per method, one column per genre; best method first.

    A method that was measured in no genre has no row.
    ``scores`` is what :func:`.tables.build` returns.
    """
    chosen = scores[(scores["source"] == "this work") & (scores["metric"] == metric)]
    wide = chosen.pivot(index="method", columns="role", values="mean")
    order = wide[ALL_ROLES].sort_values(ascending=not ALL_METRICS[metric].higher_is_better).index
    columns = [name for name in wide.columns if name != ALL_ROLES]
    return wide.loc[order, columns].dropna(how="all")


def gaps(
    summaries: Mapping[str, pd.DataFrame], methods: Sequence[str], *, notice: str = ""
) -> pd.DataFrame:
    """Stack the tables of waveform gaps, one per duration, with a column ``unit``.

    ``summaries`` maps a unit such as ``gap-20ms`` to its summary over tracks.
    """
    built = [
        tables.build(summary, methods, GAP_METRICS, notice=notice).assign(unit=unit)
        for unit, summary in summaries.items()
    ]
    stacked = pd.concat(built, ignore_index=True)
    return stacked[stacked["role"] == ALL_ROLES].reset_index(drop=True)
