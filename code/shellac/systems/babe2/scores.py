"""What a restoration by BABE-2 is measured by, beside the distances of :mod:`shellac.metrics`.

All take mono signals (T,) at one rate, the reference first. A generative system need not follow the
waveform, so that these look at spectra, onsets and pitches.
"""

import numpy as np
from scipy import fft, linalg

N_FFT, HOP_LENGTH = 1024, 256
BANDS_HZ = {"low": (60.0, 500.0), "middle": (500.0, 2000.0), "high": (2000.0, 20000.0)}
EMBEDDING = "log energies of 24 bands, 64 ms at 16 kHz"
_EMBEDDED_BANDS = 24
_FLOOR = 1e-8
_PITCH_CLASSES = 12


def levelled(reference: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Bring x to the standard deviation of the reference: a filter is known up to its level."""
    return x * (np.std(reference) / max(float(np.std(x)), 1e-12))


def _power(x: np.ndarray) -> np.ndarray:
    """Return |STFT|^2 (N, F) under a Hann window; a signal too short is continued with zeros."""
    padded = np.pad(x, (0, max(0, N_FFT - len(x))))
    frames = np.lib.stride_tricks.sliding_window_view(padded, N_FFT)[::HOP_LENGTH]
    spectra = fft.rfft(frames * np.hanning(N_FFT + 1)[:-1])
    return spectra.real**2 + spectra.imag**2


def filter_error_db(hz: np.ndarray, found_db: np.ndarray, true_db: np.ndarray) -> float:
    """Mean magnitude of the difference of two responses over octaves, from 100 Hz to 8 kHz.

    At 60 frequencies, up to nine tenths of the Nyquist frequency; their mean difference, which is
    a level, is taken away.
    """
    places = np.geomspace(100.0, min(8000.0, 0.9 * hz[-1]), 60)
    error = np.interp(places, hz, found_db) - np.interp(places, hz, true_db)
    return float(np.abs(error - error.mean()).mean())


def band_errors_db(reference: np.ndarray, x: np.ndarray, sample_rate: int) -> dict[str, float]:
    """Mean over frames of the magnitude of the difference in level, for each of :data:`BANDS_HZ`.

    Powers are counted up from -80 dB of the reference's loudest frame of the band.
    """
    hz = np.fft.rfftfreq(N_FFT, 1 / sample_rate)
    powers, found = [_power(signal) for signal in (reference, x)], {}
    for name, (low, high) in BANDS_HZ.items():
        inside = (hz >= low) & (hz < high)
        levels = [power[:, inside].sum(axis=1) for power in powers]
        floor = _FLOOR * levels[0].max() + 1e-20
        ratio = 10 * np.log10((levels[1] + floor) / (levels[0] + floor))
        found[name] = float(np.abs(ratio).mean())
    return found


def onset_correlation(reference: np.ndarray, x: np.ndarray) -> float:
    """Correlation of the two spectral fluxes: 1 where every onset is where it was.

    Flux: the sum over bins of what the logarithm of the magnitude gains from frame to frame.
    """
    fluxes = []
    for signal in (reference, x):
        power = _power(signal)
        level = np.log(power + 1e-4 * power.max() + 1e-20)
        fluxes.append(np.maximum(np.diff(level, axis=0), 0).sum(axis=1))
    first, second = (flux - flux.mean() for flux in fluxes)
    size = np.linalg.norm(first) * np.linalg.norm(second)
    return float(first @ second / size) if size > 0 else 0.0


def chroma_similarity(reference: np.ndarray, x: np.ndarray, sample_rate: int) -> float:
    """Mean over frames of the cosine between the two chroma vectors: 1 where pitches are kept.

    Energy from 100 Hz to 2 kHz by pitch class; frames weigh by the reference's energy.
    """
    hz = np.fft.rfftfreq(N_FFT, 1 / sample_rate)
    inside = np.flatnonzero((hz >= 100) & (hz <= min(2000.0, sample_rate / 2)))
    classes = np.rint(_PITCH_CLASSES * np.log2(hz[inside] / 440)).astype(int) % _PITCH_CLASSES
    fold = np.eye(_PITCH_CLASSES)[classes]
    first, second = (np.sqrt(_power(signal)[:, inside]) @ fold for signal in (reference, x))
    size = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
    cosine = np.where(size > 0, (first * second).sum(axis=1) / np.maximum(size, 1e-20), 0.0)
    weight = np.square(first).sum(axis=1)
    return float((cosine * weight).sum() / max(weight.sum(), 1e-20))


def embedding(x: np.ndarray, sample_rate: int) -> np.ndarray:
    """Return :data:`EMBEDDING` of every frame: (N, 24), bands equally wide over octaves."""
    power = _power(x)
    edges = np.geomspace(80.0, sample_rate / 2, _EMBEDDED_BANDS + 1)
    places = np.searchsorted(np.fft.rfftfreq(N_FFT, 1 / sample_rate), edges)
    bands = [power[:, a : max(b, a + 1)].mean(axis=1)
             for a, b in zip(places, places[1:], strict=False)]  # fmt: skip
    return np.log(np.stack(bands, axis=1) + 1e-6 * power.mean() + 1e-20)


def frechet_distance(first: np.ndarray, second: np.ndarray) -> float:
    """Fréchet distance of the Gaussians that fit two sets of vectors (N, D).

    |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)). It says how alike two *sets* sound to the embedding
    that made the vectors, and is comparable under that embedding alone.
    """
    means = [x.mean(axis=0) for x in (first, second)]
    spreads = [np.cov(x, rowvar=False) + 1e-6 * np.eye(x.shape[1]) for x in (first, second)]
    root = linalg.sqrtm(spreads[0] @ spreads[1]).real
    total = np.square(means[0] - means[1]).sum() + np.trace(spreads[0] + spreads[1] - 2 * root)
    return max(float(total), 0.0)
