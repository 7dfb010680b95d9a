"""BABE-2 as a member of a restoring chain: one that hears a whole recording and makes it anew.

Or, where it is asked to, makes anew what gaps and clipping took from it, and nothing else.
"""

import hashlib
import math
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from shellac import chunking, networks, paths, weights
from shellac.degradations.gaps import Interval
from shellac.errors import UsageError
from shellac.files import temporary_path
from shellac.systems.babe2.damage import Limits, limits
from shellac.systems.babe2.filters import Curve, Filter
from shellac.systems.babe2.mending import Damage, Mending
from shellac.systems.babe2.prior import QUALITIES, Prior, Sampling, chosen
from shellac.systems.babe2.remaking import Remaking
from shellac.systems.babe2.sampler import Report
from shellac.systems.babe2.wishes import Wishes
from shellac.systems.restorer import Estimator, Read, Remaker
from shellac.training import checkpoints
from shellac.transforms.resampling import REACH_SAMPLES, fit_length, resample
from shellac.weights import Card

_BLOCK_SECONDS = 10.0


def prior_of(state: dict[str, torch.Tensor], card: Card, device: torch.device) -> Prior:
    """Build the network that ``card`` names, fill it, and make it ready to be sampled from."""
    network = networks.build(card.network, **card.settings)
    weights.fill(network, state, card.network)
    network.eval().requires_grad_(False).to(device)
    average = np.asarray(card.extra.get("ltas", ()), dtype=np.float64)
    return Prior(
        network, float(card.extra["sigma_data"]), network.cqt.samples, card.sample_rate,
        network.cqt.in_band, average, device,
    )  # fmt: skip


def sampling_for(card: Card, quality: str | None, steps: int | None) -> Sampling:
    """Return how to sample with these weights, changed as asked; see :func:`generator`."""
    if quality and quality not in QUALITIES:
        raise UsageError(f"--quality is {quality!r}: it must be {' or '.join(QUALITIES)}")
    if steps is not None and not 2 <= steps <= 1000:
        raise UsageError(f"--steps must lie between 2 and 1000, not {steps}")
    return chosen(Sampling.from_card(card.extra["sampling"]), quality, steps)


def generator(
    state: dict[str, torch.Tensor],
    card: Card,
    device: torch.device,
    quality: str | None = None,
    steps: int | None = None,
    seed: int = 0,
    wishes: Wishes | None = None,
) -> Estimator:
    """Return the member of a chain that these weights make.

    ``quality`` is a key of :data:`.prior.QUALITIES`, ``steps`` a number of levels; without them the
    weights say how to sample. ``seed`` is that of all draws. ``wishes``: what to do but estimate
    the filter and generate. Raises :class:`UsageError`.
    """
    wishes = wishes or Wishes()
    prior = prior_of(state, card, device)
    known = wishes.curve(prior)
    sampling = sampling_for(card, quality, steps)
    identity = hashlib.sha256(str(sorted(asdict(card).items())).encode())
    for name in sorted(state):
        identity.update(state[name].cpu().contiguous().numpy().tobytes())
    opened = ExitStack()

    work = _Work(prior, sampling, seed, identity.hexdigest(), known)

    def prepare(read: Read, samples: int, sample_rate: int) -> Remaker:
        return work.remaker(opened, card, read, samples, sample_rate)

    def prepare_mending(
        read: Read, samples: int, sample_rate: int, gaps: Sequence[Interval]
    ) -> Remaker:
        damaged = (gaps if wishes.gaps else (), wishes.level)
        return work.mender(opened, card, (read, samples, sample_rate), damaged)

    if wishes.mends:
        return Estimator(
            prepare_mending, finish=opened.close, fills_gaps=wishes.gaps, knows_gaps=True
        )
    return Estimator(prepare, above_band="drop", finish=opened.close, generative=True)


