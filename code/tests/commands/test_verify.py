"""``shellac verify``: damage is found, and other runs are told from wrong ones."""

import hashlib
import json
import shutil
import subprocess

import pytest
from ruamel.yaml import YAML

from shellac import config
from shellac.cli import main
from shellac.files import write_csv

COLUMNS = ("role", "method", "metric", "mean", "low", "high", "tracks")


def md5(data):
    return hashlib.md5(data).hexdigest()


def in_cache(root, data, suffix=""):
    digest = md5(data)
    place = root / ".dvc" / "cache" / "files" / "md5" / digest[:2] / (digest[2:] + suffix)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(data)
    return digest + suffix


def summary(mean, metric="snr_db"):
    interval = {"low": 9.5, "high": 10.5, "tracks": 8}
    row = {"role": "all", "method": "tfilm", "metric": metric, "mean": mean, **interval}
    return [row, {**row, "role": "piano", "mean": 99.0}]


@pytest.fixture
def built(tmp_path, monkeypatch, folder_root):
    """What a run of the demo leaves: a file, a folder, their cache, a lock, a commit."""
    config.apply_profile("demo")

    def lock():
        metrics = folder_root / "results" / "demo" / "metrics" / "superres-summary.csv"
        models = folder_root / "results" / "demo" / "models" / "superres"
        listed = [
            {"md5": in_cache(folder_root, path.read_bytes()), "relpath": path.name}
            for path in sorted(models.iterdir())
        ]
        outs = [
            {"path": "results/demo/metrics/superres-summary.csv", "hash": "md5",
             "md5": in_cache(folder_root, metrics.read_bytes())},
            {"path": "results/demo/models/superres", "hash": "md5",
             "md5": in_cache(folder_root, json.dumps(listed, sort_keys=True).encode(), ".dir")},
        ]  # fmt: skip
        with (folder_root / "dvc.lock").open("w") as file:
            YAML().dump({"schema": "2.0", "stages": {"superres": {"outs": outs}}}, file)

    for name in ("a", "b"):
        path = folder_root / "results" / "demo" / "models" / "superres" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    write_csv(folder_root / "results/demo/metrics/superres-summary.csv", summary(10.0), COLUMNS)
    lock()
    assert main(["verify", "--keep"]) == 0
    git = ["git", "-C", str(folder_root), "-c", "user.name=t", "-c", "user.email=t@t"]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "add", "dvc.lock"], check=True)
    subprocess.run([*git, "commit", "-qm", "lock"], check=True)
    return folder_root, lock


def test_a_run_that_is_as_committed_verifies(built, capsys):
    assert main(["verify"]) == 0
    told = capsys.readouterr().out
    assert "2 outputs, 0 not as" in told and "4 objects in the cache, 0 damaged" in told
    assert "2 of 2 committed outputs reproduced" in told
    assert "1 of 1 committed means compared, 0 outside" in told


@pytest.mark.parametrize("place", ["results/demo/models/superres/b", "cache"])
def test_a_flipped_bit_is_found(built, place, capsys):
    root, _ = built
    path = root / place
    if place == "cache":
        path = next((root / ".dvc/cache/files/md5").glob("*/*.dir"))
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    assert main(["verify"]) == 1
    told = capsys.readouterr().out
    name = "results/demo/models/superres" if place != "cache" else str(path.relative_to(root))
    assert f"  {name}: " in told
    reproduced = 2 if place == "cache" else 1  # an output that is amiss is not counted among them
    assert f"{reproduced} of 2 committed outputs reproduced" in told


def test_before_anything_is_built_it_says_so(built, capsys):
    shutil.rmtree(built[0] / "results" / "demo")
    assert main(["verify"]) == 2
    assert "nothing of profile demo lies here yet" in capsys.readouterr().err


def test_another_run_within_the_intervals_is_told_and_accepted(built, capsys):
    root, lock = built
    write_csv(root / "results/demo/metrics/superres-summary.csv", summary(10.2), COLUMNS)
    lock()
    assert main(["verify"]) == 0
    told = capsys.readouterr().out
    assert "1 of 2 committed outputs reproduced" in told and "superres-summary.csv" in told


@pytest.mark.parametrize("rows", [summary(10.6), summary(10.0, "lsd")])
def test_a_mean_outside_its_interval_or_wanting_is_wrong(built, rows, capsys):
    root, lock = built
    write_csv(root / "results/demo/metrics/superres-summary.csv", rows, COLUMNS)
    lock()
    assert main(["verify"]) == 1
    assert "committed means compared" in capsys.readouterr().out


def test_without_a_run_there_is_nothing_to_verify(folder_root, capsys):
    assert main(["verify"]) == 2
    assert "run make all first" in capsys.readouterr().err


DAMAGED = {
    "conflict": b"schema: '2.0'\nstages:\n<<<<<<< HEAD\n  a: {}\n=======\n  a: {}\n>>>>>>> b\n",
    "empty": b"",
    "no stages": b"schema: '2.0'\n",
    "no mapping": b"stages:\n  superres: 3\n",
    "no list": b"stages:\n  superres:\n    outs: 3\n",
    "no path": b"stages:\n  superres:\n    outs:\n    - md5: ab\n",
    "no text": b"stages: \xff\xfe\n",
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_lock_is_one_line_that_says_how_to_mend_it(built, content, capsys):
    root, lock = built
    (root / "dvc.lock").write_bytes(content)
    assert main(["verify"]) == 2
    told = capsys.readouterr().err
    assert told.startswith("shellac: dvc.lock: not readable (") and told.count("\n") == 1
    assert "git checkout HEAD dvc.lock" in told
    subprocess.run(["git", "-C", str(root), "-c", "user.name=t", "-c", "user.email=t@t",
                    "commit", "-qam", "damaged"], check=True)  # fmt: skip
    lock()
    assert main(["verify"]) == 2
    told = capsys.readouterr().err
    assert "dvc.lock of the last commit: not readable (" in told and told.count("\n") == 1
