"""A long file through ``shellac restore``: memory over length, exact length, delay, seams.

For ``classical`` and the default network of every system that this profile has trained.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from shellac import audio, config, weights
from shellac.chunking import Layout, plan
from shellac.commands.restore import Options, load
from shellac.datasets.synthesis.piano import piano_piece
from shellac.systems import registry

SAMPLE_RATE = 44100
_PIECE_SECONDS = 60
_EXCERPT = 1 << 18  # samples of one cross-correlation
_SHORT_SECONDS = 0.5


def write_programme(path: Path, minutes: float, subtype: str = "PCM_16") -> None:
    """Write a stereo recording: a synthesised piece, again and again, never as loud."""
    piece = piano_piece(0, _PIECE_SECONDS, SAMPLE_RATE)
    left = np.asarray(piece, np.float32).reshape(-1, SAMPLE_RATE * _PIECE_SECONDS)[0]
    stereo = np.stack((left, np.roll(left, SAMPLE_RATE // 2)))
    total = round(minutes * 60 * SAMPLE_RATE)
    levels = np.random.default_rng(1).uniform(0.3, 0.9, -(-total // left.size))
    with audio.writer(
        path, SAMPLE_RATE, 2, container="WAV", subtype="PCM_16", samples=total
    ) as out:
        for i, level in enumerate(levels):
            out.append(np.float32(level) * stereo[:, : min(left.size, total - i * left.size)])


def restore(source: Path, folder: Path, system: str, *options: str) -> tuple[float, float]:
    """Restore in a process of its own; return its peak memory in MB and its CPU seconds."""
    learned = registry.find(system)[0].build is not None
    command = [sys.executable, "-m", "shellac", "restore", str(source), "-o", str(folder),
               "--system", system, *("--weights", "trained") * learned, "--format", "wav",
               *options]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"{' '.join(command)}: status {status}")
    return used.ru_maxrss / 1024, used.ru_utime + used.ru_stime


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


def chosen() -> Iterator[str]:
    """Yield ``classical``, and the default network of every system that has trained weights."""
    yield "classical"
    profile = config.load().profile
    for name in registry.SYSTEMS:
        network = registry.system(name).default_network
        if weights.trained_path(profile, network).exists():
            yield network


def measure(minutes: Sequence[float] = (5, 60)) -> Iterator[dict[str, object]]:
    """Yield one row per system and length; ``over_shortest`` compares memory above the base."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        short = folder / "short.wav"
        write_programme(short, _SHORT_SECONDS / 60)
        for system in chosen():
            base, _ = restore(short, folder / "out", system)
            first = None
            for length in minutes:
                source, out = (
                    folder / f"{length:g}.wav",
                    folder / "out" / f"{length:g}.restored.wav",
                )
                write_programme(source, length)
                peak, seconds = restore(source, folder / "out", system)
                first = first or peak - base
                samples = [audio.inspect(path).samples for path in (source, out)]
                yield {
                    "what": f"{system} restores {length:g} min",
                    "base_mb": base,
                    "above_base_mb": peak - base,
                    "over_shortest": (peak - base) / first,
                    "cpu_seconds_per_second": seconds / (60 * length),
                    "samples_lost": samples[0] - samples[1],
                    "largest_lag": max(map(abs, lags(source, out))),
                }
            if registry.find(system)[0].build is not None:  # else each chunk is like any other
                yield _seams(folder, minutes[0], system)


def _seams(folder: Path, minutes: float, system: str) -> dict[str, object]:
    source = folder / "seams.wav"
    write_programme(source, minutes, "FLOAT")  # 16 bits would hide what is sought
    layout = load(Options((system,), ("trained",)))[0].layout
    seconds = (10.0, 14.5)
    for length in seconds:
        restore(source, folder / f"{length}", system, "--segment-seconds", str(length))
    paths = [folder / f"{length}" / "seams.restored.wav" for length in seconds]
    return {"what": f"{system}, seams", **seam_levels(paths, seconds, layout)}
