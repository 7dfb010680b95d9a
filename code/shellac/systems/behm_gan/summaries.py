"""What the scores of bandwidth extension are told apart by, and what has to be beaten."""

from collections.abc import Iterable

from shellac.systems.summaries import ALL, Layout, Row

LAYOUT = Layout("role", ("low_pass",))
LOW_PASSED, BAND_COPY = "low_passed", "band_copy"
# What a method has to beat: the band copy holds the best log-spectral distance that no learning
# gives; the input, whose kept band nobody has touched, the best ratios.
BASELINES = {
    "lsd_above_cut": BAND_COPY,
    "kept_band_snr_db": LOW_PASSED,
    "si_sdr_db": LOW_PASSED,
}


def nested(summary: Iterable[Row]) -> dict[str, dict[str, dict[str, float]]]:
    """Low-pass -> method -> metric -> mean over all tracks, for ``dvc metrics``."""
    tree: dict[str, dict[str, dict[str, float]]] = {}
    for row in summary:
        if row["role"] == ALL:
            scores = tree.setdefault(row["low_pass"], {}).setdefault(row["method"], {})
            scores[row["metric"]] = row["mean"]
    return tree
