import json
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "benchmarks"
TINY = """
import json, sys
import classical, networks, run, spline
run.BENCHMARKS = {
    "networks": lambda: networks.measure(1 / 64, length=1024, batch=2, patch=1024, turns=1),
    "spline": lambda: spline.measure(audio_seconds=0.05, turns=1),
    "classical": lambda: classical.measure(seconds=3.0),
}
run.main(sys.argv[1:])
"""


def test_the_harness_measures_every_network_and_the_spline(tmp_path):
    shared = Path(__file__).parents[3] / "params.yaml"
    (tmp_path / "params.yaml").write_text(shared.read_text())
    done = subprocess.run(
        [sys.executable, "-c", TINY],
        env={"PYTHONPATH": f"{FOLDER}:{FOLDER.parent}", "SHELLAC_ROOT": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (record,) = tmp_path.glob("results/*/records/bench.json")
    rows = json.loads(record.read_text())
    assert len(rows["networks"]) == len(rows["spline"]) == 6
    compared = rows["networks"] + rows["spline"]
    assert all(row["ratio"] > 0 for row in compared)
    assert all(row["largest_difference"] < 1e-6 for row in rows["spline"])
    assert len(rows["classical"]) == 16
    assert len(done.stdout.splitlines()) == 28


def test_an_unknown_benchmark_is_refused():
    done = subprocess.run(
        [sys.executable, FOLDER / "run.py", "nothing"],
        env={"PYTHONPATH": str(FOLDER.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert (
        done.stderr
        == "bench: no benchmark 'nothing'; there are: networks, spline, long-files, classical\n"
    )
