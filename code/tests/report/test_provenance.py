import json

import pandas as pd
import pytest
from pypdf import PdfReader

from shellac import paths, sidecars
from shellac.errors import DataError, OutputError, UsageError
from shellac.files import sha256
from shellac.report import figures, provenance, results

NOTEBOOK = "01-super-resolution"


@pytest.fixture
def figure(house):
    notice = provenance.notice("demo")
    return figures.training_curves(results.training("demo", "superres"), notice=notice)


def save(figure, name, profile="demo"):
    return provenance.save_figure(
        figure,
        paths.results(profile, "figures", name),
        what="Two curves.",
        sources=results.training_paths("demo", "superres"),
        notebook=NOTEBOOK,
    )


@pytest.mark.parametrize("name", ["a.pdf", "a.svg"])
def test_the_same_figure_saved_twice_has_the_same_bytes(house, name):
    made = []
    for _ in range(2):
        figure = figures.training_curves(results.training("demo", "superres"))
        path = save(figure, name)
        made.append((path.read_bytes(), sidecars.place(path).read_bytes()))
    assert made[0] == made[1]
    undated = made[0][0]  # two dates within one second would look the same
    assert b"CreationDate" not in undated
    assert b"dc:date" not in undated


def test_a_sidecar_says_what_made_the_figure_from_what(house, figure):
    path = save(figure, "a.pdf")
    record = sidecars.checked(path)
    assert record["file"] == "results/demo/figures/a.pdf"
    assert record["sha256"] == sha256(path)
    assert record["notebook"]["path"] == f"notebooks/{NOTEBOOK}.ipynb"
    assert [source["path"] for source in record["sources"]] == [
        "results/demo/metrics/superres-training/afilm.csv",
        "results/demo/metrics/superres-training/audiounet.csv",
        "results/demo/metrics/superres-training/tfilm.csv",
        "results/demo/metrics/superres-training/tfilm_legacy.csv",
    ]
    assert record["notice"] == provenance.notice("demo")
    assert str(house) not in json.dumps(record)
    assert {state for *_, state in sidecars.sources(record)} == {"unchanged"}


def test_the_figure_itself_says_that_it_is_not_comparable(figure):
    text = " ".join(PdfReader(save(figure, "a.pdf")).pages[0].extract_text().split())
    assert "Synthesised data, reduced networks, not comparable." in text


def test_a_changed_source_is_named(figure):
    path = save(figure, "a.pdf")
    source = results.training_paths("demo", "superres")[0]
    source.write_text(source.read_text() + "999,1,1\n")
    states = {name: state for name, _, state in sidecars.sources(sidecars.checked(path))}
    changed = [name for name, state in states.items() if state != "unchanged"]
    assert changed == [f"results/demo/metrics/superres-training/{source.name}"]
    assert states[changed[0]] == "changed since"
    source.unlink()
    assert "missing" in {state for *_, state in sidecars.sources(sidecars.checked(path))}


def test_a_figure_changed_by_hand_is_refused(figure):
    path = save(figure, "a.pdf")
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(DataError, match="changed"):
        sidecars.checked(path)


def test_a_figure_without_a_sidecar_is_refused(figure):
    path = save(figure, "a.pdf")
    sidecars.place(path).unlink()
    with pytest.raises(DataError, match="no sidecar"):
        sidecars.checked(path)


def test_a_missing_source_is_refused_before_anything_is_written(house, figure):
    path = paths.results("demo", "figures", "a.pdf")
    with pytest.raises(DataError, match="nothing can be made"):
        provenance.save_figure(
            figure, path, what="-", sources=[house / "gone.csv"], notebook=NOTEBOOK
        )
    assert not path.exists()


def test_other_formats_and_places_are_refused(house, figure, tmp_path):
    with pytest.raises(UsageError, match=r"\.pdf or \.svg"):
        save(figure, "a.png")
    with pytest.raises(UsageError, match="results/<profile>"):
        provenance.save_figure(figure, tmp_path / "a.pdf", what="-", sources=[], notebook=NOTEBOOK)
    outside = tmp_path / "outside.csv"
    outside.write_text("x")
    target = paths.results("demo", "figures", "a.pdf")
    with pytest.raises(OutputError, match="outside the repository"):
        provenance.save_figure(figure, target, what="-", sources=[outside], notebook=NOTEBOOK)


def test_a_table_is_saved_with_its_numbers_and_unix_line_ends(house):
    path = provenance.save_table(
        pd.DataFrame({"a": [1 / 3], "b": ["x, y"], "c": [None]}),
        paths.results("demo", "tables", "t.csv"),
        what="A table.",
        sources=[results.summary_path("demo", "superres")],
        notebook=NOTEBOOK,
    )
    assert path.read_bytes() == b'a,b,c\n0.333333,"x, y",\n'
    assert sidecars.checked(path)["what"] == "A table."


@pytest.mark.parametrize(
    ("profile", "words"),
    [
        ("demo", "Synthesised data, reduced networks, not comparable"),
        ("folder", "own recordings, reduced networks, not comparable with published numbers"),
        ("my-experiment", "not comparable"),
    ],
)
def test_every_small_profile_warns(profile, words):
    assert words in provenance.notice(profile)


def test_the_full_profile_does_not_warn():
    assert provenance.notice("full") == ""
