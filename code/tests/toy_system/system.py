"""The toy system as the registry knows it."""

from shellac.systems.base import NetworkCard, System


def _build(name, settings):
    from shellac.systems.gain.network import Gain

    return Gain(**settings)


_CARD = NetworkCard("gain/one", 8000, 1, "in tests", "none", "MIT", {"start": 0.5})
SYSTEM = System("gain", "a level brought back", "gain/one", {"gain/one": _CARD}, _build)
