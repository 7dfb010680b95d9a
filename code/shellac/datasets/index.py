"""The index of a corpus: every recording examined, judged, split; what is left out has a reason."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from tqdm import tqdm

from shellac import audio, paths
from shellac.config import Settings
from shellac.datasets import folder, gate, splits
from shellac.errors import AudioError
from shellac.files import sha256

BOTH = "validation+test"  # published lists that are validated and tested on


@dataclass(frozen=True)
class Recording:
    """One row of an index.

    ``file`` is relative to ``origin`` (a folder relative to the repository root, or absolute);
    ``genre`` is the corpus's own, else the role; ``used`` is ``yes`` or ``no``, and ``reason``
    says why not. ``label`` is the speaker, singer, ensemble, disc or year, where the corpus names
    one, and ``licence`` that of the recording, where it has one of its own.
    """

    origin: str
    file: str
    role: str
    genre: str
    split: str
    used: str
    reason: str
    sample_rate: int
    channels: int
    samples: int
    sha256: str
    label: str = ""
    licence: str = ""

    @property
    def path(self) -> Path:
        """Where the audio is."""
        return paths.root() / self.origin / self.file

    @property
    def track(self) -> str:
        """A name for tables and figures, unique within its origin: the file with its folders."""
        return self.file

    def serves(self, split: str) -> bool:
        """Whether it belongs to ``split``; some published lists validate and test on the same."""
        return split in self.split.split("+")


@dataclass(frozen=True)
class Found:
    """A recording before it is examined.

    ``group`` names its source recording (or whatever must not be divided), if that is known;
    ``split`` is what a published rule says, and is drawn where it says nothing.
    """

    path: Path
    role: str
    genre: str = ""
    group: str = ""
    split: str = ""
    label: str = ""
    licence: str = ""


def build(
    settings: Settings, origin: str, base: Path, found: Sequence[Found], judged: bool
) -> list[Recording]:
    """Examine every file below ``base``: readable, no duplicate, and fit if it must be ``judged``.

    Two files are duplicates if they decode to the same samples, whatever their containers. Where
    a published rule gives some recordings a split, the shares of ``data.splits`` that it leaves
    open are drawn from the others.
    """
    with ThreadPoolExecutor(settings.compute.threads) as pool:
        examined = pool.map(lambda item: _examine(settings, item, judged), found)
        bar = tqdm(
            zip(found, examined, strict=True), total=len(found), desc="examine", disable=None
        )
        rows, seen = [], {}
        for item, (facts, digest, reason) in bar:
            name = item.path.relative_to(base).as_posix()
            if facts and facts.content in seen:
                reason = f"same content as {seen[facts.content]}"
            elif facts:
                seen[facts.content] = name
            shape = (facts.sample_rate, facts.channels, facts.samples) if facts else (0, 0, 0)
            used = "no" if reason else "yes"
            genre = item.genre or item.role
            row = (origin, name, item.role, genre, "", used, reason, *shape, digest)
            rows.append(Recording(*row, item.label, item.licence))
    return _with_splits(settings, rows, found)


def _examine(settings: Settings, item: Found, judged: bool) -> tuple[audio.Facts | None, str, str]:
    """Return facts, SHA-256 of the file and the reason against it, any of which may be missing."""
    try:
        facts = audio.inspect(item.path, content=True)
        reason = ""
        if judged and item.role in folder.CLEAN_ROLES:
            waveform, rate = audio.read(item.path)
            reason = gate.verdict(gate.examine(waveform, rate), settings.data.gate) or ""
    except AudioError as error:
        return None, "", str(error).removeprefix(f"{item.path}: ")
    return facts, sha256(item.path), reason


def _with_splits(
    settings: Settings, rows: list[Recording], found: Sequence[Found]
) -> list[Recording]:
    ruled = {item.split for item in found}
    shares = dict(settings.data.splits.model_dump())
    for split in shares:
        if any(split in rule.split("+") for rule in ruled):
            shares[split] = 0.0
    groups, kinds = {}, {}
    for row, item in zip(rows, found, strict=True):
        # historical recordings are restored, no more
        if row.used == "yes" and row.role != "historical" and not item.split:
            groups[row.sha256] = item.group or row.sha256
            kinds[row.sha256] = f"{row.role}/{row.genre}"  # every genre is trained and tested on
    drawn = splits.assign(
        groups, {"train": 1 - sum(shares.values()), **shares}, settings.seed, kinds
    )
    return [
        replace(row, split=item.split or drawn.get(row.sha256, "")) if row.used == "yes" else row
        for row, item in zip(rows, found, strict=True)
    ]
