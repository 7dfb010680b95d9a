"""The listening test as a folder: a static page, its blind stimuli, and the analyst's key.

``page/`` is what listeners get: it opens from disk or from any web host. Every stimulus is a
script that holds 24-bit FLAC, since a page opened from disk may load scripts but fetch no files.
``key.json`` tells which stimulus is which; it stays with the analyst.
"""

import base64
import hashlib
import html
import importlib.resources
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from shellac import audio
from shellac.config import Settings
from shellac.datasets.gate import bandwidth_hz
from shellac.errors import UsageError
from shellac.files import atomic_folder, sha256, write_json, write_text
from shellac.listening import excerpts, webmushra
from shellac.listening.anchors import ANCHORS_HZ, low_pass
from shellac.listening.excerpts import MUSHRA, NO_REFERENCE, REFERENCE, UNTREATED, Choice, Trial
from shellac.listening.loudness import common_gains
from shellac.transforms.resampling import resample

SAMPLE_RATE = 48_000  # of all stimuli: browsers play one rate at a time
FORMAT = "shellac-listening-test"
VERSION = 1
KEY = "key.json"
MANIFEST = "manifest.json"
PAGE = "page"
WEBMUSHRA = "webmushra"
_CHANNELS = 2
_CONSENT = (
    "You will hear short excerpts of music, each in several versions, and say how good every"
    " version sounds. There are no right or wrong answers.",
    "Taking part is voluntary: you may stop at any time by closing the page. No name, address or"
    " other personal data is asked for. Your answers stay in this browser until you download them"
    " at the end; nothing is sent anywhere.",
    "The excerpts are played at your own volume. Begin with a low one.",
)


@dataclass(frozen=True)
class Wording:
    """What a listener reads: the test's title, the consent in paragraphs, a notice or none."""

    title: str = "Listening test"
    consent: tuple[str, ...] = _CONSENT
    notice: str = ""


