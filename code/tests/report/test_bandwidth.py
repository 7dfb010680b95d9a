"""What the reports of bandwidth extension say: tables, figures, cards, the notebook."""

import bandwidth_results
import pytest

from shellac import sidecars
from shellac.errors import DataError
from shellac.report import (
    bandwidth_cards,
    bandwidth_tables,
    figures,
    provenance,
    results,
    style,
    tables,
)
from shellac.report.published import BANDWIDTH

MADE = (
    "figures/behm_gan/training.pdf",
    "figures/behm_gan/spectrograms.pdf",
    "figures/behm_gan/low-pass.pdf",
    "tables/behm_gan/training.csv",
    "tables/behm_gan/scores.csv",
    "tables/behm_gan/low-pass.csv",
    "tables/behm_gan/aims.csv",
    "tables/behm_gan/full-band.csv",
    "tables/behm_gan/published.csv",
)
SEEN = ["repository", "paper"]


def paired():
    return bandwidth_tables.paired(results.paired("demo", "behm_gan"), SEEN)


def test_the_notebook_makes_every_figure_table_and_card_with_provenance(built):
    folder = built / "results" / "demo"
    for name in MADE:
        assert {state for *_, state in sidecars.sources(sidecars.checked(folder / name))} == {
            sidecars.UNCHANGED
        }
    names = bandwidth_results.settings(built)["networks"]
    cards = folder / "model-cards" / "behm_gan"
    assert {path.stem for path in cards.iterdir()} == set(names)
    text = (folder / "notebooks" / "03-bandwidth-extension.ipynb").read_text()
    assert text.count("<audio") == 3 + len(names)
    assert provenance.notice("demo") in text
    assert "3457 Hz" in sidecars.checked(folder / MADE[1])["what"]


def test_the_input_that_lacks_nothing_is_no_low_pass(house):
    table = paired()
    tested = bandwidth_results.settings(house)["evaluation"]["low_pass"]
    assert list(dict.fromkeys(table["low_pass"])) == tested
    assert dict(zip(table["low_pass"], table["seen"], strict=True))["repository"] == "yes"
    figure = figures.low_pass_comparison(table, of="Low-pass", notice="Beware.")
    panels = [axes for axes in figure.axes if axes.get_ylabel()]
    assert panels[0].get_ylabel() == "LSD above the cut\nminus band copy"
    assert panels[-1].get_xlabel() == "Low-pass (seen or unseen in training)"
    drawn = {text.get_text() for text in figure.legends[0].get_texts()}
    assert drawn == {style.label(name) for name in bandwidth_results.settings(house)["networks"]}


def test_who_reaches_the_aim_is_said_network_by_network(house):
    table = paired()
    gan = (table["method"] == "gan") & (table["low_pass"] == "repository")
    kept = table["metric"] == "kept_band_snr_db"
    table.loc[gan & kept, "mean"] = -0.51
    distance = table["metric"] == "lsd_above_cut"
    seanet = (table["method"] == "seanet") & (table["low_pass"] == "repository")
    table.loc[seanet & distance, "standing"] = tables.NOT_SEPARABLE
    aims = bandwidth_tables.aims(table).set_index(["method", "low_pass"])
    assert aims.loc[("gan", "repository"), "kept"] == "no"
    assert aims.loc[("gan", "repository"), "nearer"] == "yes"
    assert aims.loc[("seanet", "repository"), "nearer"] == "no"
    assert aims.loc[("seanet", "paper"), "nearer"] == "yes"
    assert "band_copy" not in aims.index.get_level_values("method")


def test_published_scores_are_nobodys_of_ours(house):
    summary = results.summary("demo", "behm_gan", low_pass="repository")
    names = [*bandwidth_tables.BASELINES, *bandwidth_results.settings(house)["networks"]]
    table = tables.build(summary, names, bandwidth_tables.AESTHETICS, published=BANDWIDTH)
    theirs = table[table["source"] == "published"]
    assert set(theirs["method"]) == {"low_passed", "gan", "babe", "babe2"}
    assert (table.loc[table["source"] == "this work", "cell"] == tables.NOT_MEASURED).all()
    assert theirs["reference"].str.startswith("SonicMaster").all()


def test_cards_say_how_a_network_is_used_and_where_it_ends(house):
    summary = results.summary("demo", "behm_gan", low_pass="repository")
    scores = tables.build(summary, ["gan", "no_noise"], bandwidth_tables.METRICS)
    notice = provenance.notice("demo")
    written = bandwidth_cards.write("demo", ["gan", "no_noise"], scores, paired(), notice)
    first, second = (path.read_text() for path in written)
    assert "adds above 2800 Hz and leaves the rest as it is; hears white noise of 0.001" in first
    assert "hears white noise of 0 RMS" in second
    assert "| LSD above the cut | 1.50 [1.40, 1.60] |" in first
    assert "| FIR, 3.5 kHz (seen) | LSD above the cut to band copy |" in first
    assert "What is added above the band is invented" in " ".join(first.split())
    assert notice in first and str(house) not in first


def test_the_cut_off_of_a_track_is_that_of_its_test(house):
    track = bandwidth_results.TRACK
    found = results.cutoff_hz("demo", "behm_gan", track, "repository")
    assert found == bandwidth_results.CUTOFF_HZ
    with pytest.raises(DataError, match="no other under repository"):
        results.cutoff_hz("demo", "behm_gan", "other", "repository")
