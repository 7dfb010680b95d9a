"""Model cards of the priors of the generative equaliser.

Mitchell et al., "Model cards for model reporting" (2019), short.
"""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from shellac.report import cards, tables
from shellac.report.cards import markdown
from shellac.weights import Card

_TEXT = """\
# {label}: `babe2/{name}`, profile `{profile}`

{notice}

| | |
|---|---|
| what | {network}: a diffusion model of clean recordings; {parameters} parameters |
| weights | `{file}`, SHA-256 `{digest}` |
| segments | {samples} samples at {sample_rate} Hz ({seconds:.2f} s) |
| trained on | {recordings} recordings (roles: {roles}), listed by SHA-256 in the weights' header |
| training | {steps} steps, levels {levels}; begun {start} |
| sampling | {sampling} |
| licence | {licence} |

## Intended use

Denoised recordings of the roles above whose colouring by horn, microphone or shellac is to be
undone: `shellac restore FILE -o OUT --system {network} --weights {file}`.

## What is generated

The result is generated, not recovered: it is one draw from what the model holds possible under the
filter that it estimated. Above all what the recording lost is invented, and is no evidence of what
was played or sung. Publish a restoration only with a word that says so, and keep the original.

## One voice

A prior that was fine-tuned on one singer, or on one speaker, imitates that person's voice. Have
their consent, or that of who holds their rights, before training and before publishing; do not use
it to make them say or sing what they did not.

## Out of scope

Noise and clicks (denoise first), more than one instrument or voice where the model knows one, and
speech as evidence.

## Metrics

Means over {count} held-out tracks under known filters, with 95 % bootstrap intervals.

{metrics}

Differences to spectrum matching alone on the same tracks:

{paired}

## Limits

Filters of the evaluation are drawn from the family that is estimated; those of real machines need
not lie in it. The metrics need an original; on historical recordings only listening can judge.
"""


def write(
    profile: str, names: Sequence[str], scores: pd.DataFrame, paired: pd.DataFrame, notice: str
) -> list[Path]:
    """Write ``<name>.md`` for every trained prior; return the files.

    ``scores`` is what :func:`.tables.build` made, ``paired`` what :func:`.babe2_tables.paired`
    returns. Raises :class:`WeightsError` where weights are missing or carry no card.
    """
    return cards.write(
        profile,
        "babe2",
        names,
        lambda name, path, card: describe(
            name, path, card, scores, paired[paired["network"] == name], notice
        ),
    )


def describe(
    name: str, path: Path, card: Card, scores: pd.DataFrame, paired: pd.DataFrame, notice: str
) -> str:
    """Return the card of one prior's weights as Markdown."""
    ours = scores[scores["role"] == tables.ALL_ROLES]
    against = paired[paired["role"] == tables.ALL_ROLES]
    told = against.assign(Difference=against["metric_label"] + ", " + against["method_label"])
    sampling = card.extra["sampling"]
    return _TEXT.format(
        **cards.facts(name, path, card, notice),
        parameters=card.extra["parameters"],
        samples=card.settings["samples"],
        seconds=card.settings["samples"] / card.sample_rate,
        levels=card.extra["levels"],
        start=f"with `{card.extra['start_from']}`" if card.extra["start_from"] else "afresh",
        sampling=f"{sampling['steps']} levels, order {sampling['order']},"
        f" guidance {sampling['guidance']}",
        count=int(ours["tracks"].max()) if ours["tracks"].notna().any() else 0,
        metrics=markdown(
            ours, {"method_label": "Method", "metric_label": "Metric", "cell": "Mean"}
        ),
        paired=markdown(told, {"Difference": "Difference", "cell": "Mean", "standing": "Standing"}),
    )
