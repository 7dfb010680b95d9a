"""Chains with a member that fills gaps: where it hears, what it leaves alone."""

import numpy as np
import pytest
import torch
from sounds import tone

from shellac.degradations.gaps import cut_gaps
from shellac.errors import UsageError
from shellac.systems.restorer import GapMember, Member, Restorer
from shellac.transforms.autoregression import context, interpolate
from shellac.weights import Card

ORDER = 64
CARD = Card("test/gaps", {}, 16000, None, 0.0, "trained", "none")


def repair(waveform, sample_rate, gaps):
    return interpolate(waveform, gaps, ORDER)


MEMBER = GapMember(CARD, repair, lambda sample_rate: context(ORDER) / sample_rate)
HALVER = Member(CARD, lambda x: 0.5 * x, 1, torch.device("cpu"))


def damaged_music(sample_rate=16000, channels=2):
    whole = tone(5.0, sample_rate, channels)
    rng = np.random.default_rng(0)
    gaps = [(int(at), int(at) + 300) for at in np.arange(3000, 75000, 4100) + rng.integers(900)]
    return whole, cut_gaps(whole, gaps), gaps


@pytest.mark.parametrize("segment_seconds", [0.05, 0.3, 1.1, 60])
def test_chunks_do_not_change_what_is_filled(segment_seconds):
    _, damaged, gaps = damaged_music()
    found = Restorer([MEMBER]).restore(damaged, 16000, segment_seconds, gaps).waveform
    wanted = interpolate(damaged, gaps, ORDER)
    inside = np.zeros(damaged.shape[1], bool)
    for start, stop in gaps:
        inside[start:stop] = True
    assert np.abs(found - wanted).max() < 1e-5
    assert np.array_equal(found[:, ~inside], damaged[:, ~inside])


def test_gaps_are_found_where_none_are_given():
    _, damaged, gaps = damaged_music()
    restorer = Restorer([MEMBER])
    assert restorer.fills_gaps
    assert not Restorer([HALVER]).fills_gaps
    found = restorer.restore(damaged, 16000).waveform
    assert np.allclose(found, restorer.restore(damaged, 16000, gaps=gaps).waveform)
    assert np.abs(found - damaged).max() > 0.05


def test_members_follow_each_other():
    _, damaged, gaps = damaged_music()
    filled = interpolate(damaged, gaps, ORDER)
    for chain in ([MEMBER, HALVER], [HALVER, MEMBER]):
        found = Restorer(chain).restore(damaged, 16000, gaps=gaps).waveform
        assert np.abs(found - 0.5 * filled).max() < 1e-4


def test_strength_is_that_of_the_filling():
    _, damaged, gaps = damaged_music()
    whole, half, none = (
        Restorer([MEMBER], strength=s).restore(damaged, 16000, gaps=gaps) for s in (1, 0.5, 0)
    )
    assert np.allclose(half.residual, 0.5 * whole.residual, atol=1e-6)
    assert np.array_equal(none.waveform, damaged)


@pytest.mark.parametrize("gaps", [[(5, 5)], [(-1, 4)], [(79_000, 80_001)], [(0, 40_000)]])
def test_gaps_that_cannot_be_filled_are_refused(gaps):
    with pytest.raises(UsageError, match="gap"):
        Restorer([MEMBER]).restore(np.ones((1, 80_000), np.float32), 16000, gaps=gaps)
