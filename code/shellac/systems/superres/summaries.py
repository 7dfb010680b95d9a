"""From scores of tracks to means over tracks, alone and against a baseline, with intervals."""

from collections.abc import Iterable, Mapping

import numpy as np

from shellac.intervals import bootstrap_difference, bootstrap_mean

FILE, PATCH = "file", "patch"  # units that a score of a track was taken over
ALL_ROLES = "all"
_PLACE = ("role", "low_pass", "unit", "method")
_NUMBERS = ("mean", "low", "high", "tracks")
MEAN_COLUMNS = (*_PLACE, "metric", *_NUMBERS)
PAIRED_COLUMNS = (*_PLACE, "against", "metric", *_NUMBERS)
# What a method has to beat: the spline holds the best signal-to-noise ratio that no learning
# gives, the band copy the best log-spectral distance.
BASELINES = {"snr_db": "spline", "lsd": "band_copy"}

Row = Mapping[str, object]


def means(rows: Iterable[Row], resamples: int, seed: int) -> list[dict]:
    """Mean over tracks with its 95 % bootstrap interval, per role, filter, unit, method, metric.

    ``rows`` are those of ``superres.csv``. The role ``all`` joins all tracks. Every track counts
    once, so a mean over patches is the mean of the tracks' means.
    """
    found = []
    for place, values in _grouped(rows).items():
        rng = np.random.default_rng(seed)
        interval = bootstrap_mean(values, resamples=resamples, rng=rng)
        row = (*place, *interval, len(values))
        found.append(dict(zip(MEAN_COLUMNS, row, strict=True)))
    return found


def paired(rows: Iterable[Row], resamples: int, seed: int) -> list[dict]:
    """Mean of the per-track difference to the metric's baseline, with its interval.

    By whole files, for the metrics of :data:`BASELINES`. What makes a track easy or hard for all
    methods falls out of a difference, so that this tells methods apart whose own intervals, wide
    from the spread between tracks, overlap.
    """
    groups, found = _grouped(rows), []
    for (role, low_pass, unit, method, metric), values in groups.items():
        against = BASELINES.get(metric)
        baseline = groups.get((role, low_pass, unit, against, metric))
        if unit != FILE or baseline is None or method == against:
            continue
        rng = np.random.default_rng(seed)
        interval = bootstrap_difference(values, baseline, resamples=resamples, rng=rng)
        row = (role, low_pass, unit, method, against, metric, *interval, len(values))
        found.append(dict(zip(PAIRED_COLUMNS, row, strict=True)))
    return found


def _grouped(rows: Iterable[Row]) -> dict[tuple[str, ...], list[float]]:
    """(role, low_pass, unit, method, metric) -> values of the tracks, in the rows' order.

    An evaluation scores recording by recording, so that all groups have the same order; names of
    tracks are no keys, since two folders may hold files of one name.
    """
    groups: dict[tuple[str, ...], list[float]] = {}
    for row in rows:
        for role in (row["role"], ALL_ROLES):
            place = (role, row["low_pass"], row["unit"], row["method"], row["metric"])
            groups.setdefault(place, []).append(row["value"])
    return groups


def nested(summary: Iterable[Row]) -> dict[str, dict[str, dict[str, float]]]:
    """Low-pass -> method -> metric -> mean over all tracks, by file, for ``dvc metrics``."""
    tree: dict[str, dict[str, dict[str, float]]] = {}
    for row in summary:
        if row["role"] == ALL_ROLES and row["unit"] == FILE:
            scores = tree.setdefault(row["low_pass"], {}).setdefault(row["method"], {})
            scores[row["metric"]] = row["mean"]
    return tree
