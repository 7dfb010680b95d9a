"""Building a network by name, with fresh weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shellac.errors import UsageError
from shellac.systems import registry

if TYPE_CHECKING:
    from torch import nn


def build(name: str, *, seed: int = 0, **settings: Any) -> nn.Module:
    """Build a network such as ``superres/tfilm``, or a system's default one, in training mode.

    ``settings`` replace the defaults on its card. The weights are drawn from ``seed`` alone, and
    PyTorch's global generator is left as it was. Raises :class:`UsageError` for an unknown name,
    an unknown setting, or a value that the network refuses.
    """
    system, card = registry.find(name)
    if system.build is None:
        raise UsageError(f"{card.name} is no network: nothing in it is learned (shellac restore)")
    if unknown := sorted(set(settings) - set(card.settings)):
        known = ", ".join(card.settings) or "none"
        raise UsageError(f"{card.name} has no setting {unknown[0]!r}; it has: {known}")

    import torch

    from shellac import precision

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        try:
            return precision.applied(system.build(card.name, {**card.settings, **settings}))
        except (ValueError, TypeError) as error:
            raise UsageError(f"{card.name} cannot be built: {error}") from error
