"""A built test told of: what listeners are asked, as tables; one trial as they hear it; its power.

Read from the analyst's key, which never goes to listeners.
"""

import base64
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import soundfile

from shellac.errors import DataError
from shellac.files import sha256
from shellac.listening import page, simulation
from shellac.listening.anchors import ANCHORS_HZ
from shellac.listening.excerpts import HISTORICAL, MUSHRA, REFERENCE, UNTREATED
from shellac.report import style
from shellac.report.results import Excerpt
from shellac.transforms.resampling import resample

SIMULATED = "Simulated assessors, not people."
_POWER = 0.8
_AUDIBLE = 1.2  # an anchor's edge has to lie so far below the reference's band to be heard
_GROUP_COLUMNS = ["group", "label", "systems", "trials", "difference", "deviation", "between"]

Trial = Mapping[str, Any]


def groups(key: Mapping[str, Any]) -> dict[str, list[Trial]]:
    """Return the trials of each group, in order of track."""
    found: dict[str, list[Trial]] = {}
    for trial in sorted(key["trials"].values(), key=lambda each: each["track"]):
        found.setdefault(trial["group"], []).append(trial)
    return {name: found[name] for name in sorted(found)}


def group_label(group: str) -> str:
    """Return what a group of trials is called."""
    if group == HISTORICAL:
        return "Historical recordings"
    known = style.SYSTEM_LOOKS.get(group)
    return known.label if known else style.label(group)


def rated(trial: Trial) -> list[str]:
    """Return the conditions that are rated in a trial: the open reference is not, but the hidden.

    In the order of the name.
    """
    return sorted({stimulus["condition"] for stimulus in trial["stimuli"].values()})


def compared(trial: Trial) -> list[str]:
    """Return the conditions that are tested against each other: all rated but the anchors."""
    return [name for name in rated(trial) if name not in ANCHORS_HZ]


def idle_anchors(trials: Sequence[Trial]) -> list[str]:
    """Return the anchors that may not be heard to differ from the reference of some trial."""
    if trials[0]["method"] != MUSHRA:
        return []
    narrow = min(trial["bandwidth_hz"] for trial in trials)
    return [name for name, cutoff_hz in ANCHORS_HZ.items() if narrow < cutoff_hz * _AUDIBLE]


def asked(key: Mapping[str, Any], notice: str = "") -> pd.DataFrame:
    """Say what a listener is asked: one row per group of trials."""
    rows = []
    for name, trials in groups(key).items():
        first = trials[0]
        rows.append(
            {
                "group": name,
                "label": group_label(name),
                "method": first["method"],
                "trials": len(trials),
                "rated": len(rated(first)),
                "ratings": sum(len(rated(trial)) for trial in trials),
                "seconds": sum(trial["seconds"] for trial in trials) / len(trials),
                "loudness_lufs": min(
                    (t["loudness_lufs"] for t in trials if t["loudness_lufs"] is not None),
                    default=None,
                ),
                "bandwidth_hz": min(trial["bandwidth_hz"] for trial in trials),
                "idle_anchors": ", ".join(style.label(each) for each in idle_anchors(trials)),
                "left_out": len(first["left_out"]),
                "notice": notice,
            }
        )
    return pd.DataFrame(rows)


def conditions(key: Mapping[str, Any], notice: str = "") -> pd.DataFrame:
    """Say what is rated in every group: one row per condition, with the part that it plays."""
    parts = {REFERENCE: "hidden reference", UNTREATED: "untreated, marked as such"}
    parts |= dict.fromkeys(ANCHORS_HZ, "anchor")
    rows = []
    for name, trials in groups(key).items():
        for condition in rated(trials[0]):
            gains_db = [
                stimulus["gain_db"]
                for trial in trials
                for stimulus in trial["stimuli"].values()
                if stimulus["condition"] == condition
            ]
            rows.append(
                {
                    "group": name,
                    "group_label": group_label(name),
                    "condition": condition,
                    "condition_label": style.label(condition),
                    "part": parts.get(condition, "compared"),
                    "least_gain_db": min(gains_db),
                    "most_gain_db": max(gains_db),
                    "notice": notice,
                }
            )
    return pd.DataFrame(rows)


def heard(folder: Path, key: Mapping[str, Any], group: str, index: int = 0) -> Excerpt:
    """Read one trial back from the built test in ``folder``: what listeners hear, by condition.

    At the rate that the recordings came with, as nothing lies above it. Raises :class:`DataError`
    where there is no such trial, or a stimulus is not the one that the key names.
    """
    trials = groups(key).get(group, [])
    if not 0 <= index < len(trials):
        raise DataError(f"{folder / page.KEY}: no trial {index} of {group!r}")
    trial, waveforms, gains_db, sources = trials[index], {}, {}, [folder / page.KEY]
    rate = min(trial["sample_rate"], key["sample_rate"])
    for name, stimulus in sorted(trial["stimuli"].items()):
        if name != trial.get("open_reference"):
            script = folder / page.PAGE / "audio" / f"{name}.js"
            waveforms[stimulus["condition"]] = resample(
                _sound(script, stimulus["sha256"]), key["sample_rate"], rate
            )
            gains_db[stimulus["condition"]] = stimulus["gain_db"]
            sources.append(script)
    return Excerpt(
        trial["track"],
        trial["role"],
        rate,
        trial["start_seconds"],
        waveforms,
        gains_db,
        tuple(sources),
    )


def _sound(script: Path, expected: str) -> Any:
    """Take the sound out of a stimulus' script: (T,), all channels averaged."""
    if not script.is_file() or sha256(script) != expected:
        raise DataError(f"{script}: missing or changed; build the listening test again")
    content = re.search(r', "([^"]*)"\);', script.read_text(encoding="utf-8"))
    wave, _ = soundfile.read(io.BytesIO(base64.b64decode(content[1])), dtype="float32")
    return wave if wave.ndim == 1 else wave.mean(axis=1)


def power(
    key: Mapping[str, Any], differences: Iterable[float], deviation: float, notice: str = ""
) -> pd.DataFrame:
    """Simulate how often a difference would be found in each group, by number of listeners.

    As :func:`shellac.listening.simulation.power`, with the trials and the pairs that the group
    has. One row per group, difference in points and number of listeners.
    """
    rows = []
    for difference in differences:
        for name, trials in groups(key).items():
            systems = len(compared(trials[0]))
            found = simulation.power(difference, deviation, systems, len(trials))
            facts = (name, group_label(name), systems, len(trials), difference, deviation,
                     simulation.BETWEEN_LISTENERS)  # fmt: skip
            rows += [
                {**dict(zip(_GROUP_COLUMNS, facts, strict=True)), "listeners": listeners,
                 "found": share, "notice": f"{SIMULATED} {notice}".strip()}
                for listeners, share in found.items()
            ]  # fmt: skip
    return pd.DataFrame(rows)


def needed(power_table: pd.DataFrame) -> pd.DataFrame:
    """Return the fewest listeners that find a difference in four of five tests, or more than most.

    ``power_table`` is that of :func:`power`; one row per group and difference.
    """
    rows = []
    for facts, table in power_table.groupby(_GROUP_COLUMNS, sort=False):
        enough = table.loc[table["found"] >= _POWER, "listeners"]
        told = str(enough.min()) if len(enough) else f"more than {table['listeners'].max()}"
        rows.append({**dict(zip(_GROUP_COLUMNS, facts, strict=True)), "needed": told,
                     "notice": table["notice"].iloc[0]})  # fmt: skip
    return pd.DataFrame(rows)
