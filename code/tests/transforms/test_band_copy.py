"""The band copy at a cut-off of its own; that of super-resolution is tested there."""

import numpy as np
import pytest

from shellac.transforms.band_copy import band_copy

RATE = 22050


def test_the_band_above_the_cut_is_filled_and_the_band_below_stays(rng):
    spectrum = np.fft.rfft(rng.standard_normal(4 * RATE))
    hz = np.fft.rfftfreq(4 * RATE, 1 / RATE)
    x = np.fft.irfft(spectrum * (hz < 3000), 4 * RATE)
    filled = band_copy(x, RATE, 3000.0)
    assert filled.shape == x.shape and filled.dtype == np.float32
    before, after = (np.abs(np.fft.rfft(each)) ** 2 for each in (x, filled))
    low, octave = hz < 2900, (hz > 3100) & (hz < 4400)
    np.testing.assert_allclose(after[low].sum(), before[low].sum(), rtol=0.01)
    fall_db = 10 * np.log10(after[octave].mean() / before[(hz > 1600) & (hz < 2900)].mean())
    assert -18 < fall_db < -9  # moved by its own width: 0.6 to 1 octave
    assert after[hz > 10_000].sum() > 0


@pytest.mark.parametrize(("samples", "cutoff_hz"), [(0, 3000.0), (100, 0.0), (100, -1.0)])
def test_nothing_and_no_cut_off_are_refused(samples, cutoff_hz):
    with pytest.raises(ValueError, match="needs samples and a cut-off"):
        band_copy(np.zeros(samples), RATE, cutoff_hz)
