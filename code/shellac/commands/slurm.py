"""``shellac slurm``: one job per stage of the pipeline, each after those it depends on.

What is printed by a dry run is what is run without: a program that hands every stage's script to
``sbatch``, with the numbers of the jobs before it.
"""

import argparse
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from shellac.errors import UsageError, one_line

_END = "END_OF_SCRIPT"
_OPTIONS = ("account", "partition", "time", "mem", "constraint", "qos")
_VALUE = re.compile(r"[\w.:,@&|+-]+")
_TRAIN = re.compile(r"shellac train (\S+)")


def add_to(command: Callable[..., argparse.ArgumentParser]) -> None:
    """Register the command."""
    sub = command("slurm", run, "submit the pipeline to a SLURM cluster, one job per stage")
    sub.add_argument("stages", nargs="*", metavar="STAGE",
                     help="these and what they need (all; see dvc stage list)")  # fmt: skip
    sub.add_argument("--dry-run", action="store_true",
                     help="print what would be run, and submit nothing")  # fmt: skip
    sub.add_argument("--gpus", type=int, default=1, metavar="N",
                     help="for every training, which shares its batches among them; one for other"
                     " stages with networks; none with compute.device cpu (default 1)")  # fmt: skip
    sub.add_argument("--cpus", type=int, default=4, metavar="N", help="per job (default 4)")
    for name in _OPTIONS:
        sub.add_argument(f"--{name}", metavar=name.upper(), help=f"sbatch's --{name}")
    sub.add_argument("--json", action="store_true", help="print JSON for programs")


@dataclass(frozen=True)
class Job:
    """A stage, the stages it needs, and its script."""

    stage: str
    after: tuple[str, ...]
    script: str

    @property
    def variable(self) -> str:
        """The shell variable that holds its number."""
        return "job_" + re.sub(r"\W", lambda found: f"_{ord(found[0]):x}_", self.stage)


def run(options: argparse.Namespace) -> None:
    """Print the program, or run it."""
    from shellac import config, paths, stages

    settings, root = config.load(), paths.root()
    lines = _header(options)
    if min(options.gpus, options.cpus) < 1:
        raise UsageError("--gpus and --cpus: at least 1")
    graph, told = stages.graph(), stages.bodies()
    for stage in options.stages:
        if stage not in graph:
            raise UsageError(f"no stage is called {stage!r}: see dvc stage list")
    wanted = stages.needed(graph, options.stages or graph)
    gpus = options.gpus if settings.compute.device != "cpu" else 0
    notes = paths.results(settings.profile, "records", "slurm").relative_to(root)
    jobs = []
    for stage in (stage for stage in graph if stage in wanted):
        base, _, item = stage.partition("@")
        cmd = re.sub(r"\$\{(key|item)\}", lambda _: item, str(told[base]["cmd"]))  # noqa: B023
        trained = _TRAIN.fullmatch(cmd)
        networks = "compute" in told[base].get("params", ())
        asked = 0 if not networks else gpus if trained else min(gpus, 1)
        header = [f"--job-name={stage}", f"--output={notes}/%x-%j.out", "--nodes=1", "--ntasks=1",
                  f"--cpus-per-task={options.cpus}", *lines]  # fmt: skip
        header += [f"--gpus-per-node={asked}"] if asked else []
        work = (
            _trained_together(stage, trained[1], asked) if trained and asked > 1 else _made(stage)
        )
        jobs.append(Job(stage, tuple(graph[stage]), _script(root, header, work)))
    program = _program(root, notes, jobs)
    if options.dry_run:
        print(json.dumps([vars(job) for job in jobs], indent=1) if options.json else program)
        return
    numbers = _submit(program, jobs)
    if options.json:
        print(json.dumps(numbers, indent=1))
    else:
        print(*(f"{number:>10}  {stage}" for stage, number in numbers.items()), sep="\n")


def _header(options: argparse.Namespace) -> list[str]:
    told = {name: getattr(options, name) for name in _OPTIONS}
    for name, value in told.items():
        if value is not None and not _VALUE.fullmatch(value):
            raise UsageError(f"--{name} {one_line(repr(value))}: is no value for sbatch")
    return [f"--{name}={value}" for name, value in told.items() if value is not None]


def _made(stage: str) -> list[str]:
    return [f"exec dvc --wait-for-lock repro --single-item {shlex.quote(stage)}"]


def _trained_together(stage: str, network: str, count: int) -> list[str]:
    """Train by several processes, then let DVC take the result as the stage's."""
    return [
        f"if dvc --wait-for-lock status --quiet {shlex.quote(stage)}; then exit 0; fi",
        f"torchrun --standalone --nproc-per-node {count} -m shellac train {shlex.quote(network)}",
        f"exec dvc --wait-for-lock commit --force {shlex.quote(stage)}",
    ]


def _script(root: Path, header: Sequence[str], work: Sequence[str]) -> str:
    tools = shlex.quote(str(Path(sys.executable).parent))
    return "\n".join(
        [
            "#!/bin/bash",
            *(f"#SBATCH {each}" for each in header),
            "set -euo pipefail",
            f"cd {shlex.quote(str(root))}",
            f"export PATH={tools}:$PATH SHELLAC_ROOT=$PWD DVC_NO_ANALYTICS=true PYTHONHASHSEED=0",
            *work,
            "",
        ]
    )


def _program(root: Path, notes: Path, jobs: Sequence[Job]) -> str:
    """Return a shell program that submits all jobs and prints their numbers."""
    known = {job.stage: job for job in jobs}
    lines = [
        "#!/bin/bash",
        "set -euo pipefail",
        f"cd {shlex.quote(str(root))}",
        f"mkdir -p {notes}",
    ]
    for job in jobs:
        numbers = "".join(f":${known[stage].variable}" for stage in job.after)
        after = f" --dependency=afterok{numbers} --kill-on-invalid-dep=yes" if numbers else ""
        lines += [
            f"{job.variable}=$(sbatch --parsable{after} <<'{_END}'",
            job.script + _END,
            ")",
            f"{job.variable}=${{{job.variable}%%;*}}",  # behind it may stand a cluster's name
            f'echo "${job.variable}"',
        ]
    return "\n".join(lines)


def _submit(program: str, jobs: Sequence[Job]) -> dict[str, str]:
    if not shutil.which("sbatch"):
        raise UsageError("no sbatch here: submit from a node of the cluster, or use --dry-run")
    done = subprocess.run(
        ["bash", "-s"], input=program, capture_output=True, text=True, check=False, env=os.environ
    )
    numbers = dict(zip((job.stage for job in jobs), done.stdout.split(), strict=False))
    if done.returncode:
        cause = (done.stderr.strip() or "no reason given").splitlines()[-1]
        raise UsageError(f"sbatch refused after {len(numbers)} of {len(jobs)} jobs"
                         f" ({' '.join(numbers.values()) or 'none'}): {cause}")  # fmt: skip
    return numbers
