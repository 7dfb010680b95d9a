"""Objective measures of a restoration against its reference, each with a written definition.

All take the reference ``r`` first and the restored signal ``x`` second, as (T,) or (C, T) floats
of equal shape, and return one finite float. Signal-to-noise ratios are limited to +-100 dB, since
a perfect copy has an infinite one. Two silent signals are equal.

There is no single log-spectral distance: "LSD" figures of different sources cannot be compared
unless window, logarithm, floor and axis agree, so those stand in every definition here. STFT frames
have 2048 samples, hop 512, a periodic Hann window, no scaling, and are centred with reflection at
the ends, where nothing else is said; a signal too short for that is continued with zeros.

Every function raises :class:`AudioError` where the two signals differ in shape, are empty, or hold
NaN or infinity.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy import fft

from shellac.errors import AudioError, UsageError

N_FFT = 2048
HOP_LENGTH = 512
POWER_FLOOR = 1e-8
SNR_LIMIT_DB = 100.0
LSD_REFERENCE_LIMIT = 10.0
_FRAMES_PER_BLOCK = 256
_GAP_FRAME, _GAP_HOP = 256, 64  # of spectra inside gaps
_MAIN_LOBE_BINS = 2  # half the width of a Hann window's main lobe

Padding = Literal["reflect", "zero"]


def checked_pair(reference: np.ndarray, restored: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return both as float64 (C, T); raise :class:`AudioError` for what cannot be compared."""
    reference, restored = np.asarray(reference), np.asarray(restored)
    if reference.shape != restored.shape:
        raise AudioError(
            f"reference {reference.shape} and restored {restored.shape} differ in shape: "
            "bring both to the same channels and samples"
        )
    if reference.ndim not in (1, 2) or reference.size == 0:
        raise AudioError(f"a signal of shape {reference.shape} cannot be scored: give (C, T)")
    pair = [np.atleast_2d(x).astype(np.float64, copy=False) for x in (reference, restored)]
    if not all(np.isfinite(x).all() for x in pair):
        raise AudioError("a signal with NaN or infinity cannot be scored")
    return pair[0], pair[1]


def ratio_db(signal_energy: float, noise_energy: float) -> float:
    """Ratio of two energies in dB, within +-100; no noise at all is the upper limit."""
    if noise_energy == 0:
        return SNR_LIMIT_DB
    if signal_energy == 0:
        return -SNR_LIMIT_DB
    ratio = 10 * (np.log10(signal_energy) - np.log10(noise_energy))
    return float(np.clip(ratio, -SNR_LIMIT_DB, SNR_LIMIT_DB))


