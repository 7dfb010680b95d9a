import json
import re
import shutil
import subprocess

import pandas as pd
import pytest
import typst
from pypdf import PdfReader

from shellac import config, paths, sidecars, weights
from shellac.commands import inventory
from shellac.errors import DataError, OutputError
from shellac.files import sha256
from shellac.report import manuscript, provenance, results, tables


def text_of(path, page=None):
    pages = PdfReader(path).pages
    chosen = pages if page is None else [pages[page]]
    text = " ".join(" ".join(one.extract_text() for one in chosen).split())
    return text.replace("U- Net", "U-Net")  # broken at its own hyphen


def build(root, name="out.pdf", profile="demo", **options):
    return manuscript.build(profile, root / name, **options)


def scores():
    return results.summary("demo", "superres", low_pass="chebyshev", unit="file")


def save_scores(summary):
    provenance.save_table(
        tables.build(summary, notice=provenance.notice("demo")),
        paths.results("demo", "tables", "superres", "scores.csv"),
        what="Scores.",
        sources=[results.summary_path("demo", "superres")],
        notebook="01-super-resolution",
    )


def save_paired(differences):
    provenance.save_table(
        tables.paired(differences, ["chebyshev"], notice=provenance.notice("demo")),
        paths.results("demo", "tables", "superres", "low-pass.csv"),
        what="Differences.",
        sources=[results.paired_path("demo", "superres")],
        notebook="01-super-resolution",
    )


def test_the_same_results_give_the_same_bytes(built):
    assert build(built, "a.pdf").read_bytes() == build(built, "b.pdf").read_bytes()
    assert PdfReader(built / "a.pdf").metadata.creation_date is None


def test_a_changed_result_changes_the_text(built):
    before = text_of(build(built))
    assert "18.42" in before
    path = results.summary_path("demo", "superres")
    path.write_text(path.read_text().replace("tfilm,snr_db,18.42", "tfilm,snr_db,18.57"))
    save_scores(scores())
    after = text_of(build(built))
    changed = before.count("18.42") - after.count("18.42")
    assert after.count("18.57") == changed >= 4  # abstract, running text twice, table
    hashes = re.compile(r"superres-summary.csv ?\(([0-9a-f]{8})\)")
    assert hashes.findall(before)[0] != hashes.findall(after)[0]


def test_bandwidth_extension_says_who_reaches_its_aim(built):
    text = text_of(build(built))
    assert "it is reached by 5 of 5 (BEHM-GAN, Without adversary," in text
    path = paths.results("demo", "tables", "behm_gan", "aims.csv")
    path.write_text(path.read_text().replace("yes", "no"))
    assert "it is reached by none of the 5 networks" in text_of(build(built))


def said(root, expression):
    """Return what an expression of the manuscript's language says, on a line of its own."""
    probe = root / "manuscript" / "probe.typ"
    probe.write_text(f'#import "lib.typ": *\n#set page(width: 90cm)\n#{expression}')
    (root / "probe.pdf").write_bytes(
        typst.compile(str(probe), root=str(root), sys_inputs={"profile": "demo"})
    )
    return text_of(root / "probe.pdf")


def test_words_follow_the_numbers(built):
    assert (
        said(built, 'verdict("snr_db")') == "the best is the TFiLM U-Net with 18.42 [18.21, 18.63]"
    )
    summary = scores()
    summary.loc[summary["metric"] == "snr_db", "low"] = 0.0
    save_scores(summary)
    assert "the best of them is not separable" in said(built, 'verdict("snr_db")')
    save_scores(summary.assign(tracks=1))
    assert "one track gives no interval" in said(built, 'verdict("snr_db")')
    save_scores(summary[summary["metric"] == "lsd"])
    assert said(built, 'verdict("snr_db")') == "nobody has measured it"
    assert said(built, 'score("tfilm", "snr_db", unit: "dB")') == "(not measured)"
    save_paired(results.paired("demo", "superres").iloc[:0])
    assert said(built, 'against("tfilm", "snr_db")') == "has not been measured"
    assert "none was tested" in said(built, 'on-unseen("tfilm", "snr_db")')
    save_paired(results.paired("demo", "superres"))
    build(built)  # the whole text still has words for it


