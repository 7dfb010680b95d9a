"""Tables of the generative equaliser."""

import pandas as pd

from shellac.report import style, tables
from shellac.report.tables import Metric

METHODS = ("input", "ltas", "informed", "blind")
METRICS = {
    "filter_error_db": Metric("Filter error (dB)", False),
    "lsd": Metric("LSD", False),
    "band_error_low_db": Metric("Error below 500 Hz (dB)", False),
    "band_error_middle_db": Metric("Error 500 Hz to 2 kHz (dB)", False),
    "band_error_high_db": Metric("Error above 2 kHz (dB)", False),
    "onset_correlation": Metric("Onset correlation", True),
    "chroma_similarity": Metric("Chroma similarity", True),
}
PAIRED_COLUMNS = (
    "role", "network", "method", "method_label", "against_label", "metric", "metric_label", "mean",
    "low", "high", "tracks", "cell", "standing", "notice",
)  # fmt: skip
FRECHET_COLUMNS = ("network", "method", "method_label", "embedding", "cell", "mean", "low", "high",
                   "tracks", "notice")  # fmt: skip


def paired(differences: pd.DataFrame, *, notice: str = "") -> pd.DataFrame:
    """Lay out mean differences to spectrum matching alone, over the same tracks.

    ``differences`` is what :func:`shellac.report.results.paired` returns. ``cell`` is signed,
    ``standing`` says whether the interval excludes 0.
    """
    return tables.laid_out(differences, METRICS, PAIRED_COLUMNS, notice=notice)


def frechet(distances: pd.DataFrame, *, notice: str = "") -> pd.DataFrame:
    """Lay out Fréchet distances of whole sets, with the embedding that they hold under."""
    labels = [style.label(method) for method in distances["method"]]
    cells = [
        tables.cell(row.mean, row.low, row.high, row.tracks)
        for row in distances.itertuples(index=False)
    ]
    laid = distances.assign(method_label=labels, cell=cells, notice=notice)
    return laid[list(FRECHET_COLUMNS)]
