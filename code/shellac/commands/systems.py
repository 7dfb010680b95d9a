"""``shellac systems``: every network, its size, and which weights are at hand."""

from typing import Any

from shellac import config, weights
from shellac.errors import ShellacError, WeightsError
from shellac.files import sha256
from shellac.systems import registry


def describe() -> list[dict[str, Any]]:
    """Return one record per network, as ``shellac systems --json`` prints it."""
    records = []
    for system in (registry.system(name) for name in registry.SYSTEMS):
        for card in system.networks.values():
            records.append(
                {
                    "name": card.name,
                    "system": system.name,
                    "task": system.task,
                    "sample_rate": card.sample_rate,
                    "parameters": card.parameters,
                    "weights": [*_published(card.name), *_trained(card.name)] * bool(system.build),
                    "use_when": card.use_when,
                }
            )
    return records


def _published(network: str) -> list[dict[str, Any]]:
    """List the weights of one network that its authors published."""
    return [
        {
            "name": entry.name,
            "origin": "published",
            "licence": weights.stated_licence(entry),
            "sha256": weights.pinned(entry),
            "present": weights.published_path(entry).is_file(),
        }
        for entry in weights.published().values()
        if entry.network == network
    ]


def _trained(network: str) -> list[dict[str, Any]]:
    """List those that the pipeline trained, of which there are none outside a compendium."""
    try:
        path = weights.trained_path(config.load().profile, network)
    except ShellacError:
        return []
    try:
        licence = weights.load(path)[1].licence
    except WeightsError:  # missing or damaged: then they are not there to be used
        licence = None
    present = licence is not None
    return [
        {
            "name": "trained",
            "origin": "trained",
            "licence": licence,
            "sha256": sha256(path) if present else None,
            "present": present,
        }
    ]
