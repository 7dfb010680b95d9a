"""The authors' denoiser weights, under the names of their checkpoints.

``denoiser`` are the PyTorch state_dicts of the 22.05 kHz network, ``denoiser_tf`` the variables of
the TensorFlow checkpoints of the 44.1 kHz one. Those are TensorFlow object checkpoints, which
:mod:`shellac.tensorflow_files` reads: what is taken here is a mapping of their keys, as TensorFlow
writes them or with dots for slashes, to arrays, in TensorFlow's or PyTorch's order of axes (a file
of them that ``torch.save`` wrote can be restored with at once).
"""

import copy
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import torch
from torch import nn

from shellac.errors import UsageError, WeightsError
from shellac.systems import weight_norm
from shellac.systems.denoiser.network import LAYOUTS, Denoiser
from shellac.systems.denoiser.restoration import grid, processor
from shellac.systems.edges import edge_seconds, music
from shellac.systems.loading import load_strict
from shellac.weights import Card

NETWORKS = {"denoiser": "denoiser/unet_22k", "denoiser_tf": "denoiser/unet_44k"}
SETTINGS: dict[str, dict[str, Any]] = {key: {"width": 1.0} for key in NETWORKS}
SAMPLE_RATES = {"denoiser": 22050, "denoiser_tf": 44100}
_LAYOUT = {"denoiser": "22k", "denoiser_tf": "44k"}
_LICENCES = {
    "denoiser": "none stated by the authors",
    "denoiser_tf": "MIT for the code; none stated for the weights",
}
# Six times these are computed to measure the edge effect; half of them is the most it can show.
PROBE_GRIDS = 4
_READ = {
    "use_SAM": "use_sam",
    "use_fencoding": "use_fencoding",
    "num_tfc": "num_tfc",
    "num_stages": "num_stages",
    "depth": "depth",
}
_PREFIX, _SUFFIX = "layer_with_weights-0/", "/.ATTRIBUTES/VARIABLE_VALUE"
_ACTIVATED = {"conv2d_1", "conv2d_2", "tconv_1"}


def load(key: str, state_dict: Mapping[str, Any], settings: Mapping[str, Any]) -> nn.Module:
    """Return the published network holding ``state_dict``, in evaluation mode.

    ``settings["config"]`` may hold the published options; those that the published code does not
    read are passed over. Raises :class:`WeightsError` for any name, shape, type or value that does
    not belong, :class:`UsageError` for options that cannot be.
    """
    config = settings.get("config", {})
    chosen = {ours: config[name] for name, ours in _READ.items() if name in config}
    bins = LAYOUTS[_LAYOUT[key]].bins
    if config.get("f_dim", bins) != bins:
        raise UsageError(f"{key}: f_dim is {config['f_dim']}, but its spectrograms have {bins}")
    if key == "denoiser_tf" and isinstance(state_dict, Mapping):
        state_dict = _from_tensorflow(state_dict)
    try:
        return load_strict(lambda: _build(key, chosen), state_dict, key)
    except (ValueError, TypeError) as error:
        raise UsageError(f"{key} cannot be built: {error}") from error


def _build(key: str, chosen: Mapping[str, Any]) -> Denoiser:
    return Denoiser(_LAYOUT[key], **{**SETTINGS[key], **chosen})


def _our_name(name: str) -> str:
    """Translate a TensorFlow key: activated convolutions are sequences here, kernels weights."""
    path = name.removeprefix(_PREFIX).removesuffix(_SUFFIX).replace("/", ".")
    *modules, leaf = path.split(".")
    if modules and (modules[-1] in _ACTIVATED or modules[-2:-1] == ["H"]):
        modules.append("0")
    return ".".join((*modules, "weight" if leaf == "kernel" else leaf))


def _from_tensorflow(state: Mapping[str, Any]) -> dict[str, Any]:
    found = {_our_name(str(name)): value for name, value in state.items()}
    height_first = np.shape(found.get("conv2d_1.0.weight"))[:2] == (7, 7)
    if height_first:
        for name, value in found.items():
            if np.ndim(value) == 4:
                found[name] = torch.as_tensor(value).permute(3, 2, 0, 1)
    return found


def recognise(names: Collection[str], source: str) -> str:
    """Return the published model that these parameter names belong to.

    Raises :class:`WeightsError`, beginning with ``source``, where none has more than half of its
    own among them.
    """
    tensorflow = any(name.removesuffix(_SUFFIX).endswith("kernel") for name in names)
    key = "denoiser_tf" if tensorflow else "denoiser"
    with torch.device("meta"):
        wanted = set(_build(key, {}).state_dict())
    found = {_our_name(name) for name in names} if tensorflow else set(names)
    if len(wanted & found) <= len(wanted) / 2:
        raise WeightsError(f"{source}: its parameter names are those of no published denoiser")
    return key


def card(key: str, network: nn.Module, digest: str) -> Card:
    """Describe published weights, in a ``network`` that holds them; measures the edge effect.

    They were trained on levels between -12 and 8 dB of full scale, so none is set. The edge effect
    of a network with a theoretical reach of 17 s is measured on 3 s, which costs about what
    restoring 18 s does. ``digest`` is the SHA-256 of the checkpoint.
    """
    rate = SAMPLE_RATES[key]
    samples = PROBE_GRIDS * grid(network)
    process = processor(weight_norm.prepare(copy.deepcopy(network)))
    return Card(
        network=NETWORKS[key],
        settings=dict(SETTINGS[key]),
        sample_rate=rate,
        level=None,
        edge_seconds=edge_seconds(process, music(samples, rate), rate, grid(network)),
        origin="published",
        licence=_LICENCES[key],
        extra={"checkpoint_sha256": digest, "edge_probe_seconds": samples / rate},
    )
