"""Tables of bandwidth extension: what is added above the cut, what is lost below, harm done."""

from collections.abc import Collection

import pandas as pd

from shellac.report import tables
from shellac.report.tables import SUPERRES_METRICS, Metric

_SHOWN = ("lsd_above_cut", "kept_band_snr_db", "lsd", "si_sdr_db")
METRICS = {name: SUPERRES_METRICS[name] for name in _SHOWN}
AESTHETICS = {
    "audiobox_ce": Metric("CE", True),
    "audiobox_cu": Metric("CU", True),
    "audiobox_pc": Metric("PC", True),
    "audiobox_pq": Metric("PQ", True),
}
BASELINES = ("low_passed", "band_copy")
FULL_BAND = "none"  # the input that lacks nothing


def paired(differences: pd.DataFrame, seen: Collection[str], *, notice: str = "") -> pd.DataFrame:
    """Lay out mean differences to the baselines under every low-pass, as :func:`.tables.paired`.

    The input that lacks nothing is left out: there a band copy replaces what was right.
    """
    chosen = differences[differences["low_pass"] != FULL_BAND]
    return tables.paired(chosen, seen, METRICS, notice=notice)


def aims(table: pd.DataFrame, most_lost_db: float = 0.5) -> pd.DataFrame:
    """Say of every network and low-pass whether it is nearer than a band copy without doing harm.

    ``table`` is what :func:`paired` returns. ``nearer``: the interval of the difference in LSD
    above the cut to that of the band copy lies below 0. ``kept``: the kept band lost at most
    ``most_lost_db`` in the mean, against the input.
    """
    rows = []
    of_all = table[(table["role"] == tables.ALL_ROLES) & ~table["method"].isin(BASELINES)]
    for (method, low_pass), group in of_all.groupby(["method", "low_pass"], sort=False):
        by_metric = group.set_index("metric")
        distance, kept = by_metric.loc["lsd_above_cut"], by_metric.loc["kept_band_snr_db"]
        rows.append(
            {
                "method": method,
                "method_label": distance["method_label"],
                "low_pass": low_pass,
                "low_pass_label": distance["low_pass_label"],
                "seen": distance["seen"],
                "distance": distance["cell"],
                "nearer": "yes" if distance["standing"] == tables.BETTER else "no",
                "kept_band": kept["cell"],
                "kept": "yes" if kept["mean"] >= -most_lost_db else "no",
                "notice": distance["notice"],
            }
        )
    return pd.DataFrame(rows)
