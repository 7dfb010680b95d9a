"""The systems by name: a new one costs its folder and one line here."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from shellac.errors import UsageError
from shellac.systems.base import NetworkCard, System

if TYPE_CHECKING:
    from types import ModuleType

    from shellac.config import Settings, Strict

SYSTEMS: dict[str, str] = {
    "superres": "shellac.systems.superres.system",
    "denoiser": "shellac.systems.denoiser.system",
    "behm_gan": "shellac.systems.behm_gan.system",
    "babe2": "shellac.systems.babe2.system",
    "inpainting": "shellac.systems.inpainting.system",
    "classical": "shellac.systems.classical.system",
}


def system(name: str) -> System:
    """Import one system; raise :class:`UsageError` for a name that is not registered."""
    if name not in SYSTEMS:
        raise UsageError(f"no system is called {name!r}; there are: {', '.join(SYSTEMS)}")
    return import_module(SYSTEMS[name]).SYSTEM


def part(name: str, module: str) -> ModuleType:
    """Import one room of a system's folder, such as its ``training`` or ``restoration``.

    Every system that learns has ``settings`` (``MODEL``, the pydantic model of its section of
    params.yaml), ``fragments`` (``build(settings)``), ``training`` (``train(settings, network)``),
    ``evaluation`` (``evaluate(settings)`` and ``versions(settings)``), ``restoration``
    (``member(state, card, device)``) and ``published`` (``recognise(names, source)``, ``NETWORKS``,
    ``load(key, state, settings)``, ``card(key, network, digest)``; and ``read(path)``, a state and
    what to add to its card, where the authors' files are no bare state_dicts). One that needs no
    weights has ``restoration`` (``estimator(network, device, noise_profile)``) alone. Raises
    :class:`UsageError` where the system has no such room.
    """
    package = SYSTEMS[system(name).name].rpartition(".")[0]
    try:
        return import_module(f"{package}.{module}")
    except ModuleNotFoundError as error:
        if error.name != f"{package}.{module}":
            raise
        raise UsageError(f"{name} has no {module}: choose another system") from error


def settings_model(name: str) -> type[Strict]:
    """Return the model of one system's section of params.yaml."""
    return part(name, "settings").MODEL


def learning() -> list[str]:
    """List the systems that learn, and so have settings, training and weights."""
    return [name for name in SYSTEMS if system(name).build is not None]


def trained_network(settings: Settings, name: str) -> str:
    """Return the network that stands for a system: its default, else the first that is trained."""
    task, default = settings.systems[name], system(name).default_network
    trained = [task.network_class(entry) for entry in task.networks]
    return default if default in trained else trained[0]


def network_names() -> list[str]:
    """List the full names of all networks that can be built, system by system."""
    return [network for name in learning() for network in system(name).networks]


def find(name: str) -> tuple[System, NetworkCard]:
    """Look up a network by its full name, or a system's default network by the system's.

    Raises :class:`UsageError`, with the names there are, for anything else.
    """
    owner = name.partition("/")[0]
    if owner in SYSTEMS:
        found = system(owner)
        full_name = found.default_network if name == owner else name
        if full_name in found.networks:
            return found, found.networks[full_name]
    known = ", ".join([*SYSTEMS, *(each for name in SYSTEMS for each in system(name).networks)])
    raise UsageError(f"no system or network is called {name!r}; there are: {known}")
