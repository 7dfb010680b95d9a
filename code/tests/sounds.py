"""Test signals and damaged files, made on the spot."""

import struct
from pathlib import Path

import numpy as np
import soundfile

RECORD_RATE = 16000


def tone(seconds: float, sample_rate: int, channels: int = 1, seed: int = 0) -> np.ndarray:
    """Decaying harmonics over a little noise: (C, T) float32, peak about 0.5."""
    rng = np.random.default_rng(seed)
    time = np.arange(int(seconds * sample_rate)) / sample_rate
    waveform = np.zeros((channels, len(time)))
    for channel in range(channels):
        for start in np.arange(0, seconds, 0.4):
            pitch = 220 * 2 ** (rng.integers(0, 24) / 12)
            after = np.clip(time - start, 0, None)
            envelope = np.where(time >= start, np.exp(-6 * after), 0)
            for harmonic in range(1, 9):
                if harmonic * pitch < 0.45 * sample_rate:
                    wave = np.sin(2 * np.pi * harmonic * pitch * after)
                    waveform[channel] += envelope * wave / harmonic**1.5
        waveform[channel] += 1e-3 * rng.standard_normal(len(time))
    return (0.5 * waveform / np.abs(waveform).max()).astype(np.float32)


def noisy(
    seconds: float = 8.0, channels: int = 1, rate: int = RECORD_RATE, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Music, and the same with hiss, clicks and mains hum: (C, T) each."""
    rng = np.random.default_rng(seed)
    music = tone(seconds, rate, channels, seed=seed)
    added = 0.02 * rng.standard_normal(music.shape)
    for row in added:
        for start in rng.integers(0, len(row) - 10, int(8 * seconds)):
            row[start : start + 6] += rng.choice((-0.4, 0.4)) * rng.random(6)
    added += 0.01 * np.sin(2 * np.pi * 50 * np.arange(music.shape[1]) / rate)
    return music, (music + added).astype(np.float32)


def write_good(path: Path, seconds: float = 1.0, **options: object) -> Path:
    """Write a little stereo at 16 kHz."""
    lossy = path.suffix == ".ogg"
    subtype = options.pop("subtype", "VORBIS" if lossy else "PCM_16")
    soundfile.write(path, tone(seconds, 16000, 2).T, 16000, subtype=subtype, **options)
    return path


def _patched(path: Path, where: int, data: bytes) -> None:
    raw = bytearray(write_good(path).read_bytes())
    raw[where : where + len(data)] = data
    path.write_bytes(raw)


def _cut(path: Path, share: float | int) -> None:
    raw = write_good(path, seconds=4.0).read_bytes()
    path.write_bytes(raw[: share if isinstance(share, int) else int(len(raw) * share)])


def _with_value(path: Path, value: float) -> None:
    waveform = tone(1.0, 16000, 2).T.copy()
    waveform[1234, 1] = value
    soundfile.write(path, waveform, 16000, subtype="FLOAT")


def _scrambled(path: Path) -> None:
    raw = bytearray(write_good(path).read_bytes())
    middle = len(raw) // 2
    raw[middle : middle + 200] = bytes(byte ^ 0x5A for byte in raw[middle : middle + 200])
    path.write_bytes(raw)


BAD = {
    "missing.wav": lambda path: None,
    "empty.wav": lambda path: path.write_bytes(b""),
    "text.wav": lambda path: path.write_text("<html>404 not found</html>\n" * 40),
    "cut_header.wav": lambda path: _cut(path, 30),
    "half.wav": lambda path: _cut(path, 0.5),
    "half.flac": lambda path: _cut(path, 0.5),
    "corrupted.flac": _scrambled,
    "zero_rate.wav": lambda path: _patched(path, 24, struct.pack("<I", 0)),
    "zero_channels.wav": lambda path: _patched(path, 22, struct.pack("<H", 0)),
    "zero_samples.wav": lambda path: soundfile.write(path, np.zeros((0, 2)), 16000),
    "nan.wav": lambda path: _with_value(path, np.nan),
    "inf.wav": lambda path: _with_value(path, np.inf),
    "huge.wav": lambda path: _with_value(path, 1e30),
    "lying_size.wav": lambda path: _patched(path, 40, struct.pack("<I", 8000)),
    "half.au": lambda path: _cut(path, 0.5),
    "half.w64": lambda path: _cut(path, 0.5),
    "half.ogg": lambda path: _cut(path, 0.5),
    "half.aiff": lambda path: _cut(path, 0.5),
}


def make_bad(folder: Path, name: str) -> Path:
    """Make one kind of bad input under its own name."""
    path = folder / name
    BAD[name](path)
    return path
