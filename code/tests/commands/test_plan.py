"""The plan: rates that were measured, times the hours of other data sets."""

import json

import pytest

from shellac import cli, config, pipeline
from shellac.commands import plan
from shellac.datasets import corpora
from shellac.files import write_json


@pytest.fixture
def measured(folder_root):
    """Fragments of known sizes, built in 36 s, and a training of known time."""
    settings = config.apply_profile(
        "folder", ["data.folder=mine", "superres.networks={audiounet: {width: 0.03125}}",
                   "superres.training.steps=20"],
    )  # fmt: skip
    corpora.obtain(settings, "folder")
    pipeline.fragments("superres")
    records = folder_root / "results" / "folder" / "records"
    told = json.loads((records / "fragments-superres.json").read_text())
    write_json(records / "fragments-superres.json", told | {"seconds": 36.0})
    write_json(records / "train-superres-audiounet.json", told | {"seconds": 5.0})
    return settings


def test_needs_are_measured_rates_times_hours(measured, capsys):
    assert cli.main(["plan", "--json", "--hours", "10"]) == 0
    told = json.loads(capsys.readouterr().out)
    (row,) = told["fragments"]
    used = [
        each.samples / each.sample_rate
        for split in ("train", "validation")
        for each in corpora.recordings(measured, ["speech"], split)
    ]
    hours = sum(used) / 3600
    assert row["hours"] == pytest.approx(hours)
    assert set(row["needs"]) == {*plan.TARGETS, "10 hours"}
    assert row["needs"]["10 hours"]["hours"] == pytest.approx(0.01 * 10 / hours)
    # two copies of four bytes at 16 kHz, every sample in two patches but those at the ends
    assert 0.5 * 0.92 < row["gigabytes_per_hour"] < 0.93
    (training,) = told["training"]
    assert training["seconds_per_step"] == 0.25


def test_the_text_says_what_was_measured_and_what_was_not(measured, capsys):
    assert cli.main(["plan"]) == 0
    output = capsys.readouterr().out
    assert "measured; then extrapolated" in output
    assert all(name in output for name in plan.TARGETS)
    assert "superres/audiounet" in output
    assert "denoiser" not in output


@pytest.mark.parametrize("arguments, message", [
    ([], "no stage was measured here yet"),
    (["--hours", "-1"], "--hours -1: more than 0"),
])  # fmt: skip
def test_nothing_is_said_of_what_was_not_run(folder_root, capsys, arguments, message):
    assert cli.main(["plan", *arguments]) == 2
    assert message in capsys.readouterr().err
