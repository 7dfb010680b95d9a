"""Evaluation: items as published, every row against values worked out by hand."""

import json

import numpy as np
import pytest

from shellac import metrics, paths
from shellac.datasets import corpora
from shellac.errors import DataError
from shellac.files import read_csv, sha256
from shellac.systems.denoiser import evaluation, summaries, training
from shellac.systems.denoiser.items import Item, held_out_noises, items

HEARD = {"declicked", "classical", "classical_profile", "unet_22k"}
BOUNDS = {"noisy", "oracle_mask"}


@pytest.fixture
def trained(prepared):
    settings = prepared()
    training.train(settings, "unet_22k")
    return settings


def made(settings):
    (track,) = corpora.recordings(settings, ["speech"], "test")
    return list(items(track, settings, held_out_noises(settings), [2.0, 12.0]))


def test_items_begin_with_noise_alone_and_have_the_ratio(prepared):
    settings = prepared()
    low, high, clean = made(settings)
    assert [item.condition for item in (low, high, clean)] == ["2", "12", "clean"]
    assert len(low.noisy) == 2 * 22050
    lead = int(0.5 * 22050)
    assert not low.clean[:lead].any() and low.noisy[:lead].any()
    assert np.abs(low.clean).max() == pytest.approx(1.0)
    for item, ratio in ((low, 2), (high, 12)):
        assert 10 * np.log10(item.clean.var() / item.noise.var()) == pytest.approx(ratio, abs=0.01)
    assert np.array_equal(clean.noisy, clean.clean)
    shape = [item.noise / np.abs(item.noise).max() for item in (low, high)]
    np.testing.assert_allclose(*shape, atol=1e-4)  # the same noise at every ratio
    assert np.array_equal(made(settings)[0].noisy, low.noisy)


def test_every_row_is_scored_and_by_hand(trained):
    evaluation.evaluate(trained)
    folder = paths.results("folder", "metrics")
    rows = read_csv(folder / "denoiser.csv")
    values = {(r["snr_db"], r["method"], r["metric"]): float(r["value"]) for r in rows}
    methods = {(ratio, method) for ratio, method, _ in values}
    assert methods == {
        (ratio, method) for ratio in ("2", "12", "mean")
        for method in HEARD | BOUNDS | {"reference"}
    } | {("clean", method) for method in HEARD | BOUNDS}  # fmt: skip
    low, _, clean = made(trained)
    candidates = evaluation.methods(trained)
    for name in ("classical_profile", "unet_22k"):
        restored = candidates[name](low)
        by_hand = metrics.si_sdr_db(low.clean, restored)
        assert values["2", name, "si_sdr_db"] == pytest.approx(by_hand)
        harm = metrics.snr_db(clean.clean, candidates[name](clean))
        assert values["clean", name, "clean_snr_db"] == pytest.approx(harm)
    assert values["2", "noisy", "snr_db"] == pytest.approx(2.0, abs=0.05)
    assert values["12", "noisy", "leakage_db"] == -100.0
    assert values["clean", "noisy", "clean_snr_db"] == 100.0
    both = (values["2", "classical", "lsd"] + values["12", "classical", "lsd"]) / 2
    assert values["mean", "classical", "lsd"] == pytest.approx(both)
    told = json.loads((folder / "denoiser.json").read_text())
    assert told["best_classical"] in summaries.CLASSICAL
    paired = read_csv(folder / "denoiser-paired.csv")
    assert {row["against"] for row in paired} == set(summaries.CLASSICAL)
    (row,) = [
        row for row in paired
        if (row["role"], row["snr_db"], row["method"], row["against"], row["metric"])
        == ("all", "mean", "unet_22k", "classical", "si_sdr_db")
    ]  # fmt: skip
    difference = values["mean", "unet_22k", "si_sdr_db"] - values["mean", "classical", "si_sdr_db"]
    assert float(row["mean"]) == pytest.approx(difference)


def test_evaluating_again_gives_the_same_bytes(trained):
    folder = paths.results("folder", "metrics")
    hashes = []
    for _ in range(2):
        evaluation.evaluate(trained)
        hashes.append({path.name: sha256(path) for path in folder.glob("denoiser*.*")})
    assert hashes[0] == hashes[1]
    speed = json.loads((paths.results("folder", "records") / "denoiser-speed.json").read_text())
    assert set(speed) == HEARD | BOUNDS


def test_the_oracle_takes_the_musics_share_of_every_bin(rng):
    clean = np.sin(2 * np.pi * 1000 * np.arange(22050) / 22050).astype(np.float32)
    noise = 0.1 * rng.standard_normal(22050).astype(np.float32)
    item = Item("x", clean + noise, clean, 22050, 0.5)
    masked = evaluation.oracle_mask(item)
    assert masked.shape == clean.shape
    assert metrics.snr_db(clean, masked) > metrics.snr_db(clean, item.noisy) + 10
    silent = Item("clean", clean, clean, 22050, 0.5)
    np.testing.assert_allclose(evaluation.oracle_mask(silent), clean, atol=1e-4)


def test_versions_are_heard_without_the_lead(trained):
    ((track, role, versions, rate),) = evaluation.versions(trained)
    assert (role, rate) == ("speech", 22050)
    assert set(versions) == HEARD | BOUNDS | {"reference"}
    assert {len(waveform) for waveform in versions.values()} == {2 * 22050 - 11025}
    ratio = metrics.snr_db(versions["reference"], versions["noisy"])
    assert ratio > 5.5  # 6 dB over the whole, of which the lead has noise alone


def test_means_count_every_track_once():
    rows = [
        {"role": "x", "track": track, "sha256": track, "snr_db": ratio, "method": "m",
         "metric": "lsd", "value": value}
        for track, ratio, value in (("a", "2", 1.0), ("a", "6", 3.0), ("b", "2", 5.0),
                                    ("a", "clean", 100.0))
    ]  # fmt: skip
    means = [row for row in summaries.with_means(rows) if row["snr_db"] == "mean"]
    assert [(row["track"], row["value"]) for row in means] == [("a", 2.0), ("b", 5.0)]


def test_without_a_test_recording_nothing_is_scored(trained):
    task = trained.systems["denoiser"].model_copy(update={"roles": ["piano"]})
    settings = trained.model_copy(update={"systems": {**trained.systems, "denoiser": task}})
    with pytest.raises(DataError, match="no test recording of piano"):
        evaluation.evaluate(settings)
