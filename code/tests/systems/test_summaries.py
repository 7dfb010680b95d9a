"""Means over tracks, paired differences, and ranks that intervals bear out."""

import numpy as np
import pytest

from shellac.systems import summaries

LAYOUT = summaries.Layout("role", ("low_pass", "unit"))
BASELINES = {"snr_db": "spline"}
HARD, EASY = 5.0, 30.0  # what tracks of one corpus may differ by, in dB


def rows(spread=(HARD, EASY, 18.0, 11.0), gain=0.3, **more):
    found = []
    for number, level in enumerate(spread):
        values = {"spline": level, "tfilm": level + gain + 0.01 * number}
        values |= {name: level + extra[number % len(extra)] for name, extra in more.items()}
        found += [
            {"role": "piano", "track": "same name", "low_pass": "sinc", "unit": "file",
             "method": method, "metric": "snr_db", "value": value}
            for method, value in values.items()
        ]  # fmt: skip
    return found


def test_a_pair_tells_apart_what_the_spread_between_tracks_hides():
    found = summaries.means(rows(), LAYOUT, 500, 1)
    means = {row["method"]: row for row in found if row["role"] == "all"}
    assert means["tfilm"]["low"] < means["spline"]["high"]
    paired = summaries.paired(rows(), LAYOUT, BASELINES, 500, 1)
    (paired,) = [row for row in paired if row["role"] == "all"]
    assert (paired["method"], paired["against"], paired["tracks"]) == ("tfilm", "spline", 4)
    assert paired["mean"] == pytest.approx(0.315)
    assert 0.3 <= paired["low"] <= paired["mean"] <= paired["high"] <= 0.33


def test_differences_need_their_baseline():
    alone = [row for row in rows() if row["method"] == "tfilm"]
    assert summaries.paired(alone, LAYOUT, BASELINES, 100, 1) == []
    assert summaries.paired(rows(), LAYOUT, {"lsd": "spline"}, 100, 1) == []


def test_one_track_has_a_mean_without_bounds():
    (row, _) = summaries.means(rows(spread=(HARD,))[:1], LAYOUT, 100, 1)
    assert (row["mean"], row["low"], row["high"], row["tracks"]) == (HARD, None, None, 1)


def test_methods_that_no_interval_separates_share_their_ranks():
    scores = rows(unsure=(2.0, -1.5), worse=(-1.0, -1.2))
    for higher, first in ((True, "tfilm"), (False, "worse")):
        found = summaries.ranks(scores, LAYOUT, {"snr_db": higher}, 500, 1)
        places = {r["method"]: (r["rank"], r["last_rank"]) for r in found if r["role"] == "all"}
        assert places["unsure"] == (1, 4)
        assert places[first][0] == 1
        assert (places["tfilm"], places["worse"]) in (((1, 2), (3, 4)), ((3, 4), (1, 2)))
        assert places["spline"] == (2, 3)


def test_one_track_ranks_nobody():
    found = summaries.ranks(rows(spread=(HARD,)), LAYOUT, {"snr_db": True}, 100, 1)
    assert {(row["rank"], row["last_rank"]) for row in found} == {(1, 2)}
    assert np.isfinite([row["mean"] for row in found]).all()
