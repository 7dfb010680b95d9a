"""What a restoration takes away that it should not, each measure with a written definition.

As in :mod:`.metrics`, the reference ``r`` comes first and the restored signal ``x`` second, (T,) or
(C, T) floats of equal shape, and every function returns one finite float. STFT frames have 2048
samples, hop 512, and a periodic Hann window. Raised is :class:`AudioError` where signals differ in
shape, are empty, or hold NaN or infinity.
"""

import numpy as np
from scipy import fft

from shellac.degradations import click_statistics
from shellac.metrics import HOP_LENGTH, N_FFT, checked_pair, ratio_db

_ONSET_FRAME, _ONSET_HOP = 512, 128
_ONSET_LOWEST_HZ = 200.0
_ONSET_RISE = 0.6  # nepers of power, mean over bins, above what is usual around
_ONSET_SECONDS = 0.05  # least distance between two
_TRANSIENT_SECONDS = 0.015
_LOST = 0.5
_AUDIBLE = 1e-4  # of the loudest frame's power: fainter onsets are nobody's loss
_LEAST_FRAMES = 4


def transients_lost(reference: np.ndarray, restored: np.ndarray, sample_rate: float) -> float:
    """Share in percent of the reference's onsets that come out at less than half their amplitude.

    Onsets are peaks of the mean rise of the log power over bins above 200 Hz (frames of 512, hop
    128). What is left of one is the projection <x, r> / <r, r> over the 15 ms from it, of the
    first differences of both, which weigh what is sharp. Noise that remains does not count as a
    transient that was kept. Mean over channels; no onset at all is 0.
    """
    reference, restored = checked_pair(reference, restored)
    shares = []
    for r, x in zip(reference, restored, strict=True):
        length = max(2, round(_TRANSIENT_SECONDS * sample_rate))
        starts = onsets(r, sample_rate)
        starts = starts[starts + length < len(r)]
        if not len(starts):
            shares.append(0.0)
            continue
        places = starts[:, None] + np.arange(length)
        sharp_r, sharp_x = (np.diff(signal)[places] for signal in (r, x))
        energy = np.sum(sharp_r**2, axis=1)
        kept = np.sum(sharp_r * sharp_x, axis=1) / np.maximum(energy, 1e-30)
        shares.append(100.0 * np.mean(kept < _LOST))
    return float(np.mean(shares))


def onsets(waveform: np.ndarray, sample_rate: float) -> np.ndarray:
    """Find where notes begin in (T,): samples in rising order."""
    if len(waveform) < _ONSET_FRAME + _LEAST_FRAMES * _ONSET_HOP:
        return np.zeros(0, np.int64)
    frames = np.lib.stride_tricks.sliding_window_view(waveform, _ONSET_FRAME)[::_ONSET_HOP]
    spectrum = fft.rfft(frames * np.hanning(_ONSET_FRAME + 1)[:-1])
    power = spectrum.real**2 + spectrum.imag**2
    total = power.sum(axis=1)
    lowest = int(np.ceil(_ONSET_LOWEST_HZ * _ONSET_FRAME / sample_rate))
    level = np.log(power[:, lowest:] + _AUDIBLE * total.max() / power.shape[1] + 1e-20)
    rise = np.maximum(level[2:] - level[:-2], 0.0).mean(axis=1)  # into frame i + 2
    least = round(_ONSET_SECONDS * sample_rate / _ONSET_HOP)
    around = np.lib.stride_tricks.sliding_window_view(
        np.pad(rise, least, mode="edge"), 2 * least + 1
    )
    peak = (rise >= around.max(axis=1)) & (rise > np.median(around, axis=1) + _ONSET_RISE)
    peak &= total[2:] > _AUDIBLE * total.max()
    # the frame into which the level rose holds the onset in its last hop or two
    return (np.flatnonzero(peak) + 2) * _ONSET_HOP + _ONSET_FRAME - 2 * _ONSET_HOP


def leakage_db(reference: np.ndarray, restored: np.ndarray, heard: np.ndarray) -> float:
    """Programme in the residual ``heard - restored``, in dB re the programme; -100 is none.

    In every STFT bin the residual is projected on the reference over all frames; the energy of
    the projections over that of the reference. Noise that is not of the programme projects too,
    by chance, with about its energy over the number of frames.
    """
    _, heard = checked_pair(reference, heard)
    reference, restored = checked_pair(reference, restored)
    leaked, present = 0.0, 0.0
    for r, residual in zip(reference, heard - restored, strict=True):
        spectra = _spectra(np.stack((r, residual)))
        power = np.sum(np.abs(spectra[0]) ** 2, axis=0)
        projection = np.sum(spectra[0].conj() * spectra[1], axis=0)
        leaked += float(np.sum(np.abs(projection) ** 2 / np.maximum(power, 1e-20)))
        present += float(power.sum())
    return -ratio_db(present, leaked)


def _spectra(signals: np.ndarray) -> np.ndarray:
    signals = np.pad(signals, ((0, 0), (0, max(0, N_FFT - signals.shape[1]))))
    frames = np.lib.stride_tricks.sliding_window_view(signals, N_FFT, axis=1)[:, ::HOP_LENGTH]
    return fft.rfft(frames * np.hanning(N_FFT + 1)[:-1])


def clicks_per_minute(waveform: np.ndarray, sample_rate: int) -> float:
    """Rate of the clicks that :func:`.click_statistics.detect` finds, mean over channels.

    The detector fires on sharp attacks of the music too: compare with the rate of the reference.
    """
    channels = np.atleast_2d(waveform)
    rates = [click_statistics.detect(channel, sample_rate).per_minute() for channel in channels]
    return float(np.mean(rates))
