"""What the scores of denoising are told apart by, and what has to be beaten."""

from collections.abc import Iterable

from shellac.systems.summaries import ALL, Layout, Row

LAYOUT = Layout("role", ("snr_db",))
MEAN, CLEAN = "mean", "clean"  # over the ratios of a track; music without noise
CLASSICAL = ("classical", "classical_profile")
TO_BEAT = ("si_sdr_db", "snr_db", "lsd", "kept_band_snr_db")


def condition(snr_db: float) -> str:
    """Return what scores at this ratio are filed under, such as ``6``."""
    return f"{snr_db:g}"


def with_means(rows: list[dict]) -> list[dict]:
    """Append each track's mean over its ratios, per method and metric, under ``mean``.

    A mean over tracks of these counts every track once, whatever its ratios.
    """
    found: dict[tuple, list[dict]] = {}
    for row in rows:
        if row["snr_db"] != CLEAN:
            place = (row["sha256"], row["method"], row["metric"])
            found.setdefault(place, []).append(row)
    means = [
        same[0] | {"snr_db": MEAN, "value": sum(row["value"] for row in same) / len(same)}
        for same in found.values()
    ]
    return [*rows, *means]


def best_classical(summary: Iterable[Row]) -> str:
    """Return the classical row with the higher mean SI-SDR over all tracks and ratios."""
    found = {
        row["method"]: row["mean"]
        for row in summary
        if row["role"] == ALL and row["snr_db"] == MEAN and row["metric"] == "si_sdr_db"
    }
    return max(CLASSICAL, key=lambda name: found[name])


def nested(summary: Iterable[Row]) -> dict[str, dict[str, dict[str, float]]]:
    """Ratio -> method -> metric -> mean over all tracks, for ``dvc metrics``."""
    tree: dict[str, dict[str, dict[str, float]]] = {}
    for row in summary:
        if row["role"] == ALL:
            scores = tree.setdefault(row["snr_db"], {}).setdefault(row["method"], {})
            scores[row["metric"]] = row["mean"]
    return tree
