"""What the scores of inpainting are told apart by, and what has to be beaten."""

from collections.abc import Iterable

from shellac.systems.summaries import ALL, Layout, Row

# Units that a score of a track was taken over: segments with their intact frames put back; the
# same as a network gave them, which is what was published; gaps of the waveform.
SEGMENT, PUBLISHED = "segment", "published"
LAYOUT = Layout("genre", ("unit",))
# of gaps: least squares under one model (Janssen et al., 1986), and the mean of two orders
AUTOREGRESSIVE, TWO_ORDERS = "autoregressive", "autoregressive_two_orders"
BASELINES: tuple[dict[str, str], ...] = (
    {
        "nrmse": "linear",
        "peak_psnr_db": "linear",
        "psnr_gain_db": "linear",
        "gap_snr_db": AUTOREGRESSIVE,
        "gap_lsd": AUTOREGRESSIVE,
    },
    {"gap_snr_db": TWO_ORDERS, "gap_lsd": TWO_ORDERS},
)
HIGHER_IS_BETTER = {"nrmse": False, "gap_snr_db": True, "gap_lsd": False}  # what ranks go by


def gap_unit(gap_ms: float) -> str:
    """Return the unit of scores inside waveform gaps of this duration, such as ``gap-20ms``."""
    return f"gap-{gap_ms:g}ms"


def nested(summary: Iterable[Row]) -> dict[str, dict[str, dict[str, float]]]:
    """Unit -> method -> metric -> mean over all tracks, for ``dvc metrics``."""
    tree: dict[str, dict[str, dict[str, float]]] = {}
    for row in summary:
        if row["genre"] == ALL:
            scores = tree.setdefault(row["unit"], {}).setdefault(row["method"], {})
            scores[row["metric"]] = row["mean"]
    return tree
