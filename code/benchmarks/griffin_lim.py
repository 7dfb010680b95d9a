"""Griffin-Lim beside a plain loop of librosa's transforms: time, ratio, spectral convergence."""

from collections.abc import Callable, Iterator

import calibration
import librosa
import numpy as np
import torch

from shellac.transforms.griffin_lim import MOMENTUM, reconstruct
from shellac.transforms.stft import HOP, PUBLISHED, SOUND, Framing

SAMPLE_RATE = 16000


def sine_and_noise(samples: int) -> torch.Tensor:
    """Return a sine of 440 Hz at -6 dBFS with white noise 17 dB below: (1, samples)."""
    rng = np.random.default_rng(0)
    sine = 0.5 * np.sin(2 * np.pi * 440 / SAMPLE_RATE * np.arange(samples))
    return torch.from_numpy(sine + 0.05 * rng.standard_normal(samples)).float()[None]


def librosa_loop(magnitudes: np.ndarray, framing: Framing, iterations: int) -> np.ndarray:
    """Iterate plainly, from phases of zero: (F, N) -> (T,)."""
    grid = {"hop_length": HOP, "win_length": framing.n_fft, "center": False}
    spectrum = magnitudes.astype(np.complex64)
    for _ in range(iterations):
        waveform = librosa.istft(spectrum, n_fft=framing.n_fft, **grid)
        again = librosa.stft(waveform, n_fft=framing.n_fft, **grid)
        spectrum = magnitudes * np.exp(1j * np.angle(again))
    return librosa.istft(spectrum, n_fft=framing.n_fft, **grid)


def convergence(found: np.ndarray, wanted: np.ndarray) -> float:
    """Spectral convergence: the distance of magnitudes over the norm of those wanted."""
    return float(np.linalg.norm(found - wanted) / np.linalg.norm(wanted))


def _ours(
    magnitudes: torch.Tensor, framing: Framing, iterations: int, momentum: float
) -> torch.Tensor:
    return framing.synthesise(reconstruct(magnitudes, framing, iterations, momentum=momentum))


def _theirs(waveform: torch.Tensor, framing: Framing, iterations: int) -> tuple[Callable, float]:
    grid = {"n_fft": framing.n_fft, "hop_length": HOP, "win_length": framing.n_fft}
    wanted = np.abs(librosa.stft(waveform[0].numpy(), center=False, **grid))

    def run() -> np.ndarray:
        return librosa_loop(wanted, framing, iterations)

    return run, convergence(np.abs(librosa.stft(run(), center=False, **grid)), wanted)


def measure(
    audio_seconds: float = 4.0, iterations: int = 100, turns: int = 3
) -> Iterator[dict[str, object]]:
    """Yield a row per framing, plain and with momentum; ``ratio`` is librosa's time over ours.

    ``ratio_as_good``: over the time of as many iterations as come to librosa's convergence.
    """
    waveform = sine_and_noise(int(audio_seconds * SAMPLE_RATE))
    for label, framing in (("published", PUBLISHED), ("sound", SOUND)):
        magnitudes = framing.analyse(waveform).abs()
        theirs, error = _theirs(waveform, framing, iterations)
        for kind, momentum in (("plain", 0.0), ("fast", MOMENTUM)):

            def ours(f=framing, m=magnitudes, a=momentum) -> torch.Tensor:
                return _ours(m, f, iterations, a)

            def reached(count: int, f=framing, m=magnitudes, a=momentum) -> float:
                found = f.analyse(_ours(m, f, count, a)[:, : waveform.shape[1]]).abs()
                return convergence(found.numpy(), m.numpy())

            enough = next((n for n in range(5, iterations, 5) if reached(n) <= error), iterations)

            def as_good(f=framing, m=magnitudes, a=momentum, n=enough) -> torch.Tensor:
                return _ours(m, f, n, a)

            fast, equal, slow = calibration.alternate((ours, as_good, theirs), turns)
            yield {
                "what": f"griffin-lim {label} {kind}, {audio_seconds:g} s x {iterations}",
                "cpu_seconds": fast,
                "librosa_seconds": slow,
                "ratio": slow / fast,
                "convergence": reached(iterations),
                "librosa_convergence": error,
                "iterations_as_good": enough,
                "ratio_as_good": slow / equal,
            }
