"""The notebook of times: without a record it says so, with records it shows them."""

import json
import sys
from pathlib import Path

import pytest

from shellac import paths
from shellac.files import write_json
from shellac.report import benchmarks, notebooks

NAME = "08-benchmarks"
BENCH = {
    "networks": [{"what": "superres/tfilm forward", "cpu_seconds": 2.0, "ratio": 1.25}],
    "spline": [{"what": "spline x4, 20 s", "cpu_seconds": 0.5, "ratio": 13.5}],
    "inpainting-gaps": [{"what": "gaps: skipped, no inpainting network is trained"}],
}


def write_records():
    for name, seconds in (("tfilm", 30.0), ("audiounet", 90.0)):
        record = {"stage": "train", "of": [f"superres/{name}"], "seconds": seconds / 2,
                  "cpu_seconds": seconds, "peak_memory_mb": 500.4, "threads": 2}  # fmt: skip
        write_json(paths.results("demo", "records", f"train-superres-{name}.json"), record)
    write_json(paths.results("demo", "records", "superres-speed.json"), {"tfilm": 1.5})
    write_json(paths.results("demo", "records", "bench.json"), BENCH)


def shown(path):
    cells = json.loads(path.read_text())["cells"]
    outputs = [output for cell in cells for output in cell.get("outputs", ())]
    told = [output.get("text", []) for output in outputs]
    told += [output.get("data", {}).get("text/html", []) for output in outputs]
    pictures = sum("image/png" in output.get("data", {}) for output in outputs)
    return "".join("".join(lines) for lines in told), pictures


def test_without_records_it_says_so_and_shows_the_long_runs(house):
    text, pictures = shown(notebooks.run(NAME, "demo"))
    assert "no stage of the profile demo has run here" in text
    assert "no benchmark has run here" in text
    assert "superres-tfilm" in text and "1.20" in text  # processor hours, of git
    assert pictures == 0


def test_records_are_shown(house):
    write_records()
    text, pictures = shown(notebooks.run(NAME, "demo"))
    assert "2 stages, 2.0 minutes of processor time" in text
    assert text.index("superres/audiounet") < text.index("superres/tfilm<")  # dearest first
    assert "spline x4, 20 s" in text
    assert pictures == 2


def test_costs_are_summed_by_kind(house):
    write_records()
    stages = benchmarks.stages("demo")
    assert stages["of"].tolist() == ["superres/audiounet", "superres/tfilm"]
    (row,) = benchmarks.by_kind(stages).to_dict("records")
    assert row == {"stage": "train", "stages": 2, "seconds": 60.0, "cpu_seconds": 120.0,
                   "peak_memory_mb": 500}  # fmt: skip


def test_ratios_are_drawn_at_their_values(house):
    table = benchmarks.ratios(BENCH, ["networks", "spline", "inpainting-gaps", "cqt"])
    (axes,) = benchmarks.compared(table, "ratio").axes
    assert [bar.get_width() for bar in axes.patches] == [1.25, 13.5]
    assert [label.get_text() for label in axes.get_yticklabels()] == table["what"].tolist()


def test_every_benchmark_says_how_to_read_it(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "benchmarks"))
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        monkeypatch.setenv(name, "1")  # which the module sets for good
    before = set(sys.modules)
    run = pytest.importorskip("run")
    try:
        assert set(benchmarks.READING) == set(run.BENCHMARKS)
        assert {*benchmarks.OVER_FLOOR, *benchmarks.TIMES_FASTER} <= set(run.BENCHMARKS)
    finally:
        for name in set(sys.modules) - before:
            if getattr(sys.modules[name], "__file__", "").startswith(
                str(Path(run.__file__).parent)
            ):
                del sys.modules[name]
