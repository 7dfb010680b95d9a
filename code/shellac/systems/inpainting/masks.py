"""Which frames of a segment are lost: the published law, contiguous gaps, lost packets.

A mask is a boolean array (N,) over frames, True where a frame is lost. Gaps given in time lie in
the waveform and take every frame with them whose window touches them.
"""

import numpy as np

from shellac.degradations.gaps import Interval, draw_gaps
from shellac.errors import UsageError
from shellac.systems.inpainting.representation import Representation
from shellac.systems.inpainting.settings import GapSettings


def scattered(
    frames: int, rng: np.random.Generator, share: tuple[float, float] = (0.1, 0.7)
) -> np.ndarray:
    """Lose frames here and there: the published law (TeleMidia/audio_reconstruction).

    How many is uniform from ``int(frames * share[0])`` up to, not including,
    ``int(frames * share[1])``; which ones, a random permutation says. At 128 frames that is 12 to
    88, and gaps of 1.9 frames in the mean. Raises :class:`UsageError` for shares out of order.
    """
    low, high = (int(frames * bound) for bound in share)
    if not 0 <= low < high <= frames:
        raise UsageError(f"shares of lost frames must rise within 0..1, not {share}")
    lost = np.zeros(frames, dtype=bool)
    lost[rng.permutation(frames)[: rng.integers(low, high)]] = True
    return lost


def contiguous(
    samples: int, sample_rate: int, rng: np.random.Generator, gaps: GapSettings
) -> list[Interval]:
    """Draw whole gaps of the waveform; durations and rate are those of ``gaps``."""
    return draw_gaps(samples, sample_rate, rng, gaps.gap_ms, gaps.per_second)


def lost_packets(
    samples: int, sample_rate: int, rng: np.random.Generator, gaps: GapSettings
) -> list[Interval]:
    """Lose packets of ``packet_ms`` in bursts: a Gilbert chain (Bell Syst. Tech. J. 39, 1960).

    The share of lost packets is uniform in ``loss``, a burst lasts ``burst`` packets in the mean.
    """
    packet = max(1, round(gaps.packet_ms * sample_rate / 1000))
    share = rng.uniform(*gaps.loss)
    recover = 1 / gaps.burst
    fail = min(1.0, recover * share / (1 - share))
    draws = rng.random(-(-samples // packet) + 1)
    lost, found = bool(draws[0] < share), []
    for number, draw in enumerate(draws[1:]):
        if lost:
            found.append((number * packet, min(samples, (number + 1) * packet)))
        lost = draw >= recover if lost else draw < fail
    return found


def draw(gaps: GapSettings, form: Representation, rng: np.random.Generator) -> np.ndarray:
    """Draw the mask of one segment (block_frames,) by the law that the settings name.

    At least one frame is left, since a segment that is lost whole has nothing to go by.
    """
    frames = form.block_frames
    if gaps.kind == "scattered":
        lost = scattered(frames, rng, gaps.share)
    else:
        law = contiguous if gaps.kind == "contiguous" else lost_packets
        found = law(frames * form.hop, form.sample_rate, rng, gaps)
        lost = form.mask_frames(found, frames).numpy()
    if lost.all():
        lost[rng.integers(frames)] = False
    return lost
