"""What params.yaml may say of super-resolution."""

from typing import get_args

import pytest

from shellac import config
from shellac.degradations.lowpass import FAMILIES
from shellac.errors import ConfigError
from shellac.report import style
from shellac.systems.superres.settings import ALIASED, Family

LEGACY = "{network: tfilm, mode: legacy, width: 0.03125}"


def applied(*changes):
    return config.apply_profile("demo", list(changes)).systems["superres"]


def test_every_family_of_the_settings_exists_and_has_a_name():
    assert set(get_args(Family)) == set(FAMILIES)
    assert {*FAMILIES, ALIASED} <= set(style.LOW_PASS)


def test_an_entry_may_be_called_differently_from_its_network(folder_root):
    task = applied(f"superres.networks={{tfilm: {{width: 0.5}}, old: {LEGACY}}}")
    assert task.network_class("old") == task.network_class("tfilm") == "superres/tfilm"
    assert task.networks["old"].for_build() == {"width": 0.03125, "mode": "legacy"}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("superres.networks={old: {width: 0.5}}", "networks.old needs network"),
        ("superres.networks={Old Net: {network: tfilm, width: 0.5}}", "pattern"),
        ("superres.networks={}", "at least 1"),
        ("superres.training_low_pass=[elliptic]", "training_low_pass"),
        ("superres.training_low_pass=[]", "training_low_pass"),
        ("superres.evaluation.low_pass=[sinc, sinc]", "twice"),
        ("superres.training.recipe=fast", "recipe"),
    ],
)
def test_what_makes_no_sense_is_refused(folder_root, change, told):
    with pytest.raises(ConfigError, match=told):
        applied(change)


def test_without_a_low_pass_training_hears_none_and_tests_begin_with_none(folder_root):
    task = applied("superres.low_pass=false", "superres.evaluation.low_pass=[sinc]")
    assert task.trained_low_pass == [ALIASED]
    assert task.tested_low_pass == [ALIASED, "sinc"]
