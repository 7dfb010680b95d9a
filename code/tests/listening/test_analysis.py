"""Answers read, screened and compared: by hand-computed cases and listeners of known mind."""

import csv
import json

import numpy as np
import pandas as pd
import pytest
from scipy.stats import wilcoxon

from shellac.cli import main
from shellac.errors import DataError
from shellac.listening import analysis, responses, simulation
from shellac.listening.responses import Response

CONDITIONS = ("reference", "anchor_3500_hz", "anchor_7000_hz", "spline", "tfilm")
TRIALS = 7  # one of them is 14 %, two are 28 %


def make_key(trials=TRIALS, notice=""):
    described = {
        f"t{number}": {
            "method": "BS.1534-3",
            "group": "superres",
            "open_reference": f"t{number}open",
            "stimuli": {
                f"t{number}{condition[-6:]}": {"condition": condition} for condition in CONDITIONS
            }
            | {f"t{number}open": {"condition": "reference"}},
        }
        for number in range(trials)
    }
    return {"format": "shellac-listening-test-key", "version": 1, "test": "ab" * 32,
            "notice": notice, "trials": described}  # fmt: skip


def answer(name, key, scores, **changes):
    """One listener who rates every trial alike; ``changes``: trial to other scores."""
    told = {trial: dict(scores) | changes.get(trial, {}) for trial in key["trials"]}
    return Response(name, "", told)


SCORES = {"reference": 100, "anchor_3500_hz": 10, "anchor_7000_hz": 40, "spline": 50, "tfilm": 70}


def as_record(response, key):
    return {
        "format": "shellac-listening-test",
        "version": 1,
        "test": key["test"],
        "session": response.session,
        "listener": response.listener,
        "trials": [
            {"trial": name, "ratings": [
                {"stimulus": stimulus, "score": response.scores[name][told["condition"]]}
                for stimulus, told in trial["stimuli"].items()
                if stimulus != trial["open_reference"]]}
            for name, trial in key["trials"].items()
        ],
    }  # fmt: skip


def write_table(path, records):
    """Write records in webMUSHRA's columns."""
    columns = ["session_test_id", "session_uuid", "trial_id", "rating_stimulus", "rating_score"]
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        for record in records:
            for trial in record["trials"]:
                for rating in trial["ratings"]:
                    writer.writerow([record["test"], record["session"], trial["trial"],
                                     rating["stimulus"], rating["score"]])  # fmt: skip


def test_signed_rank_by_hand_and_beside_scipy(rng):
    assert analysis.signed_rank(np.array([1.0, 2, 3, 4, 5, 6])) == pytest.approx(2 / 64)
    # signs all but the smallest rank: sums of 0 and 1 of 15 lie as far out, on each side
    assert analysis.signed_rank(np.array([-1.0, 2, 3, 4, 5])) == pytest.approx(4 / 32)
    assert analysis.signed_rank(np.full(10, 20.0)) == pytest.approx(2 / 1024)  # all ties
    assert analysis.signed_rank(np.zeros(8)) == 1.0
    assert analysis.signed_rank(np.array([0, 0, 3.0])) == 1.0
    for size in (5, 9, 20, 40):
        difference = rng.standard_normal(size) + 0.3
        expected = wilcoxon(difference, method="exact").pvalue
        assert analysis.signed_rank(difference) == pytest.approx(expected, rel=1e-9)


def test_holm_by_hand():
    assert analysis.holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert analysis.holm([0.6, 0.5]) == [1.0, 1.0]
    assert analysis.holm([]) == []


@pytest.mark.parametrize(("lapses", "kept"), [(1, True), (2, False)])
def test_a_low_reference_in_more_than_15_percent_excludes(lapses, kept):
    key = make_key()
    low = {f"t{number}": {"reference": 89} for number in range(lapses)}
    others = [answer(f"good{number}", key, SCORES) for number in range(6)]
    found = analysis.analyse([*others, answer("x", key, SCORES, **low)], key)
    screening = found.screening.set_index("session")
    assert screening["reference_below_90"]["x"] == pytest.approx(lapses / TRIALS)
    assert screening["kept"]["x"] == kept
    assert screening["kept"].sum() == 6 + kept
    assert (found.summary["listeners"] == 6 + kept).all()


