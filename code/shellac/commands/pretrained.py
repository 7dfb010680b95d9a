"""Profile ``pretrained``: the authors' weights restore recordings; what is told and shown of it.

Every recording of the role ``historical`` goes through every chain of ``pretrained.chains``. The
report holds tables (recordings, weights, measures), spectrograms, and a gallery: a static page
with the same seconds of every version, to see and to hear.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

import numpy as np
import pandas as pd

from shellac import audio, paths, weights
from shellac.commands.inputs import Job
from shellac.commands.restore import Options, Session
from shellac.config import Settings
from shellac.datasets import corpora
from shellac.datasets.index import Recording
from shellac.errors import DataError, UsageError, naming
from shellac.files import atomic_folder, write_json, write_text
from shellac.reference_free import MEASURES, band_levels_db, measures
from shellac.report import example_page, pictures
from shellac.report.example_page import Row, Version
from shellac.training import determinism

ROLE = "historical"
_WEIGHTS = ("name", "network", "address", "summary", "licence", "sha256")
INPUT = "input"
Names = Mapping[str, PurePath]  # of what is made of a recording, by its file


def folder(settings: Settings, *parts: str) -> Path:
    """Where this profile's results lie."""
    return paths.results(settings.profile, "pretrained", *parts)


def discs(settings: Settings) -> list[Recording]:
    """Return the recordings to be restored; raise :class:`DataError` where there is none."""
    found = list(corpora.recordings(settings, [ROLE], ""))
    if not found:
        raise DataError(f"no corpus of data.corpora has a recording of the role {ROLE}")
    return found


def receipt(settings: Settings, name: str, digest: str) -> None:
    """Note which file was fetched, where the profile restores with it."""
    if name not in settings.pretrained.weights:
        return
    entry = weights.published()[name]
    write_json(
        folder(settings, "weights", f"{name}.json"),
        {
            "name": name,
            "network": entry.network,
            "address": entry.address,
            "summary": entry.summary,
            "licence": weights.stated_licence(entry),
            "sha256": digest,
        },
    )


def restore(settings: Settings, name: str) -> None:
    """Restore every recording by one chain of ``pretrained.chains``."""
    if name not in settings.pretrained.chains:
        listed = ", ".join(settings.pretrained.chains) or "none"
        raise UsageError(f"params.yaml has no pretrained chain {name!r}; it has: {listed}")
    chain = settings.pretrained.chains[name]
    determinism.pin(settings.compute)
    options = Options(
        tuple(chain.system.split(",")),
        weights=tuple(chain.weights),
        device=settings.compute.device,
        format="flac",
        seed=settings.seed,
    )
    found = discs(settings)
    called = _names(found)
    session = Session(options)
    with atomic_folder(folder(settings, "restored", name)) as target:
        for disc in found:
            with naming(disc.path):
                session.run(_job(disc, target, called))


def _names(found: Sequence[Recording], flat: bool = False) -> Names:
    return paths.names(((disc.origin, disc.file) for disc in found), flat)


def _job(disc: Recording, target: Path, called: Names) -> Job:
    return Job(disc.path, target / called[disc.file].parent)


@dataclass(frozen=True)
class _Made:
    """One recording restored by one chain: waveforms (C, T) and what was told of it.

    ``suffix`` is that of its files: FLAC does not hold any number of channels.
    """

    disc: Recording
    chain: str
    heard: np.ndarray
    restored: np.ndarray
    residual: np.ndarray
    sample_rate: int
    suffix: str
    told: dict


def report(settings: Settings) -> None:
    """Build tables, spectrograms and gallery out of what :func:`restore` left."""
    found = discs(settings)
    places, called = _names(found), _names(found, flat=True)
    with atomic_folder(folder(settings, "report")) as target:
        rows, shown, bands = [], [], []
        for disc in found:
            versions: list[Version] = []
            for made in _made(settings, disc, places):
                scores = measures(made.heard, made.restored, made.residual, made.sample_rate)
                rows.append({"recording": disc.file, "chain": made.chain, **scores})
                bands += _bands(made)
                name = called[disc.file]
                versions += _shown(settings, made, target, name, first=not versions)
            shown.append(Row(disc.label or disc.file, tuple(versions)))
        _table(target / "measures.csv", rows)
        _table(target / "bands.csv", bands)
        _table(target / "recordings.csv", [_recording(disc) for disc in found])
        _table(target / "weights.csv", _weights(settings), _WEIGHTS)
        _table(target / "figures.csv", _figures(found, settings, called))
        write_json(target / "definitions.json", dict(MEASURES))
        about = "Historical recordings restored by published weights; every version as loud as it"
        example_page.write(
            target / "gallery" / "index.html",
            shown,
            f"{about} came out.",
            title="shellac: recordings restored by published weights",
            legend="All spectrograms of a row share one level scale.",
        )


