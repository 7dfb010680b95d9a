import pytest
import torch

from shellac import networks
from shellac.errors import UsageError
from shellac.systems import registry
from shellac.systems.superres.network import AudioUNet, TFiLMUNet

NAMES = registry.network_names()
SMALL = dict.fromkeys(NAMES, {"width": 1 / 32})


@pytest.mark.parametrize("name", NAMES)
def test_every_network_builds_small_and_its_card_tells_the_published_size(name):
    system, card = registry.find(name)
    assert networks.build(name, **SMALL[name]).training
    with torch.device("meta"):
        full = system.build(name, card.settings)
    assert sum(p.numel() for p in full.parameters()) == card.parameters
    assert card.name == name and card.sample_rate > 0 and card.use_when and card.licence


def test_a_system_by_its_name_is_its_default_network():
    assert isinstance(networks.build("superres", **SMALL["superres/tfilm"]), TFiLMUNet)
    assert isinstance(networks.build("superres/audiounet", width=1 / 32), AudioUNet)
    for name in registry.SYSTEMS:
        system = registry.system(name)
        assert system.name == name and system.default_network in system.networks
        assert all(network.startswith(f"{name}/") for network in system.networks)


def test_settings_reach_the_network_and_new_training_is_the_correct_mode():
    tfilm = networks.build("superres/tfilm", width=1 / 32, dropout=0.25, mode="legacy")
    assert tfilm.mode == "legacy" and tfilm.bottle[2].p == 0.25
    assert networks.build("superres/tfilm", width=1 / 32).mode == "correct"


def test_weights_come_from_the_seed_and_leave_the_global_generator_alone():
    state = torch.get_rng_state()
    first, again = (networks.build("superres", width=1 / 32, seed=4) for _ in range(2))
    other = networks.build("superres", width=1 / 32, seed=5)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(first.last[0].weight, again.last[0].weight)
    assert not torch.equal(first.last[0].weight, other.last[0].weight)


@pytest.mark.parametrize("name", ["", "nothing", "superres/", "superres/unet", "tfilm", "a/b/c"])
def test_unknown_names_are_refused_with_the_known_ones(name):
    with pytest.raises(UsageError, match="there are: superres, .*superres/tfilm"):
        networks.build(name)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"widht": 1}, "no setting 'widht'; it has: width, dropout"),
        ({"width": -1}, "width is -1"),
        ({"width": "wide"}, "cannot be built"),
        ({"dropout": 2.0}, "cannot be built"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings, message):
    with pytest.raises(UsageError, match=message):
        networks.build("superres/audiounet", **settings)


def test_an_unknown_system_is_refused():
    with pytest.raises(UsageError, match="no system is called 'x'"):
        registry.system("x")
