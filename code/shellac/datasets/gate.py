"""The gate before training: is a recording clean enough to be a target?

A network learns what its targets hold. One that holds a codec's cut, a record's hiss or clipped
peaks teaches the network to make them; so every clean target is measured first, and what fails is
left out by name.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage, signal

from shellac.config import GateSettings

_SHORTEST_SECONDS = 0.1
_SILENT_DBFS = -80.0
_EMPTY = 1e-20  # power; keeps logarithms finite

_EXCERPTS, _EXCERPT_SECONDS = 30, 10.0  # of recordings longer than these together

_BANDWIDTH_BLOCK = 2048
_PEAK_PERCENTILE = 99.9  # over time: one frame in a thousand may be a click
_FALL_HZ = 600.0
_FALL_DB = 25.0
_CODEC_FROM = 0.3  # of the sample rate
_CUT_FROM_HZ = 2000.0

_FRAME_SECONDS = 0.064
_QUIET_PERCENTILE = 10.0
_QUIET_BIAS = -np.log(0.9)  # that percentile of the power of Gaussian noise, over its mean
_MEDIAN_BIAS = np.log(2.0)  # and its median
_SMOOTH_HZ = 300.0
_NOISE_BAND_DB = -3.5  # a band this close to its own floor holds nothing but noise
_NOISE_BANDS_HZ = (1000.0, 16000.0)
_RUMBLE_HZ = 60.0  # below, power says nothing about how loud the programme is
_CONVERTER_SHARE = 0.9  # of half the rate: above it a cut is the rate converter's own

_FLAT_TOP = 3  # so many samples in a row at the very peak have been clipped


@dataclass(frozen=True)
class Measurements:
    """What the gate found in one recording; see :func:`examine` for the definitions."""

    seconds: float
    sample_rate: int
    level_dbfs: float
    bandwidth_hz: float
    noise_floor_db: float
    clipped_fraction: float


def _excerpts(samples: int, sample_rate: int) -> list[slice]:
    """Return what is analysed: all of a recording up to five minutes, else excerpts all over it."""
    length = int(_EXCERPT_SECONDS * sample_rate)
    if samples <= _EXCERPTS * length:
        return [slice(0, samples)]
    starts = np.linspace(0, samples - length, _EXCERPTS).astype(int)
    return [slice(start, start + length) for start in starts]


def _power_spectrogram(
    waveform: np.ndarray, sample_rate: int, block: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return frequencies (F,) in Hz and the mean power of the channels (F, N)."""
    samples = waveform.shape[1]
    block = min(block, samples)
    parts = []
    for excerpt in _excerpts(samples, sample_rate):
        power: np.ndarray | float = 0.0
        for channel in waveform[:, excerpt]:
            frequency_hz, _, spectrum = signal.stft(
                channel, sample_rate, nperseg=block, noverlap=block // 2, boundary=None,
                padded=False,
            )  # fmt: skip
            power = power + np.abs(spectrum) ** 2
        parts.append(power / len(waveform) + _EMPTY)
    return frequency_hz, np.concatenate(parts, axis=1)


