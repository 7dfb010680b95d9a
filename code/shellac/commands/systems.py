"""``shellac systems``: every network, its size, and which weights are at hand."""

from typing import Any

from shellac import config, weights
from shellac.config import Settings
from shellac.errors import ShellacError, WeightsError
from shellac.files import sha256
from shellac.systems import registry


def describe() -> list[dict[str, Any]]:
    """Return one record per network, as ``shellac systems --json`` prints it."""
    try:
        settings = config.load()
    except ShellacError:  # outside a compendium
        settings = None
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
                    "weights": _weights(card.name, settings) if system.build else [],
                    "use_when": card.use_when,
                }
            )
    return records


def _weights(network: str, settings: Settings | None) -> list[dict[str, Any]]:
    """List the weights of one network; those of the pipeline only where there are settings."""
    return [*_published(network), *([_trained(network, settings)] if settings else [])]


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


def _trained(network: str, settings: Settings) -> dict[str, Any]:
    """Describe those that the pipeline trained, which need not be there yet."""
    try:
        path = weights.trained(network, settings)
        licence, digest = weights.load(path)[1].licence, sha256(path)
    except WeightsError:  # missing or damaged: then they are not there to be used
        licence = digest = None
    return {
        "name": "trained",
        "origin": "trained",
        "licence": licence,
        "sha256": digest,
        "present": digest is not None,
    }