def _spectra(
    reference: np.ndarray, restored: np.ndarray, padding: Padding | None = "reflect"
) -> Iterator[np.ndarray]:
    """Yield complex spectra of two (T,) signals, blocks of frames at a time: (2, N, F).

    Without ``padding``, frames are those that lie wholly inside the signals.
    """
    both = np.stack((reference, restored))
    shortest = N_FFT if padding is None else N_FFT // 2 + 1
    both = np.pad(both, ((0, 0), (0, max(0, shortest - both.shape[1]))))
    if padding is not None:
        mode = "reflect" if padding == "reflect" else "constant"
        both = np.pad(both, ((0, 0), (N_FFT // 2, N_FFT // 2)), mode=mode)
    frames = sliding_window_view(both, N_FFT, axis=1)[:, ::HOP_LENGTH]
    window = np.hanning(N_FFT + 1)[:-1]
    for start in range(0, frames.shape[1], _FRAMES_PER_BLOCK):
        yield fft.rfft(frames[:, start : start + _FRAMES_PER_BLOCK] * window)


def _log_power_difference(spectra: np.ndarray, bins: slice = slice(None)) -> np.ndarray:
    """Natural logarithm of P_r minus that of P_x, P = |STFT|^2 + 1e-8: (2, N, F) -> (N, F)."""
    spectra = spectra[..., bins]
    power = spectra.real**2 + spectra.imag**2 + POWER_FLOOR
    return np.log(power[0] / power[1])


def _mean_over_channels(
    measure: Callable[..., float], reference: np.ndarray, restored: np.ndarray, **settings: object
) -> float:
    reference, restored = checked_pair(reference, restored)
    return float(
        np.mean([measure(r, x, **settings) for r, x in zip(reference, restored, strict=True)])
    )


def _cutoff_bin(sample_rate: float, cutoff_hz: float) -> float:
    """Return the place of a frequency on the axis of STFT bins; refuse one outside it."""
    if not 0 < cutoff_hz < sample_rate / 2:
        raise UsageError(
            f"cutoff is {cutoff_hz:g} Hz: it must lie between 0 and {sample_rate / 2:g} Hz"
        )
    return cutoff_hz * N_FFT / sample_rate


def snr_db(reference: np.ndarray, restored: np.ndarray) -> float:
    """Signal-to-noise ratio in dB: 10 log10(sum r^2 / sum (r - x)^2), over samples and channels."""
    reference, restored = checked_pair(reference, restored)
    return ratio_db(np.sum(reference**2), np.sum((reference - restored) ** 2))


def si_sdr_db(reference: np.ndarray, restored: np.ndarray) -> float:
    """Scale-invariant signal-to-distortion ratio in dB, per channel, then the mean.

    Means removed from both; 10 log10(|a r|^2 / |a r - x|^2) with a = <x, r> / <r, r> (Le Roux et
    al., "SDR - half-baked or well done?", 2019). A silent restored signal has -100 dB, unless the
    reference is silent too.
    """
    return _mean_over_channels(_si_sdr_of_channel, reference, restored)


def _si_sdr_of_channel(reference: np.ndarray, restored: np.ndarray) -> float:
    r, x = (_without_mean(signal) for signal in (reference, restored))
    energy = r @ r
    if energy == 0 or x @ x == 0:
        return SNR_LIMIT_DB if energy == x @ x else -SNR_LIMIT_DB
    target = (x @ r) / energy * r
    return ratio_db(target @ target, np.sum((target - x) ** 2))


def _without_mean(signal: np.ndarray) -> np.ndarray:
    """Remove the mean; what is left of a constant is rounding, and set to zero."""
    centred = signal - signal.mean()
    if np.abs(centred).max() <= 1e-12 * np.abs(signal).max():
        return np.zeros_like(signal)
    return centred


def lsd(reference: np.ndarray, restored: np.ndarray) -> float:
    """Log-spectral distance in decades of power, the conventional one, per channel, then the mean.

    Mean over frames of sqrt(mean over bins of (log10 P_r - log10 P_x)^2), P = |STFT|^2 + 1e-8.
    A factor of 10 in amplitude is 2.
    """
    return _mean_over_channels(_frame_distance, reference, restored)


def _frame_distance(
    reference: np.ndarray, restored: np.ndarray, bins: slice = slice(None)
) -> float:
    total, frames = 0.0, 0
    for spectra in _spectra(reference, restored):
        difference = _log_power_difference(spectra, bins)
        total += np.sqrt(np.mean(difference**2, axis=1)).sum()
        frames += len(difference)
    return total / frames / np.log(10)


def lsd_above_cut(
    reference: np.ndarray, restored: np.ndarray, sample_rate: float, cutoff_hz: float
) -> float:
    """:func:`lsd` over the bins at and above ``cutoff_hz`` only: the band that was made up."""
    first = int(np.ceil(_cutoff_bin(sample_rate, cutoff_hz)))
    return _mean_over_channels(_frame_distance, reference, restored, bins=slice(first, None))


def kept_band_snr_db(
    reference: np.ndarray, restored: np.ndarray, sample_rate: float, cutoff_hz: float
) -> float:
    """Signal-to-noise ratio in dB below ``cutoff_hz``: harm done to the band that was there.

    10 log10(sum |R|^2 / sum |R - X|^2) over channels, frames and those STFT bins whose main lobe
    (2 bins to either side) lies below the cut-off; at least the lowest bin counts. Frames lie
    wholly inside the signal here: a reflected end would spill the upper band into the lower.
    """
    last = max(0, int(np.floor(_cutoff_bin(sample_rate, cutoff_hz))) - _MAIN_LOBE_BINS)
    reference, restored = checked_pair(reference, restored)
    energies = np.zeros(2)
    for r, x in zip(reference, restored, strict=True):
        for spectra in _spectra(r, r - x, padding=None):
            kept = spectra[..., : last + 1]
            energies += np.sum(kept.real**2 + kept.imag**2, axis=(1, 2))
    return ratio_db(*energies)


def snr_reference_db(reference: np.ndarray, restored: np.ndarray) -> float:
    """Signal-to-noise ratio in dB as published with the TFiLM U-Net, per channel, then the mean.

    20 log10(sqrt(mean r^2) / sqrt(mean((x - r)^2 + 1e-6)) + 1e-8): never above what a noise floor
    of -60 dBFS allows, and -160 dB for a silent reference. Only for published tables.
    """
    return _mean_over_channels(_snr_reference_of_channel, reference, restored)


def _snr_reference_of_channel(reference: np.ndarray, restored: np.ndarray) -> float:
    noise = np.sqrt(np.mean((restored - reference) ** 2) + 1e-6)
    return 20 * np.log10(np.sqrt(np.mean(reference**2)) / noise + 1e-8)


def lsd_reference(
    reference: np.ndarray, restored: np.ndarray, padding: Padding = "reflect"
) -> float:
    """Log-spectral distance as published with the TFiLM U-Net, per channel, then the mean.

    Mean over *bins* of sqrt(mean over *frames* of ((ln P_r - ln P_x)^2 + 1e-8)),
    P = |STFT|^2 + 1e-8, at most 10: natural logarithm, axes swapped, and not in dB. ``padding``
    at the ends is ``reflect`` (librosa before 0.9, behind the published numbers) or ``zero``.
    Only for published tables.
    """
    if padding not in get_args(Padding):
        raise UsageError(
            f"padding is {padding!r}: it must be one of {', '.join(get_args(Padding))}"
        )
    return _mean_over_channels(_bin_distance, reference, restored, padding=padding)


def _bin_distance(reference: np.ndarray, restored: np.ndarray, padding: Padding) -> float:
    total, frames = np.zeros(N_FFT // 2 + 1), 0
    for spectra in _spectra(reference, restored, padding):
        difference = _log_power_difference(spectra)
        total += np.sum(difference**2, axis=0)
        frames += len(difference)
    return min(float(np.mean(np.sqrt(total / frames + 1e-8))), LSD_REFERENCE_LIMIT)


def gap_snr_db(
    reference: np.ndarray, restored: np.ndarray, gaps: Sequence[tuple[int, int]]
) -> float:
    """:func:`snr_db` over the samples inside ``gaps``, (start, stop) in samples, of all channels.

    A gap left silent has 0 dB. Raises :class:`UsageError` where no gap lies inside the signal.
    """
    reference, restored = checked_pair(reference, restored)
    inside = _inside(gaps, reference.shape[1])
    r, x = reference[:, inside], restored[:, inside]
    return ratio_db(np.sum(r**2), np.sum((r - x) ** 2))


def gap_lsd(reference: np.ndarray, restored: np.ndarray, gaps: Sequence[tuple[int, int]]) -> float:
    """Log-spectral distance in decades of power inside ``gaps``, per channel, then the mean.

    As :func:`lsd`, over the frames of a Hann window of 256 samples, 64 apart, whose centre lies
    inside a gap; of a gap that holds none, over the frame at its middle. A frame of 2048 would
    mostly see what is intact. Raises as :func:`gap_snr_db`.
    """
    reference, restored = checked_pair(reference, restored)
    samples = reference.shape[1]
    inside = _inside(gaps, samples)
    wanted = inside & (np.arange(samples) % _GAP_HOP == 0)
    for start, stop in gaps:
        if not wanted[start:stop].any() and start < stop:
            wanted[(start + stop) // 2] = True
    half = _GAP_FRAME // 2
    both = np.pad(np.stack((reference, restored)), ((0, 0), (0, 0), (half, half)))
    window = np.hanning(_GAP_FRAME + 1)[:-1]
    frames = sliding_window_view(both, _GAP_FRAME, axis=2)[:, :, :-1][:, :, wanted] * window
    difference = _log_power_difference(fft.rfft(frames)) / np.log(10)
    return float(np.sqrt(np.mean(difference**2, axis=-1)).mean())


def _inside(gaps: Sequence[tuple[int, int]], samples: int) -> np.ndarray:
    """Tell which samples lie in a gap: bool (T,); refuse gaps outside the signal, and none."""
    inside = np.zeros(samples, dtype=bool)
    for start, stop in gaps:
        if not 0 <= start <= stop <= samples:
            raise UsageError(f"gap [{start}, {stop}) is not inside a signal of {samples} samples")
        inside[start:stop] = True
    if not inside.any():
        raise UsageError("there is no gap to score")
    return inside


@dataclass(frozen=True)
class Metric:
    """A measure with what a table or a listing says about it."""

    name: str
    function: Callable[..., float]
    unit: str
    higher_is_better: bool
    definition: str


def _by_name(*metrics: Metric) -> dict[str, Metric]:
    return {metric.name: metric for metric in metrics}


# Measures of any pair: ``function(reference, restored)``.
METRICS = _by_name(
    Metric("snr_db", snr_db, "dB", True, "10 log10(sum r^2 / sum (r - x)^2), at most 100"),
    Metric(
        "si_sdr_db",
        si_sdr_db,
        "dB",
        True,
        "10 log10(|a r|^2 / |a r - x|^2), a = <x, r> / <r, r>, means removed, at most 100",
    ),
    Metric(
        "lsd",
        lsd,
        "log10 of power",
        False,
        "mean over frames of sqrt(mean over bins of (log10 P_r - log10 P_x)^2), "
        "P = |STFT|^2 + 1e-8, Hann 2048/512",
    ),
    Metric(
        "snr_reference_db",
        snr_reference_db,
        "dB",
        True,
        "20 log10(sqrt(mean r^2) / sqrt(mean((x - r)^2 + 1e-6)) + 1e-8), "
        "as published with the TFiLM U-Net",
    ),
    Metric(
        "lsd_reference",
        lsd_reference,
        "ln of power",
        False,
        "mean over bins of sqrt(mean over frames of ((ln P_r - ln P_x)^2 + 1e-8)), "
        "P = |STFT|^2 + 1e-8, Hann 2048/512, at most 10, as published with the TFiLM U-Net",
    ),
)

# Measures of a band: ``function(reference, restored, sample_rate, cutoff_hz)``.
BAND_METRICS = _by_name(
    Metric(
        "kept_band_snr_db",
        kept_band_snr_db,
        "dB",
        True,
        "10 log10(sum |R|^2 / sum |R - X|^2) over STFT bins below the cut-off, "
        "Hann 2048/512, at most 100",
    ),
    Metric(
        "lsd_above_cut",
        lsd_above_cut,
        "log10 of power",
        False,
        "lsd over the STFT bins at and above the cut-off",
    ),
)

# Measures of repaired gaps: ``function(reference, restored, gaps)``.
GAP_METRICS = _by_name(
    Metric(
        "gap_snr_db",
        gap_snr_db,
        "dB",
        True,
        "10 log10(sum r^2 / sum (r - x)^2) over the samples inside gaps, at most 100",
    ),
    Metric(
        "gap_lsd",
        gap_lsd,
        "log10 of power",
        False,
        "mean over the frames centred inside gaps of sqrt(mean over bins of "
        "(log10 P_r - log10 P_x)^2), P = |STFT|^2 + 1e-8, Hann 256/64",
    ),
)


def score(
    reference: np.ndarray,
    restored: np.ndarray,
    sample_rate: float | None = None,
    cutoff_hz: float | None = None,
) -> dict[str, float]:
    """Compute :data:`METRICS` by name, and with a ``cutoff_hz`` also :data:`BAND_METRICS`.

    Raises as the metrics do, and :class:`UsageError` for a cut-off without a sample rate.
    """
    scores = {name: metric.function(reference, restored) for name, metric in METRICS.items()}
    if cutoff_hz is not None:
        if sample_rate is None:
            raise UsageError("a cut-off in Hz needs the sample rate")
        for name, metric in BAND_METRICS.items():
            scores[name] = metric.function(reference, restored, sample_rate, cutoff_hz)
    return scores
