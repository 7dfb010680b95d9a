"""The LaTeX export is read back and compared with the tables that it was made from."""

import re

import pandas as pd
import pytest

from shellac import cli, paths
from shellac.errors import DataError
from shellac.report import latex, provenance

UNESCAPED = {
    r"\textbackslash{}": "\\", r"\textasciitilde{}": "~", r"\textasciicircum{}": "^",
    r"\textless{}": "<", r"\textgreater{}": ">", r"\textbar{}": "|", r"\dag{}": "",
    r"\ensuremath{-}": "\N{MINUS SIGN}", r"\ensuremath{\times}": "\N{MULTIPLICATION SIGN}",
    r"\&": "&", r"\%": "%", r"\$": "$", r"\#": "#", r"\_": "_", r"\{": "{", r"\}": "}",
}  # fmt: skip
SPECIAL = r"50 % of A&B_1 costs #3 {$4} ~ 2^3 < 5 \ | −1 × 2"


def plain(text):
    """What LaTeX would print, for the commands that the export uses."""
    text = re.sub(r"\\textbf\{((?:[^{}]|\{[^{}]*\})*)\}", r"\1", text)
    pattern = "|".join(map(re.escape, sorted(UNESCAPED, key=len, reverse=True)))
    return re.sub(pattern, lambda found: UNESCAPED[found[0]], text)


def cells(text):
    """The head and the rows of a tabular, as printed."""
    inside = text.split("\\toprule\n")[1].split("\\bottomrule")[0]
    lines = [line for line in inside.splitlines() if line != "\\midrule"]
    assert all(line.endswith(r" \\") for line in lines)
    return [[plain(cell) for cell in re.split(r"(?<!\\) ?& ", line[:-3])] for line in lines]


def number(value):
    """The value of a command that holds a number, None for one that holds text."""
    found = re.fullmatch(r"\\ensuremath\{(-?[\d.]+)(?:\\times10\^\{(-?\d+)\})?\}", value)
    return float(f"{found[1]}e{found[2] or 0}") if found else None


@pytest.fixture
def exported(finished, tmp_path, monkeypatch):
    monkeypatch.setenv("SHELLAC_ROOT", str(finished))
    latex.export("demo", tmp_path / "tex")
    return tmp_path / "tex"


def commands(folder):
    text = (folder / latex.NUMBERS).read_text("utf-8")
    found = re.findall(r"^\\newcommand\{\\([A-Za-z]+)\}\{(.*)\}$", text, re.MULTILINE)
    assert len(found) == len(text.splitlines()) == len(dict(found))
    return dict(found)


def test_every_table_is_there_and_its_cells_are_those_of_the_saved_one(exported):
    saved = sorted(paths.results("demo", "tables").glob("*/*.csv"))
    assert len(saved) == len(list(exported.glob("*/*.tex"))) > 20
    for path in saved:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
        text = (exported / path.parent.name / f"{path.stem}.tex").read_text("utf-8")
        head, *rows = cells(text)
        assert {len(row) for row in rows} <= {len(head)}
        printed = {cell for row in rows for cell in row}
        if "metric_label" in table:
            assert set(head) >= set(table["metric_label"])
            assert printed >= set(table["cell"]) | set(table["method_label"])
        else:
            assert len(rows) == len(table)
        assert text.count("{") == text.count("}")
        assert "% Synthesised data, reduced networks, not comparable.\n" in text
        assert text.isascii() or "\N{DAGGER}" not in text


def test_a_cell_stands_in_its_row_and_column(exported):
    text = (exported / "superres" / "scores.tex").read_text("utf-8")
    head, *rows = cells(text)
    row = next(row for row in rows if row[:2] == ["all", "TFiLM U-Net"])
    assert row[head.index("SNR (dB)")] == "18.42 [18.21, 18.63]"
    assert r"\textbf{18.42} [18.21, 18.63]" in text
    assert "% made by notebooks/01-super-resolution.ipynb\n" in text


