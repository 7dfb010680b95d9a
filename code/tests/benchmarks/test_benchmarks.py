import json
import subprocess
import sys
from pathlib import Path

from sounds import RECORD_RATE, noisy, tone

from shellac import audio, networks, weights
from shellac.files import read_csv

FOLDER = Path(__file__).parents[2] / "benchmarks"
TINY = """
import json, sys
import allocation, classical, cqt, end_to_end, filter_fit, fragments, griffin_lim, historical
import inpainting_gaps, machine, networks, operators, run, segments, spline, synthesis
run.BENCHMARKS = {
    "machine": lambda: machine.measure(2, 1 / 60, 1, 0),
    "networks": lambda: networks.measure(1 / 64, 1024, 2, 1024, frames=47, side=32, turns=1),
    "operators": lambda: operators.measure((("inpainting/UNet_v2", (1, 1, 32, 32)),), 1 / 64, 1),
    "allocation": lambda: allocation.measure((1.3,), 1 / 64, 1),
    "end-to-end": lambda: end_to_end.measure(2, 1 / 64, 1),
    "cqt": lambda: cqt.measure(((7, 8, 22050, 2048), (8, 8, 44100, 4096)), 1.0, 1 / 64, 1, 2),
    "filter-fit": lambda: filter_fit.measure(1 / 4, 1 / 64, 1),
    "spline": lambda: spline.measure(audio_seconds=0.05, turns=1),
    "segments": lambda: segments.measure(("superres/tfilm",), (1, 4), 1 / 64),
    "fragments": lambda: fragments.measure(0.4, turns=1, memory_minutes=(0.4, 0.7)),
    "synthesis": lambda: synthesis.measure(audio_seconds=1.0, pieces=2),
    "griffin-lim": lambda: griffin_lim.measure(audio_seconds=0.5, iterations=30, turns=1),
    "classical": lambda: classical.measure(seconds=3.0),
    "inpainting-gaps": inpainting_gaps.measure,
    "historical": lambda: historical.measure(seconds=4),
}
run.main(sys.argv[1:])
"""


