import numpy as np
import pytest

from shellac.errors import DataError
from shellac.intervals import Interval, bootstrap_difference, bootstrap_mean, separable


def generator():
    return np.random.default_rng(11)


def test_a_normal_sample_has_the_normal_interval(rng):
    values = rng.normal(5, 2, 400)
    mean, low, high = bootstrap_mean(values, rng=generator(), resamples=4000)
    assert mean == pytest.approx(values.mean())
    half = 1.96 * values.std() / np.sqrt(400)
    assert low == pytest.approx(mean - half, abs=0.02)
    assert high == pytest.approx(mean + half, abs=0.02)


def test_the_interval_covers_the_truth_as_often_as_it_says(rng):
    covered = [
        not bootstrap_mean(rng.normal(1, 1, 60), rng=rng, confidence=0.8, resamples=200).excludes(1)
        for _ in range(400)
    ]
    assert 0.74 < np.mean(covered) < 0.84


def test_all_resamples_of_two_values_are_their_three_means():
    mean, low, high = bootstrap_mean([0.0, 1.0], rng=generator())
    assert (mean, low, high) == (0.5, 0.0, 1.0)


def test_the_generator_decides():
    values = np.arange(20.0) ** 2
    first, again = (bootstrap_mean(values, rng=generator()) for _ in range(2))
    assert first == again
    assert bootstrap_mean(values, rng=np.random.default_rng(12)) != first


def test_more_confidence_is_wider(rng):
    values = rng.standard_normal(30)
    narrow = bootstrap_mean(values, rng=generator(), confidence=0.5)
    wide = bootstrap_mean(values, rng=generator(), confidence=0.99)
    assert wide.low < narrow.low < narrow.mean < narrow.high < wide.high


def test_many_values_are_drawn_in_blocks(monkeypatch):
    monkeypatch.setattr("shellac.intervals._DRAWS_PER_BLOCK", 70)
    means = bootstrap_mean(np.full(20, 3.0), rng=generator(), resamples=100)
    assert means == (3.0, 3.0, 3.0)


def test_one_track_has_a_mean_without_bounds_and_separates_from_nothing():
    one = bootstrap_mean([2.5], rng=generator())
    assert one == Interval(2.5, None, None)
    assert not one.excludes(1000)
    assert not separable(one, Interval(100, 99, 101)) and not separable(Interval(0, 0, 0), one)


def test_separable_means_no_overlap_either_way():
    low, middle, high = Interval(1, 0, 2), Interval(2, 2, 3), Interval(4, 3.5, 5)
    assert separable(low, high) and separable(high, low)
    assert not separable(low, middle) and not separable(middle, low)


def test_pairs_tell_apart_what_single_intervals_cannot(rng):
    tracks = rng.normal(10, 8, 30)
    better = tracks + rng.normal(0.5, 0.2, 30)
    own = [bootstrap_mean(values, rng=generator()) for values in (better, tracks)]
    assert not separable(*own)
    difference = bootstrap_difference(better, tracks, rng=generator())
    assert difference.mean == pytest.approx((better - tracks).mean())
    assert difference.excludes(0) and difference.low < difference.mean < difference.high


@pytest.mark.parametrize("values", [[], [1.0, np.nan], [np.inf], [[1.0, 2.0]]])
def test_no_values_or_impossible_ones_are_refused(values):
    with pytest.raises(DataError):
        bootstrap_mean(values, rng=generator())


def test_bad_settings_and_unpaired_lists_are_refused():
    with pytest.raises(ValueError, match="confidence"):
        bootstrap_mean([1.0, 2.0], rng=generator(), confidence=1)
    with pytest.raises(ValueError, match="resamples"):
        bootstrap_mean([1.0, 2.0], rng=generator(), resamples=0)
    with pytest.raises(DataError, match="pairs"):
        bootstrap_difference([1.0, 2.0], [1.0], rng=generator())
