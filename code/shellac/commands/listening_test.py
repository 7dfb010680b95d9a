"""``shellac listening-test``: build the page from the results, analyse what listeners answered."""

import argparse
from pathlib import Path
from typing import Any

from shellac import config, paths
from shellac.config import Settings
from shellac.errors import UsageError
from shellac.listening import design, page
from shellac.listening.excerpts import Choice, read_starts
from shellac.report import provenance

_Told = tuple[dict[str, Any], list[str]]
_SHORTEST_SECONDS, _LONGEST_SECONDS = 1, 60


def build(options: argparse.Namespace) -> _Told:
    """Build the test; return what was built, for programs and in lines."""
    settings = config.load()
    if not _SHORTEST_SECONDS <= options.seconds <= _LONGEST_SECONDS:
        raise UsageError(f"--seconds {options.seconds:g}: an excerpt lasts {_SHORTEST_SECONDS} to"
                         f" {_LONGEST_SECONDS} s")  # fmt: skip
    choice = Choice(
        seed=settings.seed if options.seed is None else options.seed,
        conditions=tuple(filter(None, options.conditions.split(","))),
        seconds=options.seconds,
        starts=read_starts(options.excerpts) if options.excerpts else None,
    )
    consent = {"consent": page.read_consent(options.consent)} if options.consent else {}
    wording = page.Wording(options.title, notice=provenance.notice(settings.profile), **consent)
    folder = options.out or _built(settings)
    key = page.build(settings, options.systems, folder, choice, wording, options.webmushra)
    groups: dict[str, list[dict]] = {}
    for trial in key["trials"].values():
        groups.setdefault(trial["group"], []).append(trial)
    record = {
        "page": str(folder / page.PAGE / "index.html"),
        "key": str(folder / page.KEY),
        "trials": {group: len(trials) for group, trials in groups.items()},
        "warnings": [line for trials in groups.values() for line in _warnings(trials)],
    }
    lines = [f"{group}: {len(trials)} trials, {len(design.rated(trials[0]))} versions in each, "
             f"{trials[0]['method']}" for group, trials in groups.items()]  # fmt: skip
    lines += record["warnings"]
    lines += [f"page for listeners: {record['page']}", f"key, not for listeners: {record['key']}"]
    return record, lines


def _built(settings: Settings) -> Path:
    return paths.results(settings.profile, "listening-test")


def _warnings(trials: list[dict[str, Any]]) -> list[str]:
    """Say what a group's trials lack: conditions that did not fit, anchors without effect."""
    first, told = trials[0], []
    if first["left_out"]:
        told.append(f"{first['group']}: left out {', '.join(first['left_out'])}"
                    " (--conditions chooses others)")  # fmt: skip
    if idle := design.idle_anchors(trials):
        narrow = min(trial["bandwidth_hz"] for trial in trials)
        told.append(f"{first['group']}: a reference reaches only {narrow} Hz, so that"
                    f" {' and '.join(idle)} may not be heard to differ from it")  # fmt: skip
    return told


def analyse(options: argparse.Namespace) -> _Told:
    """Analyse response files; write tables and a figure unless nobody has listened yet."""
    from shellac.listening import analysis, responses

    settings = config.load()
    key = responses.read_key(options.key or _built(settings) / page.KEY)
    answers = responses.read_all(options.responses, key)
    if not answers:
        return {"listeners": 0}, ["no listeners yet"]
    found = analysis.analyse(answers, key)
    folder = options.out or paths.results(settings.profile, "listening-analysis")
    analysis.write(found, folder, key["notice"])
    return analysis.record(found) | {"folder": str(folder)}, [
        *analysis.lines(found),
        f"tables and figure: {folder}",
    ]


def power(options: argparse.Namespace) -> _Told:
    """Tell how often a difference would be found, by number of listeners."""
    from shellac.listening import simulation

    if not 0 < options.difference <= simulation.MOST_DIFFERENCE or options.deviation <= 0:
        raise UsageError("--difference lies between 0 and 50 points, --deviation above 0")
    if options.systems < 2 or options.trials < 1:
        raise UsageError("--systems must be 2 or more, --trials 1 or more")
    found = simulation.power(options.difference, options.deviation, options.systems, options.trials)
    record = {"simulated": True, "power": {str(count): share for count, share in found.items()}}
    lines = [f"a difference of {options.difference:g} points among {options.systems} systems,"
             f" {options.trials} trials, simulated listeners:"]  # fmt: skip
    return record, lines + [f"{count:>4} listeners: found in {share:.0%}"
                            for count, share in found.items()]  # fmt: skip
