"""What the reports of denoising say: tables, figures, cards, the notebook."""

import pandas as pd
import pytest
from denoiser_results import LEVELS, NETWORK_LEVEL, TRACKS, networks

from shellac import sidecars
from shellac.report import (
    denoiser_cards,
    denoiser_figures,
    denoiser_tables,
    provenance,
    results,
    style,
    tables,
)

MADE = (
    "figures/denoiser/training.pdf",
    "figures/denoiser/gains.pdf",
    "figures/denoiser/spectrograms.pdf",
    "tables/denoiser/scores.csv",
    "tables/denoiser/paired.csv",
    "tables/denoiser/ratios.csv",
    "tables/denoiser/items.csv",
    "tables/denoiser/training.csv",
)
MINUS = "\N{MINUS SIGN}"


def scored(names):
    parts = (
        results.summary("demo", "denoiser", snr_db=condition) for condition in ("mean", "clean")
    )
    return denoiser_tables.scores(*parts, names)


def differences():
    return denoiser_tables.paired(
        results.paired("demo", "denoiser", results.DENOISER_PAIRED_COLUMNS)
    )


def test_the_notebook_makes_every_figure_and_table_with_provenance(built):
    folder = built / "results" / "demo"
    for name in MADE:
        assert {state for *_, state in sidecars.sources(sidecars.checked(folder / name))} == {
            sidecars.UNCHANGED
        }
    cards = folder / "model-cards" / "denoiser"
    assert {path.stem for path in cards.iterdir()} == set(networks(built))
    told = (folder / "notebooks" / "02-denoising.ipynb").read_text()
    assert told.count("<audio") == 5 + len(networks(built))
    assert provenance.notice("demo") in told


def test_what_is_told_the_music_competes_with_nobody(house):
    (name,) = names = networks(house)
    table = scored(names)
    of_all = table[(table["role"] == "all") & (table["metric"] == "si_sdr_db")]
    assert list(of_all["method"]) == [
        "noisy", "declicked", "classical", "classical_profile", name, "oracle_mask", "reference",
    ]  # fmt: skip
    rows = of_all.set_index("method")
    assert rows.loc[name, "standing"] == "best"
    assert rows.loc[name, "cell"] == "15.80 [15.40, 16.20]"
    assert rows.loc["oracle_mask", "standing"] == rows.loc["noisy", "standing"] == ""
    assert rows.loc["reference", "cell"] == "not measured"
    clicks = table[(table["role"] == "all") & (table["metric"] == "clicks_per_minute")]
    assert clicks.set_index("method").loc["reference", "cell"] == "50 [40, 60]"
    clean = table[(table["role"] == "all") & (table["metric"] == "clean_snr_db")]
    assert clean.set_index("method").loc[name, "mean"] == 40.0
    assert denoiser_tables.best_classical(table) == "classical_profile"


def test_differences_to_both_classical_rows_are_signed(house):
    (name,) = networks(house)
    table = differences().set_index(["method", "against", "snr_db"])
    better = table.loc[(name, "classical", "mean")]
    assert better["cell"] == "+1.70 [+1.50, +1.90]" and better["standing"] == "better"
    worse = table.loc[("noisy", "classical_profile", "6")]
    assert worse["cell"].startswith(f"{MINUS}7.90") and worse["standing"] == "worse"


def test_tracks_stand_one_by_one(house):
    names = networks(house)
    table = denoiser_tables.items(results.denoised("demo"), names, "classical_profile")
    assert tuple(table["track"]) == TRACKS
    gain = NETWORK_LEVEL - LEVELS["classical_profile"]
    assert table["over_classical_db"].tolist() == pytest.approx([gain, gain + 0.9])
    over_noisy = NETWORK_LEVEL - LEVELS["noisy"]
    assert table["over_noisy_db"].tolist() == pytest.approx([over_noisy, over_noisy + 0.9])


def test_gains_are_drawn_over_the_noisy_input(house):
    names = networks(house)
    summaries = {
        ratio: results.summary("demo", "denoiser", snr_db=ratio) for ratio in ("2", "6", "12")
    }
    table = denoiser_tables.ratios(summaries, names)
    assert set(table["snr_db"]) == {2.0, 6.0, 12.0} and set(table["role"]) == {"all"}
    figure = denoiser_figures.gains(table, notice="Beware.")
    (axes,) = figure.axes
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert labels == [
        style.label(name)
        for name in ("declicked", "classical", "classical_profile", *names, "oracle_mask")
    ]
    drawn = axes.containers[1][0].get_ydata()
    assert drawn.tolist() == pytest.approx([LEVELS["classical"] - LEVELS["noisy"]] * 3)
    assert figure.get_supxlabel() == "Beware."
    renamed = table.replace({"method": {names[0]: "mine"}})
    assert denoiser_figures.gains(renamed).axes


def test_cards_say_what_a_network_is_and_where_it_ends(house):
    (name,) = networks(house)
    notice = provenance.notice("demo")
    (path,) = denoiser_cards.write("demo", [name], scored([name]), differences(), notice)
    text = path.read_text()
    assert "1234 parameters" in text and "from 2 to 20 dB" in text
    assert "what the classical system kept" in text
    assert "| SI-SDR (dB) | 15.80 [15.40, 16.20] |" in text
    assert "| SI-SDR (dB) to Classical | +1.70 [+1.50, +1.90] | better |" in text
    assert "0.350 s of context" in text
    assert notice in text and str(house) not in text


def test_a_curve_may_fall_below_zero(house):
    from shellac.report import figures

    curves = results.training("demo", "denoiser")
    figure = figures.training_curves(curves, loss="Log error", scale="linear")
    axes = figure.axes[0]
    assert axes.get_yscale() == "linear" and axes.get_ylabel() == "Log error"
    table = tables.training(curves)
    assert isinstance(table, pd.DataFrame) and (table["best_validation_loss"] < 0).all()
