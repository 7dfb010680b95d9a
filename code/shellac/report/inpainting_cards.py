"""Model cards of the inpainting networks: what their weights are, for what, how good, their end.

Mitchell et al., "Model cards for model reporting" (2019), short.
"""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from shellac.report import cards, tables
from shellac.report.cards import markdown
from shellac.weights import Card

_TEXT = """\
# {label}: `inpainting/{name}`, profile `{profile}`

{notice}

| | |
|---|---|
| what | {network}, settings {settings}; {parameters} parameters; input {input} |
| weights | `{file}`, SHA-256 `{digest}` |
| sample rate | {sample_rate} Hz, representation {representation} |
| trained on | {recordings} recordings (roles: {roles}), listed by SHA-256 in the weights' header |
| gaps in training | {gaps} |
| training | recipe {recipe}, {steps} steps |
| licence | {licence} |

## Intended use

Recordings of the roles above of which frames or short stretches are lost, at known places:
`shellac restore FILE -o OUT --system {network} --weights {file}`.

## Out of scope

Noise and clicks that lie over the sound, gaps far longer than those of training, and material
unlike the training recordings. What fills a gap is invented: no evidence of what was played or
said, and not to be published without saying so.

## Metrics

{metrics}

Differences to the baselines on the same tracks, with 95 % bootstrap intervals over tracks:

{paired}

## Limits

A segment of spectrogram is estimated without phases: a waveform needs them besides, and in long
gaps they limit the result more than the magnitudes do. The metrics need an original; on historical
recordings only listening can judge.
"""


def write(
    profile: str, names: Sequence[str], scores: pd.DataFrame, paired: pd.DataFrame, notice: str
) -> list[Path]:
    """Write ``<name>.md`` for every trained network of inpainting; return the files.

    ``scores`` is what :func:`.tables.build` made of segments, ``paired`` what
    :func:`.inpainting_tables.paired` returns. Raises :class:`WeightsError` where weights are
    missing or carry no card.
    """
    return cards.write(
        profile,
        "inpainting",
        names,
        lambda name, path, card: describe(name, path, card, scores, paired, notice),
    )


def describe(
    name: str, path: Path, card: Card, scores: pd.DataFrame, paired: pd.DataFrame, notice: str
) -> str:
    """Return the card of one network's weights as Markdown."""
    ours = scores[(scores["method"] == name) & (scores["role"] == tables.ALL_ROLES)]
    against = paired[(paired["method"] == name) & (paired["genre"] == tables.ALL_ROLES)]
    told = against.assign(
        Difference=against["metric_label"] + " to " + against["against_label"].str.lower()
    )
    return _TEXT.format(
        **cards.facts(name, path, card, notice),
        parameters=card.extra["parameters"],
        input=card.extra["conversion"]["input"],
        representation=card.extra["conversion"]["representation"],
        gaps=card.extra["gaps"],
        recipe=card.extra["recipe"],
        metrics=_metrics(ours[ours["tracks"].notna()]),
        paired=markdown(told, {"unit": "Unit", "Difference": "Difference", "cell": "Mean",
                               "standing": "Standing"}),
    )  # fmt: skip


def _metrics(ours: pd.DataFrame) -> str:
    if ours.empty:
        return "It works on waveforms, so that it has no score on segments."
    table = markdown(ours, {"metric_label": "Metric", "cell": "Mean"})
    return (
        f"Means over {int(ours['tracks'].max())} held-out tracks with 95 % bootstrap intervals,"
        f" intact frames put back.\n\n{table}"
    )
