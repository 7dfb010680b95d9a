"""Gaps: inside, apart, of the durations asked for, and silent."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shellac.degradations.gaps import cut_gaps, draw_gaps
from shellac.errors import UsageError


@settings(max_examples=60, deadline=None)
@given(
    samples=st.one_of(st.integers(0, 40), st.integers(0, 60000)),
    sample_rate=st.sampled_from([8000, 16000, 44100, 192000]),
    shortest=st.floats(0.05, 20),
    span=st.floats(1, 3),
    per_second=st.floats(0.1, 14),
    seed=st.integers(0, 2**32),
)
def test_gaps_lie_inside_in_order_and_apart(samples, sample_rate, shortest, span, per_second, seed):
    rng = np.random.default_rng(seed)
    gaps = draw_gaps(samples, sample_rate, rng, (shortest, shortest * span), per_second)
    last = 0
    for start, stop in gaps:
        assert last < start < stop < samples
        assert stop - start <= max(1, shortest * span * sample_rate / 1000 + 1)
        last = stop
    if samples >= 3:
        assert len(gaps) >= 1


def test_number_and_durations_are_those_asked_for():
    gaps = draw_gaps(60 * 16000, 16000, np.random.default_rng(0), (10.0, 30.0), 3.0)
    length_ms = np.array([stop - start for start, stop in gaps]) / 16
    assert len(gaps) == 180
    assert length_ms.min() >= 9.9
    assert length_ms.max() <= 30.1
    assert length_ms.mean() == pytest.approx(20, abs=2)


def test_only_gaps_are_silenced(rng):
    x = rng.standard_normal((2, 32000)).astype(np.float32)
    gaps = draw_gaps(32000, 16000, rng)
    y = cut_gaps(x, gaps)
    inside = np.zeros(32000, bool)
    for start, stop in gaps:
        inside[start:stop] = True
    assert (y[:, inside] == 0).all()
    assert np.array_equal(y[:, ~inside], x[:, ~inside])


def test_wrong_use_is_named(rng):
    with pytest.raises(UsageError, match="positive"):
        draw_gaps(1000, 16000, rng, (30.0, 10.0))
    with pytest.raises(UsageError, match="no sound"):
        draw_gaps(1000, 16000, rng, (10.0, 600.0), 2.0)
