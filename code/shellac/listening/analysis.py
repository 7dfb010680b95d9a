"""Statistics of a listening test: post-screening, medians with intervals, paired tests.

After ITU-R BS.1534-3: post-screening of assessors, and non-parametric statistics.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from shellac.files import atomic_path, write_text
from shellac.listening import figure
from shellac.listening.anchors import ANCHORS_HZ
from shellac.listening.excerpts import MUSHRA, REFERENCE
from shellac.listening.responses import Response
from shellac.report import style

MID_ANCHOR = "anchor_7000_hz"
_HIGH_SCORE = 90
_TOLERATED_SHARE = 0.15
_WEAK_ANCHOR_SHARE = 0.25
_CONFIDENCE = 0.95
_RESAMPLES = 2000
_SEED = 1534  # of the bootstrap: the same answers give the same intervals
_RATING_COLUMNS = ["session", "listener", "trial", "method", "group", "condition", "score"]


@dataclass(frozen=True)
class Analysis:
    """What the answers say.

    ``ratings``: one row per listener, trial and condition, with whether the listener was kept.
    ``screening``: one row per listener. ``summary``: one row per group and condition, ``pairs``
    one per group and pair of conditions, both of the listeners kept.
    """

    ratings: pd.DataFrame
    screening: pd.DataFrame
    summary: pd.DataFrame
    pairs: pd.DataFrame

    @property
    def kept(self) -> pd.DataFrame:
        """Ratings of the listeners that post-screening kept."""
        return self.ratings[self.ratings["kept"]]


def analyse(answers: Sequence[Response], key: dict[str, Any]) -> Analysis:
    """Screen the listeners, then sum up and compare what the others answered.

    Without answers every table is empty.
    """
    rows = [
        {"session": answer.session, "listener": answer.listener, "trial": trial,
         "method": key["trials"][trial]["method"], "group": key["trials"][trial]["group"],
         "condition": condition, "score": score}
        for answer in answers
        for trial, scores in answer.scores.items()
        for condition, score in scores.items()
    ]  # fmt: skip
    ratings = pd.DataFrame(rows, columns=_RATING_COLUMNS)
    screening = screen(ratings)
    kept = set(screening.loc[screening["kept"], "session"])
    ratings["kept"] = ratings["session"].isin(kept)
    used = ratings[ratings["kept"]]
    groups = used.groupby("group", sort=True)
    return Analysis(
        ratings,
        screening,
        pd.DataFrame(
            [row for name, group in groups for row in _summary(str(name), group)],
            columns=["group", "condition", "condition_label", "listeners", "ratings", "median",
                     "lower_quartile", "upper_quartile", "interval_low", "interval_high"],
        ),
        pd.DataFrame(
            [row for name, group in groups for row in _pairs(str(name), group)],
            columns=["group", "a", "b", "listeners", "median_difference", "p", "p_holm"],
        ),
    )  # fmt: skip


def screen(ratings: pd.DataFrame) -> pd.DataFrame:
    """Return which listeners BS.1534-3 keeps, and why not the others: one row each.

    A listener is excluded who rates the hidden reference below 90 in more than 15 % of the
    trials, or the 7 kHz anchor above 90 in more than 15 %; trials in which more than a quarter of
    all listeners rate that anchor so do not count for it, their anchor being too weak. Trials
    without a reference screen nobody.
    """
    mushra = ratings[ratings["method"] == MUSHRA]
    references = mushra[mushra["condition"] == REFERENCE]
    low_reference = (references["score"] < _HIGH_SCORE).groupby(references["session"]).mean()
    anchors = mushra[mushra["condition"] == MID_ANCHOR]
    anchors = anchors.assign(high=anchors["score"] > _HIGH_SCORE)
    weak = anchors.groupby("trial")["high"].transform("mean") > _WEAK_ANCHOR_SHARE
    high_anchor = anchors[~weak].groupby("session")["high"].mean()
    sessions = ratings.drop_duplicates("session")[["session", "listener"]].reset_index(drop=True)
    low = sessions["session"].map(low_reference).fillna(0.0)
    high = sessions["session"].map(high_anchor).fillna(0.0)
    return sessions.assign(
        reference_below_90=low,
        anchor_above_90=high,
        kept=(low <= _TOLERATED_SHARE) & (high <= _TOLERATED_SHARE),
    )


def _summary(name: str, group: pd.DataFrame) -> list[dict[str, Any]]:
    rows = []
    for condition, ratings in group.groupby("condition", sort=True):
        table = ratings.pivot(index="session", columns="trial", values="score").to_numpy(float)
        lower, median, upper = np.quantile(table, (0.25, 0.5, 0.75))
        low, high = median_interval(table)
        rows.append(
            {"group": name, "condition": condition, "condition_label": style.label(condition),
             "listeners": len(table), "ratings": table.size, "median": median,
             "lower_quartile": lower, "upper_quartile": upper, "interval_low": low,
             "interval_high": high}
        )  # fmt: skip
    return sorted(rows, key=lambda row: -row["median"])


def median_interval(table: np.ndarray) -> tuple[float | None, float | None]:
    """Return the 95 % interval of the median of (listeners, trials) ratings.

    Percentile bootstrap over listeners, whose ratings stay together: those of one listener are
    not independent. One listener says nothing about others: None.
    """
    if len(table) < 2:
        return None, None
    rng = np.random.default_rng(_SEED)
    drawn = rng.integers(len(table), size=(_RESAMPLES, len(table)))
    medians = np.median(table[drawn].reshape(_RESAMPLES, -1), axis=1)
    tail = (1 - _CONFIDENCE) / 2
    low, high = np.quantile(medians, (tail, 1 - tail))
    return float(low), float(high)


def _pairs(name: str, group: pd.DataFrame) -> list[dict[str, Any]]:
    """Compare all conditions but the anchors, by each listener's mean over the trials."""
    means = group.groupby(["session", "condition"])["score"].mean().unstack()
    conditions = [each for each in means.columns if each not in ANCHORS_HZ]
    rows = []
    for a, b in itertools.combinations(conditions, 2):
        difference = (means[a] - means[b]).to_numpy()
        rows.append({"group": name, "a": a, "b": b, "listeners": len(difference),
                     "median_difference": float(np.median(difference)),
                     "p": signed_rank(difference)})  # fmt: skip
    for row, adjusted in zip(rows, holm([row["p"] for row in rows]), strict=True):
        row["p_holm"] = adjusted
    return rows


