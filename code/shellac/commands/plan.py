"""``shellac plan``: what data sets of other sizes will need, from what this run measured.

Every rate is a record of a stage that ran here, over the sound it worked on; what a larger set
needs is that rate times its hours. Nothing is assumed of what was not run.
"""

import argparse
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from shellac.config import Settings

# hours of sound: as the publishers say; of the last, at four minutes each
TARGETS = {
    "MAESTRO v3, 1276 performances": 198.7,
    "FMA medium, 25 000 clips of 30 s": 25_000 * 30 / 3600,
    "100 000 recordings of 4 minutes": 100_000 * 4 / 60,
}


def add_to(command: Callable[..., argparse.ArgumentParser]) -> None:
    """Register the command."""
    sub = command("plan", run, "tell what larger data sets will need, by what was measured here")
    sub.add_argument("--hours", type=float, metavar="H", help="of a data set of your own")
    sub.add_argument("--json", action="store_true", help="print JSON for programs")


def run(options: argparse.Namespace) -> None:
    """Print the plan."""
    from shellac import config
    from shellac.errors import DataError, UsageError

    if options.hours is not None and not 0 < options.hours < float("inf"):
        raise UsageError(f"--hours {options.hours:g}: more than 0")
    targets = TARGETS | ({f"{options.hours:g} hours": options.hours} if options.hours else {})
    settings = config.load()
    fragments, training = list(_fragments(settings, targets)), list(_training(settings))
    if not fragments and not training:
        raise DataError("no stage was measured here yet: run make all first")
    if options.json:
        print(json.dumps({"fragments": fragments, "training": training}, indent=1))
        return
    print("fragments, measured; then extrapolated in proportion to the hours of sound")
    for row in fragments:
        print(f"  {row['system']:<11} {row['hours']:.3f} h in {row['seconds']:.1f} s by"
              f" {row['threads']} threads, start included; {row['gigabytes_per_hour']:.2f} GB/h;"
              f" peak memory {row['peak_memory_mb']:.0f} MB")  # fmt: skip
        for name, need in row["needs"].items():
            print(f"    {name:<34} {need['hours']:9.2f} h {need['gigabytes']:10.1f} GB")
    print("training, measured on this profile's networks; it does not grow with the data")
    for row in training:
        print(f"  {row['network']:<44} {row['steps']:>7} steps in {row['seconds']:8.1f} s:"
              f" {row['seconds_per_step']:.3f} s each; {row['peak_memory_mb']:.0f} MB")  # fmt: skip


def _fragments(settings: "Settings", targets: dict[str, float]) -> Iterator[dict[str, Any]]:
    """Yield what building fragments took of every system that was built, and will of others."""
    from shellac import paths
    from shellac.datasets import corpora
    from shellac.report import results

    for system, task in settings.systems.items():
        record = results.record(settings.profile, "fragments", system)
        folder = paths.fragments(settings.profile, system)
        if not record or not folder.is_dir():
            continue
        sound = [
            recording.samples / recording.sample_rate
            for split in ("train", "validation")
            for recording in corpora.recordings(settings, task.roles, split, task.corpora)
        ]
        hours = sum(sound) / 3600
        gigabytes = _size(folder) / 1e9 / hours
        yield {
            "system": system,
            "hours": hours,
            "seconds": record["seconds"],
            "threads": record["threads"],
            "peak_memory_mb": record["peak_memory_mb"],
            "gigabytes_per_hour": gigabytes,
            "needs": {
                name: {
                    "hours": record["seconds"] / 3600 * each / hours,
                    "gigabytes": gigabytes * each,
                }
                for name, each in targets.items()
            },
        }


def _training(settings: "Settings") -> Iterator[dict[str, Any]]:
    from shellac.report import results

    for system, task in settings.systems.items():
        for name in task.networks:
            if record := results.record(settings.profile, "train", system, name):
                steps = task.training.steps
                yield {
                    "network": f"{system}/{name}",
                    "steps": steps,
                    "seconds": record["seconds"],
                    "seconds_per_step": record["seconds"] / steps,
                    "threads": record["threads"],
                    "peak_memory_mb": record["peak_memory_mb"],
                }


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