def read_consent(path: Path) -> tuple[str, ...]:
    """Read a consent text: paragraphs with empty lines between; :class:`UsageError` if none."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read as text ({error})") from error
    paragraphs = tuple(" ".join(part.split()) for part in text.split("\n\n") if part.strip())
    if not paragraphs:
        raise UsageError(f"{path}: holds no text")
    return paragraphs


def build(
    settings: Settings,
    groups: Sequence[str],
    folder: Path,
    choice: Choice,
    wording: Wording,
    with_webmushra: bool = False,
) -> dict[str, Any]:
    """Build the test in ``folder``, replacing what is there, and return the key.

    Deterministic: the same results, choice and wording give the same bytes. Raises as
    :func:`shellac.listening.excerpts.trials`, and :class:`UsageError` where ``folder`` holds
    something else.
    """
    folder = Path(folder).resolve()
    _check_replaceable(folder)
    with atomic_folder(folder) as target:
        described = {}
        for trial in excerpts.trials(settings, groups, choice):
            name = _opaque(choice.seed, trial.group, trial.track)
            described[name] = _write_trial(target, name, trial, choice.seed, with_webmushra)
        stimuli = {name: trial["stimuli"] for name, trial in described.items()}
        write_json(
            target / PAGE / MANIFEST,
            {
                trial: {file: stimulus["sha256"] for file, stimulus in files.items()}
                for trial, files in stimuli.items()
            },
        )
        key = {
            "format": f"{FORMAT}-key",
            "version": VERSION,
            "test": sha256(target / PAGE / MANIFEST),
            "title": wording.title,
            "notice": wording.notice,
            "profile": settings.profile,
            "seed": choice.seed,
            "sample_rate": SAMPLE_RATE,
            "trials": described,
        }
        write_json(target / KEY, key)
        _write_page(target / PAGE, key, wording)
        if with_webmushra:
            webmushra.export(target / WEBMUSHRA, key)
    return key


def _check_replaceable(folder: Path) -> None:
    """Refuse to replace anything but an earlier build: answers may have been put beside it."""
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder}: is a file, not a folder")
    others = {path.name for path in folder.glob("*")} - {PAGE, KEY, WEBMUSHRA}
    if others:
        raise UsageError(f"{folder}: holds {min(others)}, which a build would remove; move it away"
                         " or name another folder")  # fmt: skip


def _opaque(seed: int, *parts: str) -> str:
    digest = hashlib.sha256("/".join((str(seed), *parts)).encode()).hexdigest()
    return f"s{digest[:12]}"  # a letter first: no table takes 5e12 for a number


def _write_trial(
    target: Path, name: str, trial: Trial, seed: int, with_webmushra: bool
) -> dict[str, Any]:
    """Write the stimuli of one trial and describe it for the key."""
    versions = {
        condition: _at_test_rate(waveform, trial.sample_rate)
        for condition, waveform in trial.versions.items()
    }
    described: dict[str, Any] = {
        "method": trial.method,
        "group": trial.group,
        "track": trial.track,
        "role": trial.role,
        "start_seconds": trial.start_seconds,
        "sample_rate": trial.sample_rate,
        "left_out": list(trial.left_out),
    }
    opened = UNTREATED if trial.method == NO_REFERENCE else REFERENCE
    described["bandwidth_hz"] = round(bandwidth_hz(versions[opened], SAMPLE_RATE))
    described["seconds"] = round(versions[opened].shape[-1] / SAMPLE_RATE, 6)
    if trial.method == MUSHRA:
        for anchor, cutoff_hz in ANCHORS_HZ.items():
            versions[anchor] = low_pass(versions[REFERENCE], SAMPLE_RATE, cutoff_hz)
    gains, loudness = common_gains(list(versions.values()), SAMPLE_RATE)
    described["loudness_lufs"] = None if loudness is None else round(loudness, 3)
    stimuli = {}
    for (condition, waveform), gain in zip(versions.items(), gains, strict=True):
        names = [_opaque(seed, name, condition)]
        if trial.method == MUSHRA and condition == opened:
            # under a name of its own, the hidden reference cannot be told by its file
            described["open_reference"] = _opaque(seed, name, condition, "open")
            names.append(described["open_reference"])
        level = waveform * np.float32(gain)
        for each in names:
            stimuli[each] = {
                "condition": condition,
                "gain_db": round(20 * float(np.log10(gain)), 3),
                "source_sha256": trial.sources.get(condition, trial.sources[opened]),
                "sha256": _write_stimulus(target, each, level, with_webmushra),
            }
    if trial.method == NO_REFERENCE:
        described["labelled"] = _opaque(seed, name, opened)
    return described | {"stimuli": stimuli}


def _at_test_rate(waveform: np.ndarray, sample_rate: int) -> np.ndarray:
    if len(waveform) > _CHANNELS:
        # headphones have two; where several styluses or microphones belong nobody tells
        waveform = waveform.mean(axis=0, keepdims=True)
    return resample(waveform, sample_rate, SAMPLE_RATE)


def _write_stimulus(target: Path, name: str, waveform: np.ndarray, with_webmushra: bool) -> str:
    """Write one stimulus as a script (and as WAV for webMUSHRA); return the script's SHA-256."""
    if with_webmushra:
        audio.write(target / WEBMUSHRA / "stimuli" / f"{name}.wav", waveform, SAMPLE_RATE)
    flac = target / PAGE / "audio" / f"{name}.flac"
    audio.write(flac, waveform, SAMPLE_RATE)
    content = base64.b64encode(flac.read_bytes()).decode("ascii")
    flac.unlink()
    script = flac.with_suffix(".js")
    write_text(script, f'shellac.receive("{name}", "{content}");\n')
    return sha256(script)


def _write_page(page: Path, key: dict[str, Any], wording: Wording) -> None:
    """Write the page's own files and ``test.js``, which says nothing about conditions."""
    for source in importlib.resources.files("shellac.listening").joinpath("page").iterdir():
        text = source.read_text(encoding="utf-8")
        if source.name == "index.html":
            text = text.replace("{{title}}", html.escape(wording.title))
        write_text(page / source.name, text)
    test = {
        "format": FORMAT,
        "version": VERSION,
        "test": key["test"],
        "title": wording.title,
        "notice": wording.notice,
        "consent": wording.consent,
        "trials": [_shown(name, trial) for name, trial in sorted(key["trials"].items())],
    }
    # a script may end early at "</script", and old engines at U+2028: ASCII with "<" escaped
    told = json.dumps(test, indent=1, sort_keys=True).replace("<", "\\u003c")
    write_text(page / "test.js", f"shellac.test = {told};\n")


def _shown(name: str, trial: dict[str, Any]) -> dict[str, Any]:
    """What the page may know of a trial: files in alphabetical order, and how to ask."""
    opened = trial.get("open_reference")
    return {
        "trial": name,
        "method": trial["method"],
        "seconds": trial["seconds"],
        "reference": opened,
        "labelled": trial.get("labelled"),
        "stimuli": sorted(file for file in trial["stimuli"] if file != opened),
    }
