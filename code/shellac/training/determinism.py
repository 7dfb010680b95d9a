"""The same bits on every run: pinned threads and deterministic kernels."""

import os

import torch

from shellac import precision
from shellac.config import ComputeSettings
from shellac.errors import ConfigError
from shellac.training import processes


def pin(compute: ComputeSettings) -> None:
    """Fix thread count and precision, and forbid kernels whose result depends on timing.

    The thread count decides how sums are split, so it is part of the result.
    """
    os.environ["OMP_DYNAMIC"] = "FALSE"
    torch.set_num_threads(compute.threads)
    precision.use(compute.precision)
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.utils.deterministic.fill_uninitialized_memory = False  # nothing here reads it


def device(name: str) -> torch.device:
    """Turn ``auto``, ``cpu``, ``cuda``, ``cuda:N`` or ``mps`` into a device that is there.

    Of several processes that train together each has a CUDA device of its own.
    """
    if processes.count() > 1 and name in {"auto", "cuda"} and torch.cuda.is_available():
        name = f"cuda:{processes.local_number()}"
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        chosen = torch.device(name)
    except RuntimeError as error:
        raise ConfigError(f"no device {name!r}: use auto, cpu, cuda, cuda:N or mps") from error
    if chosen.type == "cuda" and (chosen.index or 0) >= torch.cuda.device_count():
        raise ConfigError(f"device {name}: no such CUDA device here (use auto or cpu)")
    if chosen.type == "mps" and not torch.backends.mps.is_available():
        raise ConfigError("device mps: not available here (use auto or cpu)")
    if chosen.type not in {"cpu", "cuda", "mps"}:
        raise ConfigError(f"no device {name!r}: use auto, cpu, cuda, cuda:N or mps")
    return chosen
