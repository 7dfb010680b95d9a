"""The authors' BABE-2 weights, under the names of their checkpoints.

They publish whole training states: the averaged weights (``ema``), which are what is used, the last
ones, the optimiser's, a configuration object, and the long-term average spectrum of the training
data (``LTAS``). Only the first and the last are read.
"""

from collections.abc import Collection, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from shellac import torch_files
from shellac.errors import UsageError, WeightsError
from shellac.systems.babe2.network import CQTDiff
from shellac.systems.babe2.prior import PIANO, SINGING
from shellac.systems.babe2.system import SYSTEM
from shellac.systems.loading import load_strict
from shellac.weights import Card

NETWORKS = {"babe2_piano": "babe2/cqtdiff_22k", "babe2_singing": "babe2/cqtdiff_44k"}
SETTINGS: dict[str, dict[str, Any]] = {
    key: {**SYSTEM.networks[name].settings, "grid": "compat"} for key, name in NETWORKS.items()
}
_SAMPLING: dict[str, dict[str, Any]] = {
    "babe2_piano": {"sigma_data": 0.063, "sampling": asdict(PIANO)},
    "babe2_singing": {"sigma_data": 1.0, "sampling": asdict(SINGING)},
}
_WEIGHTS, _SPECTRUM = "ema", "LTAS"
_ATTENTION = {
    "num_heads": "heads",
    "bias_qkv": "bias",
    "use_rel_pos": "relative",
    "rel_pos_num_buckets": "buckets",
    "rel_pos_max_distance": "reach",
}


def load(key: str, state_dict: Mapping[str, Any], settings: Mapping[str, Any]) -> nn.Module:
    """Return the published network holding ``state_dict``, in evaluation mode.

    ``babe2_network`` needs the published configuration: ``settings["network"]``, ``sample_rate``
    and ``audio_len``; ``babe2_piano`` and ``babe2_singing`` are the two that were published.
    Raises :class:`WeightsError` for any name, shape, type or value that does not belong,
    :class:`UsageError` for options that cannot be.
    """
    try:
        chosen = SETTINGS[key] if key in SETTINGS else _chosen(settings)
        return load_strict(lambda: CQTDiff(**chosen), state_dict, key)
    except KeyError as error:
        raise UsageError(f"{key}: its settings lack {error}") from error
    except (ValueError, TypeError) as error:
        raise UsageError(f"{key} cannot be built: {error}") from error


def _chosen(settings: Mapping[str, Any]) -> dict[str, Any]:
    network = settings["network"]
    transform = network["cqt"]
    octaves = transform["num_octs"]
    if len(network["Ns"]) != octaves:
        raise UsageError(f"babe2_network: {octaves} octaves, but Ns is {network['Ns']}")
    chosen = {
        "samples": settings["audio_len"],
        "sample_rate": settings["sample_rate"],
        "channels": network["Ns"],
        "dilated_layers": network["num_dils"],
        "bins_per_octave": transform["bins_per_oct"],
        "embedding": network["emb_dim"],
        "use_fencoding": network.get("use_fencoding", False),
        "attention_layers": [bool(attends) for attends in network.get("attention_layers", ())],
        "window": transform["window"],
        "beta": transform["beta"],
        "grid": "compat",
    }
    if any(chosen["attention_layers"]):
        told = network["attention_dict"]
        chosen["attention"] = {ours: told[name] for name, ours in _ATTENTION.items()}
    return chosen


def read(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read a published checkpoint: the averaged weights, and ``ltas`` for the card, if any.

    The spectrum is a power for each frequency from 0 to half the sample rate. A bare state_dict is
    read too. Raises :class:`WeightsError` for everything else.
    """
    state, beside = torch_files.read_training(path, _WEIGHTS, {_SPECTRUM})
    extra = {}
    if _SPECTRUM in beside:
        spectrum = beside[_SPECTRUM].double().flatten()
        if not (torch.isfinite(spectrum).all() and (spectrum >= 0).all()):
            raise WeightsError(f"{path}: {_SPECTRUM} holds what is no power")
        extra["ltas"] = spectrum.tolist()
    return state, extra


def recognise(names: Collection[str], source: str) -> str:
    """Return the published configuration that has most of these parameter names.

    Raises :class:`WeightsError`, beginning with ``source``, where none has more than half of its
    own among them.
    """
    shares = {}
    for key, settings in SETTINGS.items():
        with torch.device("meta"):
            wanted = set(CQTDiff(**settings).state_dict())
        shares[key] = len(wanted & set(names)) / len(wanted | set(names))
    best = max(shares, key=shares.__getitem__)
    if shares[best] <= 0.5:
        raise WeightsError(f"{source}: its parameter names are those of no published BABE-2")
    return best


def card(key: str, network: nn.Module, digest: str) -> Card:
    """Describe published weights, in a ``network`` that holds them.

    Segments have one fixed length and know nothing of what lies outside, so there is no edge effect
    to measure. ``digest`` is the SHA-256 of the checkpoint.
    """
    settings = SETTINGS[key]
    return Card(
        network=NETWORKS[key],
        settings=dict(settings),
        sample_rate=settings["sample_rate"],
        level=None,
        edge_seconds=0.0,
        origin="published",
        licence="MIT for the code; none stated for the weights",
        extra={"checkpoint_sha256": digest, **_SAMPLING[key]},
    )
