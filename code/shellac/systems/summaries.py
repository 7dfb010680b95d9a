"""From scores of tracks to means over tracks, alone and against a baseline, with intervals.

Every system's evaluation leaves one row per track, score and condition; what the conditions are
called, a :class:`Layout` says.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from shellac.intervals import bootstrap_difference, bootstrap_mean

ALL = "all"  # the group that joins all tracks
_NUMBERS = ("mean", "low", "high", "tracks")

Row = Mapping[str, object]
Groups = dict[tuple[str, ...], list[float]]


@dataclass(frozen=True)
class Layout:
    """Columns that tell scores apart: the first groups tracks, the last but one is the method.

    ``conditions`` stand between them. ``group`` is a column such as ``role`` or ``genre``.
    """

    group: str
    conditions: tuple[str, ...]

    @property
    def place(self) -> tuple[str, ...]:
        """Columns that name one mean, but for its metric."""
        return (self.group, *self.conditions, "method")

    @property
    def mean_columns(self) -> tuple[str, ...]:
        """Columns of :func:`means`."""
        return (*self.place, "metric", *_NUMBERS)

    @property
    def paired_columns(self) -> tuple[str, ...]:
        """Columns of :func:`paired`."""
        return (*self.place, "against", "metric", *_NUMBERS)

    @property
    def rank_columns(self) -> tuple[str, ...]:
        """Columns of :func:`ranks`."""
        return (*self.place, "metric", "mean", "rank", "last_rank")


def means(rows: Iterable[Row], layout: Layout, resamples: int, seed: int) -> list[dict]:
    """Mean over tracks with its 95 % bootstrap interval, per place and metric.

    The group ``all`` joins all tracks. Every track counts once, so a mean over patches is the
    mean of the tracks' means.
    """
    found = []
    for place, values in grouped(rows, layout).items():
        rng = np.random.default_rng(seed)
        interval = bootstrap_mean(values, resamples=resamples, rng=rng)
        row = (*place, *interval, len(values))
        found.append(dict(zip(layout.mean_columns, row, strict=True)))
    return found


def paired(
    rows: Iterable[Row],
    layout: Layout,
    baselines: Mapping[str, str],
    resamples: int,
    seed: int,
) -> list[dict]:
    """Mean of the per-track difference to the metric's baseline, with its interval.

    ``baselines`` maps a metric to the method that has to be beaten by it; other metrics are left
    out. What makes a track easy or hard for all methods falls out of a difference, so that this
    tells methods apart whose own intervals, wide from the spread between tracks, overlap.
    """
    groups, found = grouped(rows, layout), []
    for (*place, method, metric), values in groups.items():
        against = baselines.get(metric)
        baseline = groups.get((*place, against, metric))
        if baseline is None or method == against:
            continue
        rng = np.random.default_rng(seed)
        interval = bootstrap_difference(values, baseline, resamples=resamples, rng=rng)
        row = (*place, method, against, metric, *interval, len(values))
        found.append(dict(zip(layout.paired_columns, row, strict=True)))
    return found


def ranks(
    rows: Iterable[Row],
    layout: Layout,
    higher_is_better: Mapping[str, bool],
    resamples: int,
    seed: int,
) -> list[dict]:
    """Rank methods by every metric of ``higher_is_better``, as far as intervals separate them.

    Two methods are separated where the 95 % interval of their difference on the same tracks
    excludes 0. A method's ``rank`` is one more than the number of methods that are separably
    better, ``last_rank`` the number of methods that are not separably worse: its place is known
    where both are equal. Best mean first.
    """
    lists: dict[tuple[str, ...], dict[str, list[float]]] = {}
    for (*place, method, metric), values in grouped(rows, layout).items():
        if metric in higher_is_better:
            lists.setdefault((*place, metric), {})[method] = values
    found = []
    for (*place, metric), methods in lists.items():
        sign = 1 if higher_is_better[metric] else -1
        ordered = sorted(methods, key=lambda name: -sign * float(np.mean(methods[name])))
        for name in ordered:
            beats, beaten = 0, 0
            for other in ordered:
                if other == name:
                    continue
                rng = np.random.default_rng(seed)
                interval = bootstrap_difference(
                    methods[name], methods[other], resamples=resamples, rng=rng
                )
                if interval.excludes(0.0):
                    better = sign * interval.mean > 0
                    beats, beaten = beats + better, beaten + (not better)
            mean = float(np.mean(methods[name]))
            row = (*place, name, metric, mean, 1 + beaten, len(ordered) - beats)
            found.append(dict(zip(layout.rank_columns, row, strict=True)))
    return found


def grouped(rows: Iterable[Row], layout: Layout) -> Groups:
    """(group, conditions, method, metric) -> values of the tracks, in the rows' order.

    An evaluation scores recording by recording, so that all groups have the same order; names of
    tracks are no keys, since two folders may hold files of one name.
    """
    groups: Groups = {}
    rest = (*layout.conditions, "method", "metric")
    for row in rows:
        for group in (row[layout.group], ALL):
            place = (group, *(row[column] for column in rest))
            groups.setdefault(place, []).append(row["value"])
    return groups
