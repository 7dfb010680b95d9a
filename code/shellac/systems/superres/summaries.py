"""What the scores of super-resolution are told apart by, and what has to be beaten."""

from collections.abc import Iterable

from shellac.systems.summaries import ALL, Layout, Row

FILE, PATCH = "file", "patch"  # units that a score of a track was taken over
LAYOUT = Layout("role", ("low_pass", "unit"))
# What a method has to beat: the spline holds the best signal-to-noise ratio that no learning
# gives, the band copy the best log-spectral distance.
BASELINES = {"snr_db": "spline", "lsd": "band_copy"}


def whole_files(rows: Iterable[Row]) -> list[Row]:
    """Return the scores that were taken over whole files, those that methods are compared by."""
    return [row for row in rows if row["unit"] == FILE]


def nested(summary: Iterable[Row]) -> dict[str, dict[str, dict[str, float]]]:
    """Low-pass -> method -> metric -> mean over all tracks, by file, for ``dvc metrics``."""
    tree: dict[str, dict[str, dict[str, float]]] = {}
    for row in whole_files(summary):
        if row["role"] == ALL:
            scores = tree.setdefault(row["low_pass"], {}).setdefault(row["method"], {})
            scores[row["metric"]] = row["mean"]
    return tree
