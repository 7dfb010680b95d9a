import numpy as np
import pandas as pd
import pytest

from shellac.errors import DataError
from shellac.report import results, tables
from shellac.report.published import SUPERRES, Published


def summary(*rows):
    return pd.DataFrame(rows, columns=results.SUMMARY_COLUMNS)


def pick(table, method, metric, data="all"):
    chosen = (table["data"] == data) & (table["method"] == method) & (table["metric"] == metric)
    (row,) = table[chosen].to_dict("records")
    return row


def test_a_cell_is_mean_and_interval():
    table = tables.build(summary(("all", "spline", "snr_db", -1.234, -2.0, 17.456, 8)))
    assert pick(table, "spline", "snr_db")["cell"] == "\u22121.23 [\u22122.00, 17.46]"


def test_the_best_is_marked_by_the_direction_of_its_metric():
    table = tables.build(
        summary(
            ("all", "spline", "snr_db", 10.0, 9.0, 11.0, 8),
            ("all", "tfilm", "snr_db", 15.0, 14.0, 16.0, 8),
            ("all", "spline", "lsd", 3.0, 2.9, 3.1, 8),
            ("all", "tfilm", "lsd", 1.0, 0.9, 1.1, 8),
        )
    )
    for metric in ("snr_db", "lsd"):
        assert pick(table, "tfilm", metric)["standing"] == tables.BEST
        assert pick(table, "spline", metric)["standing"] == ""


def test_overlapping_intervals_are_not_separable():
    table = tables.build(
        summary(
            ("all", "spline", "snr_db", 10.0, 9.0, 11.0, 8),
            ("all", "audiounet", "snr_db", 13.0, 12.0, 14.5, 8),
            ("all", "tfilm", "snr_db", 15.0, 14.0, 16.0, 8),
        )
    )
    standings = [pick(table, m, "snr_db")["standing"] for m in ("spline", "audiounet", "tfilm")]
    assert standings == ["", tables.NOT_SEPARABLE, tables.NOT_SEPARABLE]


def test_one_track_has_no_interval_and_separates_nothing():
    table = tables.build(
        summary(
            ("all", "spline", "snr_db", 10.0, 10.0, 10.0, 1),
            ("all", "tfilm", "snr_db", 30.0, 30.0, 30.0, 1),
        )
    )
    assert pick(table, "tfilm", "snr_db")["cell"] == "30.00 (one track)"
    assert pick(table, "tfilm", "snr_db")["standing"] == tables.NOT_SEPARABLE


def test_what_nobody_measured_says_so():
    table = tables.build(
        summary(
            ("all", "spline", "snr_db", 10.0, 9.0, 11.0, 8),
            ("all", "band_copy", "snr_db", np.nan, np.nan, np.nan, 0),
        )
    )
    for method in ("band_copy", "audiounet", "tfilm", "tfilm_legacy"):
        row = pick(table, method, "snr_db")
        assert row["cell"] == tables.NOT_MEASURED
        assert row["standing"] == ""
    assert len(table) == len(tables.SUPERRES_METHODS) * len(tables.SUPERRES_METRICS)


def test_an_infinite_mean_is_printed():
    assert tables.cell(np.inf, np.inf, np.inf, 3).startswith("\N{INFINITY}")


def test_published_values_stand_apart_with_their_source():
    ours = summary(("all", "spline", "lsd_reference", 3.0, 2.9, 3.1, 8))
    table = tables.build(ours, published=SUPERRES, notice="Beware.")
    theirs = table[table["source"] == "published"]
    assert pick(theirs, "tfilm", "snr_reference_db", "Beethoven piano")["cell"] == "20.4"
    assert theirs["reference"].str.contains("README").all()
    assert (theirs["standing"] == "").all()
    assert (table["notice"] == "Beware.").all()
    ours_on_speech = table[(table["source"] == "this work") & (table["data"] == "speech")]
    assert (ours_on_speech["cell"] == tables.NOT_MEASURED).all()
    assert not ours_on_speech.empty


