"""A folder as people have them: formats, rates and channels mixed, broken files, copies."""

import mixed_folder
import numpy as np
import pytest
import shared_audio
from mixed_folder import Source

from shellac import cli, config, paths
from shellac.datasets import corpora
from shellac.files import read_csv

SMALL = ["data.folder=mine", "superres.dimension=1024", "superres.stride=1024"]


def bright(seed, rate=96000, seconds=2.0):
    """Bursts of noise: the band of the file is full, and pauses are silent."""
    length = round(seconds * rate)
    bursts = np.exp(-(np.arange(length) % (rate // 4)) / (0.01 * rate))
    return 0.4 * bursts * np.random.default_rng(seed).uniform(-1, 1, length)


@pytest.fixture
def good(full_root):
    """The folder ``mine`` with a table of roles and licences; yields what is to be used of it."""
    made = [
        Source(f"take {seed}", "music", f"CC BY 4.{seed % 2}", bright(seed), 96000)
        for seed in range(len(mixed_folder.KINDS))
    ]
    return mixed_folder.make(full_root / "mine", made)


def test_what_is_left_out_has_its_reason_and_the_rest_is_used(good):
    rows = corpora.obtain(config.apply_profile("folder", SMALL), "folder")
    reasons = {row.file: row.reason for row in rows if row.used == "no"}
    assert set(reasons) == set(mixed_folder.BROKEN)
    assert all(words in reasons[name] for name, words in mixed_folder.BROKEN.items())
    used = {row.file: (row.sample_rate, row.channels) for row in rows if row.used == "yes"}
    assert used == good
    licences = {row.file: row.licence for row in rows if row.used == "yes"}
    assert licences == {name: f"CC BY 4.{int(name[:2]) % 2}" for name in good}


def test_the_commands_list_it_and_fragments_hold_the_rest(good, capsys):
    assert cli.main(["profile", "folder", "--set", *SMALL]) == 0
    assert cli.main(["download", "folder"]) == 0
    told = capsys.readouterr().out
    assert "8 of 16 used" in told
    assert "  4 under CC BY 4.0" in told
    assert "  dropped same sound.flac: same content as 00 take 0.wav" in told
    assert "  dropped cut.wav: " in told
    tested = {row.file for row in corpora.recordings(config.load(), ["music"], "test")}
    for system in ("superres", "inpainting"):
        assert cli.main(["fragments", system]) == 0
        indices = paths.fragments("folder", system).glob("*.index.csv")
        files = {row["file"] for path in indices for row in read_csv(path)}
        assert files.isdisjoint(tested)
        assert files | tested == set(good)


def test_real_recordings_in_all_formats_are_used_or_left_out_with_a_reason(full_root):
    shared_audio.require()
    good = mixed_folder.make(full_root / "mine", mixed_folder.real(2.0))
    rows = corpora.obtain(config.apply_profile("folder", SMALL), "folder")
    assert {row.file for row in rows} == set(good) | set(mixed_folder.BROKEN)
    assert all(row.reason for row in rows if row.used == "no")
    used = {row.file for row in rows if row.used == "yes"}
    assert used <= set(good) and len(used) > len(good) / 2
    assert {row.role for row in rows if row.used == "yes"} >= {"music", "speech", "noise"}
