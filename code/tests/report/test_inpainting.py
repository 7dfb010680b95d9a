"""What the reports of inpainting say: tables, figures, cards, notebooks."""

import nbformat
import numpy as np
import pandas as pd
import pytest
from inpainting_results import BASELINES, networks

from shellac import paths, sidecars, weights
from shellac.errors import DataError
from shellac.report import (
    inpainting_cards,
    inpainting_figures,
    inpainting_tables,
    notebooks,
    provenance,
    results,
    style,
    tables,
)
from shellac.report.published import INPAINTING

CAMPAIGNS = tuple(
    f"tables/inpainting/{name}.csv" for name in ("longer", "correction", "recordings")
)
MADE = (
    "figures/inpainting/segments.pdf",
    "figures/inpainting/training.pdf",
    "figures/inpainting/longer.pdf",
    "figures/inpainting/comparison.pdf",
    "figures/inpainting/genres.pdf",
    "tables/inpainting/network.csv",
    "tables/inpainting/network-paired.csv",
    "tables/inpainting/networks.csv",
    "tables/inpainting/all-networks.csv",
    "tables/inpainting/scores.csv",
    "tables/inpainting/gaps.csv",
    "tables/inpainting/published.csv",
    "tables/inpainting/all-training.csv",
    *CAMPAIGNS,
)


def scored(names, unit="segment"):
    summary = results.summary("demo", "inpainting", group="genre", unit=unit)
    return tables.build(summary, [*BASELINES, *names], inpainting_tables.METRICS)


def differences():
    return inpainting_tables.paired(
        results.paired("demo", "inpainting", results.INPAINTING_PAIRED_COLUMNS)
    )


def test_the_notebooks_make_every_figure_and_table_with_provenance(built):
    folder = built / "results" / "demo"
    for name in MADE:
        assert {state for *_, state in sidecars.sources(sidecars.checked(folder / name))} == {
            sidecars.UNCHANGED
        }
    names = networks(built)
    cards = folder / "model-cards" / "inpainting"
    assert {path.stem for path in cards.iterdir()} == set(names)
    one = (folder / "notebooks" / "05-inpainting.ipynb").read_text()
    assert one.count("<audio") == 5
    assert provenance.notice("demo") in one
    speed = (folder / "notebooks" / "06-inpainting-comparison.ipynb").read_text()
    assert "1.250 ms" in speed
    for name in MADE:  # a time is a record, not a result
        if name.endswith(".csv") and name not in CAMPAIGNS:
            assert "1.25" not in pd.read_csv(folder / name).to_string()


def test_the_network_is_a_parameter(built):
    name = networks(built)[2]
    notebooks.run("05-inpainting", "demo", {"network": name})
    table = pd.read_csv(built / "results" / "demo" / "tables" / "inpainting" / "network.csv")
    assert set(table["method"]) == {*BASELINES, name}
    copy = nbformat.read(built / "results/demo/notebooks/05-inpainting.ipynb", as_version=4)
    assert any(name in str(cell.get("outputs", "")) for cell in copy.cells)
    with pytest.raises(DataError, match="has no score on segments"):
        notebooks.run("05-inpainting", "demo", {"network": networks(built)[-1]})
    with pytest.raises(DataError, match="trains no mystery"):
        notebooks.run("05-inpainting", "demo", {"network": "mystery"})


def test_a_row_per_method_says_size_difference_and_rank(house):
    names = networks(house)
    cards = {
        name: weights.load(weights.trained_path("demo", f"inpainting/{name}"))[1] for name in names
    }
    ranks = results.ranks("demo", "inpainting")
    ranks.loc[ranks["method"] == names[1], ["rank", "last_rank"]] = [1, 3]
    sizes = inpainting_tables.sizes(scored(names), differences(), ranks, cards)
    assert list(sizes["method"])[0] == names[0]  # the lowest error first
    rows = sizes.set_index("method")
    assert rows.loc[names[0], "cell"] == "0.190 [0.186, 0.194]"
    assert (
        rows.loc[names[0], "difference"]
        == "\N{MINUS SIGN}0.030 [\N{MINUS SIGN}0.032, \N{MINUS SIGN}0.028]"
    )
    assert rows.loc[names[0], "standing"] == "better"
    assert rows.loc["hold", "standing"] == "worse"
    assert rows.loc["linear", "difference"] == ""
    assert rows.loc[names[0], "rank"] == "1" and rows.loc[names[1], "rank"] == "1 to 3"
    assert rows.loc[names[0], "parameters"] == 1000 and pd.isna(rows.loc["hold", "parameters"])
    assert (rows.loc[names[0], "input"], rows.loc[names[1], "input"]) == (
        "damaged", cards[names[1]].extra["conversion"]["input"],
    )  # fmt: skip


