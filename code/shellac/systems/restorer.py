"""A network, or a chain of them, that restores recordings of any length, rate and channel count."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from shellac import chunking
from shellac.audio import MAX_AMPLITUDE
from shellac.degradations.gap_detection import find_gaps
from shellac.degradations.gap_list import LONGEST_SECONDS
from shellac.degradations.gaps import Interval
from shellac.errors import AudioError, UsageError
from shellac.systems import magnitude_mixing
from shellac.transforms.resampling import REACH_SAMPLES, fit_length, resample
from shellac.weights import Card

DEFAULT_SEGMENT_SECONDS = 14.0
FADE_SECONDS = 0.01
MIN_RATE, MAX_RATE = 1000, 1_000_000
_SILENCE = 1e-20  # a peak that no level can be taken from
_MOST_CHANNELS = 32  # of a scrap with fewer samples than channels


# ``read(start, stop)`` gives samples (C, stop - start) float32; starts never decrease
Read = Callable[[int, int], np.ndarray]


@dataclass(frozen=True)
class Member:
    """One network of a chain, with weights, on its device.

    ``process`` maps a float32 tensor (C, T) at ``card.sample_rate`` to the same shape without
    delay; T is a multiple of ``multiple``. What it hears starts at a multiple of ``grid`` samples
    of the recording, silence being put before it where that is wanting: for strides that need more
    than ``multiple`` to see the same phase again. ``above_band`` is what happens, unless the user
    says otherwise, to content above the network's Nyquist frequency: ``keep`` or ``drop``.
    ``estimates`` tells what was found out about one recording beforehand. ``published`` maps a
    segment (1, n) to all samples that its frames hold, as the authors' command line does, where
    there is one.
    """

    card: Card
    process: Callable[[torch.Tensor], torch.Tensor]
    multiple: int
    device: torch.device
    above_band: str = "keep"
    grid: int = 1
    estimates: Mapping[str, Any] | None = None
    published: Callable[[torch.Tensor], torch.Tensor] | None = None


@dataclass(frozen=True)
class GapMember:
    """A member of a chain that fills gaps and leaves all else alone, at any sample rate.

    ``repair`` maps (C, T) float32, its sample rate in Hz and the gaps, (start, stop) in samples,
    to the same shape; ``context`` tells how many seconds around a gap it hears at a sample rate.
    """

    card: Card
    repair: Callable[[np.ndarray, int, Sequence[Interval]], np.ndarray]
    context: Callable[[int], float]
    above_band: str = "keep"


@dataclass(frozen=True)
class Remaker:
    """A member that makes one recording, which it has heard, anew from beginning to end.

    What it gives depends on what it gave before. ``blocks(above_band)`` yields the result at the
    rate of the recording, (C, n) float32 each.
    """

    card: Card
    blocks: Callable[[str], Iterator[np.ndarray]]
    above_band: str = "drop"
    estimates: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Estimator:
    """A member that must hear a whole recording before it can restore it.

    ``prepare(read, samples, sample_rate)`` hears it once, as the members before it in the chain
    leave it, and returns the member for this recording alone. ``finish`` is called once the
    recording's results are safe. ``generative``: the results are made up, and do not follow the
    input sample by sample. One that ``knows_gaps`` is told the gaps besides, and one that
    ``fills_gaps`` needs them.
    """

    prepare: Callable[..., Member | Remaker]
    above_band: str = "keep"
    finish: Callable[[], None] = lambda: None
    generative: bool = False
    fills_gaps: bool = False
    knows_gaps: bool = False


AnyMember = Member | GapMember | Estimator | Remaker


@dataclass(frozen=True)
class Restored:
    """``waveform`` and ``residual`` (input minus waveform), both (C, T) float32."""

    waveform: np.ndarray
    residual: np.ndarray


class Restorer:
    """A chain of networks as one processor of recordings.

    Parameters
    ----------
    members : sequence of Member, GapMember and Estimator
        In the order of processing.
    above_band : {"keep", "drop"} or None
        Content above a network's Nyquist frequency; None leaves it to the systems: dropped as
        soon as one of the chain drops it.
    strength : float, 0..1
        0 returns the input, 1 the whole restoration.
    """

    def __init__(
        self,
        members: Sequence[AnyMember],
        above_band: str | None = None,
        strength: float = 1.0,
    ):
        if not members:
            raise UsageError("no system was named")
        if not 0 <= strength <= 1:
            raise UsageError(f"strength must lie between 0 and 1, not {strength:g}")
        self.members = tuple(members)
        dropping = any(member.above_band == "drop" for member in members)
        self.above_band = above_band or ("drop" if dropping else "keep")
        self.strength = strength

    @property
    def fills_gaps(self) -> bool:
        """Whether a member of the chain needs to know where gaps are."""
        return any(
            isinstance(member, GapMember) or (isinstance(member, Estimator) and member.fills_gaps)
            for member in self.members
        )

    @property
    def generates(self) -> bool:
        """Whether a member of the chain makes up what it gives."""
        told = [getattr(member, "generative", False) for member in self.members]
        return any(told) or any(isinstance(member, Remaker) for member in self.members)

    def finish(self) -> None:
        """Tell the members that the results of a recording are safe."""
        for member in self.members:
            if isinstance(member, Estimator):
                member.finish()

    def raised_rate(self, sample_rate: int) -> int | None:
        """Rate in Hz that the chain can raise a recording of ``sample_rate`` to, if any.

        That of its first network that adds the band which a rate ``scale`` times lower lost, if
        the recording has such a rate or a lower one: at its own it holds nothing to be added to.
        """
        for network_rate, scale in self._scales():
            if sample_rate * scale <= network_rate:
                return network_rate
        return None

    def low_rates(self) -> str:
        """Say for people which rates :meth:`raised_rate` takes."""
        known = [f"{rate} Hz from {rate // scale} Hz or less" for rate, scale in self._scales()]
        return f"this chain, which makes {', '.join(known)}" if known else "this chain"

    def _scales(self) -> list[tuple[int, int]]:
        cards = [member.card for member in self.members if isinstance(member, Member)]
        return [(card.sample_rate, card.extra["scale"]) for card in cards if "scale" in card.extra]

    def layout(
        self,
        sample_rate: int,
        segment_seconds: float | None = None,
        gaps: Sequence[Interval] = (),
    ) -> chunking.Layout:
        """Cut for these networks: their measured reach plus that of the rate converters.

        ``segment_seconds`` is what a chunk hears, its context included; where that would leave
        less than half for what is kept, half is kept and more is heard. A gap that reaches into
        what a chunk gives must lie in the chunk whole.
        """
        longest_gap = max((stop - start for start, stop in gaps), default=0)
        if longest_gap > LONGEST_SECONDS * sample_rate:
            raise UsageError(
                f"a gap of {longest_gap / sample_rate:g} s is too long: {LONGEST_SECONDS:g} s at"
                " most can be filled"
            )
        seconds = DEFAULT_SEGMENT_SECONDS if segment_seconds is None else segment_seconds
        if not (math.isfinite(seconds) and seconds > 0):
            raise UsageError(f"--segment-seconds must be positive, not {seconds:g}")
        if not MIN_RATE <= sample_rate <= MAX_RATE:
            raise AudioError(f"a sample rate of {sample_rate} Hz is outside {MIN_RATE}..{MAX_RATE}")
        align, context = 1, 0.0
        for member in self.members:
            if isinstance(member, GapMember):
                context += member.context(sample_rate) + longest_gap / sample_rate
                continue
            rate = member.card.sample_rate
            align = math.lcm(align, chunking.aligned_to(sample_rate, rate, member.multiple))
            context += member.card.edge_seconds + 2 * REACH_SAMPLES / min(rate, sample_rate)
        heard, around = int(seconds * sample_rate), math.ceil(context * sample_rate)
        # chunks that only fill gaps agree, and blending would round what is to stay as it is
        fade_seconds = 0 if all(isinstance(m, GapMember) for m in self.members) else FADE_SECONDS
        fade = round(fade_seconds * sample_rate)
        segment = max(heard - fade - 2 * around, heard // 2, 1)
        return chunking.Layout(segment, around, min(fade, segment), align)

    def prepared(
        self,
        opened: Callable[[], AbstractContextManager[Read]],
        samples: int,
        sample_rate: int,
        peak: float,
        segment_seconds: float | None = None,
        gaps: Sequence[Interval] = (),
    ) -> "Restorer":
        """Return the chain for one recording: every estimator has heard it and is a member.

        ``opened`` opens the recording from its beginning, as often as there are estimators; the
        rest is as in :meth:`stream`.
        """
        recording = (samples, sample_rate, peak, segment_seconds, gaps)
        members: list[Member | GapMember | Remaker] = []
        for member in self.members:
            if isinstance(member, Estimator):
                with opened() as read:
                    if members:
                        before = Restorer(members, self.above_band)
                        read = _reading(before.stream(read, *recording))
                    known = (gaps,) if member.knows_gaps else ()
                    member = member.prepare(read, samples, sample_rate, *known)
            members.append(member)
        return Restorer(members, self.above_band, self.strength)

    def estimates(self) -> list[Mapping[str, Any]]:
        """Say what the members found out about the recording that they are prepared for."""
        told = (Member, Remaker)
        found = [member.estimates for member in self.members if isinstance(member, told)]
        return [estimates for estimates in found if estimates is not None]

    def stream(
        self,
        read: Read,
        samples: int,
        sample_rate: int,
        peak: float,
        segment_seconds: float | None = None,
        gaps: Sequence[Interval] = (),
    ) -> Iterator[np.ndarray]:
        """Yield the restoration block by block; ``peak`` is the level of the whole recording.

        A chain with an estimator must be :meth:`prepared` first.

        Parameters
        ----------
        read : callable
            ``read(start, stop)`` gives (C, stop - start) float32.
        samples, sample_rate : int
            Of the recording.
        peak : float
            Largest magnitude of the whole recording: one level for the whole file.
        gaps : sequence of (start, stop)
            In samples of the recording, for the members that fill them.
        """
        remakers = [i for i, member in enumerate(self.members) if isinstance(member, Remaker)]
        if remakers:
            made = self.members[remakers[-1]].blocks(self.above_band)
            if after := self.members[remakers[-1] + 1 :]:
                chain = Restorer(after, self.above_band)
                made = chain.stream(
                    _reading(made), samples, sample_rate, peak, segment_seconds, gaps
                )
            if self.strength < 1:
                return magnitude_mixing.mixed(read, _reading(made), samples, self.strength)
            return made
        layout = self.layout(sample_rate, segment_seconds, gaps)

        def restore(block: np.ndarray, place: int) -> np.ndarray:
            stop = place + block.shape[1]
            here = [
                (max(gap[0], place) - place, min(gap[1], stop) - place)
                for gap in gaps
                if gap[0] < stop and gap[1] > place
            ]
            return self._restore_block(block, place, sample_rate, peak, here)

        return chunking.process(read, samples, restore, layout)

    def restore(
        self,
        waveform: np.ndarray,
        sample_rate: int,
        segment_seconds: float | None = None,
        gaps: Sequence[Interval] | None = None,
    ) -> Restored:
        """Restore a waveform (C, T) or (T,) float32, full scale = 1.

        ``gaps``, (start, stop) in samples, are for chains that fill them; None has them found.
        Raises :class:`AudioError` where it is empty, holds integers, or values that are not finite
        or beyond ±1000, or seems to be (T, C).
        """
        whole = _checked(waveform)
        peak = float(np.abs(whole).max())
        if not peak <= MAX_AMPLITUDE:  # also true for NaN
            raise AudioError(f"the waveform holds NaN or values beyond ±{MAX_AMPLITUDE:g}")
        if not all(0 <= start < stop <= whole.shape[1] for start, stop in gaps or ()):
            raise UsageError("gaps must be (start, stop) in samples, inside the waveform")
        if gaps is None:
            gaps = find_gaps(whole, int(sample_rate)) if self.fills_gaps else ()
        recording = (whole.shape[1], int(sample_rate), peak, segment_seconds, gaps)

        def read(start: int, stop: int) -> np.ndarray:
            return whole[:, start:stop]

        blocks = self.prepared(lambda: nullcontext(read), *recording).stream(read, *recording)
        restored = np.concatenate(list(blocks), axis=1)
        self.finish()
        return Restored(restored, whole - restored)

    def _restore_block(
        self,
        block: np.ndarray,
        start: int,
        sample_rate: int,
        peak: float,
        gaps: Sequence[Interval],
    ) -> np.ndarray:
        current = block
        for member in self.members:
            if isinstance(member, GapMember):
                current = member.repair(current, sample_rate, gaps)
            else:
                current = self._run(member, current, start, sample_rate, peak)
        if self.strength < 1:
            current = block + np.float32(self.strength) * (current - block)
        return current

    def _run(
        self, member: Member, block: np.ndarray, start: int, sample_rate: int, peak: float
    ) -> np.ndarray:
        rate = member.card.sample_rate
        heard = resample(block, sample_rate, rate)
        level = peak if member.card.level is None else member.card.level
        gain = np.float32(level / peak) if peak > _SILENCE else np.float32(1)
        lead = start * rate // sample_rate % member.grid
        wanted = -(-(lead + heard.shape[1]) // member.multiple) * member.multiple
        padded = fit_length(np.pad(heard, ((0, 0), (lead, 0))) if lead else heard, wanted)
        with torch.inference_mode():
            tensor = torch.from_numpy(np.ascontiguousarray(padded * gain)).to(member.device)
            result = member.process(tensor).cpu().numpy()[:, lead : lead + heard.shape[1]] / gain
        length = block.shape[1]
        if self.above_band == "drop":
            return fit_length(resample(result, rate, sample_rate), length)
        # only what the network changed goes through the converter back
        return block + fit_length(resample(result - heard, rate, sample_rate), length)


def _checked(waveform: np.ndarray) -> np.ndarray:
    """Return a waveform as (C, T) float32; refuse what was meant otherwise."""
    given = np.atleast_2d(np.asarray(waveform))
    if given.ndim != 2 or given.size == 0:
        raise AudioError(f"expected samples of shape (C, T), got {np.shape(waveform)}")
    channels, samples = given.shape
    if channels > max(samples, _MOST_CHANNELS):
        raise AudioError(
            f"{channels} channels of {samples} samples: expected (C, T), and this looks like"
            " (T, C), as soundfile reads it; give its transpose"
        )
    if np.issubdtype(given.dtype, np.integer):
        raise AudioError(
            f"samples of type {given.dtype}: expected floats with full scale = 1, so divide them"
            " by the full scale of their type"
        )
    return given.astype(np.float32, copy=False)


def _reading(blocks: Iterator[np.ndarray]) -> Read:
    """Return a :data:`Read` of consecutive blocks (C, n) as they come."""
    held = next(blocks)
    first = 0  # place of what is held

    def read(start: int, stop: int) -> np.ndarray:
        nonlocal held, first
        while first + held.shape[1] < stop:
            drop = min(start - first, held.shape[1])
            held = np.concatenate([held[:, drop:], next(blocks)], axis=1)
            first += drop
        return held[:, start - first : stop - first]

    return read
