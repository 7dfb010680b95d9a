"""Laws by which frames are lost."""

import numpy as np
import pytest

from shellac.degradations import draws
from shellac.errors import UsageError
from shellac.systems.inpainting import masks, representation
from shellac.systems.inpainting.settings import GapSettings

FORM = representation.get("spectrogram")


def runs(lost):
    """Lengths of the stretches of lost frames."""
    edges = np.diff(np.concatenate(([0], lost.astype(int), [0])))
    return np.flatnonzero(edges == -1) - np.flatnonzero(edges == 1)


def test_scattered_frames_follow_the_published_law(rng):
    drawn = [masks.scattered(128, rng) for _ in range(2000)]
    counts = np.array([lost.sum() for lost in drawn])
    assert counts.min() == 12 and counts.max() == 88
    assert counts.mean() / 128 == pytest.approx(0.39, abs=0.01)
    lengths = np.concatenate([runs(lost) for lost in drawn])
    assert lengths.mean() == pytest.approx(1.9, abs=0.1)
    assert np.median(lengths) == 1
    assert np.quantile(lengths, 0.95) <= 5 and np.quantile(lengths, 0.99) <= 8
    assert 12 <= lengths.max() <= 30


@pytest.mark.parametrize("share", [(0.5, 0.5), (0.7, 0.1), (-0.1, 0.5), (0.5, 1.1)])
def test_shares_that_cannot_be_are_refused(rng, share):
    with pytest.raises(UsageError, match="shares"):
        masks.scattered(128, rng, share)


def test_a_gap_takes_every_frame_with_it_that_it_touches(rng):
    gaps = GapSettings(kind="contiguous", gap_ms=(40.0, 40.0), per_second=2)
    lost = masks.draw(gaps, FORM, rng)
    (length,) = runs(lost)
    # 640 samples, and the frames of 256 at a distance of 64 that reach into them
    assert length in (13, 14)


def test_packets_are_lost_in_bursts_and_in_the_share_that_is_asked_for():
    rng = np.random.default_rng(3)
    gaps = GapSettings(kind="packet-loss", loss=(0.2, 0.2), burst=3, packet_ms=20)
    samples, packet = 16000 * 400, 320
    found = masks.lost_packets(samples, 16000, rng, gaps)
    lost = np.zeros(samples // packet, dtype=bool)
    for start, stop in found:
        assert stop - start == packet and start % packet == 0
        lost[start // packet] = True
    assert lost.mean() == pytest.approx(0.2, abs=0.02)
    assert runs(lost).mean() == pytest.approx(3, abs=0.3)


@pytest.mark.parametrize("kind", ["scattered", "contiguous", "packet-loss"])
def test_a_frame_is_always_left(kind):
    gaps = GapSettings(kind=kind, share=(0.99, 1.0), gap_ms=(400, 440), loss=(0.98, 0.99), burst=50)
    drawn = [masks.draw(gaps, FORM, np.random.default_rng(seed)) for seed in range(60)]
    assert all(lost.any() and not lost.all() for lost in drawn)


def test_a_mask_depends_on_seed_recording_place_and_draw_alone():
    def drawn(seed=1, digest="ab" * 32, place=2, number=0):
        return masks.scattered(128, draws.generator(seed, digest, place, number)).tolist()

    assert drawn() == drawn()
    others = [drawn(seed=2), drawn(digest="cd" * 32), drawn(place=3), drawn(number=1)]
    assert all(other != drawn() for other in others)
