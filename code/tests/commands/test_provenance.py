"""``shellac provenance``: what is told of a file, and what has changed since it was made."""

import json

import numpy as np
import pandas as pd
import pytest
from ruamel.yaml import YAML
from sounds import tone

from shellac import audio, lock
from shellac.cli import main
from shellac.files import sha256, write_json, write_text
from shellac.report import provenance

STAGE = "superres-notebook"


@pytest.fixture
def table(folder_root):
    """A table of the pipeline with its sidecar, its stage in the lock, and what it was made of."""
    source = folder_root / "results" / "demo" / "metrics" / "superres.csv"
    write_text(source, "metric,mean\nsnr,1\n")
    write_text(folder_root / "notebooks" / "01.ipynb", "{}")
    path = folder_root / "results" / "demo" / "tables" / "superres" / "scores.csv"
    provenance.save_table(pd.DataFrame({"a": [1]}), path, what="Scores.", sources=[source],
                          notebook="01")  # fmt: skip
    made = {"path": "results/demo/tables/superres", "md5": lock.md5(path.parent)}
    read = {"path": "results/demo/metrics/superres.csv", "md5": lock.md5(source)}
    stage = {"cmd": "shellac notebook 01", "deps": [read], "outs": [made]}
    with (folder_root / lock.NAME).open("w") as file:
        YAML().dump({"schema": "2.0", "stages": {STAGE: stage}}, file)
    return path


def test_a_table_tells_its_notebook_sources_and_stage(table, capsys):
    assert main(["provenance", str(table)]) == 0
    told = capsys.readouterr().out
    assert "Scores." in told and f"{STAGE}: shellac notebook 01" in told
    assert "from     notebooks/01.ipynb" in told
    assert f"superres.csv ({sha256(table.parents[2] / 'metrics/superres.csv')[:12]}, unch" in told


@pytest.mark.parametrize("what", ["file", "source", "gone"])
def test_a_change_is_told_by_the_exit_status(table, capsys, what):
    source = table.parents[2] / "metrics" / "superres.csv"
    if what == "gone":
        source.unlink()
    else:
        write_text(table if what == "file" else source, "other\n")
    assert main(["provenance", str(table), "--json"]) == 1
    (record,) = json.loads(capsys.readouterr().out)
    states = {each["path"]: each["state"] for each in record["sources"]}
    assert record["changed"] and record["is"] == (
        "changed since" if what == "file" else "unchanged"
    )
    expected = {"file": "unchanged", "source": "changed since", "gone": "missing"}[what]
    assert states["results/demo/metrics/superres.csv"] == expected


def test_what_has_no_sidecar_is_known_by_its_stage(table, capsys):
    plain = table.with_name("plain.csv")
    plain.write_text("a\n")
    record = YAML(typ="safe").load((table.parents[4] / lock.NAME).read_text())
    record["stages"][STAGE]["outs"][0]["md5"] = lock.md5(table.parent)
    with (table.parents[4] / lock.NAME).open("w") as file:
        YAML().dump(record, file)
    assert main(["provenance", str(plain)]) == 0
    assert "from     results/demo/metrics/superres.csv" in capsys.readouterr().out


def test_a_stimulus_is_known_by_its_manifest(folder_root, capsys):
    folder = folder_root / "results" / "demo" / "stimuli" / "superres"
    audio.write(folder / "a1.flac", tone(0.5, 16000), 16000)
    condition = {"file": "a1.flac", "gain_db": -1.5, "sha256": sha256(folder / "a1.flac")}
    item = {"conditions": {"tfilm": condition}, "role": "piano", "sample_rate": 16000,
            "seconds": 0.5, "start_seconds": 2.0, "track": "p.flac"}  # fmt: skip
    write_json(folder / "manifest.json", {"items": [item]})
    assert main(["provenance", str(folder / "a1.flac")]) == 0
    assert "tfilm of p.flac (piano), 2 to 2.5 s, -1.5 dB" in capsys.readouterr().out


def test_a_restoration_tells_its_input_and_settings_outside_any_compendium(
    tmp_path, capsys, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    noise = np.random.default_rng(0).normal(0, 0.05, (1, 16000)).astype(np.float32)
    audio.write(tmp_path / "disc.wav", noise, 16000)
    assert main(["restore", "disc.wav", "-o", "out", "--system", "classical"]) == 0
    capsys.readouterr()
    assert main(["provenance", "out/disc.residual.wav"]) == 0
    told = capsys.readouterr().out
    assert f"residual of disc.wav (sha256 {sha256(tmp_path / 'disc.wav')[:12]})" in told
    assert "systems ['classical']" in told
    (tmp_path / "out" / "disc.residual.wav").write_bytes(b"other")
    assert main(["provenance", "out/disc.residual.wav"]) == 1


@pytest.mark.parametrize(
    ("beside", "record"),
    [
        ("manifest.json", {"items": ["s0.wav"]}),
        ("manifest.json", {"items": [{"conditions": {"a": {"file": "s0.wav"}}}]}),
        ("s0.wav.json", {"what": "", "notebook": "n", "sources": [1]}),
    ],
)
def test_another_programs_file_is_no_record(folder_root, capsys, beside, record):
    write_json(folder_root / "mine" / "speech" / beside, record)
    test_what_nothing_is_known_of_is_refused_in_one_line(folder_root, capsys, "mine/speech/s0.wav")


@pytest.mark.parametrize("name", ["mine/speech/s0.wav", "nowhere.pdf"])
def test_what_nothing_is_known_of_is_refused_in_one_line(folder_root, capsys, name):
    assert main(["provenance", str(folder_root / name)]) == 2
    told = capsys.readouterr().err
    assert name in told and len(told.splitlines()) == 1
