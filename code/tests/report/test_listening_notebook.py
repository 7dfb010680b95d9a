"""The listening test's notebook: before anybody has listened, and with answers of known mind."""

import json

import numpy as np
import pandas as pd
import pytest
from pypdf import PdfReader

from shellac import paths, sidecars
from shellac.errors import DataError
from shellac.listening import design, page, responses, simulation
from shellac.report import manuscript, notebooks

NAME = "07-listening-test"
TABLES = ("asked", "conditions", "answers", "screening", "summary", "pairs", "needed")


def key_of(profile="demo"):
    return responses.read_key(paths.results(profile, "listening-test", page.KEY))


def table(name):
    return pd.read_csv(paths.results("demo", "tables", "listening", f"{name}.csv"))


def figure_path(name):
    return paths.results("demo", "figures", "listening", f"{name}.pdf")


def text_of(root):
    pdf = manuscript.build("demo", root / "out.pdf")
    return " ".join(" ".join(one.extract_text() for one in PdfReader(pdf).pages).split())


def states(path):
    return {state for *_, state in sidecars.sources(sidecars.checked(path))}


def write_answers(key, folder, listeners, test=None):
    """Answers as the page downloads them, of listeners who like the TFiLM U-Net best."""
    opinions = dict.fromkeys(
        (name for trial in key["trials"].values() for name in design.compared(trial)), 40.0
    ) | {"tfilm": 72.0, "reference": 100.0}
    rng = np.random.default_rng(1)
    folder.mkdir(parents=True, exist_ok=True)
    for answer in simulation.responses(key, opinions, listeners, 4.0, rng):
        trials = [
            {"trial": name, "ratings": [
                {"stimulus": stimulus, "score": answer.scores[name][told["condition"]]}
                for stimulus, told in trial["stimuli"].items()
                if stimulus != trial.get("open_reference")]}
            for name, trial in key["trials"].items()
        ]  # fmt: skip
        record = {"format": page.FORMAT, "version": page.VERSION, "test": test or key["test"],
                  "session": answer.session + (test or ""), "trials": trials}  # fmt: skip
        (folder / f"{record['session']}.json").write_text(json.dumps(record))


def test_without_listeners_it_says_so_and_makes_no_ratings(built):
    for name in TABLES:
        path = paths.results("demo", "tables", "listening", f"{name}.csv")
        assert states(path) == {sidecars.UNCHANGED}
    assert states(figure_path("power")) == {sidecars.UNCHANGED}
    assert not figure_path("ratings").exists()
    assert table("answers")["listeners"].tolist() == [0]
    assert table("summary").empty and table("pairs").empty
    shown = paths.results("demo", "notebooks", f"{NAME}.ipynb").read_text()
    assert "no listeners yet" in shown
    assert "Simulated assessors, not people." in shown
    assert shown.count("<audio") == len(design.rated(design.groups(key_of())["superres"][0]))
    text = text_of(built)
    assert "Nobody has listened yet" in text
    assert "listened, " not in text


def test_answers_reach_the_tables_the_figure_and_the_text(built):
    key, folder = key_of(), paths.responses("demo")
    write_answers(key, folder, 8)
    write_answers(key, folder, 2, test="cd" * 32)
    notebooks.run(NAME, "demo")
    counted = table("answers").iloc[0]
    assert (counted["listeners"], counted["kept"], counted["of_other_tests"]) == (8, 8, 2)
    ours = table("summary").query("group == 'superres'").set_index("condition")
    assert ours.loc["tfilm", "median"] == pytest.approx(72, abs=4)
    sources = sidecars.checked(figure_path("ratings"))["sources"]
    answered = [source["path"] for source in sources if "responses" in source["path"]]
    assert len(answered) == 8
    text = text_of(built)
    assert "8 listened, 8 of them were kept" in text
    assert "Nobody has listened yet" not in text
    assert f"TFiLM U-Net {ours.loc['tfilm', 'median']:.1f} " in text


def test_what_is_asked_counts_what_the_page_asks(built):
    key = key_of()
    asked = design.asked(key).set_index("group")
    shown = paths.results("demo", "listening-test", "page", "test.js").read_text()
    trials = json.loads(shown.removeprefix("shellac.test = ").removesuffix(";\n"))["trials"]
    assert asked["trials"].sum() == len(trials)
    assert asked["ratings"].sum() == sum(len(trial["stimuli"]) for trial in trials)
    parts = design.conditions(key).query("group == 'superres'").set_index("condition")["part"]
    assert parts["reference"] == "hidden reference"
    assert set(parts[["anchor_3500_hz", "anchor_7000_hz"]]) == {"anchor"}
    assert parts["tfilm"] == "compared"
    (trial,) = design.groups(key)["superres"]
    assert trial["left_out"] == ["low_rate"]  # a stimulus of another rate


def test_a_trial_is_heard_as_the_page_plays_it(built):
    key, folder = key_of(), paths.results("demo", "listening-test")
    heard = design.heard(folder, key, "superres")
    assert heard.sample_rate == 16000
    assert {len(wave) for wave in heard.waveforms.values()} == {round(heard.seconds * 16000)}
    levels = {name: np.square(wave).mean() for name, wave in heard.waveforms.items()}
    assert levels["anchor_3500_hz"] < 2 * levels["reference"]
    with pytest.raises(DataError, match="no trial 9 of 'superres'"):
        design.heard(folder, key, "superres", 9)
    next((folder / "page" / "audio").glob("*.js")).write_text("changed")
    with pytest.raises(DataError, match="build the listening test again"):
        for group, trials in design.groups(key).items():
            for index in range(len(trials)):
                design.heard(folder, key, group, index)


def test_needed_listeners_are_the_fewest_that_reach_four_of_five():
    rows = [
        {"group": group, "label": group, "systems": 3, "trials": 2, "difference": 10.0,
         "deviation": 15.0, "between": 5.0, "listeners": listeners, "found": found, "notice": "s"}
        for group, shares in {"a": (0.5, 0.8, 0.9), "b": (0.1, 0.2, 0.79)}.items()
        for listeners, found in zip((6, 8, 10), shares, strict=True)
    ]  # fmt: skip
    needed = design.needed(pd.DataFrame(rows)).set_index("group")["needed"]
    assert needed.to_dict() == {"a": "8", "b": "more than 10"}
