"""The real recordings beside the repository, for tests that compare with them."""

import csv
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "audio"


def require() -> Path:
    """Return the folder of real recordings, or skip the test that asks."""
    if not (FOLDER / "MANIFEST.csv").is_file():
        pytest.skip("needs the real recordings in ../shared/audio, which are absent")
    return FOLDER


def rows() -> list[dict[str, str]]:
    """Return the rows of the table of real recordings, or skip."""
    with (require() / "MANIFEST.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