def test_published_values_are_those_of_the_readme():
    values = {(p.data, p.method, p.metric): p.value for p in SUPERRES}
    assert len(values) == 12
    assert values["VCTK speaker 1", "spline", "snr_reference_db"] == 15.6
    assert values["GTZAN blues", "spline", "lsd_reference"] == 7.8
    assert values["GTZAN blues", "tfilm", "lsd_reference"] == 3.8


def test_the_wide_view_stars_the_best_and_skips_empty_sets():
    ours = summary(
        ("all", "spline", "snr_db", 10.0, 9.0, 11.0, 8),
        ("all", "tfilm", "snr_db", 15.0, 14.0, 16.0, 8),
    )
    published = (Published("Old set", "speech", "spline", "snr_db", 5.0, "a paper"),)
    table = tables.build(ours, published=published)
    wide = tables.wide(table)
    assert wide.loc[("all", "TFiLM U-Net"), "SNR (dB)"].endswith("\N{BLACK STAR}")
    assert set(wide.index.get_level_values("data")) == {"all"}
    assert tables.wide(table, "published").loc[("Old set", "Cubic spline"), "SNR (dB)"] == "5"


def test_a_table_on_the_screen_says_the_notice_once():
    page = tables.shown(pd.DataFrame({"a": [1 / 3, 2.0], "notice": "Beware."}), "Beware.").to_html()
    assert page.count("Beware.") == 1
    assert "0.333" in page


def test_a_table_on_the_screen_is_named_in_words_and_leaves_gaps_empty():
    row = {"method": "tfilm", "method_label": "TFiLM U-Net", "best_step": 30, "loss": np.nan}
    page = tables.shown(pd.DataFrame([row | {"cell": "1.0 [0.9, 1.1]"}])).to_html()
    assert all(name in page for name in ("method<", "best step", "value [95 % interval]"))
    assert not any(name in page for name in ("tfilm", "method_label", "best_step", "nan"))


def test_a_single_role_which_repeats_all_is_not_shown_twice():
    rows = [(role, "spline", "snr_db", 10.0, 9.0, 11.0, 8) for role in ("all", "piano")]
    wide = tables.wide(tables.build(summary(*rows)))
    assert set(wide.index.get_level_values("data")) == {"all"}
    more = tables.wide(tables.build(summary(*rows, ("speech", *rows[1][1:]))))
    assert set(more.index.get_level_values("data")) == {"all", "piano", "speech"}


def test_training_is_summed_up_by_its_best_step():
    curve = pd.DataFrame(
        {"step": [10, 20, 30], "loss": [1.0, 0.5, 0.4], "validation_loss": [0.9, 0.3, 0.6]}
    )
    (row,) = tables.training({"tfilm": curve}).to_dict("records")
    assert (row["steps"], row["best_step"], row["best_validation_loss"]) == (30, 20, 0.3)
    assert (row["first_validation_loss"], row["last_validation_loss"]) == (0.9, 0.6)


def test_recordings_are_counted_by_use_and_the_rest_is_listed():
    recordings = pd.DataFrame(
        [
            ("mine", "a.wav", "piano", "train", "yes", "", 100, 6000),
            ("mine", "b.wav", "piano", "train", "yes", "", 100, 12000),
            ("mine", "c.wav", "historical", "", "yes", "", 100, 6000),
            ("mine", "d.wav", "piano", "", "no", "clipped", 100, 6000),
            ("mine", "e.wav", "piano", "", "no", "not readable", 0, 0),
        ],
        columns=["corpus", "file", "role", "split", "used", "reason", "sample_rate", "samples"],
    )
    counted = tables.data(recordings).set_index(["role", "use"])
    assert tuple(counted.loc[("piano", "train"), ["recordings", "minutes"]]) == (2, 3.0)
    assert counted.loc[("historical", "restored only"), "recordings"] == 1
    assert counted.loc[("piano", "left out"), "recordings"] == 2
    assert list(tables.left_out(recordings)["reason"]) == ["clipped", "not readable"]


