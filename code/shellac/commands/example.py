"""``shellac example``: what super-resolution makes of recordings whose upper band is known.

The workflow of the published ``inference.py --save-examples``: a full-rate recording is brought to
the low rate, and back by a spline, a band copy and the network, each as audio and spectrogram. As
published it works on whole files in memory; lengths stay as they are, and channels too.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from shellac import __version__, audio, metrics
from shellac.audio import Facts
from shellac.commands.inputs import Job, described
from shellac.commands.restore import Options, load, picture_module
from shellac.errors import AudioError, UsageError
from shellac.files import sha256, write_json
from shellac.report import example_page
from shellac.report.example_page import Row, Version
from shellac.systems.restorer import Member, Restorer
from shellac.transforms import decimation, spline
from shellac.transforms.resampling import resample

LABELS = {
    "truth": "Ground truth",
    "low_rate": "Low rate",
    "spline": "Cubic spline",
    "band_copy": "Band copy",
    "restored": "Restored",
}
_SCORED = ("spline", "band_copy", "restored")


@dataclass(frozen=True)
class Task:
    """What the network at hand undoes: rates in Hz, and how its inputs were made."""

    sample_rate: int
    scale: int
    low_pass: bool

    @property
    def cutoff_hz(self) -> float:
        """Top of the band that the low rate keeps."""
        return decimation.EDGE * self.sample_rate / (2 * self.scale)


class Session:
    """A loaded network that shows what it does to one recording after the other."""

    def __init__(self, system: str, weights: tuple[str, ...], device: str = "auto"):
        if "," in system:
            raise UsageError("shellac example shows one network, not a chain")
        self._pictures = picture_module()
        self.restorer, self.weights = load(Options((system,), weights, device))
        self.task = _task(self.restorer, system)
        self.rows: list[Row] = []
        self.records: list[dict[str, Any]] = []

    def run(self, job: Job) -> dict[str, Any]:
        """Write every version of one recording as 24-bit FLAC, PDF and thumbnail; score them.

        More than 8 channels do not fit into FLAC and become WAV. Where a version would clip, all
        are scaled alike. Raises :class:`AudioError` for a recording whose rate is below the
        network's.
        """
        facts = audio.inspect(job.source)
        versions = self._versions(facts)
        rates = {
            name: self.task.sample_rate // (self.task.scale if name == "low_rate" else 1)
            for name in versions
        }
        peak = max(float(np.abs(waveform).max()) for waveform in versions.values())
        gain = np.float32(1 / peak if peak > 1 else 1)
        scores = {
            name: metrics.score(
                versions["truth"], versions[name], self.task.sample_rate, self.task.cutoff_hz
            )
            for name in _SCORED
        }
        shown, top_db = [], None
        _, _, suffix = audio.output_format(facts, "flac")
        for name, waveform in versions.items():
            level = self._pictures.measure(waveform * gain, rates[name])
            top_db = level.top_db if top_db is None else top_db
            sound = job.output(name, suffix)
            audio.write(sound, waveform * gain, rates[name])
            seconds = waveform.shape[1] / rates[name]
            page, small = self._draw(job, name, (level, seconds, top_db))
            shown.append(Version(LABELS[name], sound, page, small, scores.get(name, {})))
        self.rows.append(Row(job.source.name, tuple(shown)))
        self.records.append(self._record(job, facts, float(gain), scores, suffix))
        return self.records[-1]

    def _draw(self, job: Job, name: str, drawn: tuple[Any, float, float]) -> tuple[Path, Path]:
        level, seconds, top_db = drawn
        page, small = job.output(name, ".pdf"), job.output(name, ".png")
        title = f"{job.source.name}: {LABELS[name]}"
        figure = self._pictures.spectrograms({LABELS[name]: level}, seconds, title, top_db)
        self._pictures.save(figure, page)
        picture = self._pictures.thumbnail(level, seconds, self.task.sample_rate, top_db)
        self._pictures.save(picture, small)
        return page, small

    def _versions(self, facts: Facts) -> dict[str, np.ndarray]:
        """The recording at the network's rate, degraded, and brought back: all (C, T) float32."""
        from shellac.systems.superres import preparation

        task = self.task
        if facts.sample_rate < task.sample_rate:
            raise AudioError(
                f"{facts.path}: {facts.sample_rate} Hz; an example needs the full"
                f" {task.sample_rate} Hz or more (shellac restore takes low rates)"
            )
        waveform, sample_rate = audio.read(facts.path)
        truth = resample(waveform, sample_rate, task.sample_rate)
        low = preparation.low_rate(truth, task.scale, task.low_pass)
        raised = spline.upsample(low, task.scale, truth.shape[1]).astype(np.float32)
        return {
            "truth": truth,
            "low_rate": low.astype(np.float32),
            "spline": raised,
            "band_copy": preparation.band_copy(raised, task.sample_rate, task.scale),
            "restored": self.restorer.restore(raised, task.sample_rate).waveform,
        }

    def _record(
        self,
        job: Job,
        facts: Facts,
        gain: float,
        scores: dict[str, dict[str, float]],
        suffix: str,
    ) -> dict[str, Any]:
        content = sha256(job.source)
        return {
            "input": described(facts, content),
            "trained_on_this": any(content in member["trained_on"] for member in self.weights),
            "outputs": {name: job.output(name, suffix).name for name in LABELS},
            "gain": gain,
            "metrics": scores,
        }

    def finish(self, out: Path) -> None:
        """Write ``index.html`` and ``metrics.json`` for all recordings that were run."""
        if not self.rows:
            return
        member = self.weights[0]
        chosen = ("network", "origin", "profile", "sha256", "file", "settings")
        definitions = {
            name: {"definition": metric.definition, "unit": metric.unit}
            for name, metric in (metrics.METRICS | metrics.BAND_METRICS).items()
        }
        write_json(
            out / "metrics.json",
            {
                "shellac": __version__,
                "weights": {key: member[key] for key in chosen},
                "sample_rate": self.task.sample_rate,
                "scale": self.task.scale,
                "low_pass": self.task.low_pass,
                "cutoff_hz": self.task.cutoff_hz,
                "definitions": definitions,
                "recordings": self.records,
            },
        )
        about = (
            f"{member['network']}, {member['origin']} weights {member['file']}: "
            f"{self.task.sample_rate // self.task.scale} Hz to {self.task.sample_rate} Hz"
        )
        example_page.write(out / "index.html", self.rows, about)


def _task(restorer: Restorer, system: str) -> Task:
    (member,) = restorer.members
    card = member.card if isinstance(member, Member) else None
    if card is None or not {"scale", "low_pass"} <= set(card.extra):
        raise UsageError(f"{system}: shellac example shows super-resolution only")
    return Task(card.sample_rate, card.extra["scale"], card.extra["low_pass"])
