"""The pipeline as jobs of a cluster: all stages, all their needs, and scripts that run."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from dvc.repo import Repo

from shellac import cli
from shellac.commands import slurm

ROOT = Path(__file__).resolve().parents[3]
pytestmark = pytest.mark.filterwarnings("ignore:_NoneStep:DeprecationWarning")  # DVC's


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    """The repository's stages, with nothing run, in a folder whose name has a space."""

    def make(*, text=None):
        root = tmp_path / "a workspace"
        shutil.copytree(ROOT / "code" / "profiles", root / "code" / "profiles")
        shutil.copy(ROOT / "params.yaml", root)
        (root / "dvc.yaml").write_text(text or (ROOT / "dvc.yaml").read_text())
        Repo.init(root, no_scm=True).close()
        monkeypatch.setenv("SHELLAC_ROOT", str(root))
        monkeypatch.chdir(root)
        return root

    return make


def told(capsys, *arguments):
    assert cli.main(["slurm", *arguments]) == 0
    return capsys.readouterr().out


def syntax(text):
    return subprocess.run(["bash", "-n"], input=text, text=True, check=False).returncode


def test_the_dry_run_has_every_stage_and_every_need(workspace, capsys):
    with Repo(workspace()) as repo:
        graph = repo.index.graph
        needs = {
            stage.addressing: {each.addressing for each in graph.successors(stage)}
            for stage in graph
        }
    jobs = json.loads(told(capsys, "--dry-run", "--json"))
    assert {job["stage"]: set(job["after"]) for job in jobs} == needs
    seen = set()
    for job in jobs:
        assert seen.issuperset(job["after"])
        seen.add(job["stage"])
        assert job["script"].rstrip().endswith(f"repro --single-item {job['stage']}")
        assert syntax(job["script"]) == 0


def test_the_program_holds_every_script_and_every_number(workspace, capsys):
    workspace()
    program, jobs = told(capsys, "--dry-run"), json.loads(told(capsys, "--dry-run", "--json"))
    assert syntax(program) == 0
    assert len({slurm.Job(**job).variable for job in jobs}) == len(jobs)
    for job in jobs:
        assert program.count("=$(sbatch --parsable") == len(jobs)
        submission = program[: program.index(job["script"])].splitlines()[-1]
        asked = {name.lstrip("$") for name in submission.split() if "afterok" in name}
        numbers = set("".join(asked).replace("--dependency=afterok:", "").split(":")) - {""}
        named = {"$" + slurm.Job(stage, (), "").variable for stage in job["after"]}
        assert numbers == named


def test_named_stages_bring_what_they_need(workspace, capsys):
    workspace()
    jobs = json.loads(told(capsys, "--dry-run", "--json", "superres-train@tfilm"))
    assert [job["stage"] for job in jobs if "download" not in job["stage"]] == [
        "superres-fragments", "superres-train@tfilm",
    ]  # fmt: skip


def test_only_stages_with_networks_ask_for_devices(workspace, capsys):
    root = workspace()
    assert "--gpus-per-node" not in told(capsys, "--dry-run", "--gpus", "4")
    text = (root / "params.yaml").read_text()
    (root / "params.yaml").write_text(text.replace("device: cpu", "device: auto"))
    asked = {"--gpus": "4", "--account": "proj1", "--time": "1-00:00:00", "--mem": "64G"}
    jobs = json.loads(told(capsys, "--dry-run", "--json", *sum(asked.items(), ())))
    scripts = {job["stage"]: job["script"] for job in jobs}
    train = scripts["superres-train@tfilm"]
    assert "#SBATCH --gpus-per-node=4\n" in train
    assert "torchrun --standalone --nproc-per-node 4 -m shellac train superres/tfilm\n" in train
    assert "dvc --wait-for-lock commit --force superres-train@tfilm\n" in train
    assert "#SBATCH --gpus-per-node=1\n" in scripts["superres-evaluate"]
    assert "gpus" not in scripts["superres-fragments"]
    for script in scripts.values():
        assert "#SBATCH --account=proj1\n" in script
        assert "#SBATCH --time=1-00:00:00\n" in script
        assert "#SBATCH --mem=64G\n" in script
        assert syntax(script) == 0


SMALL = """
stages:
  first:
    cmd: printf 1 > one.txt
    outs: [one.txt]
  second:
    cmd: (cat one.txt; printf 2) > two.txt
    deps: [one.txt]
    outs: [two.txt]
"""
# takes a script as sbatch does, and runs it at once
SBATCH = """#!/bin/bash
number=$((1 + $(ls jobs | wc -l)))
echo "$*" > jobs/$number
bash > output.txt || exit 1
echo "$number;cluster"
"""


@pytest.fixture
def cluster(tmp_path, monkeypatch):
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "sbatch").write_text(SBATCH)
    (tools / "sbatch").chmod(0o755)
    monkeypatch.setenv("PATH", os.pathsep.join([str(tools), os.environ["PATH"]]))


def test_jobs_are_submitted_and_run(workspace, cluster, capsys):
    root = workspace(text=SMALL)
    (root / "jobs").mkdir()
    capsys.readouterr()
    assert json.loads(told(capsys, "--json")) == {"first": "1", "second": "2"}
    assert (root / "two.txt").read_text() == "12"
    assert (root / "jobs" / "1").read_text() == "--parsable\n"
    after = "--parsable --dependency=afterok:1 --kill-on-invalid-dep=yes\n"
    assert (root / "jobs" / "2").read_text() == after
    assert (root / "results" / "demo" / "records" / "slurm").is_dir()
    status = subprocess.run(
        [sys.executable, "-m", "dvc", "status", "--quiet"], cwd=root, check=False
    )
    assert status.returncode == 0


def test_a_refused_job_is_told_with_those_before_it(workspace, cluster, capsys):
    root = workspace(text=SMALL.replace("(cat", "(false; exit 3; cat"))
    (root / "jobs").mkdir()
    assert cli.main(["slurm"]) == 2
    assert "sbatch refused after 1 of 2 jobs (1)" in capsys.readouterr().err


@pytest.mark.parametrize("arguments, message", [
    (["nothing"], "no stage is called 'nothing'"),
    (["--dry-run", "--account", "a\n#SBATCH --x"], "is no value for sbatch"),
    (["--dry-run", "--gpus", "0"], "at least 1"),
    ([], "no sbatch here"),
])  # fmt: skip
def test_what_cannot_be_submitted_is_refused_in_one_line(
    workspace, capsys, monkeypatch, arguments, message
):
    workspace(text=SMALL)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert cli.main(["slurm", *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
