"""What can be measured of a restoration where nobody knows what the recording should be.

What a good restoration takes away is noise: it neither sounds like the programme nor comes and
goes with it, and what it leaves has fewer clicks. None of these figures says that a result is
right; each says where one should look.
"""

from collections.abc import Mapping

import numpy as np
from scipy import signal

from shellac.degradations import click_statistics

BAND_EDGES_HZ = (20.0, 150.0, 300.0, 600.0, 1200.0, 2400.0, 4800.0, 9600.0, 19200.0)
_N_FFT = 2048
_SILENCE = 1e-14  # power; frames of a band below it count as silence

# name: definition
MEASURES: Mapping[str, str] = {
    "residual_db": "RMS of the residual under that of the input, dB",
    "residual_correlation": "correlation of residual and restored samples, -1 to 1",
    "residual_following": "correlation over time of the levels in dB of residual and restored,"
    " mean over octave bands, -1 to 1: 0 where what is removed does not come and go with the"
    " programme",
    "clicks_before": "clicks a minute, found where prediction fails by 8 times its usual error;"
    " attacks of the programme are among them",
    "clicks_after": "the same after restoration",
}


def measures(
    heard: np.ndarray, restored: np.ndarray, residual: np.ndarray, sample_rate: int
) -> dict[str, float]:
    """Return :data:`MEASURES` of one restoration, (C, T) each; silence gives 0 where undefined."""
    power = [float(np.mean(np.square(x, dtype=np.float64))) for x in (heard, residual)]
    return {
        "residual_db": 10 * np.log10((power[1] + _SILENCE) / (power[0] + _SILENCE)),
        "residual_correlation": _correlation(restored.ravel(), residual.ravel()),
        "residual_following": _following(restored, residual, sample_rate),
        "clicks_before": clicks_per_minute(heard, sample_rate),
        "clicks_after": clicks_per_minute(restored, sample_rate),
    }


def clicks_per_minute(waveform: np.ndarray, sample_rate: int) -> float:
    """Return the mean rate of clicks over the channels of (C, T), as under ``clicks_before``."""
    found = [click_statistics.detect(row, sample_rate) for row in waveform]
    return float(np.mean([clicks.per_minute() for clicks in found]))


def band_levels_db(waveform: np.ndarray, sample_rate: int) -> dict[str, float]:
    """Return the RMS level of (C, T) in octaves, dB re full scale, by the names of the bands.

    Bands that begin above half of ``sample_rate`` are left out.
    """
    frames = min(_N_FFT, waveform.shape[1])
    hz, density = signal.welch(waveform, sample_rate, nperseg=frames, axis=-1)
    levels = {}
    for low, high in _bands(sample_rate):
        power = density[:, (hz >= low) & (hz < high)].sum(axis=-1).mean() * (hz[1] - hz[0])
        levels[f"{low:g}-{high:g} Hz"] = float(10 * np.log10(power + _SILENCE))
    return levels


def _bands(sample_rate: int) -> list[tuple[float, float]]:
    pairs = zip(BAND_EDGES_HZ[:-1], BAND_EDGES_HZ[1:], strict=True)
    return [pair for pair in pairs if pair[0] < sample_rate / 2]


def _correlation(x: np.ndarray, y: np.ndarray) -> float:
    scale = np.sqrt(np.sum(np.square(x, dtype=np.float64)) * np.sum(np.square(y, dtype=np.float64)))
    return float(np.sum(x * y, dtype=np.float64) / scale) if scale > _SILENCE else 0.0


def _following(restored: np.ndarray, residual: np.ndarray, sample_rate: int) -> float:
    levels = [_levels(x, sample_rate) for x in (restored, residual)]
    if levels[0].shape[-1] < 2:
        return 0.0
    centred = [level - level.mean(axis=-1, keepdims=True) for level in levels]
    scale = np.sqrt(np.prod([np.sum(x**2, axis=-1) for x in centred], axis=0))
    ratio = np.sum(centred[0] * centred[1], axis=-1) / np.maximum(scale, 1e-9)
    return float(ratio[scale > 1e-9].mean()) if (scale > 1e-9).any() else 0.0


def _levels(waveform: np.ndarray, sample_rate: int) -> np.ndarray:
    """Levels in dB of octave bands over time (B, N), of all channels together."""
    length = min(_N_FFT, waveform.shape[1])
    hz, _, spectra = signal.stft(waveform, sample_rate, nperseg=length, boundary=None, padded=False)
    power = np.mean(np.abs(spectra) ** 2, axis=0)
    bands = [power[(hz >= low) & (hz < high)].sum(axis=0) for low, high in _bands(sample_rate)]
    return 10 * np.log10(np.maximum(np.array(bands), _SILENCE))
