"""Commands in children of one warm process, killed at a call that the caller names.

Run as a script it reads a request a line, JSON as well as its answers. A moment is a number of
Python calls since the command began, not a time, so that a kill falls into the same work on a slow
machine. :class:`Forks` is the caller's side.
"""

import importlib
import json
import os
import resource
import signal
import subprocess
import sys
import threading
from pathlib import Path

CODE = Path(__file__).resolve().parents[2]
WARM = (
    "pipeline", "commands.restore", "commands.degrade", "commands.noise_from",
    "systems.classical.restoration", "systems.superres.restoration", "systems.superres.training",
    *(f"systems.{system}.{part}" for part in ("settings", "fragments")
      for system in ("superres", "denoiser", "behm_gan", "babe2", "inpainting")),
)  # fmt: skip


class Forks:
    """A process that runs commands in forks of itself."""

    def __init__(self, root: Path):
        env = {**os.environ, "SHELLAC_ROOT": str(root), "PYTHONPATH": str(CODE),
               "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}  # fmt: skip
        self._server = subprocess.Popen(
            [sys.executable, __file__], cwd=root, env=env, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip

    def run(self, *arguments: object, times: int = 1, **request: object) -> list[dict]:
        """Run a command, ``times`` at once; return status, calls, output and error of each.

        ``kill``: the call at which it is killed; 0 counts the calls and lets it live.
        ``file_bytes``: the size that no file may exceed.
        """
        told = {"arguments": [os.fspath(each) for each in arguments], "times": times, **request}
        self._server.stdin.write(json.dumps(told) + "\n")
        self._server.stdin.flush()
        return json.loads(self._server.stdout.readline())

    def close(self) -> None:
        """End the process."""
        self._server.stdin.close()
        self._server.wait()


def _child(request: dict, number: int, place: Path) -> None:
    """Run the command; leave what it printed, and how many calls it made, in ``place``."""
    from shellac import cli

    for stream, name in ((1, "out"), (2, "err")):
        file = os.open(place / f"{number}.{name}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(file, stream)
    calls, last = 0, request.get("kill") or sys.maxsize

    def count(frame, event, argument):
        nonlocal calls
        calls += 1
        if calls >= last:
            os.kill(os.getpid(), signal.SIGKILL)

    if "kill" in request:
        threading.setprofile(count)
        sys.setprofile(count)
    if limit := request.get("file_bytes"):
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        status = cli.main(request["arguments"])
    except SystemExit as error:
        status = error.code
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
        if limit:
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
    (place / f"{number}.calls").write_text(str(calls))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def _fork(request: dict, number: int, place: Path) -> int:
    child = os.fork()
    if child:
        return child
    try:
        _child(request, number, place)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        sys.stderr.flush()
    os._exit(99)


def _answer(child: int, number: int, place: Path) -> dict:
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    calls = place / f"{number}.calls"
    told = {"status": status, "calls": int(calls.read_text()) if calls.exists() else 0}
    calls.unlink(missing_ok=True)
    for name in ("out", "err"):
        told[name] = (place / f"{number}.{name}").read_text(errors="replace")
    return told


def _serve(place: Path) -> None:
    for name in WARM:
        importlib.import_module(f"shellac.{name}")
    for line in sys.stdin:
        request = json.loads(line)
        children = [_fork(request, number, place) for number in range(request["times"])]
        told = [_answer(child, number, place) for number, child in enumerate(children)]
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        _serve(Path(folder))