def test_a_high_anchor_excludes_unless_it_is_weak_for_many():
    key = make_key()
    high = {f"t{number}": {"anchor_7000_hz": 95} for number in range(2)}
    good = [answer(f"good{number}", key, SCORES) for number in range(6)]
    one = analysis.analyse([*good, answer("x", key, SCORES, **high)], key)
    assert list(one.screening.query("not kept")["session"]) == ["x"]
    many = [answer(f"x{number}", key, SCORES, **high) for number in range(3)]
    assert analysis.analyse([*good, *many], key).screening["kept"].all()


def test_medians_quartiles_and_pairs_by_hand():
    key = make_key(trials=1)
    answers = [
        answer(f"l{number}", key, SCORES | {"spline": 40 + 5 * number, "tfilm": 61 + 6 * number})
        for number in range(6)
    ]
    found = analysis.analyse(answers, key)
    row = found.summary.set_index("condition").loc["spline"]
    assert row[["median", "lower_quartile", "upper_quartile"]].tolist() == [52.5, 46.25, 58.75]
    assert 40 <= row["interval_low"] < 52.5 < row["interval_high"] <= 65
    pairs = found.pairs.set_index(["a", "b"])
    assert set(pairs.index) == {("reference", "spline"), ("reference", "tfilm"),
                                ("spline", "tfilm")}  # fmt: skip
    # 21, 22 ... 26 points: all six to one side
    assert pairs.loc[("spline", "tfilm"), "median_difference"] == -23.5
    assert pairs["p"].tolist() == pytest.approx([2 / 64] * 3)
    assert pairs["p_holm"].tolist() == pytest.approx([6 / 64] * 3)


def test_the_interval_of_a_median_covers_it_as_often_as_it_says(rng):
    covered = 0
    for _ in range(200):
        low, high = analysis.median_interval(50 + 10 * rng.standard_normal((20, 1)))
        covered += low <= 50 <= high
    assert 0.88 <= covered / 200 <= 1.0
    assert analysis.median_interval(np.ones((1, 5))) == (None, None)


def test_simulated_listeners_are_understood(rng):
    key = make_key()
    opinions = {"spline": 45.0, "tfilm": 65.0}
    answers = simulation.responses(key, opinions, 12, deviation=6.0, rng=rng)
    found = analysis.analyse(answers, key)
    assert found.screening["kept"].all()
    medians = found.summary.set_index("condition")["median"]
    for condition, opinion in (simulation.OPINIONS | opinions).items():
        assert medians[condition] == pytest.approx(opinion, abs=3)
    pair = found.pairs.set_index(["a", "b"]).loc[("spline", "tfilm")]
    assert pair["p_holm"] < 0.01


def test_listeners_who_hear_no_difference_are_rarely_told_to(rng):
    key = make_key()
    found = 0
    for _ in range(20):
        answers = simulation.responses(key, {"spline": 50, "tfilm": 50}, 12, 6.0, rng)
        pairs = analysis.analyse(answers, key).pairs.set_index(["a", "b"])
        found += pairs["p_holm"]["spline", "tfilm"] < 0.05
    assert found <= 4  # 1 is expected


def test_power_grows_with_listeners_and_difference():
    small = simulation.power(5.0, 15.0, 3, 5)
    large = simulation.power(15.0, 15.0, 3, 5)
    assert small[30] > small[8]
    assert large[12] > small[12]
    assert large[30] > 0.95


@pytest.fixture
def answered(tmp_path):
    """A key and a folder with answers of eight listeners, and the arguments that analyse them."""
    key = make_key(notice="Synthesised data.")
    (tmp_path / "key.json").write_text(json.dumps(key))
    folder = tmp_path / "answers"
    folder.mkdir()
    records = []
    for number in range(8):
        scores = SCORES | {"spline": 40 + number, "tfilm": 60 + 2 * number}
        record = as_record(answer(f"l{number}", key, scores), key)
        (folder / f"l{number}.json").write_text(json.dumps(record))
        records.append(record)
    arguments = ["--key", str(tmp_path / "key.json"), "-o", str(tmp_path / "out")]
    return key, folder, records, arguments


