"""Hiss and clicks on music, removed classically: ``python code/benchmarks/classical.py [FILE...]``.

Conditions after the comparison with other programs: hiss that falls by 3 dB an octave and eight
clicks a second, a fifth of the noise's energy, at 5 and 10 dB; one second of noise alone for the
rows that are given a profile. Every FILE is brought to 16 kHz (names with "piano") or 22.05 kHz and
cut to ``seconds``; without FILE, a synthesised piano is. SI-SDR in dB, LSD in decades of power.
"""

import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from calibration import cpu_seconds
from scipy import signal

import shellac
from shellac import audio, metrics
from shellac.datasets.synthesis.piano import piano_piece
from shellac.transforms.resampling import resample

SNRS_DB = (5.0, 10.0)
_CLICKS_PER_SECOND, _CLICK_SHARE = 8, 0.2
_N_FFT, _HOP = 1024, 256
_FLOOR = 0.05

Gains = Callable[[np.ndarray, np.ndarray], np.ndarray]


def noise(samples: int, sample_rate: int, rng: np.random.Generator) -> np.ndarray:
    """Return hiss and clicks (samples,), at no level in particular."""
    frequency_hz = np.maximum(np.fft.rfftfreq(samples, 1 / sample_rate), 50.0)
    spectrum = np.fft.rfft(rng.standard_normal(samples)) / np.sqrt(frequency_hz)
    hiss = np.fft.irfft(spectrum, samples)
    count = rng.poisson(_CLICKS_PER_SECOND * samples / sample_rate)
    clicks = np.zeros(samples)
    length = np.clip(1.4e-4 * np.exp(rng.standard_normal(count)) * sample_rate, 1, 80).astype(int)
    height = rng.choice((-1.0, 1.0), count) * np.exp(0.8 * rng.standard_normal(count))
    for start, width, peak in zip(rng.integers(0, samples, count), length, height, strict=True):
        time = np.arange(min(width + 4, samples - start))
        swing = np.cos(2 * np.pi * rng.uniform(0.02, 0.3) * time + rng.uniform(0, 2 * np.pi))
        clicks[start : start + len(time)] += peak * swing * np.exp(-3 * time / (width + 1))
    parts = zip((hiss, clicks), (1 - _CLICK_SHARE, _CLICK_SHARE), strict=True)
    return sum(part * np.sqrt(share / np.mean(part**2)) for part, share in parts)


def _spectra(x: np.ndarray) -> np.ndarray:
    return signal.stft(x, window="hann", nperseg=_N_FFT, noverlap=_N_FFT - _HOP)[2]


def _masked(x: np.ndarray, mask: np.ndarray) -> np.ndarray:
    y = signal.istft(_spectra(x) * mask, window="hann", nperseg=_N_FFT, noverlap=_N_FFT - _HOP)[1]
    return y[: len(x)]


def _by_profile(gains: Gains, heard: np.ndarray, alone: np.ndarray) -> np.ndarray:
    power = np.mean(np.abs(_spectra(alone)) ** 2, axis=1, keepdims=True)
    return _masked(heard, np.maximum(gains(np.abs(_spectra(heard)) ** 2, power), _FLOOR))


def _subtraction(power: np.ndarray, noise_power: np.ndarray) -> np.ndarray:
    return np.maximum(1 - 1.5 * np.sqrt(noise_power / np.maximum(power, 1e-30)), 0.0)


def _wiener(power: np.ndarray, noise_power: np.ndarray) -> np.ndarray:
    """Decision-directed, as published: forwards, weight 0.98."""
    posterior = power / noise_power
    result = np.empty_like(posterior)
    kept = np.maximum(posterior[:, 0] - 1, 0)
    for frame in range(posterior.shape[1]):
        prior = 0.98 * kept + 0.02 * np.maximum(posterior[:, frame] - 1, 0)
        result[:, frame] = prior / (1 + prior)
        kept = result[:, frame] ** 2 * posterior[:, frame]
    return result


def _oracle(clean: np.ndarray, heard: np.ndarray) -> np.ndarray:
    music, hiss = np.abs(_spectra(clean)), np.abs(_spectra(heard - clean))
    return _masked(heard, music / np.maximum(music + hiss, 1e-12))


def _restored(heard: np.ndarray, rate: int, system: str, profile: Path | None = None) -> np.ndarray:
    restorer = shellac.load(system, noise_profile=profile, device="cpu")
    return restorer.restore(heard.astype(np.float32), rate).waveform[0]


def compare(
    clean: np.ndarray, sample_rate: int, snr_db: float, folder: Path, seed: int = 1
) -> Iterator[dict[str, object]]:
    """Yield one row per method for one recording (T,) and one signal-to-noise ratio."""
    added = noise(len(clean) + sample_rate, sample_rate, np.random.default_rng(seed))
    alone, added = added[:sample_rate], added[sample_rate:]
    scale = np.sqrt(np.mean(clean**2) / 10 ** (snr_db / 10) / np.mean(added**2))
    alone, heard = scale * alone, clean + scale * added
    profile = folder / "noise.wav"
    audio.write(profile, alone[None].astype(np.float32), sample_rate, "FLOAT")
    methods: dict[str, Callable[[], np.ndarray]] = {
        "nothing": lambda: heard,
        "declick": lambda: _restored(heard, sample_rate, "classical/declick"),
        "spectral subtraction": lambda: _by_profile(_subtraction, heard, alone),
        "Wiener": lambda: _by_profile(_wiener, heard, alone),
        "declick, then Wiener": lambda: _by_profile(
            _wiener, *(_restored(x, sample_rate, "classical/declick") for x in (heard, alone))
        ),
        "classical": lambda: _restored(heard, sample_rate, "classical"),
        "classical, given profile": lambda: _restored(heard, sample_rate, "classical", profile),
        "oracle ratio mask": lambda: _oracle(clean, heard),
    }
    for name, method in methods.items():
        results: list[np.ndarray] = []
        spent = cpu_seconds(lambda run=method, to=results: to.append(run()))
        yield {
            "what": f"{snr_db:g} dB, {name}",
            "si_sdr_db": metrics.si_sdr_db(clean, results[0]),
            "lsd": metrics.lsd(clean, results[0]),
            "cpu_seconds_per_second": spent * sample_rate / len(clean),
        }


def _clips(files: Sequence[Path], seconds: float) -> Iterator[tuple[str, np.ndarray, int]]:
    if not files:
        yield "synthesised piano", np.ravel(piano_piece(0, seconds, 16000)), 16000
    for file in files:
        waveform, rate = audio.read(file)
        new_rate = 16000 if "piano" in str(file) else 22050
        cut = waveform.mean(axis=0)[: round(seconds * rate)]
        yield file.stem, resample(cut, rate, new_rate), new_rate


def measure(files: Sequence[Path] = (), seconds: float = 15.0) -> Iterator[dict[str, object]]:
    """Yield one row per recording, signal-to-noise ratio and method."""
    with tempfile.TemporaryDirectory() as folder:
        for name, waveform, rate in _clips(files, seconds):
            clean = 0.5 * waveform.astype(np.float64) / np.abs(waveform).max()
            for snr_db in SNRS_DB:
                for row in compare(clean, rate, snr_db, Path(folder)):
                    yield {**row, "what": f"{name} {row['what']}"}


if __name__ == "__main__":
    from run import table  # which imports this module

    for line in table(measure([Path(name) for name in sys.argv[1:]])):
        print(line, flush=True)