@dataclass(frozen=True)
class _Work:
    prior: Prior
    sampling: Sampling
    seed: int
    identity: str
    known: Curve | None = None

    def key(self, **heard: object) -> str:
        """Return a name for all that determines a restoration."""
        known = None if self.known is None else [self.known.hz.tolist(),
                                                 self.known.gain_db.tolist()]  # fmt: skip
        return checkpoints.key(
            **heard, weights=self.identity, sampling=asdict(self.sampling), seed=self.seed,
            known=known, threads=torch.get_num_threads(), device=self.prior.device.type,
        )  # fmt: skip

    def remaker(
        self, opened: ExitStack, card: Card, read: Read, samples: int, sample_rate: int
    ) -> Remaker:
        """Hear a recording, estimate its colour, and return what makes it anew."""
        opened.pop_all()  # what an error left: its finished parts stay for another attempt
        place, rates = paths.cache() / "unfinished", Rates(sample_rate, self.prior.sample_rate)
        with temporary_path(place, ".heard") as heard, temporary_path(place, ".above") as above:
            channels, digest = rates.spool(read, samples, heard, above)
            run_key = self.key(heard=digest)
            folder = opened.enter_context(checkpoints.opened(place, "babe2", run_key)).folder
            heard.replace(folder / "heard.raw")
            above.replace(folder / "above.raw")
        waveform, rest = (np.memmap(folder / name, np.float32, "r").reshape(-1, channels).T
                          for name in ("heard.raw", "above.raw"))  # fmt: skip
        clock = _Clock(self.prior, self.sampling)
        remaking = Remaking(
            self.prior, self.sampling, waveform, folder, self.seed, clock, self.known
        )
        clock.begin(len(remaking.cuts), channels, self.known is None)
        told = self._told(remaking, sample_rate)

        def blocks(above_band: str) -> Iterator[np.ndarray]:
            yield from rates.back(remaking.read, rest, above_band == "keep")
            clock.bar.close()

        return Remaker(card, blocks, estimates=told)

    def mender(
        self,
        opened: ExitStack,
        card: Card,
        recording: tuple[Read, int, int],
        damaged: tuple[Sequence[Interval], float | str | None],
    ) -> Remaker:
        """Hear a recording, find what is damaged, and return what mends it."""
        opened.pop_all()
        (read, samples, sample_rate), (gaps, level) = recording, damaged
        place = paths.cache() / "unfinished"
        with temporary_path(place, ".input") as spooled:
            channels, digest = spool(read, samples, sample_rate, spooled)
            run_key = self.key(heard=digest, rate=sample_rate, gaps=list(gaps), level=level)
            folder = opened.enter_context(checkpoints.opened(place, "babe2", run_key)).folder
            spooled.replace(folder / "input.raw")
        waveform = np.memmap(folder / "input.raw", np.float32, "r").reshape(-1, channels).T
        damage = Damage(gaps, Limits() if level is None else limits(waveform, level))
        clock = _Clock(self.prior, self.sampling)
        mending = Mending(
            self.prior, self.sampling, waveform, sample_rate, damage, folder, self.seed, clock
        )
        if mending.windows:
            clock.begin(len(mending.windows), channels, blind=False)

        def blocks(above_band: str) -> Iterator[np.ndarray]:
            del above_band  # what is intact stays whatever it is
            yield from mending.blocks()
            clock.bar.close()

        return Remaker(card, blocks, above_band="keep", estimates=self._mended(mending, level))

    def _mended(self, mending: Mending, level: float | str | None) -> dict[str, Any]:
        clipped = mending.damage.clipped
        told: dict[str, Any] = {
            "generated": "damaged samples alone were made up by a diffusion model; all others are"
            " those of the input",
            "damaged_stretches": len(mending.runs),
            "damaged_samples": int(np.diff(mending.runs).sum()),
            "clipped_at": [float(x) if np.isfinite(x) else None
                           for x in (clipped.low, clipped.high)],
            "sampling": asdict(self.sampling),
            "segments": len(mending.windows),
            "evaluations_per_segment": self.sampling.evaluations,
        }  # fmt: skip
        if level is not None and not mending.clips:
            told["warnings"] = ["no clipped sample was found; none was mended"]
        return told

    def _told(self, remaking: Remaking, sample_rate: int) -> dict[str, Any]:
        colour = remaking.colour()
        hz, gain = colour.gain_db(self.prior, self.sampling)
        given = "estimated" if self.known is None else "given"
        told: dict[str, Any] = {
            "generated": f"made up by a diffusion model under the {given} filter: it does not"
            " follow the input sample by sample",
            "filter": {"hz": hz.tolist(), "gain_db": np.round(gain, 4).tolist()},
            "sampling": asdict(self.sampling),
            "segments": len(remaking.cuts),
            "evaluations_per_segment": self.sampling.evaluations,
        }  # fmt: skip
        if isinstance(colour.shape, Filter):
            parts = colour.shape.parts()
            told["filter_parameters"] = {name: part.tolist() for name, part in parts.items()}
        if sample_rate < self.prior.sample_rate:
            told["warnings"] = [
                f"at {sample_rate} Hz there is no room for what is generated above"
                f" {sample_rate / 2:g} Hz"
            ]
        return told


