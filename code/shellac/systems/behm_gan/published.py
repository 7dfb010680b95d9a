"""The authors' BEHM-GAN weights, under the names of their checkpoints, and their baselines'.

Only generators were published; discriminators and baselines have the names that the authors'
training code gives them.
"""

import copy
from collections.abc import Callable, Collection, Mapping
from typing import Any

import torch
from torch import nn

from shellac.errors import UsageError, WeightsError
from shellac.systems import weight_norm
from shellac.systems.behm_gan.audiounet import AudioUNet
from shellac.systems.behm_gan.discriminators import MultiScaleDiscriminator
from shellac.systems.behm_gan.extension import SAMPLE_RATE
from shellac.systems.behm_gan.network import BINS, Generator
from shellac.systems.behm_gan.restoration import GRID, processor
from shellac.systems.behm_gan.seanet import SEANet
from shellac.systems.edges import edge_seconds, music
from shellac.systems.loading import load_strict
from shellac.weights import Card

BUILDERS: dict[str, Callable[..., nn.Module]] = {
    "behm_generator": Generator,
    "behm_discriminators": MultiScaleDiscriminator,
    "behm_audiounet": AudioUNet,
    "behm_seanet": SEANet,
}
NETWORKS = {
    "behm_generator": "behm_gan/unet",
    "behm_audiounet": "behm_gan/audiounet",
    "behm_seanet": "behm_gan/seanet",
}
SETTINGS: dict[str, dict[str, Any]] = {key: {"width": 1.0} for key in BUILDERS}
# Six times these are computed to measure the edge effect; half of them is the most it can show.
PROBE_GRIDS = 4
_READ = (
    "depth", "num_tfc", "use_fencoding", "use_weight_norm",
    "ksize_init", "ksize_encoder", "ksize_bn", "ksize_decoder",
)  # fmt: skip


def load(key: str, state_dict: Mapping[str, Any], settings: Mapping[str, Any]) -> nn.Module:
    """Return the published network holding ``state_dict``, in evaluation mode.

    ``settings["config"]`` may hold the generator's published options; those that the published
    code does not read are passed over. Raises :class:`WeightsError` for any name, shape, type or
    value that does not belong, :class:`UsageError` for options that cannot be.
    """
    chosen = dict(SETTINGS[key])
    if key == "behm_generator":
        config = settings.get("config", {})
        chosen |= {name: config[name] for name in _READ if name in config}
        if "Ns" in config:
            chosen["channels"] = tuple(config["Ns"])
        if config.get("f_dim", BINS) != BINS:
            raise UsageError(f"{key}: f_dim is {config['f_dim']}, but its spectrograms have {BINS}")
    try:
        return load_strict(lambda: BUILDERS[key](**chosen), state_dict, key)
    except (ValueError, TypeError) as error:
        raise UsageError(f"{key} cannot be built: {error}") from error


def recognise(names: Collection[str], source: str) -> str:
    """Return the published model that has most of these parameter names.

    Raises :class:`WeightsError`, beginning with ``source``, where none has more than half of its
    own among them.
    """
    shares = {}
    for key in NETWORKS:
        with torch.device("meta"):
            wanted = set(BUILDERS[key](**SETTINGS[key]).state_dict())
        shares[key] = len(wanted.intersection(names)) / len(wanted)
    best = max(shares, key=shares.__getitem__)
    if shares[best] <= 0.5:
        raise WeightsError(
            f"{source}: its parameter names are those of no published bandwidth extension"
        )
    return best


def card(key: str, network: nn.Module, digest: str) -> Card:
    """Describe published weights, in a ``network`` that holds them; measures the edge effect.

    They were trained on levels between -12 and 8 dB of full scale, so none is set. The edge effect
    of a network with a theoretical reach of seconds is measured on 3 s, which costs about what
    restoring 18 s does. ``digest`` is the SHA-256 of the checkpoint.
    """
    samples = PROBE_GRIDS * GRID
    process = processor(weight_norm.prepare(copy.deepcopy(network)))
    return Card(
        network=NETWORKS[key],
        settings=dict(SETTINGS[key]),
        sample_rate=SAMPLE_RATE,
        level=None,
        edge_seconds=edge_seconds(process, music(samples, SAMPLE_RATE), SAMPLE_RATE, GRID),
        origin="published",
        licence="none stated by the authors",
        extra={"checkpoint_sha256": digest, "edge_probe_seconds": samples / SAMPLE_RATE},
    )
