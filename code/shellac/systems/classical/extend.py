"""A lost upper band filled by a copy of the octave below the cut: a baseline, no reconstruction.

The bins of every short-time spectrum are shifted up by a whole number of half octaves of the cut
and brought to a level that falls by 18 dB an octave from where the recording ends. Where that is,
its mean spectrum tells: the last steep fall to nothing.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from shellac.systems.classical.framing import Framing

FALL_DB_PER_OCTAVE = 18.0
LOWEST_HZ = 1500.0  # no cut is looked for below
FULL_BAND = 0.9  # of half the rate: a recording that reaches so far lacks nothing
DROP_DB, ENOUGH_DB = 20.0, 40.0  # from below the cut to above it: at least, and all that counts
_SIDE_OCTAVES = 1 / 6  # over which either side is averaged
_GAP_OCTAVES = 1 / 12  # between them: a filter's slope
_SHIFT_GRID = 4  # shifts by multiples of it keep the phase from frame to frame


@dataclass(frozen=True)
class Copy:
    """Where a recording's band ends, and by how much every bin of the copy is raised.

    ``cut`` and ``shift`` in bins; ``gain`` (F,) is 0 where nothing is added.
    """

    cut: int
    shift: int
    gain: np.ndarray

    def apply(self, spectrum: Tensor) -> Tensor:
        """Return the spectra (C, N, F) with the band above the cut filled."""
        gain = torch.from_numpy(self.gain.astype(np.float32)).to(spectrum.device)
        bins = torch.arange(len(self.gain), device=spectrum.device)
        source = bins
        for _ in range(len(self.gain) // self.shift + 1):  # fold down to the octave below the cut
            source = torch.where(source >= self.cut, source - self.shift, source)
        return spectrum + spectrum[..., source] * gain


def find(power: np.ndarray, framing: Framing, sample_rate: int) -> Copy | None:
    """Return the copy for a recording with frames of ``power`` (N, C, F), None for a full band."""
    if power.ndim < 3 or not power.any():
        return None
    mean = power.mean(axis=(0, 1), dtype=np.float64) + 1e-30
    bin_hz = sample_rate / framing.n_fft
    cut = _cut(mean, bin_hz, sample_rate)
    if cut is None:
        return None
    shift = max(_SHIFT_GRID, cut // 2 // _SHIFT_GRID * _SHIFT_GRID)
    bins = np.arange(len(mean))
    source = bins.copy()
    while (source >= cut).any():
        source = np.where(source >= cut, source - shift, source)
    side = max(1, round(cut * (1 - 2**-_SIDE_OCTAVES)))
    smooth = np.convolve(np.pad(mean, side // 2, mode="edge"), np.ones(side) / side, "same")
    smooth = smooth[side // 2 : side // 2 + len(mean)]
    end = mean[cut - side : cut].mean()
    wanted = end * 10 ** (-FALL_DB_PER_OCTAVE / 10 * np.log2(np.maximum(bins, 1) / cut))
    gain = np.where(bins >= cut, np.sqrt(wanted / smooth[source]), 0.0)
    return Copy(cut, shift, gain)


def _cut(mean: np.ndarray, bin_hz: float, sample_rate: int) -> int | None:
    """Return the bin at which the mean spectrum (F,) falls for good, None where it does not."""
    sums = np.concatenate([[0.0], np.cumsum(mean)])
    places = np.arange(int(LOWEST_HZ / bin_hz), int(FULL_BAND * sample_rate / 2 / bin_hz))
    places = places[places > 1]
    if not len(places):
        return None
    low = (places * 2 ** -(_SIDE_OCTAVES + _GAP_OCTAVES)).astype(int)
    below = (sums[places] - sums[low]) / np.maximum(1, places - low)
    loudest_above = np.maximum.accumulate(mean[::-1])[::-1]
    first = np.minimum(len(mean) - 1, (places * 2**_GAP_OCTAVES).astype(int) + 1)
    drop_db = 10 * np.log10(np.maximum(below, 1e-30) / loudest_above[first])
    drop_db = np.minimum(drop_db, ENOUGH_DB)  # how deep silence is tells nothing
    if drop_db.max() < DROP_DB:
        return None
    return int(places[np.argmax(drop_db >= 0.9 * drop_db.max())])
