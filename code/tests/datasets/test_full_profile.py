"""Profile ``full`` on miniatures: its three corpora from a server to fragments of known counts."""

import h5py
import pytest

from shellac import cli, config, paths
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


# what the authors' code and its configuration say
RECIPES = {
    "denoiser": {
        "sample_rate": 22050, "segment_seconds": 5, "roles": ["piano", "music"],
        "mixing.snr_db": [2, 20], "mixing.scale_db": [-6, 4],
        "networks.unet_22k.width": 1.0, "networks.unet_22k.depth": None,
        "networks.unet_22k.num_tfc": None, "networks.unet_22k.input": "noisy",
        "training.recipe": "published", "training.steps": 150 * 2000,
        "training.batch_size": 2 * 4, "training.learning_rate": 2e-4,
        "training.drop_every": 12 * 2000, "training.seen_seconds": 5,
        "evaluation.snr_db": [2, 6, 12], "evaluation.seconds": 5, "evaluation.lead_seconds": 2,
    },
    "behm_gan": {
        "sample_rate": 22050, "segment_seconds": 5, "low_pass": ["repository"],
        "noise_rms": 0.001, "networks.piano.width": 1.0, "networks.piano.depth": None,
        "training.recipe": "published", "training.steps": 150 * 2000, "training.batch_size": 4,
        "training.learning_rate": 1e-4, "training.gain_db": (-6 * 2, 4 * 2),
        "training.signal_weight": 0.1, "training.adversary.from_step": 5 * 2000,
        "training.adversary.updates": 2, "training.adversary.weight": 0.25,
        "training.adversary.width": 1.0, "training.adversary.learning_rate": 1e-4,
        "training.adversary.generator_learning_rate": 1e-5,
    },
    "babe2": {
        "sample_rate": 22050, "samples": 184184, "roles": ["piano"], "levelled": False,
        "diffusion.sigma_data": 0.063, "diffusion.sigma_min": 1e-5, "diffusion.sigma_max": 10,
        "diffusion.levels": "published",
        "networks.piano.channels": [64, 96, 96, 128, 128, 256, 256],
        "networks.piano.dilated_layers": [2, 3, 4, 5, 6, 7, 7],
        "networks.piano.bins_per_octave": 64, "networks.piano.embedding": 256,
        "training.steps": 850_000, "training.batch_size": 4, "training.learning_rate": 2e-4,
        "training.final_learning_rate": 2e-4, "training.warm_up_steps": 10_000,
        "training.clip_norm": 1, "training.average_rate": 0.9999,
        "training.average_ramp": 10_000, "training.gain_db": 0, "sampling.steps": 51,
        "sampling.order": 2, "sampling.rho": 13, "sampling.churn": 10, "sampling.xi": 1,
        "sampling.guidance": "published",
    },
}  # fmt: skip


@pytest.mark.parametrize("system", RECIPES)
def test_systems_are_trained_as_published(full_root, system):
    chosen = config.apply_profile("full").systems[system]
    for name, published in RECIPES[system].items():
        found = chosen
        for part in name.split("."):
            found = found[part] if isinstance(found, dict) else getattr(found, part)
        assert found == published, name
    if system == "babe2":  # 0.5 and 0.25 on the scale of the waveform
        assert chosen.sampling.start_sigma * 0.063 == pytest.approx(0.5, rel=0.01)
        assert chosen.sampling.least_noise * 0.063 == pytest.approx(0.25, rel=0.01)
