"""Long recordings by BABE-2: ``python code/benchmarks/babe2_files.py [RECORDING] [OPTION...]``.

Memory over the number of segments, then one recording whole: its length, its seams against random
places, and whether a restoration that was killed with -9 half way and taken up again ends in the
same bytes. Options are those of ``shellac restore``; without ``--weights`` those that this profile
trained, without a recording a minute of a synthesised one.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from long_files import finished, write_programme
from scipy.ndimage import uniform_filter1d

from shellac import audio, weights
from shellac.files import sha256
from shellac.systems import registry
from shellac.systems.babe2.prior import Sampling
from shellac.systems.babe2.remaking import cuts

SEGMENTS = (1, 4, 16)
_FEW_STEPS = ("--steps", "2")  # memory does not depend on how many there are
_NEAR_SECONDS, _AROUND_SECONDS = 0.005, 0.1
_RANDOM_PLACES = 4000


def started(source: Path, out: Path, cache: Path, options: Sequence[str]) -> subprocess.Popen:
    """Begin to restore, in a process and with a cache of its own."""
    command = [sys.executable, "-m", "shellac", "restore", str(source), "-o", str(out),
               "--system", "babe2", "--json", *options]  # fmt: skip
    environment = {**os.environ, "SHELLAC_CACHE": str(cache)}
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
    )


def layout(options: Sequence[str]) -> tuple[int, int, int]:
    """Return the samples and the overlap of a segment, and their rate, for the chosen weights."""
    named = options[options.index("--weights") + 1]
    path = weights.find(named, registry.system("babe2").default_network)
    card = weights.load(path)[1]
    samples = int(card.settings["samples"])
    overlap = int(Sampling.from_card(card.extra["sampling"]).overlap * samples)
    return samples, overlap, card.sample_rate


def seam_places(samples: int, sample_rate: int, segments: tuple[int, int, int]) -> np.ndarray:
    """Return where segments of a recording begin to fade in, and where they have, in samples."""
    length, overlap, rate = segments
    found = cuts(-(-samples * rate // sample_rate), length, overlap)[1:]
    edges = [place for cut in found for place in (cut.start, cut.start + cut.known)]
    return np.array(edges, int) * sample_rate // rate


def roughness_db(x: np.ndarray, sample_rate: int) -> np.ndarray:
    """Return the energy of the second difference of x (T,) near every sample over that around it.

    Within 5 ms on both sides, over 100 ms: what a click or a step raises.
    """
    square = np.square(np.diff(x.astype(np.float64), 2, prepend=[0.0], append=[0.0]))
    near, around = (
        uniform_filter1d(square, max(1, round(2 * seconds * sample_rate)), mode="nearest")
        for seconds in (_NEAR_SECONDS, _AROUND_SECONDS)
    )
    return 10 * np.log10((near + 1e-18) / (around + 1e-18))


def seams(path: Path, segments: tuple[int, int, int]) -> dict[str, float]:
    """Compare the roughness at seams with that at random places of a restoration."""
    x, rate = audio.read(path)
    rough = roughness_db(x[0], rate)
    at_seams = rough[seam_places(x.shape[1], rate, segments)]
    anywhere = rough[np.random.default_rng(0).integers(len(rough), size=_RANDOM_PLACES)]
    high = float(np.quantile(anywhere, 0.95))
    return {
        "seams": len(at_seams),
        "seams_db": float(at_seams.mean()),
        "elsewhere_db": float(anywhere.mean()),
        "seams_above_95th_percentile": float((at_seams > high).mean()),
    }


def memory(folder: Path, options: Sequence[str]) -> Iterator[dict[str, object]]:
    """Yield a row for every number of segments; ``over_shortest`` compares peaks."""
    length, overlap, rate = layout(options)
    first = None
    for count in SEGMENTS:
        source = folder / f"{count}.wav"
        write_programme(source, (length + (count - 1) * (length - overlap)) / rate / 60)
        process = started(source, folder / "out", folder / "cache", [*options, *_FEW_STEPS])
        peak, seconds = finished(process)
        first = first or peak
        yield {"what": f"babe2, {count} segments, stereo", "peak_mb": peak,
               "over_shortest": peak / first, "cpu_seconds": seconds}  # fmt: skip


def killed(source: Path, folder: Path, options: Sequence[str], after: int) -> int:
    """Kill a restoration with -9 once ``after`` segments are kept, resume it; return how many."""
    process = started(source, folder / "resumed", folder / "cache", options)
    unfinished = folder / "cache" / "unfinished"
    while process.poll() is None and len(list(unfinished.glob("*/segment-*.npy"))) < after:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    kept = len(list(unfinished.glob("*/segment-*.npy")))
    finished(started(source, folder / "resumed", folder / "cache", options))
    return kept


def whole(source: Path, folder: Path, options: Sequence[str]) -> Iterator[dict[str, object]]:
    """Yield what one recording shows: cost and length, seams, and a restoration taken up again."""
    peak, seconds = finished(started(source, folder / "whole", folder / "other", options))
    (made,) = (folder / "whole").glob("*.restored.*")
    facts, after = audio.inspect(source), audio.inspect(made)
    duration = facts.samples / facts.sample_rate
    yield {
        "what": f"babe2 restores {source.name}"[:50],
        "seconds": duration,
        "peak_mb": peak,
        "cpu_seconds_per_second": seconds / duration,
        "samples_lost": facts.samples - after.samples,
    }
    segments = layout(options)
    yield {"what": "babe2, seams", **seams(made, segments)}
    count = len(cuts(-(-facts.samples * segments[2] // facts.sample_rate), *segments[:2]))
    kept = killed(source, folder, options, max(1, count // 2))
    names = sorted(path.name for path in (folder / "whole").iterdir())
    same = [sha256(folder / "whole" / name) == sha256(folder / "resumed" / name) for name in names]
    yield {"what": "babe2, killed with -9 and resumed", "segments": count, "kept": kept,
           "files": len(names), "files_alike": sum(same)}  # fmt: skip


def measure(
    recording: Path | None = None, options: Sequence[str] = ("--quality", "fast")
) -> Iterator[dict[str, object]]:
    """Yield all rows."""
    options = [*options]
    if "--weights" not in options:
        options += ["--weights", "trained"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if recording is None:
            recording = folder / "minute.wav"
            write_programme(recording, 1.0)
        yield from memory(folder / "memory", options)
        yield from whole(recording, folder, options)


if __name__ == "__main__":
    from run import table  # which imports this module

    given = sys.argv[1:]
    source = Path(given.pop(0)) if given and not given[0].startswith("--") else None
    for line in table(measure(source, given or ("--quality", "fast"))):
        print(line, flush=True)
