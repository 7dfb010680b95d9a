"""The surface noise of a gramophone record: hiss, crackle, clicks, thumps, rumble and hum.

A statistical model, calibrated on lead-in and run-off grooves. Rates, durations and amplitudes
are those that the detector of :mod:`shellac.degradations.click_statistics` finds in real records.
Every component is a function of (settings, samples, sample_rate, rng) -> (T,) and is in units of
the hiss: its RMS above 60 Hz is 1 before :func:`record_noise` sets the level.
"""

from dataclasses import dataclass

import numpy as np
from scipy import signal

_HEARD_HZ = 60.0  # hiss level counts above this frequency, rumble below does not
_RUMBLE_HZ = 100.0
_HUM_RESOLUTION_HZ = 1.5 * 44100 / 65536  # noise bandwidth of the bins that hum heights refer to
_AUDIBLE_RMS = 12.0
_CLICK_MEDIAN_RMS, _CLICK_LOG_SIGMA, _CLICK_MAX_RMS = 8.0, 0.94, 100.0
_AUDIBLE_SHARE = 0.333  # of that log-normal law above 12
_MAX_CLICK_SECONDS = 4e-3
_MIN_TAPS_SECONDS = 0.15


@dataclass(frozen=True)
class RecordNoiseSettings:
    """One disc, one transfer. Rates per minute; levels in dB; frequencies in Hz.

    ``clicks_per_minute`` counts the audible ones (above 12 times the RMS of the hiss), as tables
    of real records do; about twice as many weaker ones come with them.
    """

    level_dbfs: float  # RMS of the hiss
    low_hz: float
    high_hz: float
    slope_db_per_octave: float  # of the hiss between low_hz and high_hz
    low_slope_db_per_octave: (
        float  # below low_hz: positive is high-passed; negative: rumble below 100 Hz
    )
    fall_db: float  # over the octave above high_hz
    ripple_db: tuple[float, ...]  # deviations at the octaves of 125 Hz
    rpm: float
    rotation_db: float  # peak to peak, once per revolution
    wander_db: float
    clicks_per_minute: float
    click_median_ms: float
    locked_fraction: float  # of the clicks that return every revolution: scratches
    pickup_hz: float
    crackles_per_minute: float
    thumps_per_minute: float
    hum_hz: float
    hum_db: tuple[float, ...]  # height over the local floor of the mains line and its harmonics


def draw_settings(rng: np.random.Generator) -> RecordNoiseSettings:
    """Draw a record from the calibrated ranges: two thirds acoustic-era discs, one third LP-like.

    Ranges from real lead-in and run-off grooves and from the noise floors of two shellac discs;
    thumps after the literature only, since none could be measured.
    """

    def uniform(low: float, high: float) -> float:
        return float(rng.uniform(low, high))

    acoustic = rng.random() < 2 / 3
    rumbles = rng.random() < 0.5
    hums = rng.random() < 0.5
    return RecordNoiseSettings(
        level_dbfs=uniform(-52.0, -40.0),
        low_hz=uniform(80.0, 250.0),
        high_hz=uniform(3500.0, 6000.0) if acoustic else uniform(8000.0, 16000.0),
        slope_db_per_octave=uniform(-2.0, 0.0) if acoustic else uniform(-5.0, -2.0),
        low_slope_db_per_octave=uniform(-11.0, -3.0) if rumbles else uniform(0.0, 13.0),
        fall_db=uniform(14.0, 20.0) if rng.random() < 0.7 else 0.0,
        ripple_db=tuple(map(float, rng.uniform(-3.0, 3.0, 8))),
        rpm=uniform(76.0, 82.0),
        rotation_db=uniform(0.0, 3.0),
        wander_db=uniform(0.0, 2.0),
        clicks_per_minute=float(50.0 * (900.0 / 50.0) ** rng.random()),
        click_median_ms=float(0.2 * np.exp(rng.normal(0.0, 0.2))),
        locked_fraction=uniform(0.0, 0.2),
        pickup_hz=uniform(7000.0, 16000.0),
        crackles_per_minute=float(1000.0 * 7.0 ** rng.random()),
        thumps_per_minute=uniform(0.0, 10.0) if rng.random() < 0.5 else 0.0,
        hum_hz=float(rng.choice((50.0, 60.0))),
        hum_db=tuple(map(float, rng.uniform(10.0, 27.0, 3))) if hums else (),
    )


def hiss_gain_db(settings: RecordNoiseSettings, frequency_hz: np.ndarray) -> np.ndarray:
    """Return the shape of the hiss spectrum in dB at ``frequency_hz`` (F,); 0 dB at ``low_hz``.

    Piecewise linear over the logarithm of frequency, with ripples of some decibels.
    """
    octave = np.log2(np.maximum(frequency_hz, 8.0) / settings.low_hz)
    bend = np.log2(settings.high_hz / settings.low_hz)
    gain = settings.slope_db_per_octave * np.clip(octave, 0.0, None)
    gain -= settings.fall_db * np.clip(octave - bend, 0.0, 1.0)
    rumbles = settings.low_slope_db_per_octave < 0
    corner_hz = min(settings.low_hz, _RUMBLE_HZ) if rumbles else settings.low_hz
    below = np.log2(np.clip(frequency_hz, 15.0, corner_hz) / corner_hz)
    gain += settings.low_slope_db_per_octave * below
    knots = np.arange(len(settings.ripple_db))
    return gain + np.interp(np.log2(np.maximum(frequency_hz, 8.0) / 125.0), knots,
                            settings.ripple_db)  # fmt: skip