@pytest.mark.parametrize(
    ("metric", "interval", "words"),
    [
        ("snr_db", (-4.1, -3.9), "is worse than the cubic spline"),
        ("snr_db", (-0.1, 0.2), "is not separable from the cubic spline"),
        ("snr_db", (1.0, 2.0), "is better than the cubic spline (+1.50 [+1.00, +2.00])"),
        ("lsd", (-0.3, -0.1), "is better than the band copy"),
        ("lsd", (0.1, 0.3), "is worse than the band copy"),
    ],
)
def test_a_network_worse_than_its_baseline_is_called_so(built, metric, interval, words):
    differences = results.paired("demo", "superres")
    chosen = (differences["method"] == "tfilm") & (differences["metric"] == metric)
    differences.loc[chosen, ["mean", "low", "high"]] = [sum(interval) / 2, *interval]
    save_paired(differences)
    assert said(built, f'against("tfilm", "{metric}")').startswith(words)
    count = 3 if "better" in words else 0
    assert said(built, f'on-unseen("tfilm", "{metric}")') == f"under {count} of 3 unseen filters"


def test_every_role_has_its_rows(built):
    summary = scores()
    speech = summary[summary["role"] == "piano"].assign(role="speech", tracks=3)
    save_scores(pd.concat([summary, speech]))
    text = text_of(build(built))
    assert "Role piano, 8 tracks" in text
    assert "Role speech, 3 tracks" in text


def test_the_first_page_says_that_a_demo_is_not_comparable(built):
    words = "Synthesised data, reduced networks, not comparable. Profile demo."
    assert words in text_of(build(built), 0)


def test_the_first_page_says_whose_recordings_they_are(built):
    shutil.copytree(built / "results" / "demo", built / "results" / "folder")
    for place in (built / "results" / "folder").rglob("*.json"):
        record = json.loads(place.read_text())
        if "notice" in record:
            place.write_text(json.dumps(record | {"notice": provenance.notice("folder")}))
    page = text_of(build(built, profile="folder"), 0)
    words = "own recordings, reduced networks, not comparable with published numbers."
    assert f"{words} Profile folder." in page


def test_figures_tables_references_and_settings_are_there(built):
    text = text_of(build(built))
    assert "piano-006, 3.00 to 5.00 s" in text
    assert "noise floor of -20 dB" in text
    assert "Välimäki" in text
    assert "n. m." in text  # our cells beside published sets that nobody measured
    assert "superres.training.learning_rate" in text
    assert len(PdfReader(build(built)).pages) <= 24


def test_data_networks_and_stages_are_told_with_licences_seeds_and_hashes(built):
    raw = built / "data" / "raw" / "demo"
    index = pd.read_csv(raw / "synthesised-piano" / "index.csv", dtype=str).fillna("")
    index.loc[0, "sha256"] = "a" * 64  # what the weights of the house say they were trained on
    index.assign(licence="CC BY-NC 4.0").to_csv(
        raw / "synthesised-piano" / "index.csv", index=False
    )
    recorded = {"superres-fragments": {"outs": [{"path": "data/fragments/demo/superres",
                                                 "md5": "feedbeef" * 4}]}}  # fmt: skip
    (built / "dvc.lock").write_text(json.dumps({"stages": recorded}))
    for path in inventory.write(config.load()):
        record = sidecars.checked(path)
        assert record["command"] == "shellac manuscript"
        assert {state for *_, state in sidecars.sources(record)} <= {sidecars.UNCHANGED}
    networks = pd.read_csv(paths.results("demo", "tables", "manuscript", "models.csv"))
    tfilm = networks.set_index(["system", "entry"]).loc[("superres", "tfilm")]
    assert tfilm["licence"] == "CC BY-NC 4.0"
    assert tfilm["sha256"] == sha256(weights.trained_path("demo", "superres/tfilm"))[:8]
    text = text_of(build(built))
    assert "feedbeef" in text
    assert "not recorded" in text
    assert "CC BY-NC 4.0" in text
    assert "CC0 1.0 (made by a program)" in text  # of the corpora that state nothing of their own
    assert "Gramophone Record Noise Dataset" in text
    assert "Made by shellac manuscript from dvc.yaml" in text


