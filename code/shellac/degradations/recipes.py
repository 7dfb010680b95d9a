"""The recipes of ``shellac degrade``: what each does to a recording, and what it says it did.

A recipe maps (waveform (C, T) float32, sample rate, generator) to (degraded (C, T) float32,
applied), where ``applied`` holds plain values for a JSON file. Any rate from 8 kHz, any channel
count, any length from one sample; silence stays finite. Results may exceed full scale: levels
are the writer's business.
"""

from collections.abc import Callable
from dataclasses import asdict, replace

import numpy as np
from scipy import ndimage, signal

from shellac.degradations.gaps import cut_gaps, draw_gaps
from shellac.degradations.lowpass import FAMILIES, low_pass
from shellac.degradations.record_noise import draw_settings, record_noise
from shellac.transforms.spline import upsample

Applied = dict[str, object]
Recipe = Callable[[np.ndarray, int, np.random.Generator], tuple[np.ndarray, Applied]]

_DECIMATION = 4
_CHANNEL_DIFFERENCE_DB = -26.0  # of the noise between channels: a mono groove, a stereo pickup
_LARGEST_GAIN_DB = 60.0  # noise under a nearly silent programme is not amplified without end


def _power(x: np.ndarray) -> float:
    return float(np.square(x, dtype=np.float64).mean()) if x.size else 0.0


def _add_noise(
    waveform: np.ndarray, sample_rate: int, snr_db: float, rng: np.random.Generator
) -> tuple[np.ndarray, Applied]:
    """Add record noise at ``snr_db`` under the programme's power.

    Over silence no ratio exists: the noise then keeps the level of its own settings.
    """
    channels, samples = waveform.shape
    settings = draw_settings(rng)
    noise = record_noise(settings, samples, sample_rate, rng)
    programme, power = _power(waveform), _power(noise)
    gain_db = 0.0
    if programme > 1e-12 and power > 0:
        gain_db = float(10.0 * np.log10(programme / power) - snr_db)
        gain_db = float(np.clip(gain_db, -_LARGEST_GAIN_DB, _LARGEST_GAIN_DB))
    noise = np.float32(10.0 ** (gain_db / 20.0)) * noise
    shared = np.repeat(noise[None], channels, axis=0)
    if channels > 1:
        plain = replace(settings, clicks_per_minute=0.0, crackles_per_minute=0.0,
                        thumps_per_minute=0.0, hum_db=())  # fmt: skip
        apart = 10.0 ** ((gain_db + _CHANNEL_DIFFERENCE_DB) / 20.0)
        for channel in range(channels):
            shared[channel] += np.float32(apart) * record_noise(plain, samples, sample_rate, rng)
    applied: Applied = {
        "snr_db": float(10 * np.log10(programme / _power(shared))) if programme > 1e-12 else None,
        "noise_gain_db": gain_db,
        "noise": asdict(settings),
    }
    return waveform + shared, applied


def record_noise_recipe(
    waveform: np.ndarray, sample_rate: int, rng: np.random.Generator
) -> tuple[np.ndarray, Applied]:
    """Lay the noise of a record under the programme, at 2 to 20 dB below its power.

    The noise is that of one groove: the same in all channels but for a small hiss of each.
    """
    return _add_noise(waveform, sample_rate, float(rng.uniform(2.0, 20.0)), rng)


def low_pass_recipe(
    waveform: np.ndarray, sample_rate: int, rng: np.random.Generator
) -> tuple[np.ndarray, Applied]:
    """Remove what lies above a cutoff of 2 to 6 kHz, by a filter of a family drawn at random."""
    family = str(rng.choice(list(FAMILIES)))
    highest_hz = min(6000.0, 0.375 * sample_rate)
    cutoff_hz = float(2000.0 * (highest_hz / 2000.0) ** rng.random())
    return low_pass(waveform, sample_rate, cutoff_hz, family), {
        "family": family,
        "cutoff_hz": cutoff_hz,
    }


def decimate_recipe(
    waveform: np.ndarray, sample_rate: int, rng: np.random.Generator
) -> tuple[np.ndarray, Applied]:
    """Keep every fourth sample behind an anti-alias filter; a cubic spline fills in the rest."""
    edge_hz = 0.8 * sample_rate / 2 / _DECIMATION
    low = low_pass(waveform, sample_rate, edge_hz, "chebyshev")[:, ::_DECIMATION]
    high = upsample(low, _DECIMATION, waveform.shape[1])
    return high.astype(np.float32), {
        "factor": _DECIMATION,
        "low_sample_rate": sample_rate / _DECIMATION,
        "filter": "chebyshev, order 8, 0.05 dB, forwards and backwards",
        "edge_hz": edge_hz,
        "interpolation": "cubic spline",
    }


