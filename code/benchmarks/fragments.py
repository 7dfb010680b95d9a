"""Fragments of super-resolution beside the published preparation: time, result, memory.

Both make the same two HDF5 files, of the recordings that train and of those that validate. CPU
time is that of all processes together; starting is left out on both sides: the published path's
imports, our decoder's process, which is printed beside. Where the rate is converted, both do so
with libsoxr at its setting "HQ", we in blocks: librosa's default today. When the authors prepared
their data it was resampy's "kaiser_best"; where resampy is installed, which the lock does not
bring, one more row has them use that. Memory is what ``shellac fragments superres`` needs at its
peak beyond what it needs for next to nothing.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, fields
from importlib.util import find_spec
from pathlib import Path

import calibration
import h5py
import librosa
import numpy as np
from spline import scipy_degrade

from shellac import audio, config, paths
from shellac.datasets.corpora import INDEX
from shellac.datasets.index import Recording
from shellac.datasets.synthesis.piano import piano_piece
from shellac.files import sha256, write_csv
from shellac.systems.superres import fragments

_PIECE_SECONDS = 20
_SETS = {
    # what: suffix, rate of the files, channels, rate of the task, stride (the published settings)
    "16 kHz WAV": (".wav", 16000, 1, 16000, 4096),
    "48 kHz WAV to 16 kHz": (".wav", 48000, 1, 16000, 4096),
    "22.05 kHz WAV to 22 kHz": (".wav", 22050, 1, 22000, 16384),
}
_DIMENSION, _SCALE = 8192, 4
_PEAK = """
import sys
from shellac import cli
from shellac.allocation import peak_mb
status = cli.main(["fragments", "superres"])
print(peak_mb())
sys.exit(status)
"""


@calibration.memory_returned()
def published_build(
    files: Sequence[Path], target: Path, rate: int, stride: int, resampler: str
) -> None:
    """Prepare recordings as olvrhhn/audio_super_resolution does, with today's libraries.

    Left out is one step, the cutting of the number of patches to a multiple of 128.
    """
    data, label = [], []
    for path in files:
        x, _ = librosa.load(path, sr=rate, res_type=resampler)
        x = x[: len(x) // _SCALE * _SCALE]
        low = scipy_degrade(x, _SCALE)
        for start in range(0, len(x) - _DIMENSION + 1, stride):
            label.append(x[start : start + _DIMENSION].reshape(-1, 1))
            data.append(low[start : start + _DIMENSION].reshape(-1, 1))
    with h5py.File(target, "w") as file:
        file.create_dataset("data", data=np.array(data, np.float32))
        file.create_dataset("label", data=np.array(label, np.float32))


@contextmanager
def repository(
    minutes: float, what: str, seconds: float = _PIECE_SECONDS
) -> Iterator[dict[str, list[Path]]]:
    """Enter an empty repository with a corpus of some minutes; yield its recordings by split.

    The minutes train; two more recordings, of 20 s each, validate.
    """
    before = os.environ.get("SHELLAC_ROOT")
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "code").mkdir()
        (root / "code" / "profiles").symlink_to(Path(__file__).resolve().parents[1] / "profiles")
        os.environ["SHELLAC_ROOT"] = folder
        try:
            yield _fill(root, round(minutes * 60 / seconds), what, seconds)
        finally:
            os.environ.pop("SHELLAC_ROOT")
            if before is not None:
                os.environ["SHELLAC_ROOT"] = before


def _fill(root: Path, count: int, what: str, seconds: float) -> dict[str, list[Path]]:
    suffix, file_rate, channels, rate, stride = _SETS[what]
    settings = config.apply_profile("demo", [
        "compute.threads=1", "data.corpora=[folder]", "superres.roles=[piano]",
        f"superres.sample_rate={rate}", f"superres.stride={stride}",
        f"superres.dimension={_DIMENSION}", f"superres.scale={_SCALE}",
    ])  # fmt: skip
    piece = piano_piece(0, _PIECE_SECONDS, file_rate).astype(np.float32)
    long, rows = np.resize(piece, round(seconds * file_rate)), []
    for number in range(count + 2):
        path = root / "corpus" / f"{number:04d}{suffix}"
        split = "train" if number < count else "validation"
        part = np.roll(long if split == "train" else long[: len(piece)], 997 * number)
        audio.write(path, part[None].repeat(channels, axis=0), file_rate, subtype="PCM_16")
        shape = (file_rate, channels, len(part), sha256(path))
        rows.append(Recording("corpus", path.name, "piano", "piano", split, "yes", "", *shape))
    index = paths.raw(settings.profile, "folder") / INDEX
    write_csv(index, map(asdict, rows), [field.name for field in fields(Recording)])
    return {split: [row.path for row in rows if row.split == split] for split in fragments.SPLITS}


def _speed(what: str, minutes: float, turns: int, resampler: str = "soxr_hq") -> dict[str, object]:
    *_, rate, stride = _SETS[what]
    with repository(minutes, what) as files:
        settings = config.load()
        task = settings.systems["superres"]
        ours = paths.fragments(settings.profile, "superres")
        theirs = {split: paths.root() / f"published-{split}.h5" for split in files}

        def published() -> None:
            for split, recordings in files.items():
                published_build(recordings, theirs[split], rate, stride, resampler)

        calls = [
            lambda: fragments.build(settings),
            published,
            lambda: audio.Reader(files["train"][0]).__exit__(),
        ]
        fast, slow, start = calibration.alternate(calls, turns, calibration.with_decoders)
        apart, count = [], 0
        for split, path in theirs.items():
            with (
                h5py.File(ours / fragments.file_name(settings, task, split)) as a,
                h5py.File(path) as b,
            ):
                apart += [np.abs(a[name][:] - b[name][:]).max() for name in fragments.DATASETS]
                count += len(a["data"])
    return {
        "what": f"build, {what}, {minutes:g} min" + f", {resampler}" * (resampler != "soxr_hq"),
        "cpu_seconds": fast - start,
        "decoder_start_seconds": start,
        "published_seconds": slow,
        "ratio": slow / (fast - start),
        "patches": count,
        "largest_difference": float(max(apart)),
    }


def _peak_mb(minutes: float, what: str, seconds: float = _PIECE_SECONDS) -> float:
    with repository(minutes, what, seconds):
        command = [sys.executable, "-c", _PEAK]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(done.stdout.split()[-1])


def _memory(what: str, few: float, many: float, whole: bool) -> dict[str, object]:
    base = _peak_mb(2 / 60, what, 1.0)
    first, last = (
        _peak_mb(minutes, what, minutes * 60 if whole else _PIECE_SECONDS)
        for minutes in (few, many)
    )
    return {
        "what": f"memory, {many:g} min over {few:g} min of {'one' if whole else 'many'}, {what}",
        "base_mb": base,
        "few_mb": first,
        "many_mb": last,
        "memory_ratio": (last - base) / (first - base),
    }


def measure(
    minutes: float = 20.0, turns: int = 3, memory_minutes: tuple[float, float] = (2.0, 20.0)
) -> Iterator[dict[str, object]]:
    """Yield a row of speed per kind of recordings, ``ratio`` being per core, and two of memory.

    The corpus grows by the number of its recordings, then by the length of its only one.
    """
    for what in _SETS:
        yield _speed(what, minutes, turns)
    if find_spec("resampy"):
        yield _speed("48 kHz WAV to 16 kHz", minutes, turns, "kaiser_best")
    yield _memory("48 kHz WAV to 16 kHz", *memory_minutes, whole=False)
    yield _memory("16 kHz WAV", *memory_minutes, whole=True)
