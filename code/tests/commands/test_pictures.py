"""``shellac restore --pictures``."""

import json
import sys

import pypdf
from sounds import write_good


def test_pictures_lie_beside_the_outputs(tmp_path, restore):
    write_good(tmp_path / "in.wav")
    status, _, error = restore(tmp_path / "in.wav", "-o", tmp_path / "out", "--pictures")
    assert (status, error) == (0, "")
    text = pypdf.PdfReader(tmp_path / "out" / "in.pictures.pdf").pages[0].extract_text()
    for word in ("in.wav", "Input", "Restored", "Residual", "Time (s)", "Frequency (kHz)"):
        assert word in text
    told = json.loads((tmp_path / "out" / "in.json").read_text())
    assert told["outputs"]["pictures"] == "in.pictures.pdf"
    assert "pictures" in told["sha256"]


def test_skip_done_draws_what_was_not_drawn(tmp_path, restore):
    write_good(tmp_path / "in.wav")
    restore(tmp_path / "in.wav", "-o", tmp_path / "out")
    restore(tmp_path / "in.wav", "-o", tmp_path / "out", "--skip-done", "--pictures")
    drawn = tmp_path / "out" / "in.pictures.pdf"
    before = drawn.stat().st_mtime_ns
    restore(tmp_path / "in.wav", "-o", tmp_path / "out", "--skip-done", "--pictures")
    restore(tmp_path / "in.wav", "-o", tmp_path / "out", "--skip-done")
    assert drawn.stat().st_mtime_ns == before


def test_without_the_extra_one_line_says_what_to_install(tmp_path, restore, monkeypatch):
    write_good(tmp_path / "in.wav")
    for name in [name for name in sys.modules if name.startswith("shellac.report")]:
        monkeypatch.delitem(sys.modules, name)
    for name in [name for name in sys.modules if name.partition(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    status, output, error = restore(tmp_path / "in.wav", "-o", tmp_path / "out", "--pictures")
    assert (status, output, error.count("\n")) == (2, "", 1)
    assert "pip install 'shellac[compendium]'" in error
    assert not (tmp_path / "out").exists()
    assert restore(tmp_path / "in.wav", "-o", tmp_path / "out")[0] == 0
