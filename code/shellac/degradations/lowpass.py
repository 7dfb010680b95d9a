"""Low-pass filters of five families, all without delay: what an old recorder let through.

Networks that learn one filter's edge fail on another's; training and tests therefore draw from
several families (Sulun and Davies, IEEE J. Sel. Topics Signal Process. 15, 2021).
"""

from collections.abc import Callable

import numpy as np
from scipy import fft, signal

from shellac.errors import UsageError

_ORDER = 8
_RIPPLE_DB = 0.05
_SINC_PERIODS = 16  # half the kernel's length, in periods of the cutoff
_PAD_SECONDS = 0.02
_CODEC_FRAME = 2048  # samples, of long blocks in common perceptual codecs
CODEC_HOP = _CODEC_FRAME // 2  # frames start at its multiples


def _recursive(x: np.ndarray, sos: np.ndarray, periods: int) -> np.ndarray:
    """Filter forwards and backwards; the ends are continued by odd reflection."""
    padding = min(periods, x.shape[-1] - 1)
    return signal.sosfiltfilt(sos, x, axis=-1, padlen=padding)


def _chebyshev(x: np.ndarray, sample_rate: int, cutoff_hz: float) -> np.ndarray:
    sos = signal.cheby1(_ORDER, _RIPPLE_DB, cutoff_hz, fs=sample_rate, output="sos")
    return _recursive(x, sos, int(3 * sample_rate / cutoff_hz) + 27)


def _butterworth(x: np.ndarray, sample_rate: int, cutoff_hz: float) -> np.ndarray:
    # two passes: each is to lose 1.5 dB at the cutoff; the tangent is the bilinear transform's
    wider = np.tan(np.pi * cutoff_hz / sample_rate) * (np.sqrt(2.0) - 1.0) ** (-1 / (2 * _ORDER))
    wider_hz = min(np.arctan(wider) / np.pi, 0.499) * sample_rate
    sos = signal.butter(_ORDER, wider_hz, fs=sample_rate, output="sos")
    return _recursive(x, sos, int(3 * sample_rate / cutoff_hz) + 27)


def _sinc(x: np.ndarray, sample_rate: int, cutoff_hz: float) -> np.ndarray:
    half = int(np.ceil(_SINC_PERIODS * sample_rate / cutoff_hz))
    kernel = signal.firwin(2 * half + 1, cutoff_hz, window="hamming", fs=sample_rate)
    return signal.oaconvolve(_continued(x, half), kernel[(None,) * (x.ndim - 1)], "valid", axes=-1)


def _brickwall(x: np.ndarray, sample_rate: int, cutoff_hz: float) -> np.ndarray:
    half = max(int(_PAD_SECONDS * sample_rate), int(_SINC_PERIODS * sample_rate / cutoff_hz))
    padded = _continued(x, half)
    n_fft = fft.next_fast_len(padded.shape[-1], real=True)
    spectrum = fft.rfft(padded, n_fft, axis=-1)
    spectrum[..., fft.rfftfreq(n_fft, 1.0 / sample_rate) > cutoff_hz] = 0.0
    return fft.irfft(spectrum, n_fft, axis=-1)[..., half : half + x.shape[-1]]


def _codec(x: np.ndarray, sample_rate: int, cutoff_hz: float) -> np.ndarray:
    """Zero the bins above the cutoff frame by frame, sine windows at analysis and synthesis."""
    hop = CODEC_HOP
    frames = -(-x.shape[-1] // hop) + 1
    ends = [(0, 0)] * (x.ndim - 1)
    padded = np.pad(_continued(x, hop), [*ends, (0, (frames + 1) * hop - x.shape[-1] - 2 * hop)])
    window = signal.windows.cosine(_CODEC_FRAME)
    removed = fft.rfftfreq(_CODEC_FRAME, 1.0 / sample_rate) > cutoff_hz
    out = np.zeros_like(padded)
    for start in range(0, frames * hop, hop):
        frame = slice(start, start + _CODEC_FRAME)
        spectrum = fft.rfft(padded[..., frame] * window, axis=-1)
        spectrum[..., removed] = 0.0
        out[..., frame] += fft.irfft(spectrum, _CODEC_FRAME, axis=-1) * window
    return out[..., hop : hop + x.shape[-1]]


def _continued(x: np.ndarray, count: int) -> np.ndarray:
    """Return ``x`` (..., T) with ``count`` samples of even reflection at both ends."""
    return np.pad(x, [(0, 0)] * (x.ndim - 1) + [(count, count)], mode="symmetric")


FAMILIES: dict[str, Callable[[np.ndarray, int, float], np.ndarray]] = {
    "chebyshev": _chebyshev,
    "butterworth": _butterworth,
    "sinc": _sinc,
    "brickwall": _brickwall,
    "codec": _codec,
}


def low_pass(x: np.ndarray, sample_rate: int, cutoff_hz: float, family: str = "sinc") -> np.ndarray:
    """Remove what lies above ``cutoff_hz``, with zero phase.

    Parameters
    ----------
    x : (..., T) array, any length from one sample
    sample_rate : int
        In Hz.
    cutoff_hz : float
        Edge of the passband (``chebyshev``, order 8, 0.05 dB of ripple per pass, the filter of
        ``scipy.signal.decimate``), or where the gain is -3 dB (``butterworth``, order 8), -6 dB
        (``sinc``, a Hamming window of 32 periods), or zero from there on (``brickwall``, over the
        whole signal; ``codec``, in frames of 2048 samples with sine windows at a hop of 1024, as a
        perceptual coder drops its upper bands: what a frame's edge spills remains).
        At or above half the rate nothing is to be removed and a copy returns.
    family : str

    Returns
    -------
    float32 (..., T)

    Raises
    ------
    UsageError
        If the cutoff is not positive or the family is unknown.
    """
    if family not in FAMILIES:
        raise UsageError(f"no low-pass family {family!r}: use one of {', '.join(FAMILIES)}")
    if not cutoff_hz > 0:
        raise UsageError(f"the cutoff must be above 0 Hz, not {cutoff_hz:g}")
    if cutoff_hz >= 0.499 * sample_rate or x.shape[-1] == 0:
        return np.array(x, np.float32)
    return FAMILIES[family](np.asarray(x, np.float64), sample_rate, cutoff_hz).astype(np.float32)
