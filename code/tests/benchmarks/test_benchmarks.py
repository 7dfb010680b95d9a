import json
import subprocess
import sys
from pathlib import Path

from sounds import RECORD_RATE, noisy

from shellac import audio

FOLDER = Path(__file__).parents[2] / "benchmarks"
TINY = """
import json, sys
import classical, griffin_lim, historical, networks, run, spline, synthesis
run.BENCHMARKS = {
    "networks": lambda: networks.measure(1 / 64, 1024, 2, 1024, frames=47, turns=1),
    "spline": lambda: spline.measure(audio_seconds=0.05, turns=1),
    "synthesis": lambda: synthesis.measure(audio_seconds=1.0, pieces=2),
    "griffin-lim": lambda: griffin_lim.measure(audio_seconds=0.5, iterations=30, turns=1),
    "classical": lambda: classical.measure(seconds=3.0),
    "historical": lambda: historical.measure(seconds=4),
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
    assert all(row["times_real_time"] > 0 for row in rows["synthesis"])
    assert all(row["nearest_db"] > 0.5 for row in rows["synthesis"])
    assert len(rows["griffin-lim"]) == 4
    for row in rows["griffin-lim"]:
        assert row["convergence"] < 1.1 * row["librosa_convergence"] < 0.5
    assert len(rows["classical"]) == 16
    (disc,) = rows["historical"]
    assert disc["residual_db"] < -3 and abs(disc["residual_correlation"]) < 0.3
    assert disc["after 9600-19200 Hz"] < disc["before 9600-19200 Hz"]
    assert len(done.stdout.splitlines()) == sum(map(len, rows.values()))


def test_a_folder_of_discs_becomes_a_table(tmp_path):
    audio.write(tmp_path / "in" / "a.wav", noisy(3.0)[1], RECORD_RATE, "PCM_16")
    audio.write(tmp_path / "in" / "b.flac", noisy(2.0, 2, seed=1)[1] / 2, RECORD_RATE, "PCM_16")
    done = subprocess.run(
        [sys.executable, FOLDER / "historical.py", "in", "-o", "out", "--system", "classical"],
        env={"PYTHONPATH": str(FOLDER.parent)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads((tmp_path / "out" / "historical.json").read_text())
    assert told["command"].endswith("historical.py in -o out --system classical")
    assert [row["what"] for row in told["rows"]] == ["a", "b"]
    for row in told["rows"]:
        assert row["clicks_after"] < row["clicks_before"]
        assert row["residual 4800-9600 Hz"] > row["after 4800-9600 Hz"] - 20
    assert (tmp_path / "out" / "historical.csv").read_text().startswith("what,residual_db,")
    assert (tmp_path / "out" / "a.residual.wav").is_file()


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
