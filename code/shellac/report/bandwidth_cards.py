"""Model cards of the bandwidth extension networks: what their weights are, how good, their end.

Mitchell et al., "Model cards for model reporting" (2019), short.
"""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from shellac.report import bandwidth_tables, cards, style, tables
from shellac.report.cards import markdown
from shellac.weights import Card

_TEXT = """\
# {label}: `behm_gan/{name}`, profile `{profile}`

{notice}

| | |
|---|---|
| what | {network}, settings {settings}; {parameters} parameters |
| weights | `{file}`, SHA-256 `{digest}` |
| sample rate | {sample_rate} Hz |
| trained on | {recordings} recordings (roles: {roles}; material: {material}), listed by SHA-256 in the weights' header |
| low-pass in training | {low_pass}; cut-offs drawn |
| training | recipe {recipe}, {steps} steps, loss of the signal {loss}, adversary {adversary} |
| use | {use} |
| licence | {licence} |
| chunks | {edge:.3f} s of context at each end are discarded, as measured on these weights |

## Intended use

Recordings of the roles above whose band ends near 3 kHz, noise having been removed before:
`shellac restore FILE -o OUT --system {network} --weights {file}`.

## Out of scope

Noise and clicks, which are extended like music; recordings whose band ends elsewhere; material
unlike the training recordings. What is added above the band is invented: no evidence of what was
played or said, and not to be published without saying so.

## Metrics

Means over {count} held-out tracks with 95 % bootstrap intervals, the first low-pass of the list
below.

{metrics}

Differences on the same tracks, with 95 % bootstrap intervals over tracks:

{paired}

## Limits

A recording that lacks nothing is changed too: above the kept band the network adds what it would
add to a low-passed one. The metrics need an original; on historical recordings only listening can
judge.
"""  # noqa: E501


def write(
    profile: str, names: Sequence[str], scores: pd.DataFrame, paired: pd.DataFrame, notice: str
) -> list[Path]:
    """Write ``<name>.md`` for every trained network of bandwidth extension; return the files.

    ``scores`` is what :func:`.tables.build` made of the first low-pass, ``paired`` what
    :func:`.bandwidth_tables.paired` returns. Raises :class:`WeightsError` where weights are
    missing or carry no card.
    """
    return cards.write(
        profile,
        "behm_gan",
        names,
        lambda name, path, card: describe(name, path, card, scores, paired, notice),
    )


def describe(
    name: str, path: Path, card: Card, scores: pd.DataFrame, paired: pd.DataFrame, notice: str
) -> str:
    """Return the card of one network's weights as Markdown."""
    chosen = (scores["method"] == name) & (scores["role"] == tables.ALL_ROLES)
    ours = scores[chosen & scores["metric"].isin(bandwidth_tables.METRICS)]
    against = paired[(paired["method"] == name) & (paired["role"] == tables.ALL_ROLES)]
    seen = against["seen"].map({"yes": "seen", "no": "unseen"})
    told = against.assign(Filter=against["low_pass_label"] + " (" + seen + ")")
    told = told.assign(Difference=told["metric_label"] + " to " + told["against_label"].str.lower())
    return _TEXT.format(
        **cards.facts(name, path, card, notice),
        parameters=card.extra["parameters"],
        material=", ".join(card.extra["material"]) or "all",
        low_pass=", ".join(style.low_pass(name) for name in card.extra["training_low_pass"]),
        recipe=card.extra["recipe"],
        loss=card.extra["loss"],
        adversary="yes" if card.extra["adversary"] else "no",
        use=_use(card),
        count=int(ours["tracks"].max()) if ours["tracks"].notna().any() else 0,
        metrics=markdown(ours, {"metric_label": "Metric", "cell": "Mean"}),
        paired=markdown(told, {"Filter": "Low-pass", "Difference": "Difference", "cell": "Mean",
                                "standing": "Standing"}),
    )  # fmt: skip


def _use(card: Card) -> str:
    """Say what stands around the network."""
    told = card.extra["extension"]
    kept = "gives the whole signal"
    if told["kept_hz"]:
        kept = f"adds above {told['kept_hz']:g} Hz and leaves the rest as it is"
    return f"{kept}; hears white noise of {told['noise_rms']:g} RMS"
