"""Break everything at length, keep the outcome: ``python code/benchmarks/fault_campaign.py``.

Runs what ``make faults`` runs, or less by options of pytest (``-k notebook``), and writes
``results/campaigns/faults/tests.csv``, which is in git: a row per test, with how often it killed
and how many files came out the same, or how many files it spoilt. Rows of other tests stay.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from xml.etree import ElementTree

from shellac import paths
from shellac.errors import ShellacError
from shellac.files import read_csv, write_csv, write_json

COLUMNS = ("test", "outcome", "kills", "inputs", "outputs", "seconds")
TESTS = "tests/faults"
_CODE = Path(__file__).resolve().parents[1]


def rows(report: Path) -> Iterator[dict[str, str]]:
    """Yield what a report of pytest (JUnit's form) says of every test."""
    for case in ElementTree.parse(report).getroot().iter("testcase"):
        told = {each.get("name"): each.get("value") for each in case.iter("property")}
        ended = {child.tag for child in case} & {"failure", "error", "skipped"}
        yield {
            "test": f"{case.get('classname').rpartition('.')[2]}::{case.get('name')}",
            "outcome": ", ".join(sorted(ended)) or "passed",
            "seconds": f"{float(case.get('time')):.1f}",
            **{name: told.get(name, "") for name in ("kills", "inputs", "outputs")},
        }


def keep(found: Iterable[dict[str, str]]) -> None:
    """Lay new rows over those that are kept."""
    folder = paths.results("campaigns", "faults")
    table = folder / "tests.csv"
    before = read_csv(table) if table.is_file() else []
    merged = {row["test"]: row for row in (*before, *found)}
    write_csv(table, (merged[name] for name in sorted(merged)), COLUMNS)
    write_json(folder / "about.json", {"command": "python code/benchmarks/fault_campaign.py"})


def main(options: Sequence[str]) -> int:
    """Run the tests, keep the table; return pytest's exit status."""
    with tempfile.TemporaryDirectory() as name:
        report = Path(name) / "report.xml"
        command = [sys.executable, "-m", "pytest", TESTS, f"--junitxml={report}", *options]
        status = subprocess.run(
            command, cwd=_CODE, env={**os.environ, "SHELLAC_FAULTS": "long"}, check=False
        ).returncode
        keep(rows(report))
    return status


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except ShellacError as error:
        sys.exit(f"fault_campaign: {error}")
