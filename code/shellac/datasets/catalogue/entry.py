"""What the catalogue says about a published data set, and its data card."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class RemoteFile:
    """One published file.

    ``checksums`` maps ``sha256``, ``sha1`` or ``md5`` to hexadecimal digits; a file without any
    is pinned at its first download. ``size`` in bytes where it is known exactly; ``most_bytes``
    is what a server may send where it is not.
    """

    name: str
    addresses: tuple[str, ...]
    checksums: Mapping[str, str] = field(default_factory=dict)
    size: int | None = None
    most_bytes: int = 1 << 34

    @property
    def is_archive(self) -> bool:
        """Whether it is to be unpacked."""
        return self.name.endswith((".zip", ".tar", ".tar.gz"))

    @property
    def stem(self) -> str:
        """The name without the ending of an archive."""
        return self.name.removesuffix(".gz").removesuffix(".tar").removesuffix(".zip")


@dataclass(frozen=True)
class DataSet:
    """A published data set.

    ``layout`` names the function in :mod:`shellac.datasets.layouts` that finds its recordings;
    ``folder`` where its files lie under ``data/published``, which sets with common files share.
    ``licence`` is empty where the publisher states none: such a set is not downloaded from its
    public address. ``by_hand`` says how to get one that no program can fetch. ``items`` are
    Internet Archive items that make up the set.
    """

    name: str
    title: str
    summary: str
    licence: str
    citation: str
    layout: str
    splits: str
    arrangement: str
    files: tuple[RemoteFile, ...] = ()
    items: tuple[str, ...] = ()
    folder: str = ""
    size: str = ""
    notes: str = ""
    by_hand: str = ""

    @property
    def place(self) -> str:
        """The folder under ``data/published``."""
        return self.folder or self.name


def card(entry: DataSet) -> str:
    """Return the data card of an entry as Markdown, as it stands in ``data/README.md``."""
    rows = {
        "what": entry.summary,
        "size": entry.size,
        "files": ", ".join(f"`{file.name}`" for file in entry.files),
        "hashes": "; ".join(_hash_of(file) for file in entry.files),
        "licence": entry.licence or "none stated: not downloaded from its public address",
        "cite": entry.citation,
        "layout": entry.arrangement,
        "splits": entry.splits,
        "to know": entry.notes,
        "how to get it": entry.by_hand,
    }
    lines = [f"### {entry.name}", f"{entry.title}", "", "| | |", "|---|---|"]
    lines += [f"| {name} | {text} |" for name, text in rows.items() if text]
    return "\n".join(lines) + "\n"


def _hash_of(file: RemoteFile) -> str:
    if not file.checksums:
        return f"`{file.name}` pinned at first download"
    return ", ".join(f"{name} `{digits}`" for name, digits in file.checksums.items())
