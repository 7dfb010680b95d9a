"""What every restoration system says about itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class NetworkCard:
    """One network of a system, as ``shellac systems`` lists it.

    ``sample_rate`` in Hz is the one it was published for, None where any will do; ``parameters``
    the count at published size, ``settings`` the constructor's defaults for new training: the only
    names that may be set.
    """

    name: str
    sample_rate: int | None
    parameters: int
    use_when: str
    source: str
    licence: str
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class PublishedWeights:
    """Weights that the authors of a network published, under the name that ``published:`` takes.

    ``licence`` is what they state, empty where they state none. ``checksums`` maps ``sha256`` to
    hexadecimal digits; a file without any is pinned at its first download.
    """

    name: str
    network: str
    address: str
    summary: str
    licence: str
    checksums: Mapping[str, str] = field(default_factory=dict)
    most_bytes: int = 1 << 30

    @property
    def file(self) -> str:
        """Name of the file that is fetched."""
        return self.address.rpartition("/")[2]


@dataclass(frozen=True)
class System:
    """A restoration system: its task, its networks by full name, and how to build one.

    ``build(network, settings)`` takes a name of ``networks`` and the complete settings, and returns
    the network with freshly drawn weights. It imports what it needs when called, so that a list of
    systems costs nothing. It is None where nothing is learned: such a system needs no weights, and
    its "networks" are what it can do. ``weights`` are those that can be fetched.
    """

    name: str
    task: str
    default_network: str
    networks: Mapping[str, NetworkCard]
    build: Callable[[str, Mapping[str, Any]], nn.Module] | None
    weights: tuple[PublishedWeights, ...] = ()
