"""A folder as people have them: formats, rates and channels mixed, broken files, copies."""

import shutil

import numpy as np
import pytest
import soundfile

from shellac import cli, config, paths
from shellac.datasets import corpora
from shellac.files import read_csv

GOOD = {
    # file: rate, channels, container subtype
    "a.wav": (16000, 1, "PCM_16"),
    "b.flac": (44100, 2, "PCM_24"),
    "c.ogg": (48000, 2, "VORBIS"),
    "d.mp3": (44100, 2, "MPEG_LAYER_III"),
    "e.aiff": (22050, 1, "PCM_16"),
    "f.au": (32000, 1, "PCM_16"),
    "g.wav": (48000, 6, "FLOAT"),
    "h.wav": (96000, 2, "PCM_24"),
}


def bright(seed, rate, channels, seconds=2.0):
    """Bursts of noise: the band of the file is full, and pauses are silent."""
    rng = np.random.default_rng(seed)
    length = round(seconds * rate)
    bursts = np.exp(-(np.arange(length) % (rate // 4)) / (0.01 * rate))
    return 0.4 * (bursts[:, None] * rng.uniform(-1, 1, (length, channels)))


@pytest.fixture
def mixed(full_root):
    """The folder ``mine`` with a table of roles and licences."""
    mine = full_root / "mine"
    mine.mkdir()
    lines = ["file,role,licence"]
    for seed, (name, (rate, channels, subtype)) in enumerate(GOOD.items()):
        soundfile.write(mine / name, bright(seed, rate, channels), rate, subtype)
        lines.append(f"{name},music,CC BY 4.{seed % 2}")
    samples, rate = soundfile.read(mine / "a.wav", dtype="int16")
    soundfile.write(mine / "same sound.flac", samples, rate, "PCM_16")
    shutil.copy(mine / "c.ogg", mine / "same bytes.ogg")
    (mine / "cut.wav").write_bytes((mine / "a.wav").read_bytes()[:20_000])
    (mine / "text.flac").write_text("<html>404</html>")
    (mine / "empty.wav").touch()
    soundfile.write(mine / "nan.wav", np.full((9000, 1), np.nan), 16000, "FLOAT")
    soundfile.write(mine / "low rate.wav", bright(9, 8000, 1), 8000)
    soundfile.write(mine / "silent.wav", np.zeros((32000, 1)), 16000)
    (mine / "cover.jpg").write_bytes(b"\xff\xd8")
    for name in ("same sound.flac", "same bytes.ogg", "cut.wav", "text.flac", "empty.wav",
                 "nan.wav", "low rate.wav", "silent.wav", "cover.jpg"):  # fmt: skip
        lines.append(f"{name},music,")
    (mine / "MANIFEST.csv").write_text("\n".join(lines) + "\n")
    return ["data.folder=mine", "superres.dimension=1024", "superres.stride=1024"]


def test_what_is_left_out_has_its_reason_and_the_rest_is_used(mixed):
    rows = corpora.obtain(config.apply_profile("folder", mixed), "folder")
    reasons = {row.file: row.reason for row in rows if row.used == "no"}
    words = {
        "same sound.flac": "same content as a.wav",
        "same bytes.ogg": "same content as c.ogg",
        "cut.wav": "cut short",
        "text.flac": "not a readable recording",
        "empty.wav": "the file is empty",
        "nan.wav": "NaN",
        "low rate.wav": "bandwidth",
        "silent.wav": "silent",
    }
    assert set(reasons) == set(words)
    assert all(words[name] in reason for name, reason in reasons.items())
    used = {row.file: (row.sample_rate, row.channels) for row in rows if row.used == "yes"}
    assert used == {name: made[:2] for name, made in GOOD.items()}
    assert {row.licence for row in rows if row.used == "yes"} == {"CC BY 4.0", "CC BY 4.1"}


def test_the_commands_list_it_and_fragments_hold_the_rest(mixed, capsys):
    assert cli.main(["profile", "folder", "--set", *mixed]) == 0
    assert cli.main(["download", "folder"]) == 0
    told = capsys.readouterr().out
    assert "8 of 16 used" in told
    assert "  4 under CC BY 4.0" in told
    assert "  dropped same sound.flac: same content as a.wav" in told
    assert cli.main(["fragments", "superres"]) == 0
    indices = paths.fragments("folder", "superres").glob("*.index.csv")
    files = {row["file"] for path in indices for row in read_csv(path)}
    tested = {row.file for row in corpora.recordings(config.load(), ["music"], "test")}
    assert files | tested == set(GOOD)
