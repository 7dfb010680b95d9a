"""``shellac score``: every metric of a restoration against its reference."""

from pathlib import Path
from typing import Any

from shellac import audio
from shellac.errors import AudioError
from shellac.metrics import METRICS


def score(reference: Path, restored: Path) -> list[dict[str, Any]]:
    """Return one record per metric: name, value, unit, whether higher is better, definition.

    Raises :class:`AudioError` where the two differ in rate, channels or length.
    """
    (wanted, rate), (got, got_rate) = audio.read(reference), audio.read(restored)
    if got_rate != rate:
        raise AudioError(f"{restored}: {got_rate} Hz, but the reference has {rate} Hz")
    if got.shape != wanted.shape:
        raise AudioError(
            f"{restored}: {got.shape[0]} channels of {got.shape[1]} samples, but the reference has"
            f" {wanted.shape[0]} of {wanted.shape[1]}"
        )
    return [
        {
            "metric": name,
            "value": float(metric.function(wanted, got)),
            "unit": metric.unit,
            "higher_is_better": metric.higher_is_better,
            "definition": metric.definition,
        }
        for name, metric in METRICS.items()
    ]