def test_the_harness_measures_everything(tmp_path):
    shared = Path(__file__).parents[3] / "params.yaml"
    (tmp_path / "params.yaml").write_text(shared.read_text())
    done = subprocess.run(
        [sys.executable, "-c", TINY, "--keep"],
        env={"PYTHONPATH": f"{FOLDER}:{FOLDER.parent}", "SHELLAC_ROOT": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (record,) = tmp_path.glob("results/*/records/bench.json")
    rows = json.loads(record.read_text())
    assert (len(rows["machine"]), len(rows["networks"]), len(rows["spline"])) == (13, 20, 6)
    assert all(value > 0 for row in rows["machine"] for key, value in row.items() if key != "what")
    assert all(row["ratio"] > 0 for row in rows["networks"] + rows["spline"])
    for row in rows["end-to-end"]:
        assert row["network_ratio"] > 0 and row["context_of_an_hour"] > 0
    assert (len(rows["end-to-end"]), len(rows["allocation"])) == (3, 1)
    assert [row["largest_distance"] < 1e-5 for row in rows["cqt"][:4]] == [True] * 4
    assert [row["ratio"] > 0 for row in rows["cqt"][4:8]] == [True] * 4
    plain, checkpointed = rows["cqt"][8:]
    assert 0 < plain["base_mb"] <= plain["peak_mb"] and checkpointed["cpu_seconds"] > 0
    assert [0 < row["share_of_step"] < 1 for row in rows["filter-fit"]] == [True, True]
    assert all(row["largest_difference"] < 1e-6 for row in rows["spline"])
    assert [row["above_base_mb"] > 0 for row in rows["segments"]] == [True, True]
    assert rows["segments"][1]["over_shortest"] < 2  # of four times the length
    assert abs(sum(row["share"] for row in rows["operators"]) - 1) < 1e-6
    assert {"inpainting/UNet_v2: convolution 3 x 3"} <= {row["what"] for row in rows["operators"]}
    assert len(rows["fragments"]) == 5
    for row in rows["fragments"][:3]:
        assert row["patches"] > 20 and row["largest_difference"] < 1e-5
        assert row["published_seconds"] > 0 and row["decoder_start_seconds"] > 0
    assert all(row["many_mb"] < 1.2 * row["few_mb"] for row in rows["fragments"][3:])
    assert all(row["times_real_time"] > 0 for row in rows["synthesis"])
    assert all(row["nearest_db"] > 0.5 for row in rows["synthesis"])
    assert len(rows["griffin-lim"]) == 4
    for row in rows["griffin-lim"]:
        assert row["convergence"] < 1.1 * row["librosa_convergence"] < 0.5
    assert len(rows["classical"]) == 16
    (skipped,) = rows["inpainting-gaps"]  # nothing lies beside this root
    assert "vibe_ace_jazz.flac" in skipped["what"]
    (disc,) = rows["historical"]
    assert disc["residual_db"] < -3 and abs(disc["residual_correlation"]) < 0.3
    assert disc["after 9600-19200 Hz"] < disc["before 9600-19200 Hz"]
    assert len(done.stdout.splitlines()) == sum(map(len, rows.values()))
    kept = tmp_path / "results" / "campaigns" / "benchmarks"
    assert {path.stem for path in kept.glob("*.csv")} == set(rows)
    written = read_csv(kept / "networks.csv")
    assert [row["ratio"] for row in written] == [str(row["ratio"]) for row in rows["networks"]]
    assert json.loads((kept / "networks.json").read_text())["cores"] > 0


TOLD = """
import pytest

@pytest.mark.parametrize("stage", ["restore", "train"])
def test_killed(stage, record_property):
    record_property("kills", 50)
    assert stage == "train"
"""
KEPT = """
import sys
from pathlib import Path
import fault_campaign
fault_campaign.keep(fault_campaign.rows(Path(sys.argv[1])))
"""


def test_what_faults_did_is_kept_and_what_was_not_tried_stays(tmp_path):
    (tmp_path / "test_toy.py").write_text(TOLD)
    table = tmp_path / "results" / "campaigns" / "faults" / "tests.csv"
    table.parent.mkdir(parents=True)
    table.write_text("test,outcome,kills,inputs,outputs,seconds\ntest_a::one,passed,,9,,1.0\n")
    report = tmp_path / "report.xml"
    environment = {"PYTHONPATH": f"{FOLDER}:{FOLDER.parent}", "SHELLAC_ROOT": str(tmp_path)}
    pytest_run = [sys.executable, "-m", "pytest", "-q", "test_toy.py", f"--junitxml={report}"]
    assert subprocess.run(pytest_run, cwd=tmp_path, check=False).returncode == 1
    subprocess.run([sys.executable, "-c", KEPT, report], env=environment, check=True)
    rows = {row["test"]: row for row in read_csv(table)}
    assert list(rows) == ["test_a::one", "test_toy::test_killed[restore]",
                          "test_toy::test_killed[train]"]  # fmt: skip
    assert rows["test_a::one"]["inputs"] == "9"
    assert [row["outcome"] for row in rows.values()] == ["passed", "failure", "passed"]
    assert rows["test_toy::test_killed[train]"]["kills"] == "50"


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


def test_gaps_of_a_recording_are_filled_and_the_table_kept(tmp_path):
    (tmp_path / "params.yaml").write_text((FOLDER.parents[1] / "params.yaml").read_text())
    audio.write(tmp_path / "piece.wav", tone(8.0, 16000), 16000)
    settings = {"width": 1 / 32, "mask_input": True}
    network = networks.build("inpainting/UNet_v2", seed=1, **settings)
    conversion = {"representation": "spectrogram", "shift": None, "scale": None}
    card = weights.Card("inpainting/UNet_v2", settings, 16000, None, 0.0, "trained", "none",
                        extra={"conversion": {**conversion, "input": "interpolated"}})  # fmt: skip
    weights.store(tmp_path / "mine.safetensors", network.state_dict(), card)
    done = subprocess.run(
        [sys.executable, FOLDER / "inpainting_gaps.py", "--keep", "gaps", "--weights",
         tmp_path / "mine.safetensors", tmp_path / "piece.wav"],
        env={"PYTHONPATH": str(FOLDER.parent), "SHELLAC_ROOT": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    kept = tmp_path / "results" / "campaigns" / "gaps"
    rows = read_csv(kept / "gaps.csv")
    assert [row["what"] for row in rows] == [
        f"piece, 4 gaps of {duration} ms" for duration in (5, 10, 20, 40, 80)
    ]
    assert {row["outside"] for row in rows} == {"1"}
    assert all(float(row["autoregressive_db"]) > float(row["mine_db"]) for row in rows[2:])
    assert len(done.stdout.splitlines()) == len(rows)
    told = (kept / "about.json").read_text()
    assert "--weights mine.safetensors piece.wav" in told and str(tmp_path) not in told


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
    assert done.stderr.startswith("bench: no benchmark 'nothing'; there are: machine, ")
    assert len(done.stderr.splitlines()) == 1
