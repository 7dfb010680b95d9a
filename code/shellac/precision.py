"""Networks computed with fewer bits, on devices that are faster at it: one choice per process.

``full``: IEEE single precision throughout. ``tf32``: products of matrices and convolutions on a
CUDA device round their factors to 11 bits, sums stay single. ``bf16``: convolutions, products of
matrices and recurrences inside networks are computed in bfloat16 (8 bits), by PyTorch's autocast;
weights, optimisers, losses and transforms stay single. What networks of fresh weights return then
differs by -35 dB or less (``tests/test_precision.py``); BABE-2's is computed as with ``tf32``.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, get_args

import torch
from torch import Tensor, nn

from shellac.config import Precision
from shellac.errors import UsageError

FULL, TF32, BF16 = NAMES = get_args(Precision)
_process = {"precision": FULL}


def use(name: str) -> None:
    """Let all networks that are built from now on be computed so; ``full`` is the default.

    Raises :class:`UsageError` for another name than those of :data:`NAMES`.
    """
    if name not in NAMES:
        raise UsageError(f"no precision {name!r}; there are: {', '.join(NAMES)}")
    _process["precision"] = name
    torch.backends.cuda.matmul.allow_tf32 = name != FULL
    torch.backends.cudnn.allow_tf32 = name != FULL


def used() -> str:
    """Return what :func:`use` was told last."""
    return _process["precision"]


def applied(network: nn.Module) -> nn.Module:
    """Return the network, changed in place so that it computes as :func:`use` says.

    Its parameters, their names, and the type of what it takes and returns stay as they are. A class
    whose attribute ``whole_precision`` is true is computed in single precision always.
    """
    if used() == BF16 and not getattr(network, "whole_precision", False):
        network.__class__ = _in_bfloat16(type(network))
    return network


def mapped(change: Callable[[Tensor], Tensor], found: Any) -> Any:
    """Change all tensors of a network's result, which may be a tuple or a list of them."""
    if isinstance(found, Tensor):
        return change(found)
    if isinstance(found, list | tuple):
        parts = [mapped(change, each) for each in found]
        return type(found)(*parts) if hasattr(found, "_fields") else type(found)(parts)
    return found


@lru_cache
def _in_bfloat16(kind: type[nn.Module]) -> type[nn.Module]:
    """A class of its own, not an attribute of one network: copies of that must work too."""

    class Lowered(kind):
        def forward(self, *inputs: Any, **named: Any) -> Any:
            with torch.autocast(next(self.parameters()).device.type, torch.bfloat16):
                found = super().forward(*inputs, **named)
            return mapped(Tensor.float, found)

    Lowered.__name__, Lowered.__qualname__ = kind.__name__, kind.__qualname__
    return Lowered
