"""What params.yaml may say of bandwidth extension."""

import pytest

from shellac import config
from shellac.errors import ConfigError


def applied(*changes):
    return config.apply_profile("demo", list(changes)).systems["behm_gan"]


def test_ablations_are_differences_of_configuration(folder_root):
    task = applied()
    whole, without, quiet = (task.networks[name] for name in ("gan", "no_adversary", "no_noise"))
    assert without == whole.model_copy(update={"adversary": False})
    assert quiet == whole.model_copy(update={"noise": False})
    assert (task.noise_of("gan"), task.noise_of("no_noise")) == (task.noise_rms, 0.0)
    assert task.network_class("no_noise") == "behm_gan/unet"
    assert task.network_class("seanet") == "behm_gan/seanet"


def test_the_full_profile_is_the_published_schedule(folder_root):
    task = config.apply_profile("full").systems["behm_gan"]
    assert {name: entry.material for name, entry in task.networks.items()}["piano"] == ["piano"]
    assert {"piano", "strings", "orchestra"} <= set(task.networks)
    assert task.training.recipe == "published"
    assert task.training.adversary.from_step == 5 * 2000
    assert task.segment == 110_250
    assert all(entry.width == 1 for entry in task.networks.values())


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("behm_gan.networks={mine: {width: 0.5}}", "networks.mine needs network: one of"),
        ("behm_gan.networks={seanet: {width: 0.5, depth: 2}}", "depth and num_tfc"),
        ("behm_gan.networks={}", "at least 1"),
        ("behm_gan.low_pass=[repository, repository]", "listed twice"),
        ("behm_gan.low_pass=[sinc]", "low_pass"),
        ("behm_gan.evaluation.low_pass=[none]", "low_pass"),
        ("behm_gan.training.gain_db=[3, -3]", "gain_db: the lower bound comes first"),
        ("behm_gan.training.kept_hz=11025.0", "kept_hz must be below 11025 Hz"),
        ("behm_gan.segment_seconds=0.01", "segment_seconds"),
        ("behm_gan.sample_rate=44100", "sample_rate"),
    ],
)
def test_what_makes_no_sense_is_refused(folder_root, change, told):
    with pytest.raises(ConfigError, match=told):
        applied(change)