def _table(path: Path, rows: Sequence[dict], columns: Sequence[str] | None = None) -> None:
    table = pd.DataFrame(rows, columns=columns)
    write_text(path, table.to_csv(index=False, float_format="%.6g", lineterminator="\n"))


def _made(settings: Settings, disc: Recording, called: Names) -> Iterator[_Made]:
    for chain in settings.pretrained.chains:
        job = _job(disc, folder(settings, "restored", chain), called)
        try:
            told = json.loads(job.description.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise DataError(
                f"{job.description}: not there yet; run shellac stimuli pretrained/{chain}"
            ) from error
        files = {kind: job.folder / name for kind, name in told["outputs"].items()}
        restored, rate = audio.read(files["restored"])
        residual, _ = audio.read(files["residual"])
        suffix = files["restored"].suffix
        yield _Made(disc, chain, restored + residual, restored, residual, rate, suffix, told)


def _bands(made: _Made) -> Iterator[dict]:
    versions = {"input": made.heard, "restored": made.restored, "residual": made.residual}
    for version, waveform in versions.items():
        for band, level in band_levels_db(waveform / made.told["gain"], made.sample_rate).items():
            yield {
                "recording": made.disc.file,
                "chain": made.chain,
                "version": version,
                "band": band,
                "level_db": level,
            }


def _shown(
    settings: Settings, made: _Made, target: Path, name: PurePath, first: bool
) -> list[Version]:
    """Draw and cut the versions of one restoration: the input once, before the first chain."""
    rate, samples = made.sample_rate, made.heard.shape[1]
    title = made.disc.label or made.disc.file
    whole = {
        "Input": made.heard, f"Restored, {made.chain}": made.restored, "Removed": made.residual,
    }  # fmt: skip
    levels = {label: pictures.measure(waveform, rate) for label, waveform in whole.items()}
    top_db = levels["Input"].top_db
    page = target / _figure(name, made.chain)
    pictures.save(pictures.spectrograms(levels, samples / rate, title, top_db), page)
    length = min(samples, round(settings.pretrained.excerpt_seconds * rate))
    start = (samples - length) // 2
    cut = slice(start, start + length)
    versions = {made.chain: made.restored, f"{made.chain}, removed": made.residual}
    if first:
        versions = {INPUT: made.heard, **versions}
    drawn = []
    for label, waveform in versions.items():
        stem = f"{name}.{label.replace(', ', '.')}"
        sound, small = (target / "gallery" / f"{stem}{end}" for end in (made.suffix, ".png"))
        audio.write(sound, waveform[:, cut], rate)
        level = pictures.measure(waveform[:, cut], rate)
        pictures.save(pictures.thumbnail(level, length / rate, rate, top_db), small)
        drawn.append(Version(label, sound, page, small, {}))
    return drawn


def _figure(name: PurePath, chain: str) -> str:
    return f"figures/{name}-{chain}.pdf"


def _figures(found: Sequence[Recording], settings: Settings, called: Names) -> list[dict]:
    return [
        {
            "recording": disc.file,
            "title": disc.label or disc.file,
            "chain": chain,
            "file": _figure(called[disc.file], chain),
        }
        for disc in found
        for chain in settings.pretrained.chains
    ]


def _recording(disc: Recording) -> dict:
    return {
        "recording": disc.file,
        "title": disc.label,
        "licence": disc.licence or "not stated",
        "seconds": round(disc.samples / disc.sample_rate, 2),
        "sample_rate": disc.sample_rate,
        "channels": disc.channels,
        "sha256": disc.sha256,
    }


def _weights(settings: Settings) -> list[dict]:
    return [
        json.loads(folder(settings, "weights", f"{name}.json").read_text(encoding="utf-8"))
        for name in settings.pretrained.weights
    ]
