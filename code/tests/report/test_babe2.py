"""What the reports of the generative equaliser say: tables, figures, cards, notebook."""

import pandas as pd
import pytest

from shellac import paths
from shellac.report import babe2_figures, babe2_tables, results, tables

MADE = (
    "figures/babe2/filters.pdf", "figures/babe2/training.pdf", "tables/babe2/scores.csv",
    "tables/babe2/paired.csv", "tables/babe2/frechet.csv",
)  # fmt: skip


def test_the_notebook_makes_everything_with_its_provenance(built):
    folder = built / "results" / "demo"
    for name in MADE:
        assert (folder / name).is_file() and (folder / f"{name}.json").is_file()
    (card,) = (folder / "model-cards" / "babe2").glob("*.md")
    text = card.read_text()
    for words in ("consent", "generated, not recovered", "| Method | Metric | Mean |", "199408"):
        assert words in text


def test_tables_say_what_is_better_than_spectrum_matching(house):
    differences = results.paired("demo", "babe2", results.BABE2_PAIRED_COLUMNS)
    table = babe2_tables.paired(differences).set_index(["role", "method", "metric"])
    assert table.loc[("all", "blind", "lsd"), "standing"] == "better"
    assert table.loc[("all", "input", "lsd"), "standing"] == "worse"
    assert table.loc[("all", "blind", "onset_correlation"), "standing"] == "better"
    summary = results.summary("demo", "babe2", network="prior")
    scores = tables.build(summary, babe2_tables.METHODS, babe2_tables.METRICS)
    known = scores[(scores["method"] == "informed") & (scores["metric"] == "filter_error_db")]
    assert set(known["cell"]) == {tables.NOT_MEASURED}


def test_the_embedding_travels_with_its_distances(house):
    table = babe2_tables.frechet(results.frechet("demo"), notice="toy")
    assert set(table["embedding"]) == {"made up"} and set(table["notice"]) == {"toy"}
    assert list(table["method_label"])[0] == "As heard"


@pytest.mark.parametrize("count", [1, 2, 4])
def test_every_track_gets_its_panel(house, count):
    curves = results.filters("demo")
    some = curves[curves["track"].isin(list(dict.fromkeys(curves["track"]))[:count])]
    figure = babe2_figures.responses(some)
    drawn = [axes for axes in figure.axes if axes.lines]
    assert len(drawn) == count and all(len(axes.lines) == 3 for axes in drawn)


def test_missing_results_are_named(house):
    paths.results("demo", "metrics", "babe2-filters.csv").unlink()
    with pytest.raises(Exception, match="shellac evaluate babe2"):
        results.filters("demo")
    assert isinstance(results.frechet("demo"), pd.DataFrame)


def test_the_seconds_of_historical_recordings_are_told(house):
    assert results.excerpts("demo", "babe2") == [
        "historical/disc.flac: 25.00 to 35.00 s of 60.00 s", "1 of 3 recordings",
    ]  # fmt: skip
    paths.results("demo", "restored", "babe2", "excerpts.json").unlink()
    with pytest.raises(Exception, match="shellac stimuli babe2"):
        results.excerpts("demo", "babe2")