def bandwidth_hz(waveform: np.ndarray, sample_rate: int) -> float:
    """Return the frequency at which a codec or a resampler has cut (C, T), else half the rate.

    The spectrum is the loudest of every bin over time. Above 0.3 of the rate a cut is the largest
    fall over 600 Hz, if it is 25 dB or more. Below, where music falls as steeply between two
    partials, nothing above the fall may come back within those 25 dB: so a recording that was
    merely resampled to a higher rate is recognised as well.
    """
    frequency_hz, power = _power_spectrogram(waveform, sample_rate, _BANDWIDTH_BLOCK)
    width = max(1, round(_FALL_HZ / frequency_hz[1])) if len(frequency_hz) > 1 else 1
    if len(frequency_hz) <= width + 1:
        return sample_rate / 2.0
    level = 10.0 * np.log10(np.percentile(power, _PEAK_PERCENTILE, axis=1))
    from_hz = frequency_hz[:-width]
    fall = level[:-width] - level[width:]
    fall[from_hz < _CODEC_FROM * sample_rate] = 0.0
    highest_above = np.maximum.accumulate(level[::-1])[::-1]
    cut = ndimage.maximum_filter1d(level, max(1, width // 4))[:-width] - highest_above[width:]
    cut[(from_hz < _CUT_FROM_HZ) | (from_hz >= _CODEC_FROM * sample_rate)] = 0.0
    for drop in (cut, fall):
        steepest = int(np.argmax(drop))
        if drop[steepest] >= _FALL_DB:
            return float(from_hz[steepest])
    return sample_rate / 2.0


def noise_floor_db(waveform: np.ndarray, sample_rate: int) -> float:
    """Return the power of stationary noise in (C, T), in dB over its mean power above 60 Hz.

    The floor of a bin is the tenth percentile of its power over time (corrected to the mean for
    Gaussian noise) and of that the lower quartile over 300 Hz, so that held tones do not count.
    A third-octave band between 1 and 16 kHz whose median power stands less than 3.5 dB above
    its floor holds noise and nothing else: the floors of those bands are summed. Dense music,
    which never pauses, has no such band; hiss under music has, above the music or between its
    partials. Digital silence is left out.
    """
    block = max(16, int(_FRAME_SECONDS * sample_rate))
    frequency_hz, power = _power_spectrogram(waveform, sample_rate, block)
    frames = power.sum(axis=0)
    power = power[:, frames > 1e-8 * frames.mean()]
    floor = np.percentile(power, _QUIET_PERCENTILE, axis=1) / _QUIET_BIAS
    window = round(_SMOOTH_HZ / frequency_hz[1]) | 1
    floor = ndimage.percentile_filter(floor, 25, window)
    median = np.median(power, axis=1) / _MEDIAN_BIAS
    total = 0.0
    low_hz, high_hz = _NOISE_BANDS_HZ
    for edge_hz in low_hz * 2.0 ** np.arange(0.0, np.log2(high_hz / low_hz) - 1e-9, 1 / 3):
        band = (frequency_hz >= edge_hz) & (frequency_hz < edge_hz * 2.0 ** (1 / 3))
        if band.any() and floor[band].sum() > 10 ** (_NOISE_BAND_DB / 10) * median[band].sum():
            total += float(floor[band].sum())
    mean = float(power[frequency_hz >= _RUMBLE_HZ].mean(axis=1).sum())
    return float(10.0 * np.log10(max(total / mean, 1e-12)))


def clipped_fraction(waveform: np.ndarray) -> float:
    """Return the share of samples in (C, T) that lie in flat tops: three or more at the peak."""
    clipped = 0
    for channel in waveform:
        peak = np.abs(channel).max()
        for at_peak in (channel >= peak, channel <= -peak):
            edges = np.flatnonzero(np.diff(np.concatenate([[0], at_peak.astype(np.int8), [0]])))
            runs = edges[1::2] - edges[::2]
            clipped += int(runs[runs >= _FLAT_TOP].sum())
    return clipped / waveform.size


def examine(waveform: np.ndarray, sample_rate: int) -> Measurements:
    """Measure a recording.

    Parameters
    ----------
    waveform : (C, T) float array
    sample_rate : int
        In Hz.

    Returns
    -------
    Measurements
        Of silence and of less than 0.1 s nothing can be known: zeros, which no gate lets pass.
        Spectra are taken from all of a recording of up to five minutes, from thirty excerpts of
        ten seconds of a longer one.
    """
    seconds = waveform.shape[1] / sample_rate
    power = float(np.square(waveform, dtype=np.float64).mean()) if waveform.size else 0.0
    level_dbfs = float(10.0 * np.log10(power + _EMPTY))
    if level_dbfs < _SILENT_DBFS or seconds < _SHORTEST_SECONDS:
        return Measurements(seconds, sample_rate, level_dbfs, 0.0, 0.0, 0.0)
    return Measurements(
        seconds=seconds,
        sample_rate=sample_rate,
        level_dbfs=level_dbfs,
        bandwidth_hz=bandwidth_hz(waveform, sample_rate),
        noise_floor_db=noise_floor_db(waveform, sample_rate),
        clipped_fraction=clipped_fraction(waveform),
    )


def verdict(measurements: Measurements, settings: GateSettings) -> str | None:
    """Return None if a recording may be a clean target, else the reason in one line.

    A bandwidth within the top tenth of the file's own band counts as the whole of it: there the
    anti-alias filter of every rate converter cuts.
    """
    found = measurements
    half_rate = found.sample_rate / 2.0
    reached_hz = found.bandwidth_hz
    if reached_hz >= _CONVERTER_SHARE * half_rate:
        reached_hz = half_rate
    if found.seconds < settings.min_seconds:
        return f"too short: {found.seconds:.2f} s, {settings.min_seconds:g} s are needed"
    if found.level_dbfs < _SILENT_DBFS:
        return f"silent: {found.level_dbfs:.0f} dBFS"
    if reached_hz < settings.min_bandwidth_hz:
        return (
            f"bandwidth {found.bandwidth_hz:.0f} Hz, {settings.min_bandwidth_hz:.0f} Hz are needed"
        )
    if found.noise_floor_db > settings.max_noise_floor_db:
        return (
            f"noise floor at {found.noise_floor_db:.1f} dB of the programme,"
            f" {settings.max_noise_floor_db:g} dB is the most"
        )
    if found.clipped_fraction > settings.max_clipped_fraction:
        return (
            f"clipped in {100 * found.clipped_fraction:.2f} % of its samples,"
            f" {100 * settings.max_clipped_fraction:g} % is the most"
        )
    return None
