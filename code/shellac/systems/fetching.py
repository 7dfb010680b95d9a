"""Bringing published weights into the cache: resumed, verified, pinned at the first download."""

from collections.abc import Mapping
from urllib.parse import quote

from shellac import weights
from shellac.download import transfer
from shellac.download.transfer import Limits, Wanted


def fetch(
    name: str,
    mirror: str = "",
    checksums: Mapping[str, str] | None = None,
    limits: Limits | None = None,
) -> str:
    """Bring published weights into the cache; return the SHA-256 of their file.

    ``mirror`` is the address of a folder that is asked instead of the authors; ``checksums``, by
    name of file, may vouch for it (``sha256:...``). Raises :class:`DataError` as
    :func:`shellac.download.transfer.fetch` does, and :class:`UsageError` for an unknown name.
    """
    entry = weights.published_entry(name)
    expected = dict(entry.checksums)
    if before := weights.pinned(entry):
        expected = {"sha256": before}
    if vouched := (checksums or {}).get(entry.file):
        kind, _, digits = vouched.partition(":")
        expected = {kind: digits}
    address = f"{mirror.rstrip('/')}/{quote(entry.file)}" if mirror else entry.address
    wanted = Wanted(entry.file, (address,), expected, most_bytes=entry.most_bytes)
    place = weights.published_path(entry)
    digest = transfer.fetch(wanted, place.parent, limits)
    weights.keep_pin(entry, digest, address)
    return digest
