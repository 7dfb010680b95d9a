"""What the manuscript tells of the compendium itself: its data, networks and stages, as tables.

They are no results of a notebook, so the stage ``manuscript`` writes them, before it typesets, to
``results/<profile>/tables/manuscript``. Hashes of outputs are those that DVC's lock holds.
"""

import json
import re
from collections import Counter
from graphlib import TopologicalSorter
from pathlib import Path

import pandas as pd

from shellac import lock, paths, weights
from shellac.config import Settings
from shellac.datasets.catalogue import CATALOGUE
from shellac.datasets.corpora import CORPORA
from shellac.errors import DataError
from shellac.files import sha256
from shellac.report import provenance, results, style
from shellac.stages import PIPELINE, Stage, described, needed
from shellac.systems import registry

COMMAND = "shellac manuscript"
_LAST = "manuscript"
_SHOWN = 8  # characters of a hash
_UNKNOWN = "not recorded"


def write(settings: Settings) -> list[Path]:
    """Write all tables of the manuscript's own, each with its sidecar; return the files.

    Raises :class:`DataError` where a corpus or a network that the settings name is not there yet.
    """
    profile = settings.profile
    folder = paths.results(profile, "tables", "manuscript")
    stages, pipeline = described(settings), paths.root() / PIPELINE
    trained = [
        weights.trained_path(profile, f"{system}/{name}")
        for system, task in settings.systems.items()
        for name in task.networks
    ]
    indexes = results.index_paths(profile)
    saved = {
        "corpora": (corpora(settings), "The corpora of this build.", indexes),
        "catalogue": (catalogue(), "Published data sets that can be trained on.", []),
        "models": (models(settings), "The networks that this build trained.", trained),
        "stages": (listed(settings, stages), "Every stage with seed and hashes.", [pipeline]),
        "graph": (graph(stages), "The stages as a graph.", [pipeline]),
    }
    notice = provenance.notice(profile)
    return [
        provenance.save_table(
            table.assign(notice=notice), folder / f"{name}.csv", what=what, sources=sources,
            command=COMMAND,
        )
        for name, (table, what, sources) in saved.items()
    ]  # fmt: skip


def corpora(settings: Settings) -> pd.DataFrame:
    """Tell every corpus of this build: what it is, its licence, recordings and minutes in use."""
    found = results.recordings(settings.profile)
    used = found[found["used"] == "yes"]
    rows = []
    for name in settings.data.corpora:
        own = used[used["corpus"] == name]
        minutes = (own["samples"] / own["sample_rate"].clip(lower=1)).sum() / 60
        licence = _licence(name, own)
        rows.append(
            {"corpus": name, "what": CORPORA[name].summary, "licence": licence,
             "recordings": len(own), "minutes": minutes,
             "citation": CATALOGUE[name].citation if name in CATALOGUE else ""}
        )  # fmt: skip
    return pd.DataFrame(rows)


def catalogue() -> pd.DataFrame:
    """Tell every published data set that the catalogue knows, with its licence."""
    rows = [
        {"name": entry.name, "title": entry.title, "what": entry.summary,
         "licence": entry.licence or "none stated", "citation": entry.citation}
        for entry in CATALOGUE.values()
    ]  # fmt: skip
    return pd.DataFrame(rows)


def models(settings: Settings) -> pd.DataFrame:
    """Tell every network that this build trained: what it is, and what its weights were made of.

    ``values`` counts what the weights file stores, constants of the network included.
    """
    found = results.recordings(settings.profile)
    rows = []
    for system, task in settings.systems.items():
        for name in task.networks:
            path = weights.trained_path(settings.profile, f"{system}/{name}")
            state, card = weights.load(path)
            seen = found[found["sha256"].isin(card.trained_on)]
            licences = [_licence(corpus, own) for corpus, own in seen.groupby("corpus")]
            rows.append(
                {"system": system, "entry": name, "label": style.label(name),
                 "network": card.network, "task": registry.system(system).task,
                 "sample_rate": card.sample_rate,
                 "values": sum(tensor.numel() for tensor in state.values()),
                 "roles": ", ".join(card.extra["roles"]), "recordings": len(card.trained_on),
                 "steps": card.extra["steps"],
                 "licence": ", ".join(dict.fromkeys(licences)) or card.licence,
                 "sha256": sha256(path)[:_SHOWN]}
            )  # fmt: skip
    return pd.DataFrame(rows)


def _licence(corpus: str, recordings: pd.DataFrame) -> str:
    """Return the licence of a corpus, or those of its recordings where they have their own."""
    own = recordings.get("licence", pd.Series(dtype=str)).dropna().astype(str)
    stated = [text for text in own.unique() if text]
    return ", ".join(stated) or CORPORA[corpus].licence


def listed(settings: Settings, stages: list[Stage]) -> pd.DataFrame:
    """Return one row per output of the stages that the manuscript rests on, with its hash."""
    try:
        hashes = lock.outputs(lock.stages())
    except DataError:
        hashes = {}
    reads = {stage.name: stage.reads for stage in stages}
    shown = needed(reads, reads[_LAST])
    rows = []
    for stage in (stage for stage in stages if stage.name in shown):
        for item in stage.items or ("",):
            for output in stage.outputs:
                path = re.sub(r"\$\{(item|key)\}", item, output)
                digest = hashes.get(path, (_UNKNOWN, ""))[0]
                rows.append(
                    {"stage": f"{stage.name}@{item}" if item else stage.name,
                     "about": stage.about, "seed": settings.seed if stage.seeded else "",
                     "reads": ", ".join((*stage.reads, *stage.files)),
                     "writes": path, "hash": digest if digest == _UNKNOWN else digest[:_SHOWN]}
                )  # fmt: skip
    columns = ["stage", "about", "seed", "reads", "writes", "hash"]
    return pd.DataFrame(rows, columns=columns)


def graph(stages: list[Stage]) -> pd.DataFrame:
    """Lay the stages out: the layer is the longest way from a source, the lane what names share.

    ``after`` lists the stages that each follows directly: those that it reads without a third
    between them.
    """
    reads = {stage.name: stage.reads for stage in stages}
    above = {name: needed(reads, reads[name]) for name in reads}
    layers: dict[str, int] = {}
    for name in TopologicalSorter(reads).static_order():
        layers[name] = 1 + max((layers[other] for other in reads[name]), default=-1)
    lanes = Counter(stage.name.rpartition("-")[0] for stage in stages if "-" in stage.name)
    rows = []
    for stage in stages:
        direct = {a for a in reads[stage.name] if not any(a in above[b] for b in reads[stage.name])}
        shared = stage.name.rpartition("-")[0]
        lane = shared if lanes[shared] > 1 else ""
        rows.append(
            {"stage": stage.name, "lane": lane, "layer": layers[stage.name],
             "items": len(stage.items), "after": json.dumps(sorted(direct))}
        )  # fmt: skip
    return pd.DataFrame(rows)
