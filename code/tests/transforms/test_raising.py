import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shellac import chunking
from shellac.transforms import spline
from shellac.transforms.raising import Raised


@settings(deadline=None, max_examples=60)
@given(
    samples=st.integers(1, 700),
    factor=st.integers(2, 8),
    segment=st.integers(1, 900),
    context=st.integers(0, 300),
    align=st.integers(1, 64),
)
def test_blocks_of_any_layout_are_the_spline_of_the_whole(samples, factor, segment, context, align):
    low = np.random.default_rng(samples).standard_normal((2, samples)).astype(np.float32)
    last = -1

    def read(start, stop):
        nonlocal last
        assert last <= start <= stop <= samples
        last = start
        return low[:, start:stop]

    raised = Raised(read, samples, factor)
    layout = chunking.Layout(segment, context, min(segment, 20), align)
    blocks = chunking.process(raised.read, raised.samples, lambda block, _: block, layout)
    whole = spline.upsample(low, factor)
    assert np.concatenate(list(blocks), axis=1) == pytest.approx(whole, abs=2e-6)


def test_the_recording_s_own_samples_stay():
    low = np.random.default_rng(0).standard_normal((1, 500)).astype(np.float32)
    raised = Raised(lambda start, stop: low[:, start:stop], 500, 4)
    assert raised.read(0, 2000)[:, ::4] == pytest.approx(low, abs=1e-6)
    assert raised.read(996, 996).shape == (1, 0)
