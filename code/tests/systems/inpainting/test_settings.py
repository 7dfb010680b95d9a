"""What params.yaml may say of inpainting."""

import pytest

from shellac import config
from shellac.errors import ConfigError
from shellac.systems import registry
from shellac.systems.inpainting.network import NETWORKS
from shellac.systems.inpainting.representation import REPRESENTATIONS


def applied(*changes):
    return config.apply_profile("demo", list(changes)).systems["inpainting"]


def test_the_system_lists_every_network_there_is():
    listed = {name.partition("/")[2] for name in registry.system("inpainting").networks}
    assert listed == set(NETWORKS)


@pytest.mark.parametrize("name", REPRESENTATIONS)
def test_every_representation_may_be_chosen(folder_root, name):
    assert applied(f"inpainting.representation={name}").representation == name


def test_an_entry_may_be_called_differently_from_its_network(folder_root):
    entry = "{network: UNet_v2, width: 0.5, input: interpolated, bn_mode: batch}"
    task = applied(f"inpainting.networks={{UNet: {{width: 0.25}}, mine: {entry}}}")
    assert task.network_class("UNet") == "inpainting/UNet"
    assert task.network_class("mine") == "inpainting/UNet_v2"
    assert task.networks["mine"].for_build() == {
        "width": 0.5, "bn_mode": "batch", "mask_input": False,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("inpainting.networks={mine: {width: 0.5}}", "networks.mine needs network: one of"),
        ("inpainting.networks={a b: {network: UNet, width: 0.5}}", "pattern"),
        ("inpainting.networks={}", "at least 1"),
        ("inpainting.gaps.kind=round", "gaps.kind"),
        ("inpainting.gaps.share=[0.7, 0.1]", "gaps.share: the lower bound comes first"),
        ("inpainting.gaps.share=[0.1, 2]", "share"),
        ("inpainting.gaps.loss=[0.5, 1.0]", "some packets must arrive"),
        ("inpainting.sample_rate=44100", "sample_rate"),
        ("inpainting.training.recipe=fast", "recipe"),
        ("inpainting.evaluation.waveform.gap_ms=[]", "at least 1"),
    ],
)
def test_what_makes_no_sense_is_refused(folder_root, change, told):
    with pytest.raises(ConfigError, match=told):
        applied(change)
