"""Record noise of any length from short takes, and its mixture with music, as published."""

import numpy as np

from shellac.errors import AudioError

RPM = 78.0


def least_samples(sample_rate: int) -> int:
    """Length from which noise can be :func:`extended` under windows of 1 s.

    A revolution, half a window, and one sample.
    """
    return _revolution(sample_rate) + sample_rate // 2 + 1


def _revolution(sample_rate: int) -> int:
    return int(sample_rate * 60 / RPM)


def extended(
    noise: np.ndarray, samples: int, sample_rate: int, crossfade_samples: int | None = None
) -> np.ndarray:
    """Continue noise (T,) to ``samples`` by whole revolutions of a 78 rpm disc: (samples,) float64.

    Scratches return once per revolution, so the join is at a whole number of them. Pieces overlap
    under the halves of a symmetric Hann window of ``crossfade_samples`` (1 s where None). Longer
    noise is cut. Raises :class:`AudioError` where no revolution and overlap fit into the noise.
    """
    noise = np.asarray(noise, dtype=np.float64)
    if len(noise) >= samples:
        return noise[:samples]
    window = np.hanning(sample_rate if crossfade_samples is None else crossfade_samples)
    half = len(window) // 2
    rise, fall = window[:half], window[half : 2 * half]
    revolution = _revolution(sample_rate)
    turns, rest = divmod(len(noise), revolution)
    step = (turns if rest > half else turns - 1) * revolution
    if step < half:
        raise AudioError(
            f"{len(noise)} samples of noise are too few to be repeated: give at least"
            f" {revolution + half + 1}"
        )
    out = np.zeros(max(samples, step + half))
    out[:step] = noise[:step]
    out[step : step + half] = noise[step : step + half] * fall
    middle = np.concatenate(
        (noise[:half] * rise, noise[half:step], noise[step : step + half] * fall)
    )
    last = np.concatenate((noise[:half] * rise, noise[half:]))
    for start in range(step, samples, step):
        piece = last if start + len(last) >= samples else middle
        stop = min(samples, start + len(piece))
        out[start:stop] += piece[: stop - start]
        if piece is last:
            break
    return out[:samples]


def mixed(
    clean: np.ndarray, noise: np.ndarray, snr_db: float, scale_db: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return (noisy, clean), (T,) each: noise added at ``snr_db``, both scaled.

    The noise is divided by its peak and brought to the ratio of variances; the scale is
    10^(scale_db / 10) *in amplitude*, so that -6..4 is -12..8 dB. Silent noise adds nothing.
    """
    gain = 10 ** (scale_db / 10)
    peak = np.abs(noise).max(initial=0)
    if peak == 0:
        return gain * clean, gain * clean
    noise = noise / peak
    factor = np.sqrt(np.var(clean) / (10 ** (snr_db / 10) * max(np.var(noise), 1e-20)))
    return gain * (clean + factor * noise), gain * clean