def test_results_are_read_as_they_were_written(house):
    assert set(results.training("demo", "superres")) == {
        "audiounet",
        "tfilm",
        "tfilm_legacy",
        "afilm",
    }
    recordings = results.recordings("demo")
    assert set(recordings["corpus"]) == {
        "synthesised-piano",
        "synthesised-ensemble",
        "synthesised-noise",
    }
    assert (recordings.loc[recordings["used"] == "yes", "reason"] == "").all()
    heard = results.excerpt("demo", "superres")
    assert heard.seconds == 2.0
    assert "low_rate" not in heard.waveforms  # another rate: not to be drawn beside the others
    assert heard.title == "piano-006, 3.00 to 5.00 s"


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda m: m.unlink(), "run shellac stimuli"),
        (lambda m: m.write_text("[]"), "not a stimulus manifest"),
        (lambda m: m.write_text('{"items": []}'), "no excerpt 0"),
        (lambda m: m.write_text(m.read_text().replace('"sha256": "', '"sha256": "0')), "build it"),
    ],
)
def test_damaged_stimuli_are_refused_in_words(house, damage, words):
    damage(house / "results" / "demo" / "stimuli" / "superres" / "manifest.json")
    with pytest.raises(DataError, match=words):
        results.excerpt("demo", "superres")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "shellac evaluate"),
        ("", "not a readable table"),
        ("role,method\nall,spline\n", "lacks the columns"),
        ("role,method,metric,mean,low,high,tracks\n" + "all,a,b,1,1,1,1\n" * 2, "twice"),
    ],
)
def test_damaged_summaries_are_refused_in_words(house, text, words):
    path = results.summary_path("demo", "superres")
    path.unlink()
    if text is not None:
        path.write_text(text)
    with pytest.raises(DataError, match=words):
        results.summary("demo", "superres")


def test_a_summary_is_read_for_one_filter_and_unit(house):
    whole = results.summary("demo", "superres", low_pass="sinc", unit="file")
    assert tuple(whole.columns) == results.SUMMARY_COLUMNS
    assert set(whole["metric"]) == set(tables.SUPERRES_METRICS)
    patches = results.summary("demo", "superres", low_pass="chebyshev", unit="patch")
    assert set(patches["metric"]) == set(tables.PUBLISHED_METRICS)
    with pytest.raises(DataError, match="lacks the columns window"):
        results.summary("demo", "superres", window="hann")


def test_a_difference_is_judged_by_whether_its_interval_holds_zero():
    columns = results.PAIRED_COLUMNS
    rows = [
        ("all", "chebyshev", "tfilm", "spline", "snr_db", 0.5, 0.1, 0.9, 8),
        ("all", "sinc", "tfilm", "spline", "snr_db", 0.5, -0.1, 1.1, 8),
        ("all", "codec", "tfilm", "spline", "snr_db", -0.5, -0.9, -0.1, 8),
        ("all", "chebyshev", "tfilm", "band_copy", "lsd", -0.5, -0.9, -0.1, 8),
        ("all", "sinc", "tfilm", "band_copy", "lsd", 0.5, np.nan, np.nan, 1),
    ]
    table = tables.paired(pd.DataFrame(rows, columns=columns), ["chebyshev"], notice="Beware.")
    assert tuple(table.columns) == tables.PAIRED_COLUMNS
    undecided = tables.NOT_SEPARABLE
    assert list(table["standing"]) == ["better", undecided, "worse", "better", undecided]
    assert list(table["seen"]) == ["yes", "no", "no", "yes", "no"]
    assert table["cell"][0] == "+0.50 [+0.10, +0.90]"
    assert table["cell"][4] == "+0.50 (one track)"
    wide = tables.by_low_pass(table)
    assert list(wide.columns) == ["Chebyshev (seen)", "Sinc (unseen)", "Codec-like (unseen)"]
    assert wide.loc[("SNR (dB) to Cubic spline", "TFiLM U-Net")].iloc[0].endswith("\N{BLACK STAR}")
