"""What the scores of the generative equaliser are told apart by, and what has to be beaten."""

from collections.abc import Iterable

from shellac.systems.summaries import ALL, Layout, Row

LAYOUT = Layout("role", ("network",))
# The equaliser that matches average spectra, without anything learned about music.
TO_BEAT = dict.fromkeys(
    (
        "filter_error_db", "lsd", "band_error_low_db", "band_error_middle_db",
        "band_error_high_db", "onset_correlation", "chroma_similarity",
    ),
    "ltas",
)  # fmt: skip


def nested(summary: Iterable[Row]) -> dict[str, dict[str, dict[str, float]]]:
    """Network -> method -> metric -> mean over all tracks, for ``dvc metrics``."""
    tree: dict[str, dict[str, dict[str, float]]] = {}
    for row in summary:
        if row["role"] == ALL:
            scores = tree.setdefault(row["network"], {}).setdefault(row["method"], {})
            scores[row["metric"]] = row["mean"]
    return tree
