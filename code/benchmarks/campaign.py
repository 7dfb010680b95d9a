"""Keep a long run's results: ``campaign.py NAME SYSTEM/NETWORK "COMMAND" [CPU_SECONDS]``.

What ``make all`` has no time for is run once, by COMMAND, in a clone of its own; from there this
copies the course of the loss and the paired differences into ``results/campaigns/NAME``, laid out
as a profile's results are, so that notebooks read both alike. These files are kept in git.
"""

import json
import shutil
import sys
from collections.abc import Sequence

from shellac import config, paths
from shellac.errors import DataError, ShellacError, UsageError
from shellac.files import atomic_folder, sha256, write_json


def keep(name: str, network: str, command: str, cpu_seconds: float | None = None) -> None:
    """Copy what the current profile's stages left of ``network`` ("system/network")."""
    profile = config.load().profile
    system, _, short = network.partition("/")
    record = paths.record(profile, "train", network)
    kept = [f"{system}-training/{short}.csv", f"{system}-paired.csv", f"{system}-summary.csv"]
    sources = [paths.results(profile, "metrics", file) for file in kept]
    if missing := [path for path in (record, *sources) if not path.is_file()]:
        raise DataError(f"{missing[0]}: not there; run the campaign's command first")
    cost = json.loads(record.read_text(encoding="utf-8"))
    with atomic_folder(paths.results("campaigns", name)) as folder:
        for file, source in zip(kept, sources, strict=True):
            target = folder / "metrics" / file
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
        write_json(
            folder / "about.json",
            {
                "network": network,
                "profile": profile,
                "command": command,
                "training_cpu_seconds": cpu_seconds or cost["cpu_seconds"],
                "threads": cost["threads"],
                "settings": config.read_tree(paths.params())[system],
                "weights_sha256": sha256(
                    paths.results(profile, "models", system, f"{short}.safetensors")
                ),
            },
        )


def main(arguments: Sequence[str]) -> None:
    """Read the command line."""
    if len(arguments) not in (3, 4):
        raise UsageError("say NAME SYSTEM/NETWORK COMMAND [CPU_SECONDS]")
    keep(*arguments[:3], *map(float, arguments[3:]))


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except ShellacError as error:
        sys.exit(f"campaign: {error}")
