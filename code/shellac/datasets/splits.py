"""Splits by source recording: what a network is tested on, it has heard nothing of.

Fragments of one recording resemble each other far more than those of two; a split by fragment
would measure memory. The drawing depends on content keys and the seed alone: neither on the
order of files nor on their names.
"""

import hashlib
from collections.abc import Mapping

from shellac.errors import DataError

SPLITS = ("train", "validation", "test")


def assign(
    recordings: Mapping[str, str],
    fractions: Mapping[str, float],
    seed: int,
    roles: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Give every file a split; files of one source recording get the same.

    Parameters
    ----------
    recordings : mapping of content key (the SHA-256 of a file) to its source recording
    fractions : mapping
        Shares of ``train``, ``validation`` and ``test``, of recordings, summing to 1. Rounded,
        but with a share above zero there is a test recording from two recordings on, a
        validation recording from three on, and always one left for training.
    seed : int
    roles : mapping of content key to role, optional
        The shares hold within every role. A recording that serves several roles is counted in
        the first by name, and has one split in all.

    Returns
    -------
    dict of content key to ``train``, ``validation`` or ``test``

    Raises
    ------
    DataError
        If the fractions are not three shares that sum to 1, or leave nothing for training.
    """
    _check(fractions)
    role_of: dict[str, str] = {}
    for key, recording in recordings.items():
        role = roles[key] if roles else ""
        role_of[recording] = min(role, role_of.get(recording, role))
    split_of: dict[str, str] = {}
    for role in sorted(set(role_of.values())):
        members = [recording for recording, its_role in role_of.items() if its_role == role]
        split_of |= _divide(members, fractions, seed)
    return {key: split_of[recording] for key, recording in recordings.items()}


def _check(fractions: Mapping[str, float]) -> None:
    in_range = all(0.0 <= share <= 1.0 for share in fractions.values())
    if set(fractions) != set(SPLITS) or not in_range or abs(sum(fractions.values()) - 1) > 1e-6:
        raise DataError(f"split fractions must be shares of {', '.join(SPLITS)} that sum to 1")
    if fractions["train"] == 0.0:
        raise DataError("split fractions must leave a share for train")


def _divide(recordings: list[str], fractions: Mapping[str, float], seed: int) -> dict[str, str]:
    """Split the recordings of one role, in the order of their seeded hashes."""

    def rank(recording: str) -> bytes:
        return hashlib.sha256(f"{seed}\n{recording}".encode()).digest()

    ordered = sorted(recordings, key=rank)
    total = len(ordered)
    counts = {}
    left = total - 1  # one is always trained on
    for split, needed in (("test", 2), ("validation", 3)):
        share = fractions[split]
        wanted = max(1, round(share * total)) if share > 0 and total >= needed else 0
        counts[split] = min(wanted, left)
        left -= counts[split]
    ends = counts["test"], counts["test"] + counts["validation"]
    return {
        recording: "test" if i < ends[0] else "validation" if i < ends[1] else "train"
        for i, recording in enumerate(ordered)
    }
