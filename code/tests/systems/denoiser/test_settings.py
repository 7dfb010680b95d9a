"""The section ``denoiser`` of params.yaml."""

import pytest

from shellac import config
from shellac.errors import ConfigError
from shellac.systems import registry


def test_every_profile_trains_networks_that_can_be_built(folder_root):
    for profile in ("demo", "folder", "full"):
        changes = ["data.folder=mine"] if profile == "folder" else []
        task = config.apply_profile(profile, changes).systems["denoiser"]
        for name, entry in task.networks.items():
            _, card = registry.find(task.network_class(name))
            assert set(entry.for_build()) <= set(card.settings)
            assert card.sample_rate == task.sample_rate


def test_the_full_profile_is_the_published_recipe(folder_root):
    task = config.apply_profile("full").systems["denoiser"]
    assert task.network_class("unet_22k") == "denoiser/unet_22k"
    entry = task.networks["unet_22k"]
    assert (entry.width, entry.input) == (1.0, "noisy")
    assert task.segment_seconds == task.training.seen_seconds == 5
    assert task.mixing.snr_db == [2, 20] and task.mixing.scale_db == [-6, 4]
    training = task.training
    assert (training.recipe, training.batch_size, training.learning_rate) == ("published", 8, 2e-4)
    assert training.steps == 150 * 2000 and training.drop_every == 12 * 2000


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("denoiser.networks={mine: {width: 0.5}}", "networks.mine needs network: one of"),
        ("denoiser.networks={unet_44k: {width: 0.5}}", "is for 44100 Hz"),
        ("denoiser.networks={unet_22k: {width: 0.5, input: all}}", "input"),
        ("denoiser.mixing.snr_db=[20, 2]", "snr_db must rise"),
        ("denoiser.mixing.snr_db=[20]", "snr_db"),
        ("denoiser.evaluation.seconds=2.25", "seconds must exceed lead_seconds"),
        ("denoiser.evaluation.snr_db=[6, 6]", "listed twice"),
        ("denoiser.evaluation.kept_band_hz=12000", "half the sample_rate"),
        ("denoiser.sample_rate=16000", "sample_rate"),
    ],
)
def test_what_cannot_be_is_refused(folder_root, change, message):
    with pytest.raises(ConfigError, match=message):
        config.apply_profile("demo", [change])
