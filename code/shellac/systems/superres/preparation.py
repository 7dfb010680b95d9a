"""What super-resolution does to a recording before its network: low rate, spline, patches.

Follows olvrhhn/audio_super_resolution, ``prep_dataset.py``, except that signals of any length are
taken (the published code first crops to a multiple of the scale: :func:`prepare` does) and that
the filter is exact: :func:`decimate_legacy` is what the authors had. Signals are (..., T).
"""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy import signal

from shellac.degradations import lowpass as filters
from shellac.transforms import decimation, spline
from shellac.transforms.band_copy import band_copy as copied_band
from shellac.transforms.decimation import check, decimate


def decimate_legacy(x: np.ndarray, scale: int) -> np.ndarray:
    """Decimate as the authors' SciPy 1.6.3 did: (..., T) -> float32 (..., ceil(T / scale)).

    The same filter as one transfer function with float32 coefficients in float32 arithmetic,
    about 2e-3 of the signal away from the exact one. Only for reproducing published examples.
    Raises as :func:`decimate`.
    """
    x = np.asarray(x, dtype=np.float32)
    check(x, scale)
    edge = decimation.EDGE / scale
    numerator, denominator = signal.cheby1(decimation.ORDER, decimation.RIPPLE_DB, edge)
    padding = min(decimation.EDGE_SAMPLES, x.shape[-1] - 1)
    filtered = signal.filtfilt(
        numerator.astype(np.float32), denominator.astype(np.float32), x, padlen=padding
    )
    return np.ascontiguousarray(filtered[..., ::scale], dtype=np.float32)


def low_rate(
    x: np.ndarray,
    scale: int,
    low_pass: bool = True,
    *,
    family: str = "chebyshev",
    edge: float = decimation.EDGE,
) -> np.ndarray:
    """Bring a signal to 1 / ``scale`` of its rate: (..., T) -> float64 (..., ceil(T / scale)).

    ``family`` (of :mod:`shellac.degradations.lowpass`) and ``edge`` (of the new Nyquist rate) are
    those of the filter; the defaults are the published ones, filtered as :func:`decimate` does.
    After the filter every ``scale``-th sample is kept whatever the family: one that has not
    fallen far at the new Nyquist rate (Butterworth: about -24 dB) folds what it let through, as
    a converter with such a filter does. Without ``low_pass`` samples are only dropped, so that
    the upper band folds into the lower. Raises as :func:`decimate`, and :class:`UsageError` for
    an unknown family or an edge of 0 or below.
    """
    if low_pass and (family, edge) == ("chebyshev", decimation.EDGE):
        return decimate(x, scale)
    x = np.asarray(x, dtype=np.float64)
    check(x, scale)
    if low_pass:  # with a rate of 2 the Nyquist rate is 1, and edges need no unit
        x = filters.low_pass(x, 2, edge / scale, family).astype(np.float64)
    return np.ascontiguousarray(x[..., ::scale])


def degrade(
    x: np.ndarray,
    scale: int,
    low_pass: bool = True,
    *,
    family: str = "chebyshev",
    edge: float = decimation.EDGE,
) -> np.ndarray:
    """Lower the rate and return to it with a cubic spline: (..., T) -> float32 (..., T).

    This is the network's input and the baseline that it has to beat. Arguments and errors as
    :func:`low_rate`.
    """
    x = np.asarray(x)
    low = low_rate(x, scale, low_pass, family=family, edge=edge)
    return spline.upsample(low, scale, x.shape[-1], np.float32)


def patch_count(samples: int, dimension: int, stride: int) -> int:
    """How many patches start at 0, stride, 2 * stride ... and end within ``samples``."""
    return max(0, (samples - dimension) // stride + 1)


def windows(
    blocks: Iterable[Sequence[np.ndarray]], dimension: int, stride: int
) -> Iterator[tuple[int, list[list[np.ndarray]]]]:
    """Cut signals that come block by block, (n,) each, as :func:`patches` cuts whole ones.

    Yields the number of a patch and, signal by signal, the patches from there on that are whole:
    views (dimension,).
    """
    held, start, number = None, 0, 0  # the samples at hand, the place of the first, the next patch
    for block in blocks:
        held = (
            block
            if held is None
            else [np.concatenate(parts) for parts in zip(held, block, strict=True)]
        )
        samples = len(held[0])
        ready = patch_count(start + samples - number * stride, dimension, stride)
        places = [(number + i) * stride - start for i in range(ready)]
        if places:
            yield number, [[signal[i : i + dimension] for i in places] for signal in held]
        number += ready
        done = min(number * stride - start, samples)
        held, start = [signal[done:].copy() for signal in held], start + done


def patches(
    data: np.ndarray, label: np.ndarray, dimension: int, stride: int, batch: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    """Cut two signals of T samples into patches at the same places: views (P, dimension, 1).

    Patches start at 0, stride, 2 * stride ... as long as they fit; P is cut down to a multiple of
    ``batch`` (the published code uses 128; 1 keeps all). A signal shorter than ``dimension``
    gives none. The views are read-only and share the signals' memory. Raises
    :class:`ValueError` where the signals are not of one length, or a number is not positive.
    """
    if data.ndim != 1 or data.shape != label.shape:
        raise ValueError(f"data {data.shape} and label {label.shape} must be two (T,) signals")
    if min(dimension, stride, batch) < 1:
        raise ValueError(f"dimension {dimension}, stride {stride}, batch {batch}: 1 or more each")
    count = patch_count(len(data), dimension, stride) // batch * batch
    if not count:
        empty = np.empty((0, dimension, 1), dtype=data.dtype)
        return empty, empty.astype(label.dtype)
    cut = [
        sliding_window_view(x, dimension)[::stride][:count, :, np.newaxis] for x in (data, label)
    ]
    return cut[0], cut[1]


def prepare(
    x: np.ndarray,
    scale: int,
    dimension: int,
    stride: int,
    *,
    low_pass: bool = True,
    batch: int = 1,
) -> tuple[np.ndarray, np.ndarray]:
    """Make the fragments of one file: (T,) -> data, label, both float32 (P, dimension, 1).

    The published preparation: the tail is cropped to a multiple of ``scale``, the whole file is
    degraded, then both are cut into :func:`patches`. A file shorter than ``scale`` gives none.
    Raises as :func:`decimate` and :func:`patches`.
    """
    label = np.asarray(x, dtype=np.float32)
    label = label[: len(label) // scale * scale]
    data = degrade(label, scale, low_pass) if len(label) else label
    return patches(data, label, dimension, stride, batch)


def band_copy(upsampled: np.ndarray, sample_rate: float, scale: int) -> np.ndarray:
    """Fill the missing band with copies of the one below it: (..., T) -> float32 (..., T).

    The baseline without any learning, :func:`shellac.transforms.band_copy.band_copy` above the
    low-pass edge, ``0.8 / scale`` of the Nyquist rate. Raises :class:`ValueError` for a scale
    below 2 or no samples.
    """
    check(np.asarray(upsampled), scale)
    edge_hz = decimation.EDGE / scale * sample_rate / 2
    return copied_band(upsampled, sample_rate, edge_hz)
