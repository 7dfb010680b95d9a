"""``shellac restore``: recordings in; the same recordings restored, what was removed, and how."""

import contextlib
import json
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from shellac import __version__, audio, precision, weights
from shellac.allocation import peak_mb
from shellac.audio import Facts
from shellac.commands import filter_files
from shellac.commands.inputs import Job, check_length, described
from shellac.commands.source import Source, Spool, source, spooled
from shellac.degradations.gap_detection import scan
from shellac.degradations.gap_list import read_gaps
from shellac.degradations.gaps import Interval
from shellac.errors import AudioError, ShellacError, TruncatedError, UsageError, one_line
from shellac.files import sha256, write_json
from shellac.systems import conversion, registry
from shellac.systems.classical.profile import Excerpt, parse
from shellac.systems.restorer import Restorer
from shellac.training import determinism

AUTO = "auto"
_RESIDUAL = "input minus restored, sample by sample; restored and residual add up to the input"


@dataclass(frozen=True)
class Options:
    """How to restore; the fields are the command's options."""

    systems: tuple[str, ...]
    weights: tuple[str, ...] = ()
    device: str = "auto"
    precision: str | None = None  # as the process has it, which is full unless told
    segment_seconds: float | None = None
    strength: float = 1.0
    seed: int = 0
    skip_done: bool = False
    allow_truncated: bool = False
    format: str = "same"
    keep_input: bool = False
    clip: str = "rescale"
    above_band: str | None = None
    rate: str = "same"
    mono: str | None = None
    chunking: str = "measured"
    pictures: bool = False
    gaps: str | None = None
    noise_profile: str | None = None
    steps: int | None = None
    quality: str | None = None
    declip: str | None = None
    filter: str | None = None


def load(options: Options) -> tuple[Restorer, list[dict[str, Any]]]:
    """Load the chain; return it with a description of every member's weights."""
    found = [registry.find(name) for name in options.systems]
    learning = sum(system.build is not None for system, _ in found)
    choices = iter(_choices(options.weights, learning))
    excerpt = _noise_profile(options.noise_profile, learning == len(found))
    device = determinism.device(options.device)
    precision.use(options.precision or precision.used())
    others_fill = any(hasattr(registry.part(system.name, "restoration"), "FILLS_GAPS")
                      for system, _ in found)  # fmt: skip
    members, described, sampling = [], [], False
    for name, (system, network) in zip(options.systems, found, strict=True):
        restoration = registry.part(system.name, "restoration")
        if system.build is None:
            members.append(restoration.estimator(network.name, device, excerpt))
            continue
        named = path = weights.find(next(choices), network.name)
        if conversion.is_checkpoint(named):
            accepted = list(system.networks) if name == system.name else [network.name]
            path = conversion.convert(named, system.name, accepted)
        state, card = weights.load(path)
        if card.network != network.name and name != system.name:
            raise UsageError(f"{path}: holds {card.network}, not {network.name}")
        if card.network not in system.networks:
            raise UsageError(f"{path}: holds {card.network}, which is no network of {system.name}")
        if hasattr(restoration, "generator"):
            wish = {name: getattr(options, name) for name in ("quality", "steps", "seed")}
            fills = options.gaps is not None and not others_fill
            wishes = restoration.Wishes(fills, options.declip, options.filter)
            if wishes.mends and options.strength < 1:
                raise UsageError("--strength is for what is restored whole: gaps and clipped"
                                 " peaks are mended, or not")  # fmt: skip
            members.append(restoration.generator(state, card, device, **wish, wishes=wishes))
            sampling = True
        else:
            members.append(restoration.member(state, card, device))
        facts = asdict(card)
        facts.update(sha256=sha256(path), file=named.name)
        described.append(facts)
    restorer = Restorer(members, options.above_band, options.strength)
    asked = [name for name in ("steps", "quality", "declip", "filter") if getattr(options, name)]
    if asked and not sampling:
        raise UsageError(f"no system of this chain takes --{asked[0]}: babe2 does")
    return restorer, described


