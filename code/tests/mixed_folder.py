"""A folder as people have them: formats, rates and channels mixed, broken files, copies, licences.

``python tests/mixed_folder.py FOLDER`` from ``code/`` makes one of the real recordings beside the
repository; then ``shellac profile folder --set data.folder=FOLDER`` and ``make all`` run the whole
pipeline on it.
"""

import csv
import shutil
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

KINDS = (
    # ending, sample rate, channels, subtype
    (".wav", 16000, 1, "PCM_16"),
    (".flac", 44100, 2, "PCM_24"),
    (".ogg", 48000, 2, "VORBIS"),
    (".mp3", 44100, 2, "MPEG_LAYER_III"),
    (".aiff", 22050, 1, "PCM_16"),
    (".au", 32000, 1, "PCM_16"),
    (".wav", 48000, 6, "FLOAT"),
    (".wav", 96000, 2, "PCM_24"),
)
BROKEN = {
    # file that must be left out: what its reason says
    "cut.wav": "cut short",
    "text.flac": "not a readable recording",
    "empty.wav": "the file is empty",
    "nan.wav": "NaN",
    "low rate.wav": "bandwidth",
    "silent.wav": "silent",
    "same bytes.ogg": "same content as ",
    "same sound.flac": "same content as ",
}
_BLOCK = 1 << 16


@dataclass(frozen=True)
class Source:
    """A recording before it is given a format: ``waveform`` (T,) at ``sample_rate``."""

    name: str
    role: str
    licence: str
    waveform: np.ndarray
    sample_rate: int


def make(folder: Path, sources: Iterable[Source]) -> dict[str, tuple[int, int]]:
    """Write the recordings, each in the next of :data:`KINDS`, then what is wrong, and the table.

    Returns file -> (sample rate, channels) of what is to be used. There must be a source for
    every kind.
    """
    from shellac.transforms.resampling import resample

    folder.mkdir(parents=True)
    rows, good, by_kind = [], {}, {}
    for number, source in enumerate(sources):
        suffix, rate, channels, subtype = KINDS[number % len(KINDS)]
        name = f"{number:02d} {source.name}{suffix}"
        x = resample(source.waveform.astype(np.float32), source.sample_rate, rate)
        gains = np.linspace(1.0, 0.7, channels)
        _write(folder / name, x[:, None] * gains, rate, subtype)
        rows.append((name, source.role, source.licence))
        good[name] = (rate, channels)
        by_kind.setdefault((suffix, channels), name)
    rows += _faults(folder, by_kind[".wav", 1], by_kind[".ogg", 2], dict(r[:2] for r in rows))
    (folder / "cover.jpg").write_bytes(b"\xff\xd8")
    rows.append(("cover.jpg", "music", ""))
    with (folder / "MANIFEST.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("file", "role", "licence"), *rows])
    return good


def _write(path: Path, frames: np.ndarray, rate: int, subtype: str) -> None:
    # libsndfile crashes on long single writes of some codecs
    with soundfile.SoundFile(path, "w", rate, frames.shape[1], subtype) as file:
        for start in range(0, len(frames), _BLOCK):
            file.write(frames[start : start + _BLOCK])


def _faults(folder: Path, wav: str, ogg: str, roles: dict[str, str]) -> list[tuple[str, str, str]]:
    """Write every file of :data:`BROKEN` out of a good WAV and Ogg; return their rows."""
    samples, rate = soundfile.read(folder / wav, dtype="int16")
    soundfile.write(folder / "same sound.flac", samples, rate, "PCM_16")
    shutil.copy(folder / ogg, folder / "same bytes.ogg")
    (folder / "cut.wav").write_bytes((folder / wav).read_bytes()[:20_000])
    (folder / "text.flac").write_text("<html>404</html>")
    (folder / "empty.wav").touch()
    soundfile.write(folder / "nan.wav", np.full((9000, 1), np.nan), 16000, "FLOAT")
    noise = np.random.default_rng(9).uniform(-0.4, 0.4, (16000, 1))
    soundfile.write(folder / "low rate.wav", noise, 8000)
    soundfile.write(folder / "silent.wav", np.zeros((32000, 1)), 16000)
    of = {"same sound.flac": roles[wav], "same bytes.ogg": roles[ogg]}
    return [(name, of.get(name, "music"), "") for name in BROKEN]


def real(seconds: float) -> Iterable[Source]:
    """Yield the beginnings of the real recordings that anybody may use."""
    import shared_audio

    for row in shared_audio.rows():
        if row["non_commercial"] != "yes":
            frames, rate = soundfile.read(shared_audio.FOLDER / row["file"], always_2d=True)
            part = frames[: round(seconds * rate)].mean(axis=1)
            yield Source(Path(row["file"]).stem, row["role"], row["licence"], part, rate)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python tests/mixed_folder.py FOLDER")
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    used = make(Path(sys.argv[1]), real(12.0))
    print(f"{sys.argv[1]}: {len(used)} recordings to be used, {len(BROKEN)} to be left out")
