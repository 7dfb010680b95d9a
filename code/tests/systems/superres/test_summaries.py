"""Means over tracks and paired differences."""

import numpy as np
import pytest

from shellac.systems.superres import summaries

HARD, EASY = 5.0, 30.0  # what tracks of one corpus may differ by, in dB


def rows(spread=(HARD, EASY, 18.0, 11.0), gain=0.3):
    found = []
    for number, level in enumerate(spread):
        for method, value in (("spline", level), ("tfilm", level + gain + 0.01 * number)):
            found.append(
                {"role": "piano", "track": "same name", "low_pass": "sinc", "unit": "file",
                 "method": method, "metric": "snr_db", "value": value}
            )  # fmt: skip
    return found


def test_a_pair_tells_apart_what_the_spread_between_tracks_hides():
    means = {row["method"]: row for row in summaries.means(rows(), 500, 1) if row["role"] == "all"}
    assert means["tfilm"]["low"] < means["spline"]["high"]
    (paired,) = [row for row in summaries.paired(rows(), 500, 1) if row["role"] == "all"]
    assert (paired["method"], paired["against"], paired["tracks"]) == ("tfilm", "spline", 4)
    assert paired["mean"] == pytest.approx(0.315)
    assert 0.3 <= paired["low"] <= paired["mean"] <= paired["high"] <= 0.33


def test_differences_need_their_baseline_and_whole_files():
    alone = [row for row in rows() if row["method"] == "tfilm"]
    assert summaries.paired(alone, 100, 1) == []
    assert summaries.paired([{**row, "unit": "patch"} for row in rows()], 100, 1) == []


def test_one_track_has_a_mean_without_bounds():
    (row, _) = summaries.means(rows(spread=(HARD,))[:1], 100, 1)
    assert (row["mean"], row["low"], row["high"], row["tracks"]) == (HARD, None, None, 1)


def test_the_tree_for_dvc_holds_means_over_all_tracks():
    tree = summaries.nested(summaries.means(rows(), 100, 1))
    assert tree["sinc"]["spline"]["snr_db"] == pytest.approx(np.mean([HARD, EASY, 18.0, 11.0]))
