"""The catalogue: complete, and the data cards say the same."""

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from shellac.datasets.catalogue import CATALOGUE
from shellac.datasets.catalogue.entry import card
from shellac.datasets.layouts import LAYOUTS

CARDS = Path(__file__).resolve().parents[3] / "data" / "README.md"
DIGITS = {"md5": 32, "sha1": 40, "sha256": 64}


@pytest.mark.parametrize("entry", CATALOGUE.values(), ids=CATALOGUE)
def test_every_entry_says_what_a_user_must_know(entry):
    assert all((entry.title, entry.summary, entry.citation, entry.arrangement, entry.splits))
    assert entry.layout in LAYOUTS
    assert entry.by_hand or entry.items or all(file.addresses for file in entry.files)
    for file in entry.files:
        assert all(urlsplit(address).scheme in {"http", "https"} for address in file.addresses)
        assert all(
            re.fullmatch(rf"[0-9a-f]{{{DIGITS[kind]}}}", digits)
            for kind, digits in file.checksums.items()
        )


@pytest.mark.parametrize("entry", CATALOGUE.values(), ids=CATALOGUE)
def test_its_card_stands_in_the_readme(entry):
    assert card(entry) in CARDS.read_text(encoding="utf-8")


def test_every_layout_is_in_use():
    assert {entry.layout for entry in CATALOGUE.values()} == set(LAYOUTS)


def test_files_of_one_name_are_one_file():
    known = {}
    for entry in CATALOGUE.values():
        for file in entry.files:
            assert known.setdefault(file.name, file) == file
