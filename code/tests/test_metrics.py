"""Metrics against values worked out by hand."""

import numpy as np
import pytest

from shellac import metrics
from shellac.errors import AudioError, UsageError
from shellac.metrics import (
    kept_band_snr_db,
    lsd,
    lsd_above_cut,
    lsd_reference,
    score,
    si_sdr_db,
    snr_db,
    snr_reference_db,
)

RATE = 16000
ALL = (*metrics.METRICS, *metrics.BAND_METRICS)


def evaluate(name, reference, restored):
    return score(reference, restored, RATE, 2000)[name]


def sine(frequency_hz, samples=RATE, amplitude=0.5):
    return amplitude * np.sin(2 * np.pi * frequency_hz * np.arange(samples) / RATE)


def test_snr_of_a_scaled_copy(rng):
    r = rng.standard_normal(5000)
    assert snr_db(r, 0.9 * r) == pytest.approx(20)
    assert snr_db(r, np.zeros(5000)) == pytest.approx(0)
    assert snr_db(r, 3 * r) == pytest.approx(-20 * np.log10(2))


def test_snr_counts_all_channels_together():
    r = np.stack((np.full(10, 3.0), np.full(10, 1.0)))
    x = np.stack((np.full(10, 3.0), np.full(10, 0.0)))
    assert snr_db(r, x) == pytest.approx(10)


def test_si_sdr_forgives_gain_polarity_and_offset(rng):
    r, noise = rng.standard_normal((2, 4000))
    want = si_sdr_db(r, r + 0.1 * noise)
    for gain in (5.0, 0.01, -1.0):
        assert si_sdr_db(r, gain * (r + 0.1 * noise) + 3) == pytest.approx(want, abs=1e-9)
    assert si_sdr_db(r, 0.5 * r) == 100


def test_si_sdr_of_an_orthogonal_error():
    r, error = sine(100), sine(300, amplitude=0.05)
    assert si_sdr_db(r, 7 * (r + error)) == pytest.approx(20, abs=1e-6)
    assert si_sdr_db(r, error) < -80


def test_si_sdr_is_the_mean_over_channels():
    r, error = sine(100), sine(300, amplitude=0.05)
    pair = si_sdr_db(np.stack((r, r)), np.stack((r + error, r + 10 * error)))
    assert pair == pytest.approx((20 + 0) / 2, abs=1e-6)


def test_lsd_of_ten_times_the_amplitude_is_two(rng):
    r = rng.standard_normal(RATE)
    assert lsd(r, 10 * r) == pytest.approx(2, abs=1e-6)
    assert lsd(10 * r, r) == pytest.approx(2, abs=1e-6)
    assert lsd_reference(r, 10 * r) == pytest.approx(2 * np.log(10), abs=1e-6)
    assert lsd_above_cut(r, 10 * r, RATE, 2000) == pytest.approx(2, abs=1e-6)


def test_lsd_of_silence_against_one_click_by_hand():
    r, silence = np.zeros(4096), np.zeros(4096)
    r[2048] = 1.0
    # One sample of height 1 seen by frame k has |STFT|^2 = w^2 in every bin, w the window there.
    places = 2048 + 1024 - 512 * np.arange(9)  # of the click in each of the frames
    window = np.where(
        (places >= 0) & (places < 2048), 0.5 - 0.5 * np.cos(2 * np.pi * places / 2048), 0
    )
    per_frame = np.log10((window**2 + 1e-8) / 1e-8)
    assert lsd(r, silence) == pytest.approx(per_frame.mean(), rel=1e-9)
    in_each_bin = np.sqrt(np.mean((per_frame * np.log(10)) ** 2 + 1e-8))
    assert in_each_bin > 10 and lsd_reference(r, silence) == 10
    quiet = 1e-3 * r
    in_each_bin = np.sqrt(np.mean(np.log((1e-6 * window**2 + 1e-8) / 1e-8) ** 2 + 1e-8))
    assert lsd_reference(quiet, silence) == pytest.approx(in_each_bin, rel=1e-9)


