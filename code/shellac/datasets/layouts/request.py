"""What every layout is asked, and how it finds its way in a folder that it has not made."""

import csv
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from shellac.audio import SUFFIXES
from shellac.errors import DataError
from shellac.files import read_csv

_DEPTH = 5
MAX_FIELD = 1 << 20  # of a table; the library's own limit is shorter than some biographies


@dataclass(frozen=True)
class Request:
    """``root`` holds the data set, at any of a few levels; ``select`` the labels that are wanted
    (none: all); ``target`` may be written where recordings have to be made out of arrays.
    """

    name: str
    root: Path
    select: tuple[str, ...]
    seed: int
    target: Path

    def wants(self, label: str) -> bool:
        """Whether recordings with this label are wanted."""
        return not self.select or label in self.select

    def find(self, *names: str) -> Path:
        """Return the file or folder of one of these names that lies nearest below the root.

        Raises :class:`DataError` where there is none.
        """
        waiting = deque([(self.root, 0)])
        while waiting:
            folder, depth = waiting.popleft()
            for name in names:
                if (folder / name).exists():
                    return folder / name
            if depth < _DEPTH:
                inside = sorted(path for path in folder.iterdir() if path.is_dir())
                waiting.extend((path, depth + 1) for path in inside)
        raise DataError(
            f"{self.name}: there is no {' or '.join(names)} in {self.root}; that is not its layout"
        )

    def table(self, path: Path, *columns: str) -> list[dict[str, str]]:
        """Read a CSV table; raise :class:`DataError` where it is none or lacks a column."""
        csv.field_size_limit(MAX_FIELD)
        try:
            rows = read_csv(path)
        except csv.Error as error:
            raise DataError(f"{path}: not a readable table ({error})") from error
        if missing := set(columns) - set(rows[0] if rows else ()):
            raise DataError(f"{path}: lacks the column {' and '.join(sorted(missing))}")
        return rows

    def inside(self, path: Path) -> Path:
        """Return a path that a table names; raise :class:`DataError` if it leads out of the set."""
        if ".." in path.parts or not path.resolve().is_relative_to(self.root.resolve()):
            raise DataError(f"{self.name}: {path} leads out of {self.root}")
        return path


def recordings_below(folder: Path) -> Iterator[Path]:
    """Yield every file below ``folder`` that is audio by its name, sorted."""
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and path.is_file():
            yield path
