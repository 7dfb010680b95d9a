"""``shellac example``: the published inference workflow on full-rate files."""

import html.parser
import json
from pathlib import Path
from urllib.parse import unquote, urlparse

import numpy as np
import pypdf
import pytest
from sounds import make_bad, tone

from shellac import audio, metrics
from shellac.cli import main
from shellac.systems.superres import preparation
from shellac.transforms.resampling import resample

VERSIONS = ("truth", "low_rate", "spline", "band_copy", "restored")


@pytest.fixture
def example(small_weights, capsys):
    def run(*arguments):
        status = main(["example", "--weights", str(small_weights), *map(str, arguments)])
        told = capsys.readouterr()
        return status, told.out, told.err

    return run


class Links(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.found, self.text = [], ""

    def handle_starttag(self, tag, attrs):
        self.found += [(tag, value) for name, value in attrs if name in ("src", "href")]

    def handle_data(self, data):
        self.text += data


def links(page):
    reader = Links()
    reader.feed(page.read_text(encoding="utf-8"))
    return reader


def test_every_version_is_written_in_sync(tmp_path, example):
    waveform = 0.5 * tone(1.3, 44100, 2)
    audio.write(tmp_path / "full.wav", waveform, 44100)
    status, _, error = example(tmp_path / "full.wav", "-o", tmp_path / "out")
    assert (status, error) == (0, "")
    truth = resample(audio.read(tmp_path / "full.wav")[0], 44100, 16000)
    read = {name: audio.read(tmp_path / "out" / f"full.{name}.flac") for name in VERSIONS}
    for name, (got, rate) in read.items():
        facts = audio.inspect(tmp_path / "out" / f"full.{name}.flac")
        assert facts.subtype == "PCM_24"
        assert rate == (4000 if name == "low_rate" else 16000)
        length = -(-truth.shape[1] // 4) if name == "low_rate" else truth.shape[1]
        assert got.shape == (2, length)
    assert read["truth"][0] == pytest.approx(truth, abs=1e-6)
    assert read["spline"][0] == pytest.approx(preparation.degrade(truth, 4), abs=1e-6)
    assert np.abs(read["restored"][0] - read["spline"][0]).max() > 1e-4


def test_metrics_are_those_of_the_versions(tmp_path, example):
    audio.write(tmp_path / "full.flac", 0.5 * tone(1.0, 16000), 16000)
    _, output, _ = example(tmp_path / "full.flac", "-o", tmp_path / "out", "--json")
    told = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert (told["scale"], told["sample_rate"], told["cutoff_hz"]) == (4, 16000, 1600)
    (record,) = told["recordings"]
    assert json.loads(output) == [record]
    truth, _ = audio.read(tmp_path / "out" / "full.truth.flac")
    spline, _ = audio.read(tmp_path / "out" / "full.spline.flac")
    assert record["metrics"]["spline"]["snr_db"] == pytest.approx(
        metrics.snr_db(truth, spline), abs=1e-3
    )
    assert set(record["metrics"]) == {"spline", "band_copy", "restored"}
    assert set(record["metrics"]["restored"]) == set(told["definitions"])


def test_the_page_shows_all_and_nothing_from_elsewhere(tmp_path, example):
    name = "<b>&amp; 'x' #1?%41"
    (tmp_path / "in" / "deep").mkdir(parents=True)
    audio.write(tmp_path / "in" / f"{name}.wav", 0.5 * tone(0.5, 16000), 16000)
    audio.write(tmp_path / "in" / "deep" / "$y$.wav", 0.5 * tone(0.5, 16000), 16000)
    assert example(tmp_path / "in", "-o", tmp_path / "out")[0] == 0
    page = links(tmp_path / "out" / "index.html")
    assert f"{name}.wav" in page.text
    assert page.found.count(("a", "metrics.json")) == 1
    for _, link in page.found:
        parts = urlparse(link)
        assert (parts.scheme, parts.netloc, parts.query, parts.fragment) == ("", "", "", "")
        assert (tmp_path / "out" / unquote(parts.path)).is_file()
    kinds = [tag for tag, _ in page.found]
    assert (kinds.count("img"), kinds.count("audio"), kinds.count("script")) == (10, 10, 0)
    drawn = sorted(path.name for path in (tmp_path / "out").rglob("*.pdf"))
    assert len(drawn) == 10
    text = pypdf.PdfReader(tmp_path / "out" / "deep" / "$y$.low_rate.pdf").pages[0].extract_text()
    assert "$y$.wav: Low rate" in text


def test_nothing_clips_and_versions_stay_comparable(tmp_path, example):
    loud = np.sign(tone(0.5, 16000))
    audio.write(tmp_path / "loud.wav", loud, 16000, "FLOAT")
    assert example(tmp_path / "loud.wav", "-o", tmp_path / "out")[0] == 0
    (record,) = json.loads((tmp_path / "out" / "metrics.json").read_text())["recordings"]
    assert record["gain"] < 1
    truth, _ = audio.read(tmp_path / "out" / "loud.truth.flac")
    assert truth == pytest.approx(loud * record["gain"], abs=1e-6)


def test_more_channels_than_flac_holds_become_wav(tmp_path, example):
    audio.write(tmp_path / "wide.wav", 0.5 * tone(0.5, 16000, 9), 16000)
    assert example(tmp_path / "wide.wav", "-o", tmp_path / "out")[0] == 0
    (record,) = json.loads((tmp_path / "out" / "metrics.json").read_text())["recordings"]
    assert record["outputs"] == {name: f"wide.{name}.wav" for name in VERSIONS}
    assert {audio.inspect(tmp_path / "out" / name).channels
            for name in record["outputs"].values()} == {9}  # fmt: skip
    page = links(tmp_path / "out" / "index.html")
    assert ("audio", "./wide.truth.wav") in page.found


def test_bad_and_low_rate_files_are_named_and_the_others_done(tmp_path, example):
    make_bad(tmp_path, "nan.wav")
    audio.write(tmp_path / "low.wav", tone(0.5, 8000), 8000)
    status, _, error = example(tmp_path / "nan.wav", tmp_path / "low.wav", "-o", tmp_path / "out")
    assert (status, error.count("\n")) == (2, 2)
    assert "shellac restore takes low rates" in error
    assert not (tmp_path / "out").exists()
    audio.write(tmp_path / "good.wav", 0.5 * tone(0.5, 16000), 16000)
    status, _, _ = example(tmp_path / "nan.wav", tmp_path / "good.wav", "-o", tmp_path / "out")
    assert status == 2
    assert Path(tmp_path / "out" / "index.html").is_file()


def test_what_is_no_super_resolution_is_refused_in_one_line(tmp_path, capsys):
    audio.write(tmp_path / "full.wav", 0.5 * tone(0.5, 16000), 16000)
    arguments = [str(tmp_path / "full.wav"), "-o", str(tmp_path / "out"), "--system", "classical"]
    assert main(["example", *arguments]) == 2
    told = capsys.readouterr().err
    assert told == "shellac: classical: shellac example shows super-resolution only\n"
