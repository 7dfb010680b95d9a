import numpy as np
import pytest
from scipy import interpolate

from shellac.degradations import lowpass
from shellac.systems.superres.preparation import (
    band_copy,
    decimate,
    decimate_legacy,
    degrade,
    low_rate,
    patches,
    prepare,
    windows,
)


@pytest.mark.parametrize("samples", [1, 2, 5, 27, 28])
def test_short_signals_are_extended_by_what_they_have(samples):
    for function in (decimate, decimate_legacy, low_rate, degrade):
        out = function(np.linspace(0.1, 0.5, samples), 4)
        assert len(out) == (samples if function is degrade else -(-samples // 4))
        assert np.isfinite(out).all()


def test_the_legacy_filter_is_float32_and_off_by_what_was_measured(rng):
    x = (0.1 * rng.standard_normal(20000)).astype(np.float32)
    exact, legacy = decimate(x, 4), decimate_legacy(x, 4)
    assert legacy.dtype == np.float32
    assert 5e-4 < np.linalg.norm(legacy - exact) / np.linalg.norm(exact) < 4e-3


def test_without_low_pass_samples_are_only_dropped(rng):
    x = rng.standard_normal(101)
    np.testing.assert_array_equal(low_rate(x, 4, low_pass=False), x[::4])


@pytest.mark.parametrize("low_pass", [True, False])
def test_degrade_is_the_spline_through_the_low_rate_at_the_old_length(rng, low_pass):
    x = rng.standard_normal(1003).astype(np.float32)
    low = low_rate(x, 4, low_pass)
    spline = interpolate.splrep(np.arange(len(low)) * 4, low)
    got = degrade(x, 4, low_pass)
    assert got.dtype == np.float32 and got.shape == x.shape
    np.testing.assert_allclose(got, interpolate.splev(np.arange(1003), spline), atol=1e-5)


@pytest.mark.parametrize("scale", [-1, 0, 1, 2.5])
def test_scales_that_are_none_are_refused(scale):
    for function in (decimate, decimate_legacy, low_rate, degrade):
        with pytest.raises(ValueError, match="scale"):
            function(np.ones(100), scale)
    with pytest.raises(ValueError, match="no samples"):
        decimate(np.empty(0), 4)


@pytest.mark.parametrize("family", ["butterworth", "sinc", "codec"])
def test_other_filters_remove_the_band_and_are_decimated_alike(rng, family):
    x = (0.1 * rng.standard_normal(32000)).astype(np.float32)
    got = degrade(x, 4, family=family)
    filtered = lowpass.low_pass(x, 16000, 0.8 * 2000, family)
    spline = degrade(filtered, 4, low_pass=False)
    assert got.shape == x.shape and got.dtype == np.float32
    np.testing.assert_allclose(got, spline, atol=1e-5)
    assert power_in(got - x, 0, 0.15) < 0.02 * power_in(x, 0, 0.15)
    assert power_in(got, 0.3, 1) < 0.05 * power_in(x, 0.3, 1)
    assert np.abs(got - degrade(x, 4)).max() > 1e-3


def test_the_edge_moves_what_is_kept(rng):
    x = 0.1 * rng.standard_normal(32000)
    for family in ("chebyshev", "sinc"):
        low, high = (degrade(x, 4, family=family, edge=edge) for edge in (0.6, 0.95))
        assert power_in(low, 0.18, 0.22) < 0.1 * power_in(high, 0.18, 0.22)
    published = degrade(x, 4)
    nearly = degrade(x, 4, family="chebyshev", edge=0.8 + 1e-9)
    np.testing.assert_allclose(nearly[400:-400], published[400:-400], atol=1e-5)


def test_patches_are_views_at_the_same_places():
    label = np.arange(100, dtype=np.float32)
    data = -label
    cut, wanted = patches(data, label, 30, 20)
    assert cut.shape == wanted.shape == (4, 30, 1)
    np.testing.assert_array_equal(cut[2, :, 0], data[40:70])
    np.testing.assert_array_equal(wanted[3, :, 0], label[60:90])
    assert np.shares_memory(cut, data) and np.shares_memory(wanted, label)
    assert not cut.flags.writeable


def test_patches_fit_to_the_last_sample_and_are_cut_to_whole_batches():
    x = np.arange(90.0)
    assert len(patches(x, x, 30, 20)[0]) == 4
    assert len(patches(x[:-1], x[:-1], 30, 20)[0]) == 3
    assert len(patches(x, x, 30, 20, batch=3)[0]) == 3
    assert patches(x, x, 30, 20, batch=128)[0].shape == (0, 30, 1)
    assert patches(x[:29], x[:29], 30, 20)[1].shape == (0, 30, 1)


@pytest.mark.parametrize("stride", [3, 8, 20])
@pytest.mark.parametrize("blocks", [[100], [5, 1, 94], 10 * [10], [0, 33, 0, 67]])
def test_windows_of_blocks_are_the_patches_of_the_whole(stride, blocks):
    x = np.arange(100.0), -np.arange(100.0)
    ends = np.cumsum(blocks)
    parts = [tuple(y[end - n : end] for y in x) for n, end in zip(blocks, ends, strict=True)]
    rows = {}
    for number, both in windows(parts, 8, stride):
        for i, pair in enumerate(zip(*both, strict=True), start=number):
            assert i not in rows
            rows[i] = pair
    for place, want in enumerate(patches(*x, 8, stride)):
        got = np.array([rows[i][place] for i in sorted(rows)])
        assert np.array_equal(got, want[..., 0])


def test_patches_refuse_unlike_signals_and_numbers():
    with pytest.raises(ValueError, match="two"):
        patches(np.ones(5), np.ones(6), 2, 1)
    for numbers in ((0, 1, 1), (2, 0, 1), (2, 1, 0)):
        with pytest.raises(ValueError, match="1 or more"):
            patches(np.ones(5), np.ones(5), *numbers)


def test_prepare_crops_filters_the_whole_file_and_cuts(rng):
    x = rng.standard_normal(1003).astype(np.float32)
    data, label = prepare(x, 4, 256, 128, batch=2)
    assert data.shape == label.shape == (6, 256, 1) and data.dtype == label.dtype == np.float32
    np.testing.assert_array_equal(data[1, :, 0], degrade(x[:1000], 4)[128:384])
    np.testing.assert_array_equal(label[1, :, 0], x[128:384])
    assert prepare(x[:3], 4, 256, 128)[0].shape == (0, 256, 1)


def power_in(x, low, high):
    """Power between two places of the Nyquist rate."""
    spectrum = np.abs(np.fft.rfft(x * np.hanning(len(x)))) ** 2
    places = np.linspace(0, 1, len(spectrum))
    return spectrum[(places >= low) & (places < high)].sum()


def test_band_copy_fills_up_to_nyquist_and_keeps_what_was_there(rng):
    x = degrade(0.1 * rng.standard_normal(32000), 4)
    filled = band_copy(x, 16000, 4)
    assert filled.dtype == np.float32 and filled.shape == x.shape
    assert power_in(filled - x, 0, 0.19) < 1e-4 * power_in(x, 0, 0.19)
    for low in (0.35, 0.55, 0.75, 0.9):
        assert power_in(x, low, low + 0.1) < 0.1 * power_in(filled, low, low + 0.1)


@pytest.mark.parametrize("sample_rate", [8000, 16000, 44100])
def test_band_copy_moves_a_sine_and_weakens_it_by_18_db_per_octave(sample_rate):
    n_fft = 2 ** round(np.log2(0.128 * sample_rate))
    edge = int(np.ceil(0.1 * n_fft))  # 0.8 / 4 of Nyquist, in bins
    bin_ = edge * 3 // 4
    moved = bin_ + (edge - edge // 2)
    n = np.arange(16 * n_fft)
    out = band_copy(np.cos(2 * np.pi * bin_ / n_fft * n), sample_rate, 4).astype(np.float64)
    middle = slice(4 * n_fft, 12 * n_fft)

    def level(k):
        return 2 * abs(np.mean(out[middle] * np.exp(-2j * np.pi * k / n_fft * n[middle])))

    assert level(bin_) == pytest.approx(1, abs=1e-3)
    loss_db = 18 * np.log2(moved / bin_)
    assert 20 * np.log10(level(moved)) == pytest.approx(-loss_db, abs=0.5)


@pytest.mark.parametrize("samples", [1, 100, 2047, 2049, 5001])
def test_band_copy_keeps_any_length_and_channels(rng, samples):
    x = rng.standard_normal((2, samples))
    both = band_copy(x, 16000, 4)
    assert both.shape == x.shape and np.isfinite(both).all()
    np.testing.assert_allclose(both[1], band_copy(x[1], 16000, 4), atol=1e-6)
    assert not band_copy(np.zeros(samples), 16000, 2).any()