def test_every_number_has_a_command_with_its_value(exported):
    found = commands(exported)
    assert found["shellacSuperresScoresAllTfilmSnrDb"] == "18.42 [18.21, 18.63]"
    for system, name in (("superres", "scores"), ("denoiser", "paired"), ("inpainting", "gaps")):
        table = pd.read_csv(paths.results("demo", "tables", system, f"{name}.csv"))
        start = f"shellac{system.capitalize()}{name.capitalize()}"
        means = [number(v) for k, v in found.items() if k.startswith(start) and k.endswith("Mean")]
        assert sorted(means) == sorted(table["mean"].dropna())
    losses = pd.read_csv(paths.results("demo", "tables", "superres", "training.csv"))
    expected = losses.set_index("network").loc["tfilm", "best_validation_loss"]
    assert number(found["shellacSuperresTrainingTfilmBestValidationLoss"]) == expected


def test_a_changed_result_changes_its_command(built, tmp_path):
    path = paths.results("demo", "tables", "superres", "scores.csv")
    table = pd.read_csv(path)
    chosen = (table["method"] == "tfilm") & (table["metric"] == "snr_db") & (table["role"] == "all")
    table.loc[chosen, "mean"] = 17.31
    provenance.save_table(table, path, what="-", sources=[], notebook="01-super-resolution")
    latex.export("demo", tmp_path / "tex")
    assert number(commands(tmp_path / "tex")["shellacSuperresScoresAllTfilmSnrDbMean"]) == 17.31


def test_special_characters_are_printed_and_not_obeyed():
    table = pd.DataFrame({"corpus": ["[x", SPECIAL], "minutes": ["1", "2.5"]})
    text = latex.tabular(table)
    head, *rows = cells(text)
    assert head == ["corpus", "minutes"]
    assert rows == [["{}[x", "1"], [SPECIAL, "2.5"]]
    assert plain(latex.escaped(SPECIAL)) == SPECIAL
    assert not re.search(r"(?<!\\)[%#$_~^]", latex.escaped(SPECIAL).replace("ensuremath", ""))


def test_names_are_letters_and_rows_that_nothing_tells_apart_are_numbered():
    table = pd.DataFrame({"name": ["a2", "b"], "size": ["3", "-1e-05"], "sha256": ["12", "34"]})
    assert latex.numbers(table, "data/sets-1") == {
        "shellacDataSetsOneATwoSize": r"\ensuremath{3}",
        "shellacDataSetsOneBSize": r"\ensuremath{-1\times10^{-5}}",
    }
    same = pd.DataFrame({"name": ["a", "a"], "size": ["3", "4"]})
    assert list(latex.numbers(same, "t")) == ["shellacTRowOneSize", "shellacTRowTwoSize"]


def test_a_table_changed_by_hand_is_refused_before_anything_is_written(built, tmp_path):
    path = paths.results("demo", "tables", "superres", "training.csv")
    path.write_text(path.read_text() + "\n")
    with pytest.raises(DataError, match=r"training\.csv: missing or changed since"):
        latex.export("demo", tmp_path / "tex")
    assert not (tmp_path / "tex").exists()
    with pytest.raises(DataError, match="no table is there"):
        latex.export("nothing", tmp_path / "tex")


def test_the_command_writes_it_and_leaves_what_else_is_there(
    finished, tmp_path, monkeypatch, capsys
):
    monkeypatch.setenv("SHELLAC_ROOT", str(finished))
    (tmp_path / "tex").mkdir()
    (tmp_path / "tex" / "mine.tex").write_text("mine")
    assert cli.main(["manuscript", "--latex", str(tmp_path / "tex")]) == 0
    assert f"files in {tmp_path / 'tex'}" in capsys.readouterr().out
    assert (tmp_path / "tex" / "mine.tex").read_text() == "mine"
    assert commands(tmp_path / "tex")
