import json
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "benchmarks"
TINY = """
import json, sys
import classical, cqt, griffin_lim, networks, run, spline, synthesis
run.BENCHMARKS = {
    "networks": lambda: networks.measure(1 / 64, 1024, 2, 1024, frames=47, turns=1),
    "cqt": lambda: cqt.measure(((7, 8, 22050, 2048), (8, 8, 44100, 4096)), 1.0, 1 / 64, 1, 2),
    "spline": lambda: spline.measure(audio_seconds=0.05, turns=1),
    "synthesis": lambda: synthesis.measure(audio_seconds=1.0, pieces=2),
    "griffin-lim": lambda: griffin_lim.measure(audio_seconds=0.5, iterations=30, turns=1),
    "classical": lambda: classical.measure(seconds=3.0),
}
run.main(sys.argv[1:])
"""


def test_the_harness_measures_everything(tmp_path):
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
    assert (len(rows["networks"]), len(rows["spline"])) == (10, 6)
    assert all(row["ratio"] > 0 for row in rows["networks"] + rows["spline"])
    assert [row["largest_distance"] < 1e-5 for row in rows["cqt"][:4]] == [True] * 4
    assert [row["ratio"] > 0 for row in rows["cqt"][4:8]] == [True] * 4
    plain, checkpointed = rows["cqt"][8:]
    assert 0 < plain["base_mb"] <= plain["peak_mb"] and checkpointed["cpu_seconds"] > 0
    assert all(row["largest_difference"] < 1e-6 for row in rows["spline"])
    assert all(row["times_real_time"] > 0 for row in rows["synthesis"])
    assert all(row["nearest_db"] > 0.5 for row in rows["synthesis"])
    assert len(rows["griffin-lim"]) == 4
    for row in rows["griffin-lim"]:
        assert row["convergence"] < 1.1 * row["librosa_convergence"] < 0.5
    assert len(rows["classical"]) == 16
    assert len(done.stdout.splitlines()) == sum(map(len, rows.values()))


def test_an_unknown_benchmark_is_refused():
    done = subprocess.run(
        [sys.executable, FOLDER / "run.py", "nothing"],
        env={"PYTHONPATH": str(FOLDER.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("bench: no benchmark 'nothing'; there are: networks, spline, ")
    assert len(done.stderr.splitlines()) == 1
