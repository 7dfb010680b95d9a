"""What it costs to return memory to the system between layers, and to get it back."""

from collections.abc import Iterator

import calibration
import torch
from networks import BINS

from shellac import networks

_FRAMES_PER_SECOND = 22050 / 256


def measure(
    seconds: tuple[float, ...] = (1.3, 13.0), width: float = 1.0, turns: int = 3
) -> Iterator[dict[str, object]]:
    """Yield a row per length of recording for the denoiser, in turns with memory kept and not.

    ``large_seconds`` is with large blocks returned alone, as ``shellac restore`` does.
    """
    network = networks.build("denoiser/unet_22k", seed=0, width=width).eval()
    for length in seconds:
        x = torch.randn(1, 2, round(length * _FRAMES_PER_SECOND), BINS)

        def infer(x: torch.Tensor = x) -> None:
            with torch.inference_mode():
                network(x)

        calls = (
            infer,
            calibration.memory_returned()(infer),
            calibration.memory_returned("small")(infer),
        )
        kept, returned, large = calibration.alternate(calls, turns)
        yield {
            "what": f"denoiser/unet_22k of {length:g} s",
            "cpu_seconds": kept,
            "returned_seconds": returned,
            "large_seconds": large,
            "ratio": returned / kept,
        }
