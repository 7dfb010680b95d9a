"""Weights: where they are, how they are kept, and what they say about themselves.

Weights lie in safetensors files, which hold no code. Each carries its *card* as JSON in the
header: network, settings, profile, the recordings it was trained on, its level and edge effect.

The authors' own lie in the cache as they were published, fetched once and held to their hash. No
licence is assumed where the authors state none: whoever fetches them is told so, and nothing is
passed on.
"""

import json
import math
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from shellac import config, paths
from shellac.errors import ConfigError, UsageError, WeightsError
from shellac.files import atomic_path, sha256, write_json
from shellac.systems import registry
from shellac.systems.base import PublishedWeights

PREFIX = "published:"
_PIN = "pin.json"
_MAX_EDGE_SECONDS = 600.0


@dataclass(frozen=True)
class Card:
    """What weights say about themselves.

    network : registered name, such as ``superres/tfilm``
    settings : what :func:`shellac.networks.build` needs to build it
    sample_rate : Hz
    level : peak level of the recordings it was trained on, full scale = 1; None where it was
        trained on recordings as they are, so that none is to be set
    edge_seconds : measured reach of a change of far context (below -60 dB beyond it)
    origin : ``trained`` or ``published``
    profile : configuration profile of the training, where there was one
    trained_on : SHA-256 of every recording seen in training
    extra : what only one system knows (``scale``, ``low_pass``, ...)
    """

    network: str
    settings: dict[str, Any]
    sample_rate: int
    level: float | None
    edge_seconds: float
    origin: str
    licence: str
    profile: str = ""
    trained_on: tuple[str, ...] = ()
    extra: dict[str, Any] = field(default_factory=dict)


def store(path: Path, state: dict[str, torch.Tensor], card: Card) -> None:
    """Write weights and card as safetensors, byte-stable, atomically."""
    metadata = {"shellac": json.dumps(asdict(card), sort_keys=True)}
    data = save({name: tensor.contiguous() for name, tensor in state.items()}, metadata)
    with atomic_path(path) as temporary:
        temporary.write_bytes(data)


def load(path: Path) -> tuple[dict[str, torch.Tensor], Card]:
    """Read weights and card; raise :class:`WeightsError` for anything that is not sound."""
    path = Path(path)
    if not path.is_file():
        raise WeightsError(f"{path}: no such weights file")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            state = {name: file.get_tensor(name) for name in file.keys()}
    except (SafetensorError, OSError, ValueError) as error:
        raise WeightsError(f"{path}: not a readable safetensors file ({error})") from error
    try:
        fields = json.loads(metadata["shellac"])
        card = Card(**{**fields, "trained_on": tuple(fields["trained_on"])})
        _check(card)
    except (KeyError, TypeError, ValueError) as error:
        raise WeightsError(
            f"{path}: holds no sound shellac card, so its network is unknown; convert it first"
        ) from error
    for name, tensor in state.items():
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            raise WeightsError(f"{path}: {name} holds values that are not finite")
    return state, card


def _check(card: Card) -> None:
    """Raise :class:`ValueError` for a card that would lead whoever trusts it astray."""
    number = (int, float)
    told = isinstance(card.network, str) and isinstance(card.origin, str)
    kept = isinstance(card.settings, dict) and isinstance(card.extra, dict)
    rate = isinstance(card.sample_rate, int) and 0 < card.sample_rate <= 1_000_000
    level = card.level is None or (isinstance(card.level, number) and 0 < card.level < math.inf)
    edge = isinstance(card.edge_seconds, number) and 0 <= card.edge_seconds <= _MAX_EDGE_SECONDS
    if not (told and kept and rate and level and edge):
        raise ValueError("a field of the card has no sensible value")
    scale = card.extra.get("scale", 2)
    if not (isinstance(scale, int) and 2 <= scale <= 64):
        raise ValueError("the scale on the card is no whole number from 2 to 64")


def fill(network: torch.nn.Module, state: dict[str, torch.Tensor], source: str) -> None:
    """Load ``state`` into ``network``: every name and shape must fit."""
    try:
        network.load_state_dict(state, strict=True)
    except RuntimeError as error:
        first = str(error).strip().splitlines()[1:2] or [str(error)]
        raise WeightsError(f"{source}: does not fit the network ({first[0].strip()})") from error


def trained_path(profile: str, network: str) -> Path:
    """Where the pipeline keeps the weights that it trained."""
    return paths.results(profile, "models", f"{network}.safetensors")


