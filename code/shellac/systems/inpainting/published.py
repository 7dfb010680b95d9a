"""The authors' inpainting weights, under the names of their TensorFlow object checkpoints.

There, a layer is called by its attribute and, within a sequence, ``layer_with_weights-i``; layers
of the notebooks' networks by their name. Kernels may come in PyTorch's order of axes or in Keras',
one of them throughout a checkpoint.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from shellac.errors import WeightsError
from shellac.systems.inpainting import published_names
from shellac.systems.inpainting.blocks import Norm, Slopes
from shellac.systems.inpainting.network import NETWORKS, Network, build
from shellac.systems.loading import load_strict

SHAPE = (128, 128)
_SUFFIX = "/.ATTRIBUTES/VARIABLE_VALUE"
_BY_ORDER = "VAE"  # a notebook's, whose layers were given no names to rely on
_NARROW = 256  # channels after the first up-step of the decoder that was run
_NAMED_IN_MESSAGE = 3
_KERNEL_AXES = {2: (1, 0), 3: (2, 1, 0), 4: (2, 3, 1, 0)}
_NORM = {
    "weight": "gamma",
    "bias": "beta",
    "running_mean": "moving_mean",
    "running_var": "moving_variance",
}


@dataclass(frozen=True)
class Slot:
    """Where one array goes.

    name, shape : of our parameter or buffer
    listed : shape of the array in PyTorch's order of axes; a dense layer that is a 1x1 convolution
        here has two axes less than ``shape``
    axes : permutation from that order to Keras'
    """

    name: str
    shape: tuple[int, ...]
    listed: tuple[int, ...]
    axes: tuple[int, ...]

    def published_shape(self, keras: bool) -> tuple[int, ...]:
        """Return the shape that the array has in its checkpoint."""
        return tuple(self.listed[axis] for axis in self.axes) if keras else self.listed


def load(key: str, state_dict: Mapping[str, Any], settings: Mapping[str, Any]) -> nn.Module:
    """Return the network that ``settings["model"]`` names, holding ``state_dict``, for evaluation.

    Networks bound to one size take 128 x 128, those with PReLU slopes the size that the slopes
    have; ``Efficient_UNet_v2`` gets the decoder that the weights belong to. Arrays of ``VAE`` are
    told apart by order, kind and shape, all others by name. Raises :class:`WeightsError` for an
    unknown model and for any name, shape, type or value that does not belong.
    """
    model = settings.get("model")
    if model not in NETWORKS:
        raise WeightsError(f"{key}: settings must name the model, one of {', '.join(NETWORKS)}")
    if not isinstance(state_dict, Mapping):
        raise WeightsError(f"weights for {model} must map names to arrays: give a state_dict")
    state = {str(name).removesuffix(_SUFFIX): value for name, value in state_dict.items()}
    if model == "Efficient_UNet_v2" and _NARROW in np.shape(state.get("up_1/kernel")):
        model = "Efficient_UNet_v2_narrow"
    row = NETWORKS[model]
    make = partial(build, model, out_channels=row.published_outputs, slopes="positional")
    keras = _in_keras_order(slots(make(input_shape=SHAPE)), state)
    size = np.shape(state.get("prelu1/alpha"))
    shape = (size[:2] if keras else size[1:]) if row.has_slopes and len(size) == 3 else SHAPE
    make = partial(make, input_shape=shape)
    wanted = slots(make())
    if model == _BY_ORDER:
        wanted = _by_order(wanted, state, keras)
    _check(model, wanted, state, keras)
    ours = {slot.name: _ours(state[name], slot, keras) for name, slot in wanted.items()}
    return load_strict(make, ours, model).to(memory_format=torch.channels_last)


def recognise(names: Collection[str], source: str) -> str:
    """Raise :class:`WeightsError`: names and shapes are the same with and without a residual."""
    raise WeightsError(
        f"{source}: its {len(names)} names do not say which inpainting network they are of;"
        ' load it with shellac.published.load("inpainting", state, {"model": NAME})'
    )


def slots(network: Network) -> dict[str, Slot]:
    """Return the published name of every array of ``network``, with what belongs there."""
    paths = {module: path for path, module in network.named_modules()}
    found = {}
    for layer, module in published_names.layers(network):
        for name, value in module.state_dict().items():
            dense = "dense_net" in layer or "attention" in layer
            leaf, axes = _leaf(module, name, value, dense)
            shape = tuple(value.shape)
            path = f"{paths[module]}.{name}"
            found[f"{layer}/{leaf}"] = Slot(path, shape, shape[: len(axes)], axes)
    return found


def _leaf(module: nn.Module, name: str, value: Tensor, dense: bool) -> tuple[str, tuple[int, ...]]:
    """Return how Keras calls one array of a layer, and the permutation into its order."""
    if isinstance(module, Norm):
        return _NORM[name], (0,)
    if isinstance(module, Slopes):
        return "alpha", (1, 2, 0)
    if name == "bias":
        return name, (0,)
    if getattr(module, "groups", 1) > 1:
        return "depthwise_kernel", (2, 3, 0, 1)
    return "kernel", _KERNEL_AXES[2 if dense else value.ndim]


def _in_keras_order(wanted: Mapping[str, Slot], state: Mapping[str, Any]) -> bool:
    """Whether more kernels have the shapes of Keras' order than of PyTorch's."""
    kernels = [np.shape(value) for name, value in state.items() if name.endswith("kernel")]
    counts = []
    for keras in (True, False):
        shapes = {slot.published_shape(keras) for slot in wanted.values()}
        counts.append(sum(shape in shapes for shape in kernels))
    return counts[0] > counts[1]


def _by_order(wanted: Mapping[str, Slot], state: Mapping[str, Any], keras: bool) -> dict[str, Slot]:
    """Give every array the first free slot of its kind and shape; leftovers keep their names."""
    free, found = dict(wanted), {}
    for name, value in state.items():
        for ours, slot in free.items():
            same_kind = name.rpartition("/")[2] == ours.rpartition("/")[2]
            if same_kind and np.shape(value) == slot.published_shape(keras):
                found[name] = free.pop(ours)
                break
    return found | free


def _check(model: str, wanted: Mapping[str, Slot], state: Mapping[str, Any], keras: bool) -> None:
    """Raise :class:`WeightsError` for names and shapes that do not belong, as published."""
    faults = [f"{name} is missing" for name in wanted if name not in state]
    faults += [f"{name} is unknown" for name in state if name not in wanted]
    for name, slot in wanted.items():
        want = slot.published_shape(keras)
        if name in state and (got := np.shape(state[name])) != want:
            faults.append(f"{name} has shape {tuple(got)} instead of {want}")
    if faults:
        more = len(faults) - _NAMED_IN_MESSAGE
        text = "; ".join(faults[:_NAMED_IN_MESSAGE]) + (f"; and {more} more" if more > 0 else "")
        raise WeightsError(f"these weights are not for {model}: {text}")


def _ours(value: Any, slot: Slot, keras: bool) -> Any:
    """Bring a published array to our order and shape; what holds no numbers stays as it is."""
    try:
        tensor = torch.as_tensor(value)
    except (TypeError, ValueError, RuntimeError):
        return value
    if keras:
        tensor = tensor.permute([slot.axes.index(axis) for axis in range(len(slot.axes))])
    return tensor.reshape(slot.shape)
