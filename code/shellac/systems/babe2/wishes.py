"""What a user may ask of a restoration by BABE-2 besides estimating the filter and generating."""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from shellac.errors import UsageError
from shellac.files import read_csv
from shellac.systems.babe2.damage import declip_level
from shellac.systems.babe2.filters import Curve
from shellac.systems.babe2.prior import Prior

_LARGEST_DB = 1000.0  # estimated filters have walls of 80 dB per octave


def read_curve(path: Path) -> Curve:
    """Read a response from a CSV file: ``frequency_hz`` and ``gain_db``, under these headings.

    Raises :class:`UsageError`, naming the line, for anything else, and for what is no response.
    """
    if not path.is_file():
        raise UsageError(f"{path}: no such file")
    try:
        rows = read_csv(path)
        pairs = [(float(row["frequency_hz"]), float(row["gain_db"])) for row in rows]
    except (KeyError, TypeError, ValueError, csv.Error) as error:
        raise UsageError(
            f"{path}: expected numbers in columns frequency_hz and gain_db ({error})"
        ) from error
    for line, (hz, gain_db) in enumerate(pairs, start=2):
        if not (0 < hz < np.inf and abs(gain_db) <= _LARGEST_DB):
            raise UsageError(
                f"{path}:{line}: {hz:g} Hz, {gain_db:g} dB: frequencies must lie above 0, gains"
                f" within {_LARGEST_DB:g} dB"
            )
        if line > 2 and hz <= pairs[line - 3][0]:
            raise UsageError(f"{path}:{line}: frequencies must ascend")
    if len(pairs) < 2:
        raise UsageError(f"{path}: a response needs two frequencies at least")
    return Curve(*np.array(pairs, dtype=np.float64).T)


@dataclass(frozen=True)
class Wishes:
    """What to do but estimate the filter: fill ``gaps``, ``declip``, go by a ``known`` filter.

    ``declip`` is ``auto`` or a level, ``known`` the name of a table in the columns of
    ``STEM.filter.csv``. Raises :class:`UsageError` where they do not go together.
    """

    gaps: bool = False
    declip: str | None = None
    known: str | None = None

    def __post_init__(self) -> None:
        if self.mends and self.known is not None:
            raise UsageError(
                "--filter goes with neither --gaps nor --declip: mend the recording first"
            )
        if self.declip is not None:
            declip_level(self.declip)

    @property
    def mends(self) -> bool:
        """Whether all but damaged samples stay what they are."""
        return self.gaps or self.declip is not None

    @property
    def level(self) -> float | str | None:
        """Level at which the recording clipped, or ``auto``; None leaves clipping alone."""
        return None if self.declip is None else declip_level(self.declip)

    def curve(self, prior: Prior) -> Curve | None:
        """Read the known filter, and take its level away."""
        if self.known is None:
            return None
        return read_curve(Path(self.known)).levelled(prior.average, prior.sample_rate)
