"""Profile ``pretrained``: which file belongs to which recording, where archives repeat names."""

import json
import re
import shutil

import numpy as np
import pytest
from sounds import tone

from shellac import audio, config, paths, pipeline, weights
from shellac.errors import AudioError, DataError
from shellac.files import read_csv, sha256

RATE = 16000
CHAINS = ["pretrained.weights=[]", "pretrained.excerpt_seconds=1.0",
          "pretrained.chains={classical: {system: classical, weights: []}}"]  # fmt: skip


@pytest.fixture
def archive(folder_root):
    """Return what lays files (C, T) into the folder ``historical`` and indexes them."""
    (folder_root / "mine" / "historical" / "disc.wav").unlink()

    def lay(files, rate=RATE):
        for name, waveform in files.items():
            audio.write(folder_root / "mine" / "historical" / name, waveform, rate)
        config.apply_profile("folder", ["data.folder=mine", *CHAINS])
        pipeline.download("folder")
        return paths.results("folder", "pretrained")

    return lay


def sounds(names, channels=1):
    return {name: tone(1.2, RATE, channels, seed=i) for i, name in enumerate(names)}


def made(place):
    return {path.relative_to(place).as_posix() for path in place.rglob("*.*") if path.is_file()}


def test_recordings_of_one_stem_are_told_apart(archive):
    files = sounds(["boxA/01.wav", "boxA/01.flac", "boxB/01.wav", "boxB/02.wav"])
    place = archive(files)
    pipeline.stimuli("pretrained/classical")
    restored = place / "restored" / "classical" / "historical"
    called = {"boxA/01.wav": "boxA/01.wav/01", "boxA/01.flac": "boxA/01.flac/01",
              "boxB/01.wav": "boxB/01", "boxB/02.wav": "boxB/02"}  # fmt: skip
    for file, name in called.items():
        told = json.loads((restored / f"{name}.json").read_text())
        disc = paths.root() / "mine" / "historical" / file
        assert told["input"]["sha256"] == sha256(disc)
    pipeline.evaluate("pretrained")
    figures = read_csv(place / "report" / "figures.csv")
    assert len({row["file"] for row in figures}) == 4
    assert all((place / "report" / row["file"]).is_file() for row in figures)
    gallery = place / "report" / "gallery"
    heard = re.findall(r'src="\./([^"]+input\.flac)"', (gallery / "index.html").read_text())
    assert len(heard) == len(set(heard)) == 4
    rows = read_csv(place / "report" / "recordings.csv")
    for row, link in zip(rows, heard, strict=True):
        original = files[row["recording"].removeprefix("historical/")]
        start = (original.shape[1] - RATE) // 2
        cut = original[:, start : start + RATE]
        assert np.abs(audio.read(gallery / link)[0] - cut).max() < 1e-4


def test_names_that_nobody_shares_stay_short(archive):
    place = archive(sounds(["boxA/01.wav", "boxB/02.wav"]))
    pipeline.stimuli("pretrained/classical")
    pipeline.evaluate("pretrained")
    assert made(place / "restored" / "classical" / "historical") == {
        f"{name}.{end}"
        for name in ("boxA/01", "boxB/02")
        for end in ("restored.flac", "residual.flac", "json")
    }
    assert made(place / "report" / "figures") == {"01-classical.pdf", "02-classical.pdf"}
    assert {"01.input.flac", "02.classical.removed.flac"} < made(place / "report" / "gallery")


def test_what_a_trained_network_restores_is_told_apart_too(archive, small_weights):
    files = sounds(["boxA/01.wav", "boxA/01.flac", "boxB/01.wav"])
    archive(files)
    narrow = "superres.networks={audiounet: {width: 0.0625}}"
    config.apply_profile("folder", ["data.folder=mine", narrow])
    target = weights.trained_path("folder", "superres/audiounet")
    target.parent.mkdir(parents=True)
    shutil.copy(small_weights, target)
    pipeline._restore_historical(config.load(), "superres")
    place = paths.results("folder", "restored", "superres", "historical")
    found = {path.relative_to(place).as_posix() for path in place.rglob("*.json")}
    assert found == {"boxA/01.wav/01.json", "boxA/01.flac/01.json", "boxB/01.json"}
    assert audio.inspect(place / "boxA/01.flac/01.restored.flac").container == "FLAC"


def test_one_file_in_two_corpora_is_refused_by_both_names():
    with pytest.raises(DataError, match=r"^a/box/01\.wav and b/box/01\.wav have one name"):
        paths.names([("a", "box/01.wav"), ("b", "box/01.wav")])
    assert paths.names([("a", "01.wav"), ("b", "01.WAV")]) == {
        "01.wav": paths.PurePosixPath("01.wav/01"), "01.WAV": paths.PurePosixPath("01.WAV/01"),
    }  # fmt: skip


def test_more_channels_than_flac_holds_are_shown_as_wav(archive):
    place = archive(sounds(["wide.wav"], channels=9))
    pipeline.stimuli("pretrained/classical")
    pipeline.evaluate("pretrained")
    shown = place / "report" / "gallery" / "wide.classical.wav"
    assert audio.inspect(shown).channels == 9
    assert shown.name in (shown.parent / "index.html").read_text()


def test_a_recording_that_no_network_takes_is_named(archive):
    archive({"low.wav": tone(1.2, 500)}, rate=500)
    with pytest.raises(AudioError, match=r"historical/low\.wav: a sample rate of 500 Hz"):
        pipeline.stimuli("pretrained/classical")
