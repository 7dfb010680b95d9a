"""Gaps cut into real recordings: ``python code/benchmarks/inpainting_gaps.py [options] FILE...``.

Twenty gaps, four each of 5, 10, 20, 40 and 80 ms, in half a minute of every FILE, filled by
``shellac restore --system inpainting --gaps LIST`` and by autoregression alone, of one order and
by the mean of two, which is where networks start. SNR in dB inside
the gaps of each duration, and whether every other sample came back bit for bit.
"""

import argparse
import contextlib
import io
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from shellac import audio, cli, config, paths, weights
from shellac.degradations.gaps import Interval, cut_gaps
from shellac.errors import DataError, ShellacError
from shellac.files import sha256, write_csv, write_json
from shellac.metrics import gap_snr_db
from shellac.systems.inpainting import representation
from shellac.systems.inpainting.filling import fill, interpolations

DURATIONS_MS = (5.0, 10.0, 20.0, 40.0, 80.0)
EACH = 4
SECONDS = 30.0
DEFAULT = Path("shared", "audio", "music", "vibe_ace_jazz.flac")  # beside the repository
_MARGIN = 0.1  # of a gap's share of the time, free on either side

Row = dict[str, object]


def draw(samples: int, sample_rate: int, seed: int = 5) -> list[tuple[float, Interval]]:
    """Return (duration in ms, (start, stop) in samples) of gaps in equal shares of the time.

    Raises :class:`DataError` where a recording is too short for them.
    """
    rng = np.random.default_rng(seed)
    durations = rng.permutation(np.repeat(DURATIONS_MS, EACH))
    cell = samples / len(durations)
    free = cell * (1 - 2 * _MARGIN) - max(DURATIONS_MS) * sample_rate / 1000
    if free < 0:
        raise DataError(f"{samples / sample_rate:.1f} s are too short for {len(durations)} gaps")
    found = []
    for place, duration in enumerate(durations):
        start = round((place + _MARGIN) * cell + rng.random() * free)
        found.append((float(duration), (start, start + round(duration * sample_rate / 1000))))
    return found


def restored(
    waveform: np.ndarray, rate: int, gaps: Sequence[Interval], file: Path, folder: Path
) -> np.ndarray:
    """Return what ``shellac restore`` makes of (C, T) with these gaps and weights."""
    source, listed = folder / "damaged.wav", folder / "gaps.csv"
    audio.write(source, waveform, rate, "FLOAT")
    lines = (f"{start / rate:.9f},{stop / rate:.9f}\n" for start, stop in gaps)
    listed.write_text("start,end\n" + "".join(lines), encoding="utf-8")
    told = io.StringIO()
    with contextlib.redirect_stdout(told), contextlib.redirect_stderr(told):
        status = cli.main(["restore", str(source), "-o", str(folder), "--system", "inpainting",
                           "--weights", str(file), "--gaps", str(listed)])  # fmt: skip
    if status:
        raise DataError(told.getvalue().strip())
    return audio.read(folder / "damaged.restored.wav")[0]


def compare(recording: Path, files: Sequence[Path]) -> Iterator[Row]:
    """Yield a row per duration: SNR in dB in the gaps by autoregression and by every network.

    ``files`` are weights. ``outside`` is 1 where all else is as it was, after every method.
    """
    waveform, rate = audio.read(recording)
    waveform = waveform[:, : round(SECONDS * rate)]
    drawn = draw(waveform.shape[1], rate)
    gaps = [gap for _, gap in drawn]
    damaged = cut_gaps(waveform, gaps)
    form = representation.get("spectrogram")
    one, mean = interpolations(damaged, rate, gaps)
    versions = {"autoregressive": one, "two_orders": fill(damaged, rate, gaps, None, form, 0, mean)}
    with tempfile.TemporaryDirectory() as folder:
        for file in files:
            versions[file.stem] = restored(damaged, rate, gaps, file, Path(folder))
    intact = np.ones(waveform.shape[1], dtype=bool)
    for start, stop in gaps:
        intact[start:stop] = False
    same = all(np.array_equal(x[:, intact], waveform[:, intact]) for x in versions.values())
    for duration in DURATIONS_MS:
        chosen = [gap for each, gap in drawn if each == duration]
        snr = {f"{name}_db": gap_snr_db(waveform, x, chosen) for name, x in versions.items()}
        yield {"what": f"{recording.stem}, {len(chosen)} gaps of {duration:g} ms", **snr,
               "outside": int(same)}  # fmt: skip


def trained() -> list[Path]:
    """Return the weights of inpainting that the current profile has trained."""
    settings = config.load()
    entries = settings.systems["inpainting"].networks
    found = [weights.trained_path(settings.profile, f"inpainting/{name}") for name in entries]
    return [path for path in found if path.is_file()]


def measure() -> Iterator[Row]:
    """Yield the rows of the default recording, or one that says why there are none."""
    recording, files = paths.root().parent / DEFAULT, trained()
    if not recording.is_file():
        yield {"what": f"gaps: skipped, there is no ../{DEFAULT.as_posix()}"}
    elif not files:
        yield {"what": "gaps: skipped, no inpainting network is trained on this profile"}
    else:
        yield from compare(recording, files)


def keep(name: str, rows: Sequence[Row], recordings: Sequence[Path], files: Sequence[Path]) -> None:
    """Write rows to ``results/campaigns/NAME``, with the command and what it read."""
    folder = paths.results("campaigns", name)
    write_csv(folder / "gaps.csv", rows, list(rows[0]))
    write_json(folder / "about.json", {
        "command": f"python code/benchmarks/inpainting_gaps.py --keep {name} "
        + " ".join([f"--weights {path.name}" for path in files] + [p.name for p in recordings]),
        "recordings": {path.name: sha256(path) for path in recordings},
        "weights": {path.name: sha256(path) for path in files},
    })  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line; print the table, and keep it under ``--keep NAME``."""
    from run import table  # which imports this module

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recordings", nargs="+", type=Path, metavar="FILE")
    parser.add_argument("--weights", action="append", type=Path, default=[], metavar="FILE",
                        help="by default all that the profile has trained")  # fmt: skip
    parser.add_argument("--keep", metavar="NAME", help="write results/campaigns/NAME too")
    options = parser.parse_args(arguments)
    files, rows = options.weights or trained(), []
    for recording in options.recordings:
        for row in compare(recording, files):
            rows.append(row)
            print(*table([row]), flush=True)
    if options.keep:
        keep(options.keep, rows, options.recordings, files)


if __name__ == "__main__":
    try:
        main()
    except ShellacError as error:
        sys.exit(f"inpainting_gaps: {error}")