def gaps_recipe(
    waveform: np.ndarray, sample_rate: int, rng: np.random.Generator
) -> tuple[np.ndarray, Applied]:
    """Silence two stretches of 5 to 50 ms in every second, in all channels together."""
    gaps = draw_gaps(waveform.shape[1], sample_rate, rng)
    return cut_gaps(waveform, gaps), {"gaps": [list(gap) for gap in gaps]}


def _horn(x: np.ndarray, sample_rate: int, rng: np.random.Generator) -> tuple[np.ndarray, Applied]:
    """Colour (C, T) as a recording horn does: a band and some resonances within it."""
    low_hz, high_hz = float(rng.uniform(80.0, 200.0)), float(rng.uniform(3000.0, 5000.0))
    high_hz = min(high_hz, 0.4 * sample_rate)
    resonances = []
    sections = [signal.butter(2, low_hz, "highpass", fs=sample_rate, output="sos")]
    for base_hz in (350.0, 900.0, 2000.0):
        centre_hz = float(base_hz * 2.0 ** rng.uniform(-0.4, 0.4))
        gain_db, quality = float(rng.uniform(2.0, 9.0)), float(rng.uniform(1.5, 4.0))
        sections.append(_peak(centre_hz, gain_db, quality, sample_rate))
        resonances.append({"centre_hz": centre_hz, "gain_db": gain_db, "quality": quality})
    coloured = signal.sosfilt(np.concatenate(sections), x, axis=-1)
    return low_pass(coloured, sample_rate, high_hz, "butterworth"), {
        "low_hz": low_hz,
        "high_hz": high_hz,
        "resonances": resonances,
    }


def _peak(centre_hz: float, gain_db: float, quality: float, sample_rate: int) -> np.ndarray:
    """Return the (1, 6) section of a peaking filter (Bristow-Johnson, audio EQ cookbook)."""
    turn = 2 * np.pi * centre_hz / sample_rate
    amplitude = 10.0 ** (gain_db / 40.0)
    alpha = np.sin(turn) / (2 * quality)
    b = np.array([1 + alpha * amplitude, -2 * np.cos(turn), 1 - alpha * amplitude])
    a = np.array([1 + alpha / amplitude, -2 * np.cos(turn), 1 - alpha / amplitude])
    return np.concatenate([b, a])[None] / a[0]


def _wow(x: np.ndarray, sample_rate: int, rng: np.random.Generator) -> tuple[np.ndarray, Applied]:
    """Vary the speed of (C, T) once and twice per revolution, as an off-centre disc does."""
    rpm, depth = float(rng.uniform(76.0, 82.0)), float(rng.uniform(0.0005, 0.003))
    shares = (0.8, 0.2)
    phases = rng.uniform(0.0, 2 * np.pi, 2)
    place = np.arange(x.shape[-1], dtype=np.float64)
    shift = np.zeros_like(place)
    for turns, share, phase in zip((1, 2), shares, phases, strict=True):
        step = 2 * np.pi * turns * rpm / 60.0 / sample_rate  # radians per sample
        shift += share * depth / step * (np.sin(step * place + phase) - np.sin(phase))
    warped = [
        ndimage.map_coordinates(channel, [place + shift], order=5, mode="nearest") for channel in x
    ]
    return np.array(warped, np.float32).reshape(x.shape), {"rpm": rpm, "speed_deviation": depth}


def gramophone_recipe(
    waveform: np.ndarray, sample_rate: int, rng: np.random.Generator
) -> tuple[np.ndarray, Applied]:
    """Make an old disc of it: one channel through a horn, a warped turn, the groove's noise.

    The programme is folded to mono and given to every channel.
    """
    level = _power(waveform)
    mono = waveform.mean(axis=0, keepdims=True)
    coloured, horn = _horn(mono, sample_rate, rng)
    warped, wow = _wow(coloured, sample_rate, rng)
    heard = _power(warped)
    if heard > 1e-12 and level > 1e-12:
        warped = warped * np.float32(min(np.sqrt(level / heard), 100.0))
    programme = np.repeat(warped, len(waveform), axis=0)
    noisy, noise = _add_noise(programme, sample_rate, float(rng.uniform(4.0, 20.0)), rng)
    return noisy, {"horn": horn, "wow": wow, "record_noise": noise}


RECIPES: dict[str, Recipe] = {
    "record-noise": record_noise_recipe,
    "low-pass": low_pass_recipe,
    "decimate": decimate_recipe,
    "gaps": gaps_recipe,
    "gramophone": gramophone_recipe,
}
