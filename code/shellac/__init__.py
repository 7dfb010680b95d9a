"""Restore degraded and historical music recordings with learned models.

>>> import shellac
>>> restorer = shellac.load("superres", weights="trained")  # doctest: +SKIP
>>> out = restorer.restore(waveform, sample_rate)  # doctest: +SKIP
>>> out.waveform.shape == out.residual.shape == waveform.shape  # doctest: +SKIP
True
"""

from collections.abc import Sequence
from importlib import import_module
from os import PathLike, fspath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shellac.systems.restorer import Restorer

__version__ = "0.1.0"
__all__ = ["load", "networks", "published"]


def load(
    system: str,
    weights: str | PathLike | Sequence[str | PathLike] | None = None,
    device: str = "auto",
    *,
    strength: float = 1.0,
    above_band: str | None = None,
    noise_profile: str | PathLike | None = None,
) -> "Restorer":
    """Load a system, a network, or a comma-separated chain of them, ready to restore.

    Parameters
    ----------
    system : str
        ``superres``, ``superres/audiounet``, or several joined by commas.
    weights : str, path, several of them, or None
        ``trained``, ``published:NAME``, a safetensors file, or an authors' checkpoint (.pth, .pt),
        once or once for each member of a chain that has any; None takes published weights.
        ``classical`` needs none.
    device : str
        ``auto``, ``cpu``, ``cuda``, ``cuda:N`` or ``mps``.
    strength : float, 0..1
        0 returns the input, 1 the whole restoration.
    above_band : {"keep", "drop"} or None
        Content above the network's Nyquist frequency; None leaves it to the system.
    noise_profile : str, path or None
        Where noise is alone, for ``classical``: ``START-END`` in seconds or a file; None finds it.

    Raises
    ------
    UsageError, WeightsError
        Unknown name; weights missing or not fitting.
    """
    from shellac.commands.restore import Options
    from shellac.commands.restore import load as load_chain

    several = [weights] if isinstance(weights, str | PathLike) else weights or []
    options = Options(
        systems=tuple(system.split(",")),
        weights=tuple(fspath(each) for each in several),
        device=device,
        strength=strength,
        above_band=above_band,
        noise_profile=None if noise_profile is None else fspath(noise_profile),
    )
    return load_chain(options)[0]


def __getattr__(name: str) -> object:
    """Import ``networks`` and ``published`` when they are first used: torch is slow to load."""
    if name in {"networks", "published"}:
        return import_module(f"shellac.{name}")
    raise AttributeError(f"module 'shellac' has no attribute {name!r}")
