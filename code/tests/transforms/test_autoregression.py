import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal
from shared_audio import require
from sounds import tone

from shellac.transforms.autoregression import coefficients, context, interpolate
from shellac.transforms.resampling import resample


def snr_db(whole, restored, gaps):
    inside = np.zeros(whole.shape[-1], bool)
    for start, stop in gaps:
        inside[start:stop] = True
    return 10 * np.log10(
        np.sum(whole[..., inside] ** 2) / np.sum((whole - restored)[..., inside] ** 2)
    )


def cut(whole, gaps):
    damaged = whole.copy()
    for start, stop in gaps:
        damaged[..., start:stop] = np.nan  # nothing of it may be looked at
    return damaged


def test_the_model_of_a_resonance_is_found():
    filter_ = np.poly(0.98 * np.exp([0.5j, -0.5j])).real
    noise = np.random.default_rng(0).standard_normal(100_000)
    assert np.allclose(coefficients(signal.lfilter([1.0], filter_, noise), 2), filter_, atol=0.01)


def test_sines_are_continued_through_a_gap():
    time = np.arange(16000) / 16000
    whole = sum(np.sin(2 * np.pi * pitch * time + pitch) for pitch in (220, 554.4, 1318.5))
    gaps = [(8000, 8320), (4000, 4032)]
    assert snr_db(whole, interpolate(cut(whole, gaps), gaps), gaps) > 30


def test_more_iterations_do_better_than_one():
    whole = tone(3.0, 16000).astype(np.float64)[0]
    gaps = [(start, start + 32) for start in range(9000, 40000, 2000)]
    scores = [snr_db(whole, interpolate(cut(whole, gaps), gaps, 512, n), gaps) for n in (1, 4)]
    assert scores[1] > scores[0] + 1 > 3


def test_gaps_close_together_are_solved_together():
    time = np.arange(8000) / 16000
    whole = np.sin(2 * np.pi * 440 * time)
    gaps = [(4000 + 24 * i, 4012 + 24 * i) for i in range(8)]
    together = interpolate(cut(whole, gaps), gaps, 64, 2)
    assert snr_db(whole, together, gaps) > 30


def test_dense_clicks_beyond_one_group_are_filled():
    whole = tone(2.0, 16000)[0].astype(np.float64)
    gaps = [(start, start + 8) for start in range(3000, 29000, 100)]  # 2080 samples
    assert snr_db(whole, interpolate(cut(whole, gaps), gaps, 128, 3), gaps) > 15


def test_equations_are_those_of_least_squares():
    whole = tone(0.3, 16000, seed=1)[0].astype(np.float64)
    gaps = [(2000, 2030), (2040, 2050)]
    order = 20
    found = interpolate(cut(whole, gaps), gaps, order, 1)
    silent = np.nan_to_num(cut(whole, gaps))
    reach = 6 * order
    filter_ = coefficients(silent[2000 - reach : 2050 + reach], order)
    errors = signal.convolve2d(np.eye(len(whole)), filter_[:, None])  # e = errors @ x
    missing = np.r_[2000:2030, 2040:2050]
    wanted = np.linalg.lstsq(errors[:, missing], -errors @ silent, rcond=None)[0]
    assert np.allclose(found[missing], wanted, atol=1e-6)


@settings(max_examples=40, deadline=None)
@given(
    samples=st.integers(1, 300),
    edges=st.lists(st.tuples(st.integers(0, 300), st.integers(0, 300)), max_size=4),
    channels=st.integers(1, 2),
    kind=st.sampled_from(["noise", "silence", "constant", "sine", "impulse"]),
    order=st.integers(1, 40),
    dtype=st.sampled_from([np.float32, np.float64]),
)
def test_any_gaps_of_any_signal(samples, edges, channels, kind, order, dtype):
    whole = {
        "noise": np.random.default_rng(0).standard_normal((channels, samples)),
        "silence": np.zeros((channels, samples)),
        "constant": np.ones((channels, samples)),
        "sine": np.sin(0.1 * np.arange(samples))[None].repeat(channels, 0),
        "impulse": np.eye(channels, samples),
    }[kind].astype(dtype)
    gaps = [(min(a, b, samples), min(max(a, b), samples)) for a, b in edges]
    found = interpolate(cut(whole, gaps), gaps, order)
    assert found.shape == whole.shape
    assert found.dtype == dtype
    assert np.isfinite(found).all()
    assert np.abs(found).max() <= 20 * max(np.abs(whole).max(), 1e-9)
    inside = np.isnan(cut(whole, gaps))
    assert np.array_equal(found[~inside], whole[~inside])


@pytest.mark.parametrize(
    ("gap", "order", "iterations"),
    [((5, 101), 8, 1), ((-1, 3), 8, 1), ((9, 8), 8, 1), ((5, 9), 0, 1), ((5, 9), 8, 0)],
)
def test_what_cannot_be_done_is_refused(gap, order, iterations):
    with pytest.raises(ValueError, match="gap|order"):
        interpolate(np.zeros(100), [gap], order, iterations)


def test_what_lies_beyond_the_context_does_not_matter():
    whole = tone(1.0, 16000)[0].astype(np.float64)
    other = whole.copy()
    start, stop, reach = 8000, 8100, context(128)
    other[: start - reach] = 0
    other[stop + reach :] = 0
    found = [interpolate(x, [(start, stop)], 128)[start:stop] for x in (whole, other)]
    assert np.array_equal(*found)


@pytest.mark.parametrize(("gap_ms", "least_db"), [(2, 11.0), (20, 6.5), (50, 4.5)])
def test_real_piano(gap_ms, least_db):
    whole, rate = soundfile.read(require() / "piano" / "NC_pistachio_ragtime.flac", always_2d=True)
    whole = resample(whole.T[:1, : 8 * rate].astype(np.float32), rate, 16000)[0]
    length = 16 * gap_ms
    gaps = [(at, at + length) for at in range(8000, len(whole) - 8000, 8000)]
    assert snr_db(whole, interpolate(cut(whole, gaps), gaps), gaps) > least_db
