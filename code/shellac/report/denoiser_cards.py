"""Model cards of the denoisers: what their weights are, for what, how good, and where they end.

Mitchell et al., "Model cards for model reporting" (2019), short.
"""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from shellac.report import cards, tables
from shellac.report.cards import markdown
from shellac.report.denoiser_tables import MEAN
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


def write(
    profile: str, names: Sequence[str], scores: pd.DataFrame, paired: pd.DataFrame, notice: str
) -> list[Path]:
    """Write ``<name>.md`` for every trained denoiser; return the files.

    ``scores`` and ``paired`` are what :mod:`.denoiser_tables` makes. Raises
    :class:`WeightsError` where weights are missing or carry no card.
    """
    return cards.write(
        profile,
        "denoiser",
        names,
        lambda name, path, card: describe(name, path, card, scores, paired, notice),
    )


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
        **cards.facts(name, path, card, notice),
        parameters=card.extra["parameters"],
        input=_INPUT[card.extra["input"]],
        band=card.sample_rate / 2,
        low=card.extra["snr_db"][0],
        high=card.extra["snr_db"][1],
        recipe=card.extra["recipe"],
        count=int(ours["tracks"].max()) if ours["tracks"].notna().any() else 0,
        metrics=markdown(ours, {"metric_label": "Metric", "cell": "Mean"}),
        paired=markdown(told, {"Difference": "Difference", "cell": "Mean",
                               "standing": "Standing"}),
    )  # fmt: skip
