"""Filling a missing upper band with copies of the one below it: extension without learning."""

import numpy as np
from scipy import signal

SLOPE_DB_PER_OCTAVE = -18.0
_FRAME_SECONDS = 0.128


def band_copy(x: np.ndarray, sample_rate: float, cutoff_hz: float) -> np.ndarray:
    """Replace what lies above ``cutoff_hz`` by the octave below it: (..., T) -> float32 (..., T).

    The octave is moved up by its own width again and again until Nyquist, each component 18 dB
    weaker per octave that it moved. Kept components are left alone. Works on an STFT (periodic
    Hann, the power of two nearest to 128 ms, hop a quarter); the copies have the phase of their
    source, turned from frame to frame as a shift in frequency demands. It gains much in
    log-spectral distance and loses signal-to-noise ratio, hence the two are reported together.
    Raises :class:`ValueError` for a cut-off that is not above 0, or no samples.
    """
    x = np.asarray(x, dtype=np.float64)
    if x.ndim == 0 or x.shape[-1] == 0 or not cutoff_hz > 0:
        raise ValueError(f"a band copy needs samples and a cut-off above 0, not {cutoff_hz} Hz")
    n_fft = 2 ** max(5, round(np.log2(_FRAME_SECONDS * sample_rate)))
    length = x.shape[-1]
    padded = np.zeros((*x.shape[:-1], max(length, n_fft)))
    padded[..., :length] = x
    overlap = {"nperseg": n_fft, "noverlap": n_fft - n_fft // 4}
    spectrum = signal.stft(padded, **overlap)[2]  # (..., F, N)
    edge = max(1, int(np.ceil(cutoff_hz * n_fft / sample_rate)))
    octave = edge - edge // 2
    target = np.arange(edge, n_fft // 2 + 1)
    source = edge // 2 + (target - edge) % octave
    octaves_moved = np.log2(target / np.maximum(source, 1))
    gain = 10 ** (SLOPE_DB_PER_OCTAVE / 20 * octaves_moved)
    turns = np.outer(target - source, np.arange(spectrum.shape[-1])) / 4
    moved = gain[:, np.newaxis] * np.exp(2j * np.pi * turns)
    spectrum[..., target, :] = spectrum[..., source, :] * moved
    return signal.istft(spectrum, **overlap)[1][..., :length].astype(np.float32)
