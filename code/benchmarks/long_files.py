"""A long file through ``shellac restore``: ``python code/benchmarks/long_files.py [SYSTEM...]``.

Memory over length, exact length, delay and seams, for ``classical`` and the default network of
every system that this profile has trained, or for those named; BABE-2, for which an hour of sound
is hours of work, has ``babe2_files.py``. Systems that fill gaps are given one every ten seconds.
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from shellac import audio, weights
from shellac.chunking import Layout, plan
from shellac.commands.restore import Options, load
from shellac.datasets.synthesis.piano import piano_piece
from shellac.errors import WeightsError
from shellac.systems import registry

SAMPLE_RATE = 44100
_PIECE_SECONDS = 60
_EXCERPT = 1 << 18  # samples of one cross-correlation
_SHORT_SECONDS = 0.5
_GAP_EVERY_SECONDS, _GAP_MS = 10.0, 40.0
_APART = "babe2"
# of the base and the shortest recording, of which the median counts: peaks differ by some 10 MB
_RUNS = 3


def write_programme(path: Path, minutes: float, subtype: str = "PCM_16") -> None:
    """Write a stereo recording: a synthesised piece, again and again, never as loud."""
    piece = piano_piece(0, _PIECE_SECONDS, SAMPLE_RATE)
    left = np.asarray(piece, np.float32).reshape(-1, SAMPLE_RATE * _PIECE_SECONDS)[0]
    stereo = np.stack((left, np.roll(left, SAMPLE_RATE // 2)))
    total = round(minutes * 60 * SAMPLE_RATE)
    levels = np.random.default_rng(1).uniform(0.3, 0.9, -(-total // left.size))
    with audio.writer(path, SAMPLE_RATE, 2, container="WAV", subtype=subtype, samples=total) as out:
        for i, level in enumerate(levels):
            out.append(np.float32(level) * stereo[:, : min(left.size, total - i * left.size)])


def restore(
    source: Path, folder: Path, system: str, *options: str, weights: str = "trained"
) -> tuple[float, float]:
    """Restore in a process of its own; return its peak memory in MB and its CPU seconds."""
    learned = registry.find(system)[0].build is not None
    command = [sys.executable, "-m", "shellac", "restore", str(source), "-o", str(folder),
               "--system", system, *("--weights", weights) * learned, "--format", "wav",
               "--json", *options]  # fmt: skip
    return finished(subprocess.Popen(command, stdout=subprocess.PIPE))


def finished(process: subprocess.Popen) -> tuple[float, float]:
    """Wait for a ``shellac restore --json``; return the peak memory that it told, in MB, and its
    CPU seconds. Raises where it failed."""
    with process.stdout as stream:
        told = stream.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if status:
        raise RuntimeError(f"{' '.join(process.args)}: status {process.returncode}")
    return json.loads(told)[0]["peak_memory_mb"], used.ru_utime + used.ru_stime


def median_cost(*arguments: object) -> tuple[float, float]:
    """Return the medians of what several runs of :func:`restore` cost."""
    runs = [restore(*arguments) for _ in range(_RUNS)]
    return tuple(float(np.median(costs)) for costs in zip(*runs, strict=True))


def lag(x: np.ndarray, y: np.ndarray) -> int:
    """Delay of ``y`` against ``x`` in samples, the place of the largest cross-correlation."""
    size = 2 * len(x)
    product = np.fft.irfft(np.fft.rfft(y, size) * np.fft.rfft(x, size).conj(), size)
    place = int(product.argmax())
    return place - size if place >= len(x) else place


def lags(source: Path, restored: Path) -> list[int]:
    """Delays of excerpts from beginning to end, the last one included."""
    found = []
    with audio.Reader(source) as x, audio.Reader(restored) as y:
        for start in map(int, np.linspace(0, x.samples - _EXCERPT, 8)):
            found.append(lag(*(f.read(start, start + _EXCERPT)[0] for f in (x, y))))
    return found


def seam_levels(
    paths: Sequence[Path], segment_seconds: Sequence[float], layout: Callable[..., Layout]
) -> dict[str, float]:
    """Compare two restorations whose seams lie elsewhere: their difference under the programme."""
    a, b = (audio.read(path)[0][0] for path in paths)
    difference, power = (a - b) ** 2, np.mean(a**2)
    near, half = np.zeros(len(a), bool), SAMPLE_RATE // 100
    for seconds in segment_seconds:
        for chunk in plan(len(a), layout(SAMPLE_RATE, seconds))[1:]:
            near[max(0, chunk.keep_start - half) : chunk.keep_start + half] = True
    levels = {"seams_db": difference[near].mean(), "elsewhere_db": difference[~near].mean()}
    return {key: float(10 * np.log10(value / power + 1e-20)) for key, value in levels.items()}


def chosen(systems: Sequence[str] = ()) -> Iterator[str]:
    """Yield what stands for these systems, or all: what learns nothing, or has trained weights."""
    for name in systems or (name for name in registry.SYSTEMS if name != _APART):
        system = registry.system(name)
        if system.build is None:
            yield name
            continue
        with contextlib.suppress(WeightsError):
            weights.find("trained", system.default_network)
            yield system.default_network


def gap_list(path: Path, seconds: float) -> None:
    """List a gap every ten seconds of a recording, in its middle if it is shorter."""
    first = min(_GAP_EVERY_SECONDS, seconds) / 2
    starts = np.arange(first, seconds, _GAP_EVERY_SECONDS)
    lines = (f"{start:.6f},{min(start + _GAP_MS / 1000, seconds):.6f}\n" for start in starts)
    path.write_text("start,end\n" + "".join(lines), encoding="utf-8")


def measure(
    systems: Sequence[str] = (), minutes: Sequence[float] = (5, 60)
) -> Iterator[dict[str, object]]:
    """Yield one row per system and length; ``over_shortest`` compares memory above the base."""
    with tempfile.TemporaryDirectory() as name:
        for system in chosen(systems):
            yield from _rows(system, Path(name), minutes)
            if registry.find(system)[0].build is not None:  # else each chunk is like any other
                yield _seams(Path(name), minutes[0], system)


def _options(system: str, source: Path) -> list[str]:
    """Return what the command needs besides, for one recording."""
    learned = registry.find(system)[0].build is not None
    if not (learned and load(Options((system,), ("trained",)))[0].fills_gaps):
        return []
    path, facts = source.with_suffix(".csv"), audio.inspect(source)
    gap_list(path, facts.samples / facts.sample_rate)
    return ["--gaps", str(path)]


def _rows(system: str, folder: Path, minutes: Sequence[float]) -> Iterator[dict[str, object]]:
    short, out, first = folder / "short.wav", folder / "out", None
    write_programme(short, _SHORT_SECONDS / 60)
    base, _ = median_cost(short, out, system, *_options(system, short))
    for length in minutes:
        source = folder / f"{length:g}.wav"
        write_programme(source, length)
        cost = median_cost if first is None else restore  # long ones may take an hour each
        peak, seconds = cost(source, out, system, *_options(system, source))
        first = first or peak - base
        pair = (source, out / f"{length:g}.restored.wav")
        samples = [audio.inspect(path).samples for path in pair]
        yield {
            "what": f"{system} restores {length:g} min",
            "base_mb": base,
            "above_base_mb": peak - base,
            "over_shortest": (peak - base) / first,
            "cpu_seconds_per_second": seconds / (60 * length),
            "samples_lost": samples[0] - samples[1],
            "largest_lag": max(map(abs, lags(*pair))),
        }


def _seams(folder: Path, minutes: float, system: str) -> dict[str, object]:
    source = folder / "seams.wav"
    write_programme(source, minutes, "FLOAT")  # 16 bits would hide what is sought
    facts = audio.inspect(source)
    recording = facts.samples, facts.sample_rate, facts.peak
    restorer = load(Options((system,), ("trained",)))[0].prepared(
        lambda: _heard(source), *recording
    )
    seconds = (10.0, 14.5)
    for length in seconds:
        cut = ("--segment-seconds", str(length))
        restore(source, folder / f"{length}", system, *cut, *_options(system, source))
    paths = [folder / f"{length}" / "seams.restored.wav" for length in seconds]
    return {"what": f"{system}, seams", **seam_levels(paths, seconds, restorer.layout)}


@contextlib.contextmanager
def _heard(source: Path) -> Iterator[Callable[[int, int], np.ndarray]]:
    with audio.Reader(source) as reader:
        yield reader.read


if __name__ == "__main__":
    from run import table  # which imports this module

    for line in table(measure(sys.argv[1:])):
        print(line, flush=True)
