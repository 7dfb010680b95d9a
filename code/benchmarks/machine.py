"""What this machine reaches by itself, beside which the other figures are read; and start-up.

Rates of arithmetic, of copies, of memory that is touched for the first time, of decoding, and how
long the command line takes to answer. A virtual machine may give memory that lies free back to its
host (free page reporting, every two seconds), which must then find it again: what a program
returns and asks for anew costs twenty times as much there.
"""

import mmap
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import calibration
import numpy as np

from shellac import audio

_RATE = 44100
_FORMATS = {"wav": "PCM_16", "flac": "PCM_16", "ogg": "VORBIS", "mp3": "MPEG_LAYER_III"}
_PAGE = 4096
_GB, _MB = 1e9, 2**20
_COMMANDS = {
    "starts to print its help": "--help",
    "starts to list its networks": "systems",
    "restores one second by classical methods": "restore input.wav -o out --system classical",
}


def measure(
    megabytes: int = 256, minutes: float = 2.0, turns: int = 5, free_seconds: float = 3.0
) -> Iterator[dict]:
    """Yield rows of arithmetic, of memory (blocks of ``megabytes``, which lay free for
    ``free_seconds`` in one row), of decoding and of start-up.

    What is decoded is noise in stereo at 44.1 kHz, ``minutes`` long: the least that compresses.
    """
    yield from _arithmetic(turns)
    yield from _memory(megabytes * _MB, turns, free_seconds)
    with tempfile.TemporaryDirectory() as folder:
        yield from _decoding(Path(folder), minutes * 60, turns)
        yield from _starting(Path(folder), turns)


def _arithmetic(turns: int) -> Iterator[dict[str, object]]:
    parts = {"product of matrices": calibration.matmul, "convolution 3 x 3": calibration.conv2d}
    for what, part in parts.items():
        (seconds,) = calibration.alternate([part], turns)
        yield {"what": what, "cpu_seconds": seconds, "gflops": part() / seconds / 1e9}


def _memory(size: int, turns: int, free_seconds: float) -> Iterator[dict[str, object]]:
    source, target = np.ones(size, np.uint8), np.zeros(size, np.uint8)

    def after_a_while() -> None:
        time.sleep(free_seconds)  # not of the processor's time
        _touch(size, huge=True)

    calls: dict[str, Callable[[], object]] = {
        "copy": lambda: np.copyto(target, source),
        "first touch of memory, pages of 4 kB": lambda: _touch(size, huge=False),
        "first touch of memory, huge pages where given": lambda: _touch(size, huge=True),
        f"the same, free for {free_seconds:g} s": after_a_while,
    }
    for (what, _), seconds in zip(
        calls.items(), calibration.alternate(list(calls.values()), turns), strict=True
    ):
        yield {
            "what": f"{what}, {size // _MB} MB",
            "cpu_seconds": seconds,
            "gb_per_second": size / seconds / _GB,
        }


def _touch(size: int, huge: bool) -> None:
    """Ask the system for memory as ``malloc`` does, write one byte on every page, return it."""
    private = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS  # a shared mapping gets no huge pages
    with mmap.mmap(-1, size, private) as block:
        if huge and hasattr(mmap, "MADV_HUGEPAGE"):
            block.madvise(mmap.MADV_HUGEPAGE)
        pages = np.frombuffer(block, np.uint8)[::_PAGE]
        pages[:] = 1
        del pages  # a mapping that is looked into cannot be closed


def _decoding(folder: Path, seconds: float, turns: int) -> Iterator[dict[str, object]]:
    noise = np.random.default_rng(0).standard_normal((2, round(seconds * _RATE)), np.float32)
    for suffix, subtype in _FORMATS.items():
        path = folder / f"noise.{suffix}"
        audio.write(path, 0.05 * noise, _RATE, subtype)
        (spent,) = calibration.alternate(
            [lambda path=path: audio.read(path)], turns, calibration.with_decoders
        )
        yield {
            "what": f"decoding of {suffix.upper()}, {seconds:g} s of stereo, decoder started",
            "cpu_seconds": spent,
            "times_real_time": seconds / spent,
        }


def _starting(folder: Path, turns: int) -> Iterator[dict[str, object]]:
    audio.write(folder / "input.wav", np.full((1, _RATE), 0.1, np.float32), _RATE)
    for what, arguments in _COMMANDS.items():
        command = [sys.executable, "-m", "shellac", *arguments.split()]

        def run(command: list[str] = command) -> None:
            (folder / "out" / "input.wav").unlink(missing_ok=True)
            subprocess.run(command, cwd=folder, check=True, capture_output=True)

        (seconds,) = calibration.alternate([run], turns, time.perf_counter)
        yield {"what": f"shellac {what}", "wall_seconds": seconds}
