"""Spline and data preparation beside SciPy's: CPU time, ratio and largest difference."""

from collections.abc import Iterator

import calibration
import numpy as np
from scipy import interpolate, signal

from shellac.systems.superres.preparation import degrade
from shellac.transforms.spline import upsample

SAMPLE_RATE = 44100
FACTORS = (2, 4, 8)


def scipy_upsample(low: np.ndarray, factor: int) -> np.ndarray:
    """Interpolate as the published data preparation does: (M,) -> (M * factor,)."""
    knots = np.arange(len(low)) * factor
    return interpolate.splev(np.arange(len(low) * factor), interpolate.splrep(knots, low))


def scipy_degrade(x: np.ndarray, scale: int) -> np.ndarray:
    """Decimate and interpolate as the published data preparation does: (T,) -> (T,)."""
    return scipy_upsample(signal.decimate(x, scale), scale)


def measure(audio_seconds: float = 20.0, turns: int = 5) -> Iterator[dict[str, object]]:
    """Yield one row per function and factor; ``ratio`` is SciPy's time over ours."""
    x = np.random.default_rng(0).standard_normal(int(audio_seconds * SAMPLE_RATE) // 8 * 8)
    for label, ours, theirs, low_rate in (
        ("spline", upsample, scipy_upsample, True),
        ("decimate and spline", degrade, scipy_degrade, False),
    ):
        for factor in FACTORS:
            source = x[: len(x) // factor] if low_rate else x
            difference = np.abs(ours(source, factor) - theirs(source, factor)).max()
            calls = [lambda f=f, s=source, k=factor: f(s, k) for f in (ours, theirs)]
            fast, slow = calibration.alternate(calls, turns)
            yield {
                "what": f"{label} x{factor}, {audio_seconds:g} s",
                "cpu_seconds": fast,
                "scipy_seconds": slow,
                "ratio": slow / fast,
                "largest_difference": float(difference),
            }
