"""Profile ``full`` on miniatures: its three corpora from a server to fragments of known counts."""

import h5py
import pytest

from shellac import cli, paths
from shellac.files import read_csv

PROFILES = {
    # profile: changes, tracks that train and validate, patches in each track
    "full": ([], (16, 8), (16_000 - 1024) // 512 + 1),
    "full-gtzan": (
        ["superres.corpora=[gtzan]", "superres.roles=[music]", "superres.sample_rate=22000"],
        (16, 4),
        (44_000 - 1024) // 512 + 1,
    ),
    "full-piano": (
        ["superres.corpora=[beethoven]", "superres.roles=[piano]"],
        (20, 4),
        (48_000 - 1024) // 512 + 1,
    ),
}
SMALL = ["superres.dimension=1024", "superres.stride=512"]


def run(*arguments):
    assert cli.main([str(argument) for argument in arguments]) == 0


@pytest.mark.parametrize("profile", PROFILES)
def test_tracks_and_patches_follow_the_published_rules(full_root, changes, profile, capsys):
    own, tracks, per_track = PROFILES[profile]
    run("profile", "full", "--set", *changes, *SMALL, f"profile={profile}", *own)
    for corpus in ("vctk", "gtzan", "beethoven"):
        run("download", corpus)
    run("fragments", "superres")
    told = capsys.readouterr().out
    assert "licence: CC BY 4.0; 24 of 24 used" in told
    folder = paths.fragments(profile, "superres")
    for split, count in zip(("train", "val"), tracks, strict=True):
        (path,) = folder.glob(f"{profile}-{split}.*.h5")
        rows = read_csv(path.with_suffix(".index.csv"))
        assert len({row["sha256"] for row in rows}) == count
        with h5py.File(path) as file:
            assert file["data"].shape == file["label"].shape == (count * per_track, 1024, 1)


def test_another_profile_downloads_nothing_again(full_root, changes, site):
    run("profile", "full", "--set", *changes)
    run("download", "gtzan")
    asked = len(site.requests)
    run("profile", "full", "--set", *changes, "profile=full-gtzan")
    run("download", "gtzan")
    assert len(site.requests) == asked


def test_a_mirror_is_named_on_the_command_line(full_root, changes, site):
    run("profile", "full", "--set", *changes[1:])
    run("download", "vocalset", "--mirror", site.address)
    assert (paths.raw("full", "vocalset") / "index.csv").is_file()


def test_what_cannot_be_had_is_one_line(full_root, changes, capsys):
    run("profile", "full")
    assert cli.main(["download", "gtzan"]) == 2
    told = capsys.readouterr().err
    assert told.startswith("shellac: gtzan: its publisher states no licence")
    assert told.count("\n") == 1