def _hiss_response(
    settings: RecordNoiseSettings, sample_rate: int, n_fft: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return frequencies (F,) and the gain (F,) that gives white noise unit RMS above 60 Hz."""
    frequency_hz = np.fft.rfftfreq(n_fft, 1.0 / sample_rate)
    gain = 10.0 ** (hiss_gain_db(settings, frequency_hz) / 20.0)
    gain[frequency_hz < 8.0] = 0.0  # no transfer reaches further down
    heard = np.mean(np.where(frequency_hz >= _HEARD_HZ, gain, 0.0) ** 2)
    return frequency_hz, gain / np.sqrt(max(heard, 1e-30))


def hiss(
    settings: RecordNoiseSettings, samples: int, sample_rate: int, rng: np.random.Generator
) -> np.ndarray:
    """Return shaped Gaussian noise with slow and once-per-revolution modulation."""
    taps = 1 << int(np.ceil(np.log2(_MIN_TAPS_SECONDS * sample_rate)))
    _, gain = _hiss_response(settings, sample_rate, taps)
    kernel = np.roll(np.fft.irfft(gain), taps // 2) * np.hanning(taps)
    white = rng.standard_normal(samples + taps - 1, dtype=np.float32)
    shaped = signal.oaconvolve(white, kernel.astype(np.float32), mode="valid")
    return shaped * _modulation(settings, samples, sample_rate, rng)


def _modulation(
    settings: RecordNoiseSettings, samples: int, sample_rate: int, rng: np.random.Generator
) -> np.ndarray:
    seconds = np.arange(samples, dtype=np.float32) / np.float32(sample_rate)
    knots = np.arange(0.0, samples / sample_rate + 1.0, 0.4)
    level_db = np.interp(seconds, knots, 0.5 * settings.wander_db * rng.standard_normal(len(knots)))
    turn = 2 * np.pi * np.float32(settings.rpm / 60.0) * seconds
    first, second = rng.uniform(0.0, 2 * np.pi, 2).astype(np.float32)
    level_db += 0.4 * settings.rotation_db * np.cos(turn + first)
    level_db += 0.1 * settings.rotation_db * np.cos(2 * turn + second)
    return (10.0 ** (level_db / 20.0)).astype(np.float32)


def _pulses(
    samples: int,
    at: np.ndarray,
    amplitude: np.ndarray,
    seconds: np.ndarray,
    *,
    settings: RecordNoiseSettings,
    sample_rate: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """Return (samples,) of resonant bursts that start ``at`` and last ``seconds``, (E,) each."""
    out = np.zeros(samples, np.float32)
    pickup = signal.butter(2, min(settings.pickup_hz, 0.45 * sample_rate), fs=sample_rate)
    resonance_hz = 700.0 * (min(7000.0, 0.3 * sample_rate) / 700.0) ** rng.random(len(at))
    phase = rng.uniform(0.0, 2 * np.pi, len(at))
    sign = rng.choice((-1.0, 1.0), len(at))
    width = np.maximum(1, np.ceil(seconds * sample_rate)).astype(int)
    size = 1 << np.ceil(np.log2(width)).astype(int)
    for length in np.unique(size):
        chosen = np.flatnonzero(size == length)
        time = np.arange(length + 8)
        turn = 2 * np.pi * resonance_hz[chosen, None] * time / sample_rate
        left = np.clip(1.0 - time / width[chosen, None], 0.0, 1.0)
        grain = rng.standard_normal(turn.shape)  # what a smooth swing lacks: no model predicts it
        burst = (np.cos(turn + phase[chosen, None]) + 0.4 + 0.6 * grain) * np.sqrt(left)
        burst = signal.lfilter(*pickup, burst, axis=1)
        burst *= (sign * amplitude)[chosen, None] / np.abs(burst).max(axis=1, keepdims=True)
        index = at[chosen, None] + time
        inside = index < samples
        np.add.at(out, index[inside], burst[inside].astype(np.float32))
    return out


def _click_amplitudes(count: int, rng: np.random.Generator) -> np.ndarray:
    drawn = _CLICK_MEDIAN_RMS * np.exp(_CLICK_LOG_SIGMA * rng.standard_normal(count))
    return np.minimum(drawn, _CLICK_MAX_RMS)


def _click_times(
    settings: RecordNoiseSettings, samples: int, sample_rate: int, rng: np.random.Generator
) -> np.ndarray:
    """Return start samples (E,): a Poisson process, and scratches that return every turn."""
    minutes = samples / sample_rate / 60.0
    rate = settings.clicks_per_minute / _AUDIBLE_SHARE
    free = rng.random(rng.poisson(rate * (1 - settings.locked_fraction) * minutes)) * samples
    scratches = rng.poisson(rate * settings.locked_fraction / settings.rpm)
    revolution = 60.0 * sample_rate / settings.rpm
    turns = np.arange(int(samples / revolution) + 2)
    locked = (rng.random(scratches)[:, None] + turns - 1) * revolution
    locked = locked + rng.uniform(-5e-4, 5e-4, locked.shape) * sample_rate
    times = np.concatenate([free, locked.ravel()])
    return np.sort(times[(times >= 0) & (times < samples)].astype(np.int64))


def clicks(
    settings: RecordNoiseSettings, samples: int, sample_rate: int, rng: np.random.Generator
) -> np.ndarray:
    """Return clicks: log-normal in amplitude and duration, partly locked to the rotation."""
    at = _click_times(settings, samples, sample_rate, rng)
    seconds = 1e-3 * settings.click_median_ms * np.exp(1.25 * rng.standard_normal(len(at)))
    seconds = np.minimum(seconds, _MAX_CLICK_SECONDS)
    amplitude = _click_amplitudes(len(at), rng)
    return _pulses(samples, at, amplitude, seconds,
                   settings=settings, sample_rate=sample_rate, rng=rng)  # fmt: skip


def crackle(
    settings: RecordNoiseSettings, samples: int, sample_rate: int, rng: np.random.Generator
) -> np.ndarray:
    """Return dense weak clicks of 2 to 8 times the hiss."""
    count = rng.poisson(settings.crackles_per_minute * samples / sample_rate / 60.0)
    at = np.sort(rng.integers(0, samples, count))
    amplitude = 2.0 * 4.0 ** rng.random(count)
    seconds = 2.2e-4 * np.exp(0.6 * rng.standard_normal(count))
    return _pulses(samples, at, amplitude, seconds,
                   settings=settings, sample_rate=sample_rate, rng=rng)  # fmt: skip


def thumps(
    settings: RecordNoiseSettings, samples: int, sample_rate: int, rng: np.random.Generator
) -> np.ndarray:
    """Return large clicks, each followed by the falling, damped swing of the tone arm."""
    count = rng.poisson(settings.thumps_per_minute * samples / sample_rate / 60.0)
    at = np.sort(rng.integers(0, samples, count))
    amplitude = rng.uniform(20.0, 60.0, count)
    seconds = rng.uniform(3e-4, 2e-3, count)
    out = _pulses(samples, at, amplitude, seconds,
                  settings=settings, sample_rate=sample_rate, rng=rng)  # fmt: skip
    for start, height in zip(at, amplitude, strict=True):
        decay_seconds = rng.uniform(0.02, 0.06)
        time = np.arange(int(8 * decay_seconds * sample_rate)) / sample_rate
        high_hz, low_hz = rng.uniform(35.0, 60.0), rng.uniform(10.0, 25.0)
        sweep = (high_hz - low_hz) * decay_seconds * (1 - np.exp(-time / decay_seconds))
        swing = np.sin(2 * np.pi * (low_hz * time + sweep)) * np.exp(-time / decay_seconds)
        swing = rng.choice((-1.0, 1.0)) * rng.uniform(0.2, 0.5) * height * swing
        out[start : start + len(swing)] += swing[: samples - start].astype(np.float32)
    return out


def hum(
    settings: RecordNoiseSettings, samples: int, sample_rate: int, rng: np.random.Generator
) -> np.ndarray:
    """Return the mains line and its harmonics at their heights over the local floor."""
    n_fft = 1 << int(np.ceil(np.log2(sample_rate)))
    frequency_hz, gain = _hiss_response(settings, sample_rate, n_fft)
    time = np.arange(samples) / sample_rate
    out = np.zeros(samples)
    for harmonic, height_db in enumerate(settings.hum_db, start=1):
        line_hz = harmonic * settings.hum_hz
        floor = np.interp(line_hz, frequency_hz, gain) ** 2 * 2.0 / sample_rate  # power per Hz
        amplitude = np.sqrt(2.0 * floor * _HUM_RESOLUTION_HZ * 10.0 ** (height_db / 10.0))
        out += amplitude * np.sin(2 * np.pi * (line_hz * time + rng.random()))
    return out.astype(np.float32)


def record_noise(
    settings: RecordNoiseSettings, samples: int, sample_rate: int, rng: np.random.Generator
) -> np.ndarray:
    """Return the noise of one record.

    Parameters
    ----------
    settings : RecordNoiseSettings
        From :func:`draw_settings`, or made by hand.
    samples : int
        Length; 0 gives an empty array.
    sample_rate : int
        In Hz, from 8000.
    rng : numpy.random.Generator

    Returns
    -------
    float32 (samples,), hiss at ``settings.level_dbfs``, clicks up to 100 times that
    """
    if samples == 0:
        return np.zeros(0, np.float32)
    parts = (hiss, clicks, crackle, thumps, hum)
    total = sum(part(settings, samples, sample_rate, rng) for part in parts)
    return (10.0 ** (settings.level_dbfs / 20.0) * total).astype(np.float32)
