"""What of the scores goes into comparisons and into the tree for DVC."""

from shellac.systems.superres.summaries import nested, whole_files

ROW = {"role": "all", "low_pass": "sinc", "unit": "file", "method": "spline", "metric": "snr_db",
       "mean": 17.5}  # fmt: skip


def test_methods_are_compared_by_whole_files():
    assert whole_files([ROW, {**ROW, "unit": "patch"}]) == [ROW]


def test_the_tree_for_dvc_holds_means_over_all_tracks():
    others = [{**ROW, "unit": "patch", "mean": 1.0}, {**ROW, "role": "piano", "mean": 2.0}]
    assert nested([*others, ROW]) == {"sinc": {"spline": {"snr_db": 17.5}}}