def test_every_network_has_a_row_with_the_best_of_its_entries():
    sizes = pd.DataFrame(
        {"network": ["", "B", "B"], "cell": ["0.1", "0.2", "0.3"], "method": ["linear", "x", "y"]}
    )
    table = inpainting_tables.every({"A": (5, "small"), "B": (7, "large")}, sizes, notice="n")
    rows = table.to_dict("records")
    assert [tuple(row.values()) for row in rows] == [
        ("A", 5, "small", "", "n"),
        ("B", 7, "large", "0.2", "n"),
    ]


def test_genres_stand_beside_each_other_best_method_first(house):
    summary = results.summary("demo", "inpainting", group="genre", unit="segment")
    jazz = summary[summary["role"] == "piano"].assign(role="jazz", mean=0.5)
    table = tables.build(pd.concat([summary, jazz]), list(BASELINES), inpainting_tables.METRICS)
    wide = inpainting_tables.genres(table)
    assert list(wide.columns) == ["jazz", "piano"]
    assert list(wide.index) == ["linear", "hold", "damaged"]
    assert wide.loc["hold", "piano"] == pytest.approx(0.26)
    figure = inpainting_figures.genre_map(wide, "NRMSE", notice="Beware.")
    drawn = figure.axes[0]
    assert {text.get_text() for text in drawn.texts} == {"0.500", "0.220", "0.260", "0.600"}
    assert [label.get_text() for label in drawn.get_xticklabels()] == ["jazz", "piano"]
    assert figure.get_supxlabel() == "Beware."


def test_published_numbers_stand_beside_ours_with_their_source(house):
    names = networks(house)
    summary = results.summary("demo", "inpainting", group="genre", unit="published")
    table = tables.build(
        summary, [*BASELINES, *names], inpainting_tables.PUBLISHED_METRICS, published=INPAINTING
    )
    theirs = table[table["source"] == "published"]
    best = theirs[(theirs["data"] == "FMA validation") & (theirs["metric"] == "psnr_db")]
    assert best.loc[best["mean"].idxmax(), "method"] == "Dual_Res_UNet_v2"
    assert theirs["reference"].str.startswith("TeleMidia/audio_reconstruction").all()
    gains = theirs[(theirs["metric"] == "psnr_gain_db") & (theirs["method"] == "Dual_Res_UNet_v2")]
    # what the specification of the published results says of three genres
    assert gains["mean"].tolist() == pytest.approx([12.34, 13.08, 13.57], abs=0.01)
    assert len(theirs[theirs["data"] == "FMA Blues"]) == 9


def test_a_segment_is_drawn_over_its_error_with_its_lost_frames(rng):
    reference = rng.random((128, 128)) + 0.1
    lost = np.zeros(128, dtype=bool)
    lost[[3, 4, 90]] = True
    damaged = reference * ~lost[:, None]
    shown = {"reference": reference, "damaged": damaged, "network": reference}
    figure = inpainting_figures.segments(shown, lost, 0.512, 8000.0, title="net", notice="Beware.")
    images = [axes for axes in figure.axes if axes.images]
    assert len(images) == 6
    assert [axes.get_title(loc="left") for axes in images[:3]] == [
        style.look(name).label for name in shown
    ]
    error = images[4].images[0].get_array()
    assert (
        error[:, 50].max() < -100 and error[:, 3].max() > -20
    )  # dB, where nothing and all is lost
    marks = images[0].collections[0].get_segments()
    assert [round(segment[0][0]) for segment in marks] == [14, 18, 362]  # ms


def test_methods_are_drawn_against_their_baseline(house):
    table = differences()
    chosen = table[(table["genre"] == "all") & (table["unit"] == "segment")]
    figure = inpainting_figures.differences(chosen, notice="Beware.")
    axes = figure.axes[0]
    assert axes.get_xlabel() == "NRMSE minus that of\nlinear interpolation"
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels == chosen["method_label"].tolist()


def test_cards_say_what_a_network_is_and_where_it_ends(house):
    names = networks(house)
    notice = provenance.notice("demo")
    written = inpainting_cards.write("demo", names, scored(names), differences(), notice)
    text = written[1].read_text()
    assert "input interpolated" in text and "1001 parameters" in text
    assert "| NRMSE | 0.200 [0.196, 0.204] |" in text
    assert "| segment | NRMSE to linear interpolation |" in text and "| better |" in text
    assert "Means over 8 held-out tracks" in text
    assert "What fills a gap is invented" in text
    corrects = written[-1].read_text()
    assert "input autoregressive" in corrects and "has no score on segments" in corrects
    assert notice in text and str(house) not in text


def test_missing_examples_are_told(house):
    path = results.segments_path("demo")
    path.write_bytes(b"nothing")
    with pytest.raises(DataError, match="evaluate inpainting again"):
        results.segments("demo")
    path.unlink()
    with pytest.raises(DataError, match="run shellac evaluate inpainting"):
        results.segments("demo")
    assert results.record("demo", "nothing") == {}
    assert paths.results("demo", "records").is_dir()