def signed_rank(difference: np.ndarray) -> float:
    """Return the exact two-sided p of Wilcoxon's signed-rank test; 1 where nothing differs.

    Differences of zero are dropped, ties share their mean rank (Wilcoxon, 1945; Lehmann, 2006).
    The distribution over all signs is exact with ties too: every rank, doubled to be whole, is
    added to the sum or not.
    """
    moved = difference[difference != 0]
    if not moved.size:
        return 1.0
    ranks = np.rint(2 * rankdata(np.abs(moved))).astype(int)
    chances = np.zeros(ranks.sum() + 1)
    chances[0] = 1.0
    for rank in ranks:
        chances[rank:] = (chances[rank:] + chances[: len(chances) - rank]) / 2
        chances[:rank] /= 2
    observed = ranks[moved > 0].sum()
    tails = chances[: observed + 1].sum(), chances[observed:].sum()
    return float(min(1.0, 2 * min(tails)))


def holm(values: Sequence[float]) -> list[float]:
    """Return p values adjusted for being a family, by Holm (1979)."""
    order = np.argsort(values, kind="stable")
    scaled = np.asarray(values, float)[order] * np.arange(len(values), 0, -1)
    adjusted = np.empty(len(values))
    adjusted[order] = np.minimum(np.maximum.accumulate(scaled), 1.0)
    return adjusted.tolist()


def counted(found: Analysis, of_other_tests: int, notice: str = "") -> pd.DataFrame:
    """Return how many listened, how many were kept, and what was passed over, in one row."""
    kept = int(found.screening["kept"].sum())
    row = {"listeners": len(found.screening), "kept": kept, "of_other_tests": of_other_tests}
    return pd.DataFrame([row | {"notice": notice}])


def record(found: Analysis) -> dict[str, Any]:
    """Return the tables as plain lists, for programs."""
    tables = {"screening": found.screening, "summary": found.summary, "pairs": found.pairs}
    return {"listeners": len(found.screening), "kept": int(found.screening["kept"].sum())} | {
        name: table.astype(object).where(table.notna(), None).to_dict("records")
        for name, table in tables.items()
    }


def lines(found: Analysis) -> list[str]:
    """Return the tables as they are printed."""
    excluded = found.screening[~found.screening["kept"]]
    told = [f"{len(found.screening)} listeners, {len(excluded)} excluded by post-screening"]
    told += [f"  excluded {row.session}: reference below 90 in {row.reference_below_90:.0%} of"
             f" trials, 7 kHz anchor above 90 in {row.anchor_above_90:.0%}"
             for row in excluded.itertuples()]  # fmt: skip
    for name, group in found.summary.groupby("group", sort=False):
        told += ["", f"{name}: median, quartiles, 95 % interval of the median"]
        for row in group.itertuples():
            interval = (f"{row.interval_low:.1f} to {row.interval_high:.1f}"
                        if pd.notna(row.interval_low) else "one listener: none")  # fmt: skip
            quartiles = f"{row.lower_quartile:>5.1f} to {row.upper_quartile:<5.1f}"
            told.append(
                f"  {style.label(row.condition):<28}{row.median:>6.1f}  {quartiles}  {interval}"
            )
        for row in found.pairs[found.pairs["group"] == name].itertuples():
            verdict = "differ" if row.p_holm < 1 - _CONFIDENCE else "not separable"
            told.append(
                f"  {style.label(row.a)} - {style.label(row.b)}: {row.median_difference:+.1f},"
                f" p = {row.p_holm:.3g} (Holm), {verdict}"
            )
    return told


def write(found: Analysis, folder: Path, notice: str) -> None:
    """Write the tables as CSV and the figure as PDF into ``folder``."""
    for name in ("ratings", "screening", "summary", "pairs"):
        table = getattr(found, name).to_csv(index=False, float_format="%.6g", lineterminator="\n")
        write_text(folder / f"{name}.csv", table)
    if found.summary.empty:
        return  # nobody is left to draw
    with style.context(), atomic_path(folder / "ratings.pdf") as temporary:
        figure.draw(found, notice).savefig(temporary, metadata={"CreationDate": None})