def test_the_two_distances_average_over_different_axes(rng):
    r = rng.standard_normal(20 * 512)
    x = r.copy()
    x[: len(r) // 2] *= 10  # half of the frames off by 2, the others by 0
    assert lsd(r, x) == pytest.approx(1, abs=0.15)
    assert lsd_reference(r, x) / np.log(10) == pytest.approx(np.sqrt(2), abs=0.15)


def test_reference_snr_has_its_floor():
    assert snr_reference_db(np.full(100, 0.1), np.full(100, 0.1)) == pytest.approx(40)
    assert snr_reference_db(np.zeros(100), np.zeros(100)) == pytest.approx(-160)
    r, x = np.full(1000, 0.5), np.full(1000, 0.4)
    assert snr_reference_db(r, x) == pytest.approx(20 * np.log10(0.5 / np.sqrt(0.01 + 1e-6)))


def test_reference_lsd_padding_matters_only_at_the_ends(rng):
    r, x = rng.standard_normal((2, 4096))
    assert lsd_reference(r, x, padding="zero") != lsd_reference(r, x)
    with pytest.raises(UsageError, match="padding"):
        lsd_reference(r, x, padding="wrap")


def test_kept_band_sees_errors_below_the_cut_alone():
    r = sine(500)
    above, below = sine(5000, amplitude=0.3), sine(700, amplitude=0.05)
    assert kept_band_snr_db(r, r + above, RATE, 2000) > 70
    assert kept_band_snr_db(r, r + below + above, RATE, 2000) == pytest.approx(20, abs=0.05)
    assert snr_db(r, r + above) < 5


def test_kept_band_of_white_errors_is_their_snr(rng):
    r, error = rng.standard_normal((2, 4 * RATE))
    assert kept_band_snr_db(r, r + 0.1 * error, RATE, 3000) == pytest.approx(20, abs=0.3)


def test_kept_band_adds_up_channels():
    r = np.stack((sine(500), np.zeros(RATE)))
    x = np.stack((sine(500), sine(700, amplitude=0.05)))
    assert kept_band_snr_db(r, x, RATE, 2000) == pytest.approx(20, abs=0.05)


def test_lsd_above_cut_sees_errors_above_the_cut_alone(rng):
    r = rng.standard_normal(RATE)
    spectrum = np.fft.rfft(r)
    above = np.fft.rfftfreq(RATE, 1 / RATE) > 4000
    louder_above = np.fft.irfft(np.where(above, 10, 1) * spectrum)
    louder_below = np.fft.irfft(np.where(above, 1, 10) * spectrum)
    assert lsd_above_cut(r, louder_above, RATE, 4200) == pytest.approx(2, abs=0.02)
    assert lsd_above_cut(r, louder_below, RATE, 4200) < 0.05


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("samples", [1, 100, 1024, 1025, 5000])
def test_every_metric_is_finite_for_silence_equality_and_short_signals(rng, name, samples):
    signals = rng.standard_normal(samples), np.zeros(samples), np.full(samples, 0.3)
    for r in signals:
        for x in signals:
            for pair in ((r, x), (np.stack((r, x)), np.stack((x, r)))):
                value = evaluate(name, *pair)
                assert isinstance(value, float) and np.isfinite(value)


@pytest.mark.parametrize("name", ALL)
def test_better_is_on_the_side_that_the_registry_says(rng, name):
    metric = {**metrics.METRICS, **metrics.BAND_METRICS}[name]
    r, noise = 0.1 * rng.standard_normal((2, 8000))
    worse, better, equal = (evaluate(name, r, r + level * noise) for level in (0.5, 0.1, 0))
    assert (equal > better > worse) if metric.higher_is_better else (equal < better < worse)
    assert metric.name == name and metric.unit and metric.definition


@pytest.mark.parametrize("name", ALL)
def test_channels_and_precision_do_not_matter_where_channels_are_alike(rng, name):
    r, x = rng.standard_normal((2, 6000)).astype(np.float32)
    mono = evaluate(name, r, x)
    assert evaluate(name, np.stack((r, r)), np.stack((x, x))) == pytest.approx(mono)
    assert evaluate(name, r.astype(np.float64), x) == pytest.approx(mono)


@pytest.mark.parametrize("name", metrics.METRICS)
def test_what_cannot_be_scored_is_refused(name):
    function = metrics.METRICS[name].function
    with pytest.raises(AudioError, match="differ in shape"):
        function(np.ones(5), np.ones(6))
    with pytest.raises(AudioError, match="cannot be scored"):
        function(np.ones((2, 0)), np.ones((2, 0)))
    with pytest.raises(AudioError, match="cannot be scored"):
        function(np.ones((1, 1, 5)), np.ones((1, 1, 5)))
    with pytest.raises(AudioError, match="NaN"):
        function(np.ones(5), np.array([1, 2, np.nan, 4, 5]))


def test_identical_signals_are_capped():
    r = sine(440)
    assert snr_db(r, r) == si_sdr_db(r, r) == kept_band_snr_db(r, r, RATE, 2000) == 100
    assert lsd(r, r) == 0


@pytest.mark.parametrize("cutoff_hz", [0, -5, 8000, 1e9, float("nan")])
def test_a_cut_outside_the_band_is_refused(cutoff_hz):
    for function in (kept_band_snr_db, lsd_above_cut):
        with pytest.raises(UsageError, match="cutoff"):
            function(np.ones(100), np.ones(100), RATE, cutoff_hz)


def test_score_gives_the_band_only_with_a_cut():
    r = sine(440)
    assert list(score(r, r)) == list(metrics.METRICS)
    assert list(score(r, r, RATE, 2000)) == list(ALL)
    with pytest.raises(UsageError, match="sample rate"):
        score(r, r, cutoff_hz=2000)


GAPS = [(1000, 1160), (5000, 5010)]


def test_inside_gaps_only_gaps_count():
    rng = np.random.default_rng(0)
    reference = rng.standard_normal((2, 8000))
    restored = reference + 10 * rng.standard_normal((2, 8000))
    for start, stop in GAPS:
        restored[:, start:stop] = 0.9 * reference[:, start:stop]
    assert metrics.gap_snr_db(reference, restored, GAPS) == pytest.approx(20)
    for start, stop in GAPS:
        restored[:, start:stop] = 0
    assert metrics.gap_snr_db(reference, restored, GAPS) == pytest.approx(0)


def test_log_spectral_distance_inside_gaps():
    reference = np.random.default_rng(0).standard_normal((2, 8000))
    assert metrics.gap_lsd(reference, 0.1 * reference, GAPS) == pytest.approx(2, abs=1e-3)
    restored = reference.copy()
    restored[:, 6000:7000] = 0  # further than half a frame from any gap
    assert metrics.gap_lsd(reference, restored, GAPS) == 0
    restored[:, slice(*GAPS[0])] = 0
    first = metrics.gap_lsd(reference, restored, GAPS[:1])
    assert first > 0.3
    frames = [metrics.gap_lsd(reference, restored, [(at, at + 1)]) for at in (1024, 1088, 1152)]
    assert first == pytest.approx(np.mean(frames))


@pytest.mark.parametrize("function", [m.function for m in metrics.GAP_METRICS.values()])
def test_gaps_to_be_scored_lie_inside(function):
    signal = np.ones(100)
    for gaps in ([], [(5, 5)], [(90, 101)], [(-1, 4)]):
        with pytest.raises(UsageError, match="gap"):
            function(signal, signal, gaps)
    assert np.isfinite(function(signal, signal, [(0, 1), (99, 100)]))
