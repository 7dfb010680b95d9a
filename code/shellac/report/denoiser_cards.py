"""Model cards of the denoisers: what their weights are, for what, how good, and where they end.

Mitchell et al., "Model cards for model reporting" (2019), short.
"""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from shellac import paths, weights
from shellac.files import sha256, write_text
from shellac.report import style, tables
from shellac.report.denoiser_tables import MEAN
from shellac.report.model_cards import markdown
from shellac.weights import Card

_TEXT = """\
# {label}: `denoiser/{name}`, profile `{profile}`

{notice}

| | |
|---|---|
| what | {network}, settings {settings}; {parameters} parameters |
| hears and gives | {input} |
| weights | `{file}`, SHA-256 `{digest}` |
| sample rate | {sample_rate} Hz |
| trained on | {recordings} recordings (roles: {roles}), listed by SHA-256 in the weights' header |
| noise in training | signal-to-noise ratios from {low:g} to {high:g} dB |
| training | recipe {recipe}, {steps} steps |
| licence | {licence} |
| chunks | {edge:.3f} s of context at each end are discarded, as measured on these weights |

## Intended use

Recordings of the roles above with the surface noise of discs:
`shellac restore FILE -o OUT --system {network} --weights {file}`. Keep the residual, and listen to
it: music in it is music lost.

## Out of scope

Speech, where it was not trained on it; noise unlike a disc's; distortion, wow and missing bands.
What lies above {band:g} Hz is dropped.

## Metrics

Means over {count} held-out tracks and all ratios, with 95 % bootstrap intervals over tracks; noise
of discs that training did not hear.

{metrics}

Differences to the classical system on the same tracks, with 95 % bootstrap intervals:

{paired}

## Limits

The music was mixed with noise for these figures; on a historical recording there is no original,
and only listening can judge. Sharp attacks resemble clicks: see the transients lost.
"""
_INPUT = {
    "noisy": "the noisy spectrum; the clean one",
    "classical": "what the classical system kept and took away; a correction of it",
}


def folder(profile: str) -> Path:
    """Return where the cards of the denoisers of a profile lie."""
    return paths.results(profile, "model-cards", "denoiser")


def write(
    profile: str, names: Sequence[str], scores: pd.DataFrame, paired: pd.DataFrame, notice: str
) -> list[Path]:
    """Write ``<name>.md`` for every trained denoiser; return the files.

    ``scores`` and ``paired`` are what :mod:`.denoiser_tables` makes. Raises
    :class:`WeightsError` where weights are missing or carry no card.
    """
    written = []
    for name in names:
        path = weights.trained_path(profile, f"denoiser/{name}")
        text = describe(name, path, weights.load(path)[1], scores, paired, notice)
        written.append(folder(profile) / f"{name}.md")
        write_text(written[-1], text)
    return written


def describe(
    name: str, path: Path, card: Card, scores: pd.DataFrame, paired: pd.DataFrame, notice: str
) -> str:
    """Return the card of one network's weights as Markdown."""
    ours = scores[(scores["method"] == name) & (scores["role"] == tables.ALL_ROLES)]
    against = paired[(paired["method"] == name) & (paired["role"] == tables.ALL_ROLES)]
    told = against[against["snr_db"] == MEAN].assign(
        Difference=lambda table: table["metric_label"] + " to " + table["against_label"]
    )
    return _TEXT.format(
        label=style.label(name),
        name=name,
        profile=card.profile,
        notice=notice,
        network=card.network,
        settings=", ".join(f"{key} {value}" for key, value in sorted(card.settings.items())),
        parameters=card.extra["parameters"],
        input=_INPUT[card.extra["input"]],
        file=path.resolve().relative_to(paths.root().resolve()).as_posix(),
        digest=sha256(path),
        sample_rate=card.sample_rate,
        band=card.sample_rate / 2,
        recordings=len(card.trained_on),
        roles=", ".join(card.extra["roles"]),
        low=card.extra["snr_db"][0],
        high=card.extra["snr_db"][1],
        recipe=card.extra["recipe"],
        steps=card.extra["steps"],
        licence=card.licence,
        edge=card.edge_seconds,
        count=int(ours["tracks"].max()) if ours["tracks"].notna().any() else 0,
        metrics=markdown(ours, {"metric_label": "Metric", "cell": "Mean"}),
        paired=markdown(told, {"Difference": "Difference", "cell": "Mean",
                               "standing": "Standing"}),
    )  # fmt: skip