def spool(read: Read, samples: int, sample_rate: int, path: Path) -> tuple[int, str]:
    """Write a recording as it is, (T, C) float32; return its channels, and a hash of it."""
    digest, channels, step = hashlib.sha256(), 0, round(_BLOCK_SECONDS * sample_rate)
    with path.open("wb") as raw:
        for start in range(0, samples, step):
            block = np.ascontiguousarray(read(start, min(start + step, samples)).T, np.float32)
            channels = block.shape[1]
            digest.update(block.tobytes())
            block.tofile(raw)
    return channels, digest.hexdigest()


@dataclass(frozen=True)
class Rates:
    """From the rate of a recording to that of a network, and back."""

    recording: int
    network: int

    def layout(self) -> chunking.Layout:
        """Cut where samples of both rates meet."""
        align = chunking.aligned_to(self.recording, self.network, 1)
        segment = math.ceil(_BLOCK_SECONDS * self.recording / align) * align
        reach = 2 * REACH_SAMPLES * self.recording / min(self.recording, self.network)
        return chunking.Layout(segment, math.ceil(reach / align) * align, 0, align)

    def spool(self, read: Read, samples: int, heard: Path, above: Path) -> tuple[int, str]:
        """Write a recording as the network hears it, and what lies above its band, (T, C) each.

        Returns the number of channels, and a hash of what is heard.
        """
        digest, channels = hashlib.sha256(), 0
        with heard.open("wb") as low, above.open("wb") as high:
            for chunk in chunking.plan(samples, self.layout()):
                block = read(chunk.read_start, chunk.read_stop)
                channels = block.shape[0]
                converted = resample(block, self.recording, self.network)
                offset = chunk.read_start * self.network // self.recording
                start = chunk.keep_start * self.network // self.recording
                stop = -(-chunk.keep_stop * self.network // self.recording)
                kept = np.ascontiguousarray(converted[:, start - offset : stop - offset].T)
                digest.update(kept.tobytes())
                kept.tofile(low)
                back = resample(converted, self.network, self.recording)
                rest = block - fit_length(back, block.shape[1])
                place = slice(chunk.keep_start - chunk.read_start,
                              chunk.keep_stop - chunk.read_start)  # fmt: skip
                np.ascontiguousarray(rest[:, place].T).tofile(high)
        return channels, digest.hexdigest()

    def back(self, made: Read, above: np.ndarray, keep: bool) -> Iterator[np.ndarray]:
        """Yield what the network made at the recording's rate, ``above`` (C, T) added or not."""

        def turn(block: np.ndarray, place: int) -> np.ndarray:
            start = place * self.network // self.recording
            stop = -(-(place + block.shape[1]) * self.network // self.recording)
            back = resample(made(start, stop), self.network, self.recording)
            back = fit_length(back, block.shape[1])
            return back + block if keep else back

        def read(start: int, stop: int) -> np.ndarray:
            return above[:, start:stop]

        return chunking.process(read, above.shape[1], turn, self.layout())


class _Clock:
    """Says how long a recording will take before it begins, and then how far it has come."""

    def __init__(self, prior: Prior, sampling: Sampling):
        self._prior, self._sampling = prior, sampling
        self.bar = tqdm(disable=True)

    def begin(self, segments: int, channels: int, blind: bool) -> None:
        """Time one evaluation, and say what all will take; ``blind``: the filter too."""
        x = torch.zeros(1, self._prior.samples, device=self._prior.device)
        started = time.perf_counter()
        with torch.enable_grad():
            x.requires_grad_()
            sigma = x.new_full((1,), self._sampling.start_sigma)
            torch.autograd.grad(self._prior.estimate(x, sigma).sum(), x)[0].cpu()
        each = time.perf_counter() - started
        count = (blind + segments * channels) * self._sampling.evaluations
        beside = ", and as many for the filter" if blind else ""
        print(
            f"babe2: {segments} segments of {self._prior.samples / self._prior.sample_rate:.2f} s,"
            f" {channels} channels, {self._sampling.evaluations} evaluations of the network each"
            f"{beside}: about {_spoken(each * count)} if none is done yet",
            file=sys.stderr,
        )  # fmt: skip
        steps = (blind + segments * channels) * self._sampling.steps
        self.bar = tqdm(total=steps, desc="steps", unit="step", disable=None)

    def __call__(self, told: Report) -> None:
        """Note one step."""
        self.bar.update(1)


def _spoken(seconds: float) -> str:
    for unit, length in (("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds:.0f} s"
