"""The classical system as a member of a restoring chain: it hears a recording once beforehand."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from shellac import audio, chunking
from shellac.errors import AudioError
from shellac.systems.classical import declick, denoise, extend, hum, profile, thumps
from shellac.systems.classical.framing import Framing, framing
from shellac.systems.classical.system import STEPS, SYSTEM
from shellac.systems.restorer import Estimator, Member, Read
from shellac.transforms.resampling import resample
from shellac.weights import Card

_PASS_SECONDS = 6.0  # of the first pass at a time


def estimator(
    network: str, device: torch.device, noise_profile: profile.Excerpt | None = None
) -> Estimator:
    """Return the member ``network`` as it is before it has heard the recording."""

    def prepare(read: Read, samples: int, sample_rate: int) -> Member:
        survey = _Survey(STEPS[network][0], sample_rate, noise_profile)
        survey.run(read, samples)
        return survey.member(network, device)

    # what denoises drops what a network of its chain cannot hear, and so cannot clean
    above_band = "drop" if "denoise" in STEPS[network][0] else "keep"
    return Estimator(prepare, above_band)


@dataclass
class _Survey:
    """The first pass over a recording, and what it finds."""

    steps: tuple[str, ...]
    sample_rate: int
    excerpt: profile.Excerpt | None

    def __post_init__(self) -> None:
        self.framing = framing(self.sample_rate)
        self.quiet = profile.PowerFrames(self.framing.n_fft)
        self.humming = hum.frames(self.sample_rate)
        self.clicks = self.thumps = np.zeros(0, np.int64)
        self.given: list[np.ndarray] = []
        self.samples = 0

    def run(self, read: Read, samples: int) -> None:
        """Hear all of it, with its clicks repaired where that is a step."""
        self.samples = samples
        block = declick.block_length(self.sample_rate)
        segment = -(-round(_PASS_SECONDS * self.sample_rate) // block) * block
        reach = _repair_seconds(self.steps, self.sample_rate)
        context = math.ceil(reach * self.sample_rate)
        layout = chunking.Layout(segment, context, align=block)
        for chunk in chunking.plan(samples, layout):
            heard = read(chunk.read_start, chunk.read_stop)
            kept = slice(chunk.keep_start - chunk.read_start, chunk.keep_stop - chunk.read_start)
            if "declick" in self.steps:
                heard, *begun = _repaired(heard, self.sample_rate, "dethump" in self.steps)
                clicks, swings = (
                    np.array(
                        [np.count_nonzero((at >= kept.start) & (at < kept.stop)) for at in each]
                    )
                    for each in begun
                )
                self.clicks = self.clicks + clicks if len(self.clicks) else clicks
                self.thumps = self.thumps + swings if len(self.thumps) else swings
            self._collect(heard[:, kept], chunk.keep_start)

    def _collect(self, block: np.ndarray, start: int) -> None:
        if "dehum" in self.steps:
            self.humming.add(block)
        if "extend" in self.steps:
            self.quiet.add(block)
        if "denoise" not in self.steps:
            return
        if self.excerpt is None:
            self.quiet.add(block)
        elif self.excerpt.path is None:
            first, last = (
                round(seconds * self.sample_rate) - start
                for seconds in (self.excerpt.start_seconds, self.excerpt.stop_seconds)
            )
            self.given.append(block[:, max(0, first) : max(0, last)])

    def member(self, network: str, device: torch.device) -> Member:
        """Return the member for this recording, and what was found for people to read."""
        lines = hum.find(self.humming, self.sample_rate) if "dehum" in self.steps else []
        found = self._noise([line.frequency_hz for line in lines])
        noise = None if found is None else found.noise
        copy = None
        if "extend" in self.steps:
            copy = extend.find(self.quiet.power(), self.framing, self.sample_rate)
        actions = _actions(self.steps, self.sample_rate, lines, noise, copy)
        context, grid = _repair_seconds(self.steps, self.sample_rate), 1
        if "declick" in self.steps:
            grid = max(grid, declick.block_length(self.sample_rate))
        if lines:
            context += hum.window_length(self.sample_rate) / self.sample_rate
            grid = max(grid, hum.window_length(self.sample_rate) // 2)
        if noise is not None:
            context += denoise.MEMORY_SECONDS
            grid = max(grid, self.framing.hop_length)
        if copy is not None:
            context += self.framing.n_fft / self.sample_rate
            grid = max(grid, self.framing.hop_length)
        card = Card(
            network=network,
            settings={"steps": list(self.steps)},
            sample_rate=self.sample_rate,
            level=None,
            edge_seconds=context,
            origin="estimated",
            licence=SYSTEM.networks[network].licence,
        )
        estimates = {"network": network, **self._told(lines, found)}
        if "extend" in self.steps:
            estimates["band_ends_hz"] = copy and round(copy.cut * self._bin_hz, 1)
        return Member(card, _processor(actions), 1, device, grid=grid, estimates=estimates)

    @property
    def _bin_hz(self) -> float:
        return self.sample_rate / self.framing.n_fft

    def _noise(self, lines_hz: list[float]) -> profile.Estimate | None:
        """Return the noise that all channels share, (1, F)."""
        if "denoise" not in self.steps:
            return None
        if self.excerpt is None:
            found = profile.quietest(self.quiet.power())
        else:
            found = profile.Estimate(self._given_noise())
        if found is None:
            return None
        shared = found.noise.mean(axis=0, keepdims=True)
        return replace(found, noise=profile.without_lines(shared, lines_hz, self._bin_hz))

    def _given_noise(self) -> np.ndarray:
        if self.excerpt.path is None:
            alone = np.concatenate(self.given, axis=1)
        else:
            waveform, rate = audio.read(self.excerpt.path)
            alone = resample(waveform, rate, self.sample_rate)
            if "declick" in self.steps:
                alone = declick.repair(alone, declick.detect(alone, self.sample_rate))
        n_fft = self.framing.n_fft
        if alone.shape[1] < n_fft:
            raise AudioError(
                f"noise profile {self.excerpt}: {alone.shape[1] / self.sample_rate:.3f} s of sound"
                f" lie there, and {n_fft / self.sample_rate:.3f} s are the least that tell a noise"
            )
        frames = np.lib.stride_tricks.sliding_window_view(alone, n_fft, axis=1)
        power = profile.power_spectrum(frames[:, :: self.framing.hop_length])
        return profile.average(power.transpose(1, 0, 2))

    def _told(self, lines: list[hum.Line], noise: profile.Estimate | None) -> dict[str, Any]:
        told: dict[str, Any] = {}
        seconds = self.samples / self.sample_rate
        if "declick" in self.steps:
            told["clicks_repaired"] = [int(count) for count in self.clicks]
            told["clicks_per_second"] = [round(float(count) / seconds, 3) for count in self.clicks]
        if "dethump" in self.steps:
            told["thumps_removed"] = [int(count) for count in self.thumps]
        if "dehum" in self.steps:
            told["hum_lines"] = [
                {
                    "frequency_hz": round(line.frequency_hz, 3),
                    "amplitude": [float(f"{value:.3g}") for value in line.amplitude],
                    "over_surroundings_db": round(line.height_db, 1),
                }
                for line in lines
            ]
        if "denoise" in self.steps:
            told["noise_profile"], told["warnings"] = None, []
            if noise is None:
                told["warnings"] += ["too short to know its noise by itself: hiss was left alone"]
            else:
                origin = "quietest frames" if self.excerpt is None else str(self.excerpt)
                bands = _bands(noise.noise, self.sample_rate, self.framing)
                told["noise_profile"] = {"from": origin, "sure": round(noise.sure, 3), **bands}
                if noise.sure < profile.LEAST_SURE:
                    told["warnings"] += [
                        "no noise is heard by itself anywhere: hiss was suppressed less, by"
                        f" {noise.doubt_db:.0f} dB in most bands (--noise-profile says"
                        " where it is alone)"
                    ]
        return told


def _repair_seconds(steps: tuple[str, ...], sample_rate: int) -> float:
    """Return how far detection and repair of clicks and thumps look."""
    seconds = declick.reach(sample_rate) / sample_rate if "declick" in steps else 0.0
    return seconds + (thumps.REACH_SECONDS if "dethump" in steps else 0.0)


def _repaired(
    waveform: np.ndarray, sample_rate: int, dethump: bool
) -> tuple[np.ndarray, list[np.ndarray], list[np.ndarray]]:
    """Return (C, T) without clicks and thumps, and where in every channel these began."""
    clicks = declick.detect(waveform, sample_rate)
    repaired = declick.repair(waveform, clicks)
    swings = [np.zeros(0, np.int64) for _ in clicks]
    if dethump:
        repaired, swings = thumps.remove(waveform, repaired, clicks, sample_rate)
    return repaired, [each[:, 0] for each in clicks], swings


def _actions(
    steps: tuple[str, ...],
    sample_rate: int,
    lines: list[hum.Line],
    noise: np.ndarray | None,
    copy: extend.Copy | None,
) -> list[Callable[[torch.Tensor], torch.Tensor]]:
    actions = []
    if "declick" in steps:
        actions.append(_on_arrays(lambda x: _repaired(x, sample_rate, "dethump" in steps)[0]))
    if lines:
        actions.append(_on_arrays(lambda x: hum.subtract(x, lines, sample_rate)))
    frames = framing(sample_rate)
    if noise is not None:
        power = torch.from_numpy(noise.astype(np.float32))

        def suppress(waveform: torch.Tensor) -> torch.Tensor:
            spectrum = frames.analyse(waveform)
            # one gain for all channels: what is removed from one alone would move the sound
            heard = spectrum.abs().square().mean(0, keepdim=True)
            gains = denoise.gain(heard, power.to(waveform.device))
            return frames.synthesise(spectrum.mul_(gains), waveform.shape[-1])

        actions.append(suppress)
    if copy is not None:
        actions.append(lambda x: frames.synthesise(copy.apply(frames.analyse(x)), x.shape[-1]))
    return actions


def _on_arrays(
    function: Callable[[np.ndarray], np.ndarray],
) -> Callable[[torch.Tensor], torch.Tensor]:
    return lambda x: torch.from_numpy(function(x.cpu().numpy())).to(x.device)


def _processor(
    actions: list[Callable[[torch.Tensor], torch.Tensor]],
) -> Callable[[torch.Tensor], torch.Tensor]:
    def process(waveform: torch.Tensor) -> torch.Tensor:
        for action in actions:
            waveform = action(waveform)
        return waveform

    return process


def _bands(noise: np.ndarray, sample_rate: int, frames: Framing) -> Mapping[str, Any]:
    """Density of the noise in thirds of an octave, dB re full scale squared per Hz."""
    frequency_hz = np.fft.rfftfreq(frames.n_fft, 1 / sample_rate)
    centres = 1000.0 * 2.0 ** (np.arange(-12, 15) / 3)
    density = 2 * noise.mean(axis=0) / (3 / 8 * frames.n_fft * sample_rate)
    level = 10 * np.log10(np.maximum(np.interp(centres, frequency_hz, density), 1e-20))
    heard = centres < sample_rate / 2
    return {
        "centre_hz": [float(f"{centre:.4g}") for centre in centres[heard]],
        "level_db_per_hz": [round(float(value), 1) for value in level[heard]],
    }