def _choices(given: tuple[str, ...], learning: int) -> tuple[str | None, ...]:
    """Return one ``--weights`` value, or None, for every system that has any."""
    if given and not learning:
        raise UsageError("no system of this chain has weights: leave out --weights")
    if len(given) > 1 and len(given) != learning:
        raise UsageError(
            f"--weights was given {len(given)} times for {learning} systems that have any:"
            " give it once, or once for each"
        )
    return given if len(given) > 1 else (given or (None,)) * learning


def _noise_profile(text: str | None, useless: bool) -> Excerpt | None:
    if text is None:
        return None
    if useless:
        raise UsageError("no system of this chain takes a --noise-profile: classical does")
    return parse(text)


class Session:
    """A loaded chain that restores one job after the other."""

    def __init__(self, options: Options, tell: Callable[[str], object] | None = None):
        """``tell`` is given one line: how long the recordings expected will take."""
        self.options = options
        self._tell, self._expected_seconds = tell, 0.0
        self._pictures = picture_module() if options.pictures else None
        self.restorer, self.weights = load(options)
        if options.chunking == "published":
            self._check_published()
        self._gaps_told = options.gaps
        if self.restorer.fills_gaps:
            named = options.gaps not in {None, AUTO}
            self._gaps_told = sha256(Path(options.gaps)) if named else AUTO
        elif options.gaps is not None:
            raise UsageError("--gaps was given, but nothing in this chain fills gaps")

    def expect(self, jobs: Iterable[Job]) -> None:
        """Add up how long the recordings of jobs are, as far as their headers can be read."""
        for job in jobs:
            with contextlib.suppress(ShellacError), audio.Reader(job.source) as reader:
                self._expected_seconds += reader.samples / reader.sample_rate

    def _pace(self, seconds_per_second: float) -> None:
        """Say once how long the work will take, by what its first chunk took."""
        if self._tell is not None and self._expected_seconds:
            self._tell(
                f"{_spoken(self._expected_seconds)} of sound: about"
                f" {_spoken(seconds_per_second * self._expected_seconds)}"
            )
            self._tell = None

    def settings(self) -> dict[str, Any]:
        """What determines a result besides the input."""
        chosen = asdict(self.options)
        for irrelevant in ("skip_done", "device", "weights", "keep_input", "pictures"):
            del chosen[irrelevant]
        if chosen["noise_profile"] and (path := Path(chosen["noise_profile"])).is_file():
            chosen["noise_profile"] = f"{path.name}, sha256 {sha256(path)}"
        if chosen["filter"]:
            path = Path(chosen["filter"])
            chosen["filter"] = f"{path.name}, sha256 {sha256(path)}"
        chosen["above_band"] = self.restorer.above_band
        chosen["precision"] = precision.used()
        chosen["gaps"] = self._gaps_told  # of a list, what it says and not where it lies
        # as JSON gives it back
        return {
            key: list(value) if isinstance(value, tuple) else value for key, value in chosen.items()
        }

    def run(self, job: Job) -> dict[str, Any] | None:
        """Restore one recording; return its description, or None where it was done already."""
        try:
            facts = audio.inspect(job.source, self.options.allow_truncated)
        except TruncatedError as error:
            raise AudioError(f"{error} (--allow-truncated takes what is there)") from error
        content = sha256(job.source)
        if self.options.skip_done and self._done(job, content):
            return None
        started = time.perf_counter()
        container, subtype, suffix = audio.output_format(facts, self.options.format)
        check_length(job, suffix)
        heard = self._heard(facts)
        gaps = self._gaps(facts)
        raised = [(heard.factor * start, heard.factor * stop) for start, stop in gaps]
        chunks = self.options.segment_seconds
        with spooled(self.restorer, job.folder, heard, chunks, raised, self._pace) as spool:
            gain = self._gain(spool, subtype, facts)
            outputs = self._write(job, heard.facts, spool, gain, (container, subtype, suffix))
            outputs |= filter_files.write(job, spool.estimates)
        loud = gain == 1.0 and subtype not in audio.FLOAT_SUBTYPES
        clamped = spool.beyond_full_scale if loud else 0
        seconds = time.perf_counter() - started
        description = self._describe(
            job, (facts, heard), content, (gain, clamped), spool.estimates, outputs
        )
        if self.restorer.fills_gaps:
            description["gaps"] = [[edge / facts.sample_rate for edge in gap] for gap in gaps]
            if not gaps:
                description["warnings"].append("no gap was found; nothing was filled")
        write_json(job.description, description)
        self.restorer.finish()
        for warning in description["warnings"]:
            print(one_line(f"{job.source}: {warning}"), file=sys.stderr)
        return {**description, "seconds": seconds, "peak_memory_mb": peak_mb()}

    def _heard(self, facts: Facts) -> Source:
        if self.options.chunking == "published":
            return self._as_published(facts)
        return source(facts, self.restorer, self.options.rate, self.options.mono)

    def _check_published(self) -> None:
        if self.options.mono is not None or self.options.rate != "same":
            raise UsageError("--chunking published takes neither --mono nor --rate: it has its own")
        registry.part("behm_gan", "published_pipeline").stages(self.restorer.members)

    def _as_published(self, facts: Facts) -> Source:
        """Restore at once by the authors' command line: one channel, at the network's rate."""
        pipeline = registry.part("behm_gan", "published_pipeline")
        with audio.Reader(facts.path, facts.samples) as reader:
            whole = reader.read(0, facts.samples)
        heard, restored, rate = pipeline.restore(whole, facts.sample_rate, self.restorer.members)
        if self.options.strength < 1:
            restored = heard + np.float32(self.options.strength) * (restored - heard)
        peak = float(np.abs(heard).max())
        told = replace(facts, sample_rate=rate, channels=1, samples=heard.shape[1], peak=peak)
        lost = "the published chunking may lose an end, and gives one channel at the network's rate"
        return Source(told, warnings=(lost,), samples=heard, restored=restored)

    def _gaps(self, facts: Facts) -> list[Interval]:
        """Return the gaps of a recording, (start, stop) in samples: as listed, or found."""
        if not self.restorer.fills_gaps:
            return []
        if self._gaps_told != AUTO and self.options.gaps is not None:
            return read_gaps(Path(self.options.gaps), facts.sample_rate, facts.samples)
        with audio.Reader(facts.path, facts.samples) as reader:
            return scan(reader.read, facts.samples, facts.sample_rate)

    def _done(self, job: Job, content: str) -> bool:
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            told = json.loads(job.description.read_text(encoding="utf-8"))
            same = told["input"]["sha256"] == content and told["settings"] == self.settings()
            chain = [member["sha256"] for member in told["weights"]]
            return (
                same
                and ("pictures" in told["outputs"] or not self.options.pictures)
                and chain == [member["sha256"] for member in self.weights]
                and set(told["outputs"]) >= set(self._kinds())
                and all(
                    sha256(job.folder / name) == told["sha256"][kind]
                    for kind, name in told["outputs"].items()
                )
            )
        return False

    def _kinds(self) -> list[str]:
        return ["restored", "residual"] + ["input"] * self.options.keep_input

    def _gain(self, spool: "Spool", subtype: str, facts: Facts) -> float:
        peak = max(spool.peak, spool.residual_peak)
        if subtype in audio.FLOAT_SUBTYPES or peak <= 1.0:
            return 1.0
        if self.options.clip == "error":
            raise AudioError(
                f"{facts.path}: the result peaks at {peak:.3f} and would clip in {subtype}"
                " (--clip rescale or clamp, or --format wav for a float input)"
            )
        return 1.0 if self.options.clip == "clamp" else 1.0 / peak

    def _write(
        self, job: Job, facts: Facts, spool: "Spool", gain: float, form: tuple[str, str, str]
    ) -> dict[str, str]:
        container, subtype, suffix = form
        places = {kind: job.output(kind, suffix) for kind in self._kinds()}
        with contextlib.ExitStack() as stack:
            writers = {
                kind: stack.enter_context(
                    audio.writer(
                        path,
                        facts.sample_rate,
                        facts.channels,
                        container=container,
                        subtype=subtype,
                        samples=facts.samples,
                        tags=facts.tags,
                    )
                )
                for kind, path in places.items()
            }
            meters = self._meters(facts)
            factor = np.float32(gain)
            for heard, restored in spool.blocks():
                versions = {"input": heard, "restored": restored, "residual": heard - restored}
                for kind, taker in (*writers.items(), *meters.items()):
                    taker.append(versions[kind] * factor)
        if meters:
            places["pictures"] = job.output("pictures", ".pdf")
            self._draw(meters, job.source.name, places["pictures"])
        return {kind: path.name for kind, path in places.items()}

    def _meters(self, facts: Facts) -> dict[str, Any]:
        if self._pictures is None:
            return {}
        kinds = ("input", "restored", "residual")
        return {kind: self._pictures.Meter(facts.samples, facts.sample_rate) for kind in kinds}

    def _draw(self, meters: dict[str, Any], title: str, path: Path) -> None:
        levels = {kind.capitalize(): meter.level() for kind, meter in meters.items()}
        figure = self._pictures.spectrograms(levels, meters["input"].seconds, title)
        self._pictures.save(figure, path)

    def _describe(
        self,
        job: Job,
        recording: tuple[Facts, Source],
        content: str,
        level: tuple[float, int],
        estimates: list[Mapping[str, Any]],
        outputs: dict[str, str],
    ) -> dict[str, Any]:
        (facts, heard), (gain, clamped) = recording, level
        warnings = list(heard.warnings)
        warnings += [text for each in estimates for text in each.get("warnings", ())]
        if facts.truncated:
            warnings.append("the file was cut short; what is there was restored")
        if gain != 1.0:
            warnings.append(f"would have clipped; all outputs are scaled by {gain:.4f}")
        if clamped:
            warnings.append(f"{clamped} samples were beyond full scale and are clamped")
        if any(content in member["trained_on"] for member in self.weights):
            warnings.append("the weights were trained on this very recording")
        told = [
            {key: value for key, value in member.items() if key != "trained_on"}
            | {"trained_on_recordings": len(member["trained_on"])}
            for member in self.weights
        ]
        return {
            "shellac": __version__,
            "input": described(facts, content),
            "rate": heard.rate(),
            "mono": None if heard.walls is None else heard.walls.told(),
            "outputs": outputs,
            "sha256": {kind: sha256(job.folder / name) for kind, name in outputs.items()},
            "settings": self.settings(),
            "weights": told,
            "estimates": filter_files.without(estimates),
            "gain": gain,
            "clamped_samples": clamped,
            "generated": self.restorer.generates,
            "residual": _residual(heard, gain, clamped, self.restorer.generates),
            "warnings": warnings,
        }


def picture_module() -> ModuleType:
    """Import what draws; raise :class:`UsageError` where the extra that brings it is missing."""
    try:
        return import_module("shellac.report.pictures")
    except ImportError as error:
        raise UsageError(
            f"pictures need {error.name}, which is not installed: pip install 'shellac[compendium]'"
        ) from error


def _spoken(seconds: float) -> str:
    """Say a duration as people do."""
    for unit, length in (("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds:.1f} s"


def _residual(heard: Source, gain: float, clamped: int, generated: bool) -> str:
    text = _RESIDUAL
    if generated:
        text += "; what is restored was generated and does not follow the input, so that the"
        text += " residual is no noise that was removed"
    if heard.walls is not None:
        text += f"; the input is one channel ({heard.walls.mode})"
    if heard.factor > 1:
        text += f"; the input is the recording raised to {heard.facts.sample_rate} Hz"
    if gain != 1.0:
        text += f", after a gain of {gain:.6f}"
    return f"{text}, except where samples are clamped" if clamped else text
