"""Putting published weights into a network, strictly."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from shellac.errors import WeightsError

_NAMED_IN_MESSAGE = 3


def load_strict(
    build: Callable[[], nn.Module], state_dict: Mapping[str, Any], label: str
) -> nn.Module:
    """Build a network holding a copy of ``state_dict``, in evaluation mode, on the CPU.

    Every parameter and buffer of the network must come from ``state_dict`` (arrays or tensors),
    with the very name, shape and kind of number, all finite, and nothing may be left over; else
    :class:`WeightsError` names up to three faults in one line, after ``label``.
    """
    with torch.device("meta"):  # shapes alone: drawing weights that are replaced takes seconds
        network = build()
    if not isinstance(state_dict, Mapping):
        raise WeightsError(f"weights for {label} must map names to arrays: give a state_dict")
    wanted = network.state_dict()
    faults = [f"{name} is missing" for name in wanted if name not in state_dict]
    faults += [f"{name} is unknown" for name in state_dict if name not in wanted]
    tensors = {}
    for name, want in wanted.items():
        if name in state_dict:
            tensors[name], fault = _converted(state_dict[name], want)
            if fault:
                faults.append(f"{name} {fault}")
    if faults:
        more = len(faults) - _NAMED_IN_MESSAGE
        text = "; ".join(faults[:_NAMED_IN_MESSAGE]) + (f"; and {more} more" if more > 0 else "")
        raise WeightsError(f"these weights are not for {label}: {text}")
    network.load_state_dict(tensors, strict=True, assign=True)
    return network.eval()


def _converted(value: Any, want: Tensor) -> tuple[Tensor | None, str]:
    """Copy a value to the wanted type; the second result names its fault, or is empty."""
    if not isinstance(value, Tensor | np.ndarray | np.generic):
        return None, "is no array"
    try:
        tensor = torch.as_tensor(value).detach().cpu()
    except TypeError:
        return None, "holds no numbers"
    if tensor.shape != want.shape:
        return None, f"has shape {tuple(tensor.shape)} instead of {tuple(want.shape)}"
    if tensor.is_floating_point() != want.is_floating_point() or tensor.is_complex():
        return None, f"holds {tensor.dtype} instead of {want.dtype}"
    if not torch.isfinite(tensor).all():
        return None, "holds NaN or infinity"
    return tensor.to(want.dtype, copy=True).contiguous(), ""