def trained(network: str, settings: config.Settings) -> Path:
    """Return the file of a network that was trained, as :func:`find` chooses it.

    Raises :class:`WeightsError` where there is none.
    """
    system = network.partition("/")[0]
    task = settings.systems.get(system)
    entries = [f"{system}/{name}" for name in task.networks] if task else []
    same = [name for name in entries if task.network_class(name.partition("/")[2]) == network]
    for name in (network, *same):
        if (path := trained_path(settings.profile, name)).is_file():
            return path
    there = [name for name in entries if trained_path(settings.profile, name).is_file()]
    hint = f"; trained are {', '.join(there)}" if there else ": run make all (or dvc repro) first"
    raise WeightsError(f"{network} is not trained on profile {settings.profile} yet{hint}")


def published() -> dict[str, PublishedWeights]:
    """Return all published weights by name."""
    systems = (registry.system(name) for name in registry.SYSTEMS)
    return {entry.name: entry for system in systems for entry in system.weights}


def published_path(entry: PublishedWeights) -> Path:
    """Where the file lies, or will lie."""
    return paths.cache() / "published" / entry.name / entry.file


def pinned(entry: PublishedWeights) -> str | None:
    """Return the SHA-256 of the file that was fetched first, None where none was."""
    try:
        told = json.loads(published_path(entry).with_name(_PIN).read_text(encoding="utf-8"))
        return str(told["sha256"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def stated_licence(entry: PublishedWeights) -> str:
    """Return the licence in words."""
    return entry.licence or "none stated by the authors"


def keep_pin(entry: PublishedWeights, digest: str, address: str) -> None:
    """Note what was fetched from where: from now on it is this file and no other."""
    write_json(published_path(entry).with_name(_PIN), {"sha256": digest, "address": address})


def find(wanted: str | None, network: str) -> Path:
    """Turn a ``--weights`` value into a file.

    ``trained`` means what the pipeline trained on the current profile (under the network's own
    name, else the first entry of params.yaml that is this network), ``published:NAME`` what
    ``shellac download`` fetched, anything else a file. None means published weights if there are
    any in the cache. Raises :class:`WeightsError` or :class:`UsageError` saying what to do.
    """
    if wanted is None:
        return _held(_only(network))
    if wanted.startswith(PREFIX):
        entry = published_entry(wanted.removeprefix(PREFIX))
        if entry.network != network:
            raise UsageError(f"{wanted} are weights of {entry.network}, not of {network}")
        return _held(entry)
    if wanted == "trained":
        try:
            settings = config.load()
        except ConfigError as error:
            raise WeightsError(f"trained weights are unknown here: {error}") from error
        return trained(network, settings)
    path = Path(wanted)
    if not path.is_file():
        raise WeightsError(f"{wanted}: no such weights file")
    return path


def published_entry(name: str) -> PublishedWeights:
    """Look up published weights; raise :class:`UsageError` with the names there are."""
    known = published()
    if name not in known:
        raise UsageError(f"no published weights are called {name!r}; there are: {', '.join(known)}")
    return known[name]


def _only(network: str) -> PublishedWeights:
    """Return the weights of ``network`` that lie in the cache, if they are the only ones."""
    listed = [entry for entry in published().values() if entry.network == network]
    there = [entry for entry in listed if published_path(entry).is_file()]
    if len(there) == 1:
        return there[0]
    if there:
        names = " or ".join(f"--weights {PREFIX}{entry.name}" for entry in there)
        raise UsageError(f"{network} has several published weights in the cache: say {names}")
    names = " or ".join(f"shellac download {entry.name}" for entry in listed)
    raise UsageError(
        f"{network} has no published weights in the cache;"
        f" {f'fetch them with {names}, or ' if names else ''}train it with make all and add"
        " --weights trained, or give a .safetensors file or the authors' .pth checkpoint; or use"
        " --system classical, which needs none"
    )


def _held(entry: PublishedWeights) -> Path:
    """Return the file of weights in the cache if it is the one that was fetched."""
    path, command = published_path(entry), f"shellac download {entry.name}"
    if not path.is_file():
        raise WeightsError(f"{PREFIX}{entry.name}: not in the cache yet; fetch it with {command}")
    expected = pinned(entry)
    if expected is None or sha256(path) != expected:
        raise WeightsError(
            f"{path}: not the file that was fetched, by its SHA-256; remove it and run {command}"
        )
    return path
