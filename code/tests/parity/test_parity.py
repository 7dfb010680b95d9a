"""Every parity case that is there: what the published code returned, within its tolerance."""

from pathlib import Path

import pytest
from parity import cases
from parity.cases import Case
from parity.not_built import NOT_BUILT
from parity.runners import RUNNERS, check

FOLDERS = cases.folders()
FOUND = list(cases.find(FOLDERS))
if not FOUND:
    where = ", ".join(map(str, FOLDERS))
    reason = f"no parity cases in {where}: name their folders in {cases.VARIABLE}"
    FOUND = [pytest.param(None, marks=pytest.mark.skip(reason=reason), id="none")]


@pytest.mark.parametrize("path", FOUND, ids=lambda path: path.stem)
def test_case(path: Path):
    found = check(Case(path))
    for name, value in found.items():
        print(f"{path.stem} {name}: mismatch {value:.1e}")  # seen with pytest -rA
    assert found, "the case wants no output"
    assert not {name: value for name, value in found.items() if not value <= 1}


def test_a_model_is_either_built_or_listed_as_not_built():
    assert not NOT_BUILT & set(RUNNERS)