def test_the_command_prints_and_writes_everything(answered, tmp_path, capsys):
    _, folder, records, arguments = answered
    assert main(["listening-test", "analyse", str(folder), *arguments]) == 0
    told = capsys.readouterr().out
    assert "8 listeners, 0 excluded" in told
    assert "TFiLM U-Net" in told
    summary = pd.read_csv(tmp_path / "out" / "summary.csv").set_index("condition")
    assert summary["median"]["spline"] == 43.5
    assert (tmp_path / "out" / "ratings.pdf").read_bytes().startswith(b"%PDF")
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    # the same sessions as one table, and beside themselves: counted once, the same bytes
    write_table(tmp_path / "all.csv", records)
    both = [str(tmp_path / "all.csv"), str(folder)]
    assert main(["listening-test", "analyse", *both, *arguments, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["listeners"] == 8
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before


def test_webmushras_name_of_the_reference_is_understood(answered, tmp_path):
    key, _, records, _ = answered
    for trial in records[0]["trials"]:
        hidden = key["trials"][trial["trial"]]["stimuli"]
        for rating in trial["ratings"]:
            if hidden[rating["stimulus"]]["condition"] == "reference":
                rating["stimulus"] = "reference"
    records[0]["test"] = key["test"][:16]
    write_table(tmp_path / "server.csv", records[:1])
    (response,) = responses.read_all([tmp_path / "server.csv"], key)
    assert response.scores["t0"] == SCORES | {"spline": 40, "tfilm": 60}


def test_without_answers_there_are_no_listeners_yet(answered, tmp_path, capsys):
    _, _, _, arguments = answered
    (tmp_path / "none").mkdir()
    for places in ([], [str(tmp_path / "none")]):
        assert main(["listening-test", "analyse", *places, *arguments]) == 0
        assert capsys.readouterr().out == "no listeners yet\n"
    assert not (tmp_path / "out").exists()


def _without_trial(record):
    record["trials"].pop()


def _with_score(score):
    def change(record):
        record["trials"][0]["ratings"][0]["score"] = score

    return change


def _twice(record):
    record["trials"][0]["ratings"].append(record["trials"][0]["ratings"][0])


def _unrated(record):
    record["trials"][0]["ratings"].pop()


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        (_without_trial, "1 of 7 trials are missing"),
        (_with_score(101), "less than or equal to 100"),
        (_with_score(50.5), "integer"),
        (_with_score("50"), "integer"),
        (_twice, "twice"),
        (_unrated, "leaves 1 stimuli unrated"),
        (lambda record: record.update(test="cd" * 32), "another test"),
        (lambda record: record.update(version=2), "version 2"),
        (lambda record: record.pop("trials"), "trials"),
        (lambda record: record["trials"][0].update(trial="t99"), "t99"),
        (lambda record: record["trials"][0]["ratings"][0].update(stimulus="s"), "no stimulus"),
    ],
)
def test_a_bad_file_is_one_line_naming_it(answered, tmp_path, capsys, change, cause):
    _, folder, records, arguments = answered
    change(records[3])
    (folder / "l3.json").write_text(json.dumps(records[3]))
    assert main(["listening-test", "analyse", str(folder), *arguments]) == 2
    told = capsys.readouterr().err
    assert "l3.json" in told
    assert cause in told
    assert told.count("\n") == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("name", "content"),
    [("x.json", b"{"), ("x.json", b"[1]"), ("x.json", b"\xff\xfe"), ("x.csv", b"a,b\n1,2\n"),
     ("x.csv", b""), ("x.txt", b"hello"), ("missing.json", None)],
)  # fmt: skip
def test_a_file_that_holds_no_answers_is_one_line(answered, tmp_path, capsys, name, content):
    _, _, _, arguments = answered
    if content is not None:
        (tmp_path / name).write_bytes(content)
    assert main(["listening-test", "analyse", str(tmp_path / name), *arguments]) == 2
    told = capsys.readouterr().err
    assert name in told
    assert told.count("\n") == 1


@pytest.mark.parametrize("name", ["nope", "nope.json"])
def test_answers_that_are_not_there_are_called_so(answered, tmp_path, capsys, name):
    _, _, _, arguments = answered
    assert main(["listening-test", "analyse", str(tmp_path / name), *arguments]) == 2
    assert f"{name}: no such file or folder" in capsys.readouterr().err


def test_one_session_told_in_two_ways_is_refused(answered):
    key, folder, records, _ = answered
    _with_score(1)(records[0])
    (folder / "again.json").write_text(json.dumps(records[0]))
    with pytest.raises(DataError, match="session l0 differ"):
        responses.read_all([folder], key)


def test_a_missing_or_wrong_key_is_said(answered, tmp_path):
    with pytest.raises(DataError, match="--key"):
        responses.read_key(tmp_path / "nowhere.json")
    (tmp_path / "other.json").write_text("{}")
    with pytest.raises(DataError, match=r"other\.json"):
        responses.read_key(tmp_path / "other.json")
