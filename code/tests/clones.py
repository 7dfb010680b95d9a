"""Clones of the repository, and commands run in them as a user would."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]


def environment(root):
    """What `make` exports, for the clone at ``root``."""
    env = {key: value for key, value in os.environ.items() if not key.startswith("SHELLAC")}
    env["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{env['PATH']}"
    env["SHELLAC_ROOT"] = str(root)
    env["DVC_NO_ANALYTICS"] = "true"
    return env


def run(root, *command, check=True, **variables):
    """Run a command in the clone; show what it printed where it fails.

    ``variables`` are added to its environment.
    """
    done = subprocess.run(
        command,
        cwd=root,
        env=environment(root) | variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=3600,  # a hang, not a slow machine
    )
    if check and done.returncode:
        pytest.fail(
            f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        )
    return done


def copy_sources(target):
    """Copy what git would, from the working tree: committed or not, ignored never."""
    listing = subprocess.run(
        ["git", "-C", REPOSITORY, "ls-files", "-co", "--exclude-standard", "-z"],
        capture_output=True, check=False,
    )  # fmt: skip
    if listing.returncode == 0 and listing.stdout:
        names = [name for name in listing.stdout.decode().split("\0") if name]
    else:  # an unpacked archive
        built = {".venv", "results", "fragments", "raw", "output", ".scratch", "__pycache__"}
        files = (path.relative_to(REPOSITORY) for path in REPOSITORY.rglob("*") if path.is_file())
        names = [str(path) for path in files if not built & set(path.parts)]
    for name in names:
        source = REPOSITORY / name
        if source.is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target / name)
