import numpy as np
import pytest
import torch

from shellac.systems.inpainting.baselines import BASELINES, damaged, hold, linear


def segments():
    generator = torch.Generator().manual_seed(0)
    values = torch.rand(6, 40, 5, generator=generator)
    lost = torch.rand(6, 40, generator=generator) < 0.5
    lost[0] = False
    lost[1] = True
    lost[2, :7] = True
    lost[3, -9:] = True
    return values, lost


def test_damaged_is_silent_where_frames_are_lost():
    values, lost = segments()
    assert damaged(values, lost)[lost].abs().max() == 0


def test_hold_repeats_the_last_intact_frame():
    values, lost = segments()
    found = hold(values, lost)
    for segment in (2, 3, 4, 5):
        kept = [i for i in range(40) if not lost[segment, i]]
        for frame in range(40):
            source = max((i for i in kept if i <= frame), default=kept[0])
            assert torch.equal(found[segment, frame], values[segment, source])


def test_linear_is_that_of_numpy():
    values, lost = segments()
    found = linear(values, lost)
    for segment in (2, 3, 4, 5):
        kept = np.flatnonzero(~lost[segment].numpy())
        for column in range(5):
            wanted = np.interp(np.arange(40), kept, values[segment, kept, column].numpy())
            assert np.allclose(found[segment, :, column], wanted, atol=1e-6)


@pytest.mark.parametrize("name", BASELINES)
def test_intact_frames_stay_and_lost_segments_are_silent(name):
    values, lost = segments()
    found = BASELINES[name](values, lost)
    assert torch.equal(found[~lost], values[~lost])
    assert found[1].abs().max() == 0
    assert torch.isfinite(found).all()
