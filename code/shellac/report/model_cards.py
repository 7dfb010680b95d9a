"""Model cards: what trained weights are, for what, how good, and where they end.

Mitchell et al., "Model cards for model reporting" (2019), short.
"""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from shellac.report import cards, style, tables
from shellac.report.cards import markdown
from shellac.weights import Card

_TEXT = """\
# {label}: `superres/{name}`, profile `{profile}`

{notice}

| | |
|---|---|
| what | {network}, settings {settings}; raises the rate of a band-limited recording {scale}-fold |
| weights | `{file}`, SHA-256 `{digest}` |
| sample rate | {sample_rate} Hz |
| trained on | {recordings} recordings (roles: {roles}), listed by SHA-256 in the weights' header |
| low-pass in training | {low_pass} |
| training | recipe {recipe}, {steps} steps |
| licence | {licence} |
| chunks | {edge:.3f} s of context at each end are discarded, as measured on these weights |

## Intended use

Recordings of the roles above that were stored at a low sample rate, so that the upper band is
missing: `shellac restore FILE -o OUT --system {network} --weights {file}`.

## Out of scope

Noise, clicks, gaps, and material unlike the training recordings. What is added above the band is
invented: no evidence of what was played or said, and not to be published without saying so.

## Metrics

{conditions}

{metrics}

Differences to the baseline on the same tracks, with 95 % bootstrap intervals over tracks:

{paired}

## Limits

Networks of this kind are sensitive to how the low-rate signal was made: see the unseen filters
above. The metrics need an original; on historical recordings only listening can judge.
"""
_SHOWN = ("snr_db", "si_sdr_db", "lsd", "lsd_above_cut", "kept_band_snr_db")


def write(
    profile: str, names: Sequence[str], scores: pd.DataFrame, paired: pd.DataFrame, notice: str
) -> list[Path]:
    """Write ``<name>.md`` for every trained network of super-resolution; return the files.

    ``scores`` and ``paired`` are what :func:`shellac.report.tables.build` and ``paired`` return.
    Raises :class:`WeightsError` where weights are missing or carry no card.
    """
    return cards.write(
        profile,
        "superres",
        names,
        lambda name, path, card: describe(name, path, card, scores, paired, notice),
    )


def describe(
    name: str, path: Path, card: Card, scores: pd.DataFrame, paired: pd.DataFrame, notice: str
) -> str:
    """Return the card of one network's weights as Markdown."""
    chosen = (scores["method"] == name) & (scores["role"] == tables.ALL_ROLES)
    ours = scores[chosen & scores["metric"].isin(_SHOWN)]
    against = paired[(paired["method"] == name) & (paired["role"] == tables.ALL_ROLES)]
    seen = against["seen"].map({"yes": "seen", "no": "unseen"})
    told = against.assign(Filter=against["low_pass_label"] + " (" + seen + ")")
    told = told.assign(Difference=told["metric_label"] + " to " + told["against_label"].str.lower())
    count = int(ours["tracks"].max()) if ours["tracks"].notna().any() else 0
    return _TEXT.format(
        **cards.facts(name, path, card, notice),
        scale=card.extra["scale"],
        low_pass=", ".join(style.low_pass(family) for family in card.extra["training_low_pass"]),
        recipe=card.extra["recipe"],
        conditions=f"Means over {count} held-out tracks with 95 % bootstrap intervals, whole"
        " files, the first filter of the list below.",
        metrics=markdown(ours, {"metric_label": "Metric", "cell": "Mean"}),
        paired=markdown(told, {"Filter": "Filter", "Difference": "Difference", "cell": "Mean",
                                "standing": "Standing"}),
    )  # fmt: skip
