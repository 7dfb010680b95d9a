import json
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "benchmarks"
TINY = """
import json, sys
import classical, fragments, griffin_lim, networks, run, spline, synthesis
run.BENCHMARKS = {
    "networks": lambda: networks.measure(1 / 64, 1024, 2, 1024, frames=47, turns=1),
    "spline": lambda: spline.measure(audio_seconds=0.05, turns=1),
    "fragments": lambda: fragments.measure(0.4, turns=1, memory_minutes=(0.4, 0.7)),
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
    assert all(row["largest_difference"] < 1e-6 for row in rows["spline"])
    assert len(rows["fragments"]) == 5
    for row in rows["fragments"][:3]:
        assert row["ratio"] > 0 and row["patches"] > 20
        assert row["largest_difference"] < 1e-5
    assert all(row["many_mb"] < 1.2 * row["few_mb"] for row in rows["fragments"][3:])
    assert all(row["times_real_time"] > 0 for row in rows["synthesis"])
    assert all(row["nearest_db"] > 0.5 for row in rows["synthesis"])
    assert len(rows["griffin-lim"]) == 4
    for row in rows["griffin-lim"]:
        assert row["convergence"] < 1.1 * row["librosa_convergence"] < 0.5
    assert len(rows["classical"]) == 16
    assert len(done.stdout.splitlines()) == sum(map(len, rows.values()))


def test_the_page_of_spectrograms_is_drawn(tmp_path):
    page = "import sys; import corpus_page; corpus_page.pictures.save("
    done = subprocess.run(
        [sys.executable, "-c", f"{page}corpus_page.page(1.0), sys.argv[1])", tmp_path / "page.png"],
        env={"PYTHONPATH": f"{FOLDER}:{FOLDER.parent}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "page.png").stat().st_size > 100_000


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