def test_nothing_runs_over_the_foot_of_a_page(built):
    low = []
    for number, page in enumerate(PdfReader(build(built)).pages, start=1):
        page.get("/Resources", {}).pop("/XObject", None)  # figures count from their own corner

        def visit(text, outer, inner, *_, number=number):
            height_mm = (inner[5] * outer[3] + outer[5]) * 25.4 / 72
            if height_mm < 19 and text.strip() and text.strip() != str(number):
                low.append((number, round(height_mm, 1), text.strip()))

        page.extract_text(visitor_text=visit)
    assert not low


def test_settings_in_the_text_come_from_the_parameters(built):
    params = built / "params.yaml"
    params.write_text(params.read_text().replace("dimension: 8192", "dimension: 7168"))
    assert "patches of 7168 samples" in text_of(build(built))


def test_a_folders_place_is_not_printed(built):
    params = built / "params.yaml"
    params.write_text(params.read_text().replace("folder: data/own", "folder: secret/of/mine"))
    text = text_of(build(built))
    assert "mine" in text
    assert "secret" not in text


def test_many_recordings_left_out_do_not_flood_the_text(built):
    few = len(PdfReader(build(built)).pages)
    path = built / "results" / "demo" / "tables" / "superres" / "left-out.csv"
    rows = [f"mine,piano,{'long' * 10}-{n}.flac,bandwidth of 4000 Hz,-" for n in range(300)]
    path.write_text("\n".join(["corpus,role,file,reason,notice", *rows]))
    pdf = build(built)
    assert "and 276 more" in text_of(pdf)
    assert text_of(pdf).count("bandwidth of 4000 Hz") == 24
    assert len(PdfReader(pdf).pages) <= few + 1


def test_a_stamp_is_printed_and_its_absence_is_not(built):
    stamp = manuscript.Stamp("0123456789ab", "2026-01-02")
    page = text_of(build(built, stamp=stamp), 0)
    assert "Built from commit 0123456789ab on 2026-01-02" in page
    assert "Built from" not in text_of(build(built), 0)


def test_the_stamp_knows_the_repository(house):
    assert manuscript.stamp().commit.startswith("none")
    git = ["git", "-C", str(house), "-c", "user.name=a", "-c", "user.email=a@b"]
    for arguments in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "a"]):
        subprocess.run([*git, *arguments], check=True)
    clean = manuscript.stamp()
    assert re.fullmatch(r"[0-9a-f]{12}", clean.commit)
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", clean.date)
    (house / "params.yaml").write_text("seed: 1")
    assert manuscript.stamp().commit == f"{clean.commit} with uncommitted changes"


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda r: (r / "results/demo/tables/superres/scores.csv").unlink(), "scores.*make all"),
        (lambda r: (r / "results/demo/figures/superres/training.pdf").write_text(""), "manuscript"),
        (lambda r: (r / "results/demo/tables/inpainting/gaps.csv").unlink(), "gaps.*make all"),
        (lambda r: (r / "manuscript/sections/limits.typ").write_text("#let ="), "manuscript"),
        (lambda r: (r / "manuscript/main.typ").unlink(), "main.typ"),
        (lambda r: (r / "params.yaml").write_text("seed: 1"), "manuscript"),
    ],
)
def test_what_is_wrong_is_told_in_one_line_and_nothing_is_overwritten(built, damage, words):
    before = build(built).read_bytes()
    damage(built)
    with pytest.raises(DataError, match=words) as caught:
        build(built)
    assert "\n" not in str(caught.value)
    assert (built / "out.pdf").read_bytes() == before
    assert not list(built.glob(".*partial*"))


def test_an_output_that_cannot_be_written_is_told(built):
    (built / "file").write_text("")
    with pytest.raises(OutputError, match="cannot write"):
        build(built, "file/out.pdf")
