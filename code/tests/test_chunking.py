"""Chunked processing equals processing in one pass, for processors whose answer is known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shellac import chunking
from shellac.chunking import Layout

LENGTHS = st.integers(1, 5000)


@st.composite
def layouts(draw, least_context=0):
    segment = draw(st.integers(1, 1500))
    return Layout(
        segment,
        draw(st.integers(least_context, 300)),
        draw(st.integers(0, segment)),
        draw(st.integers(1, 97)),
    )


def run(waveform, function, layout):
    def read(start, stop):
        return waveform[:, start:stop]

    blocks = chunking.process(read, waveform.shape[1], lambda x, _: function(x), layout)
    return np.concatenate(list(blocks), axis=1)


@settings(max_examples=60, deadline=None)
@given(LENGTHS, layouts())
def test_plan_covers_every_sample_and_reads_forward(length, layout):
    chunks = chunking.plan(length, layout)
    assert chunks[0].keep_start == 0
    assert chunks[-1].keep_stop == length
    for before, after in zip(chunks, chunks[1:], strict=False):
        assert before.keep_stop - after.keep_start == layout.fade
        assert before.read_start <= after.read_start
    for chunk in chunks:
        assert chunk.read_start % layout.align == 0
        assert 0 <= chunk.read_start <= chunk.keep_start < chunk.keep_stop <= chunk.read_stop
        assert chunk.read_stop <= length


@settings(max_examples=60, deadline=None)
@given(LENGTHS, layouts())
def test_chunks_are_read_at_one_length(length, layout):
    (read,) = {chunk.read_stop - chunk.read_start for chunk in chunking.plan(length, layout)}
    most = layout.segment + layout.fade + 2 * layout.context
    assert read < most + 2 * layout.align
    if layout.fade + 2 * layout.align <= layout.segment:  # else one of them rules
        assert read <= most


@settings(max_examples=60, deadline=None)
@given(LENGTHS, layouts())
def test_no_more_is_read_than_so_many_chunks_need(length, layout):
    chunks = chunking.plan(length, layout)
    shorter = chunks[0].read_stop - layout.align
    room = shorter - layout.fade - 2 * layout.context
    step = room - room % layout.align
    if len(chunks) > 1 and step >= max(layout.fade, layout.align):
        assert shorter + (len(chunks) - 1) * step < length


@settings(max_examples=60, deadline=None)
@given(LENGTHS, layouts(), st.integers(1, 3))
def test_identity_returns_the_input(length, layout, channels):
    waveform = np.random.default_rng(length).standard_normal((channels, length)).astype(np.float32)
    assert np.allclose(run(waveform, lambda block: block, layout), waveform, atol=1e-6)


@settings(max_examples=60, deadline=None)
@given(LENGTHS, st.integers(0, 40), layouts(least_context=41))
def test_delay_and_fir_within_context_equal_one_pass(length, delay, layout):
    waveform = np.random.default_rng(length).standard_normal((1, length)).astype(np.float32)
    taps = np.random.default_rng(delay).standard_normal(delay + 1).astype(np.float32)

    def delayed(block):
        return np.pad(block, ((0, 0), (delay, 0)))[:, : block.shape[1]]

    def filtered(block):
        return np.convolve(block[0], taps)[None, : block.shape[1]]

    for function in (delayed, filtered):
        assert np.allclose(run(waveform, function, layout), function(waveform), atol=1e-4)


def test_a_processor_that_resamples_sees_the_same_phase():
    # every 7th sample held for seven: right only if all chunks start on the grid of 7
    waveform = np.random.default_rng(0).standard_normal((2, 3000)).astype(np.float32)

    def hold(block):
        return np.repeat(block[:, ::7], 7, axis=1)[:, : block.shape[1]]

    good = run(waveform, hold, Layout(segment=100, context=10, fade=5, align=7))
    assert np.allclose(good, hold(waveform), atol=1e-6)
    bad = run(waveform, hold, Layout(segment=100, context=10, fade=5, align=1))
    assert not np.allclose(bad, hold(waveform))


def test_too_little_context_shows():
    waveform = np.ones((1, 400), np.float32)

    def needs_past(block):
        return np.pad(block, ((0, 0), (20, 0)))[:, : block.shape[1]]

    assert not np.allclose(
        run(waveform, needs_past, Layout(segment=100, context=5)), needs_past(waveform)
    )


def test_fade_weights_sum_to_one():
    for length in (0, 1, 2, 441):
        rising = chunking.ramp(length)
        assert np.allclose(rising + rising[::-1], 1)


@pytest.mark.parametrize("sample_rate", [8000, 11025, 16000, 22050, 24000, 44100, 44099, 192000])
@pytest.mark.parametrize("network_rate", [16000, 22050, 44100])
@pytest.mark.parametrize("multiple", [1, 512, 1024])
def test_grid_meets_both_rates(sample_rate, network_rate, multiple):
    grid = chunking.aligned_to(sample_rate, network_rate, multiple)
    assert grid * network_rate % (sample_rate * multiple) == 0
    fractions = (step for step in (2, 3, 5, 7) if grid % step == 0)
    for step in fractions:  # no smaller grid would do
        assert (grid // step) * network_rate % (sample_rate * multiple) != 0


@pytest.mark.parametrize(
    "fields", [{"segment": 0}, {"segment": 5, "fade": 6}, {"segment": 5, "context": -1}]
)
def test_impossible_layouts_are_refused(fields):
    with pytest.raises(ValueError, match="layout|longer"):
        Layout(**fields)


def test_a_processor_that_changes_the_shape_is_refused():
    with pytest.raises(ValueError, match="turned shape"):
        run(np.zeros((1, 10), np.float32), lambda block: block[:, :-1], Layout(5))


def test_the_processor_learns_where_a_chunk_begins():
    waveform = np.random.default_rng(0).standard_normal((1, 5000))
    layout = Layout(700, context=90, fade=30, align=7)

    def function(block, place):
        assert np.array_equal(block, waveform[:, place : place + block.shape[1]])
        return block

    blocks = chunking.process(lambda a, b: waveform[:, a:b], 5000, function, layout)
    assert np.concatenate(list(blocks), axis=1) == pytest.approx(waveform)
