"""Tables and numbers for LaTeX, from the same saved tables that the manuscript is typeset from.

Every table becomes a ``tabular`` (booktabs) to be put into an environment of one's own, every
number a command: a text that uses them holds no typed result either. Files are UTF-8.
"""

import re
from pathlib import Path
from typing import Any

import pandas as pd

from shellac import paths, sidecars
from shellac.errors import DataError
from shellac.files import write_text

NUMBERS = "numbers.tex"
_PREFIX = "shellac"
# what tells a row from the others, in this order; columns with one value alone are left out
_KEYS = (
    "source", "system", "data", "role", "genre", "unit", "low_pass", "snr_db", "training", "steps",
    "network", "entry", "corpus", "use", "name", "what", "stage", "writes", "track", "file",
    "group", "condition", "difference", "method", "against", "metric",
)  # fmt: skip
_LABELLED = {"method_label", "metric_label", "cell"}
_UNSHOWN = {"notice", "reference", "tracks", "standing", "mean", "low", "high", "about"}
_NAMES = {"hash", "sha256", "seed", "layer"}  # which may look like results
_DIGITS = ("Zero", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine")
_ESCAPED = str.maketrans(
    {
        "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
        "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
        "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}",
        "\N{MINUS SIGN}": r"\ensuremath{-}", "\N{DAGGER}": r"\dag{}", "\N{MULTIPLICATION SIGN}":
        r"\ensuremath{\times}",
        "\n": " ",
    }
)  # fmt: skip


def export(profile: str, folder: Path) -> list[Path]:
    """Write every table of a profile, and ``numbers.tex``; return the files.

    Raises :class:`DataError` where there is no table, or where one has no sidecar or is not the
    one that its sidecar was written for.
    """
    tables = sorted(paths.results(profile, "tables").glob("*/*.csv"))
    if not tables:
        raise DataError(f"results/{profile}/tables: no table is there; run make all")
    records = {path: sidecars.checked(path) for path in tables}  # before anything is written
    written, commands = [], {}
    for path, record in records.items():
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
        where = f"{path.parent.name}/{path.stem}"
        written.append(Path(folder) / f"{where}.tex")
        write_text(written[-1], _comment(record) + tabular(table))
        told = numbers(table, where)
        if twice := commands.keys() & told.keys():
            raise DataError(f"{path}: two numbers would be called {min(twice)}; rename a table")
        commands |= told
    lines = [f"\\newcommand{{\\{name}}}{{{value}}}" for name, value in commands.items()]
    written.append(Path(folder) / NUMBERS)
    write_text(written[-1], "\n".join(lines) + "\n")
    return written


def escaped(text: str) -> str:
    """Return ``text`` so that LaTeX prints it as it stands."""
    return text.translate(_ESCAPED)


def tabular(table: pd.DataFrame) -> str:
    """Return a saved table as a ``tabular``: methods by metrics where it has both, else as it is.

    The best, or the better, cell is bold; a dagger marks what is not separable.
    """
    if not table.columns.isin(_LABELLED).sum() == len(_LABELLED):
        shown = [name for name in table.columns if name not in _UNSHOWN]
        return _rows([name.replace("_", " ") for name in shown], table[shown].values.tolist())
    keys = [name for name in _varying(table) if name not in ("method", "metric")]
    metrics = dict(zip(table["metric"], table["metric_label"], strict=True))
    grouped = table.groupby([*keys, "method"], sort=False)
    body = []
    for _, block in grouped:
        first = block.iloc[0]
        cells = {row["metric"]: _marked(row) for _, row in block.iterrows()}
        lead = [escaped(first.get(f"{key}_label", first[key])) for key in keys]
        lead.append(escaped(first["method_label"]))
        body.append([*lead, *(cells.get(metric, "") for metric in metrics)])
    head = [*(key.replace("_", " ") for key in keys), "method", *metrics.values()]
    return _rows(head, body, escape=False)


def numbers(table: pd.DataFrame, where: str) -> dict[str, str]:
    """Return a command's name and value for every number of a saved table.

    A name says where the table lies, what tells the row from the others, and the column; a cell
    with its interval has the name without a column. Names are letters alone, digits spelled out.
    """
    keys = _varying(table)
    rows = table[keys].agg(" ".join, axis=1) if keys else pd.Series([""] * len(table))
    if rows.duplicated().any():  # nothing tells these rows apart: their number does
        rows = rows + [f" row {number}" for number in range(1, len(table) + 1)]
    found = {}
    for row, key in zip(table.to_dict("records"), rows, strict=True):
        name = _PREFIX + _letters(f"{where} {key}")
        if "cell" in row:
            found[name] = escaped(row["cell"])
        for column, value in row.items():
            if column not in keys and column not in _NAMES and (number := _number(value)):
                found[name + _letters(column)] = number
    return found


def _varying(table: pd.DataFrame) -> list[str]:
    """Return the columns that tell rows apart; of two that say the same, the first."""
    names = [name for name in _KEYS if name in table and table[name].nunique() > 1]
    if {"data", "role"} <= set(names) and (table["data"] == table["role"]).all():
        names.remove("role")
    return names


def _marked(row: pd.Series) -> str:
    mean, bracket, interval = row["cell"].partition(" [")
    standing = row.get("standing", "")
    text = escaped(mean)
    if standing in ("best", "better"):
        text = f"\\textbf{{{text}}}"
    return text + (r"\dag{}" if standing == "not separable" else "") + escaped(bracket + interval)


def _rows(head: list[str], body: list[list[Any]], escape: bool = True) -> str:
    lines = [" & ".join(escaped(name) for name in head) + r" \\", r"\midrule"]
    for row in body:
        cells = [escaped(str(cell)) for cell in row] if escape else row
        line = " & ".join(cells) + r" \\"
        lines.append("{}" + line if line.startswith(("[", "*")) else line)  # no argument of \\
    start = [f"\\begin{{tabular}}{{{'l' * len(head)}}}", r"\toprule"]
    return "\n".join([*start, *lines, r"\bottomrule", r"\end{tabular}"]) + "\n"


def _comment(record: dict[str, Any]) -> str:
    maker = record["notebook"]["path"] if "notebook" in record else record["command"]
    told = [record["what"], record["notice"], f"{record['file']}, SHA-256 {record['sha256']}",
            f"made by {maker}"]  # fmt: skip
    return "".join(f"% {' '.join(line.split())}\n" for line in told if line)


def _letters(text: str) -> str:
    """Join the words of ``text`` as letters, each with a capital, digits spelled out."""
    spelled = re.sub(r"\d", lambda found: f" {_DIGITS[int(found[0])]} ", text)
    words = re.findall(r"[A-Za-z]+", spelled)
    return "".join(word[0].upper() + word[1:] for word in words)


def _number(value: str) -> str:
    """Return a number as LaTeX sets it, nothing for what is none."""
    found = re.fullmatch(r"(-?\d+(?:\.\d+)?)(?:e([-+]?\d+))?", value)
    if not found:
        return ""
    power = f"\\times10^{{{int(found[2])}}}" if found[2] else ""
    return f"\\ensuremath{{{found[1]}{power}}}"
