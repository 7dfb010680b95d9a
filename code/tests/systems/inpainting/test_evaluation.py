"""Evaluation: tables against values worked out by hand, ranks, examples, gaps of waveforms."""

import numpy as np
import pytest
import torch

from shellac import config, paths
from shellac.datasets import corpora
from shellac.errors import DataError
from shellac.files import read_csv, sha256
from shellac.metrics import gap_snr_db
from shellac.systems.inpainting import evaluation, fragments, training
from shellac.systems.inpainting.baselines import linear

NETWORKS = "{UNet_Sun: {width: 0.25, input: interpolated}, Res_UNet_v2: {width: 0.03125}}"
TINY = (
    "data.folder=mine", "compute.threads=1", "inpainting.training.steps=1",
    "inpainting.training.batch_size=2", "inpainting.training.validate_every=1",
    "inpainting.evaluation.resamples=100", "inpainting.evaluation.waveform.gap_ms=[20]",
    "inpainting.evaluation.waveform.seconds=2", "inpainting.evaluation.waveform.iterations=2",
    f"inpainting.networks={NETWORKS}",
)  # fmt: skip
BASELINES = {"damaged", "hold", "linear"}
AUTOREGRESSIVE = ("autoregressive", "autoregressive_two_orders")


@pytest.fixture
def trained(folder_root):
    settings = config.apply_profile("folder", list(TINY))
    corpora.obtain(settings, "folder")
    fragments.build(settings)
    for name in settings.systems["inpainting"].networks:
        training.train(settings, name)
    return settings


def test_every_method_is_scored_in_every_unit_and_by_hand(trained):
    evaluation.evaluate(trained)
    folder = paths.results("folder", "metrics")
    rows = read_csv(folder / "inpainting.csv")
    methods = BASELINES | {"UNet_Sun", "Res_UNet_v2"}
    assert {(row["unit"], row["method"]) for row in rows} == {
        (unit, method) for unit in ("segment", "published") for method in methods
    } | {("gap-20ms", method) for method in {*methods, *AUTOREGRESSIVE}}
    values = {(r["unit"], r["method"], r["metric"]): float(r["value"]) for r in rows}

    task = trained.systems["inpainting"]
    (track,) = corpora.recordings(trained, task.roles, "test")
    whole, lost = evaluation.held_out_segments(track, task, trained.seed)
    line = linear((whole * ~lost[:, None, :, None])[:, 0], lost)
    error = torch.linalg.vector_norm(line - whole[:, 0], dim=(1, 2))
    by_hand = (error / torch.linalg.vector_norm(whole[:, 0], dim=(1, 2))).mean().item()
    assert values["segment", "linear", "nrmse"] == pytest.approx(by_hand, rel=1e-5)
    assert values["published", "linear", "nrmse"] == pytest.approx(by_hand, rel=1e-5)
    assert values["segment", "damaged", "psnr_gain_db"] == 0.0
    # a network that was hardly trained harms what is intact, and that is put back
    assert values["segment", "Res_UNet_v2", "nrmse"] < values["published", "Res_UNet_v2", "nrmse"]
    assert values["gap-20ms", "damaged", "gap_snr_db"] == pytest.approx(0.0, abs=1e-9)

    assert {row["genre"] for row in rows} == {"speech"}
    paired = read_csv(folder / "inpainting-paired.csv")
    (found,) = [
        row for row in paired
        if row["genre"] == "all" and row["unit"] == "segment" and row["metric"] == "nrmse"
        and row["method"] == "hold"
    ]  # fmt: skip
    difference = values["segment", "hold", "nrmse"] - values["segment", "linear", "nrmse"]
    assert found["against"] == "linear" and found["low"] == ""
    against = {row["against"] for row in paired if row["metric"] == "gap_snr_db"}
    assert against == set(AUTOREGRESSIVE)
    assert float(found["mean"]) == pytest.approx(difference)
    ranks = read_csv(folder / "inpainting-ranks.csv")
    assert {row["metric"] for row in ranks} == {"nrmse", "gap_snr_db", "gap_lsd"}
    # one track separates nobody
    assert {(row["rank"], row["last_rank"]) for row in ranks if row["unit"] == "segment"} == {
        ("1", "5")
    }


def test_evaluating_again_gives_the_same_bytes(trained):
    folder = paths.results("folder", "metrics")
    hashes = []
    for _ in range(2):
        evaluation.evaluate(trained)
        hashes.append({path.name: sha256(path) for path in folder.glob("inpainting*.*")})
    assert hashes[0] == hashes[1]
    assert "inpainting-segments.npz" in hashes[0]
    assert (paths.results("folder", "records") / "inpainting-speed.json").is_file()


def test_examples_show_intact_frames_as_they_were(trained):
    task = trained.systems["inpainting"]
    tracks = list(corpora.recordings(trained, task.roles, "test"))
    shown = evaluation.examples(tracks, trained, evaluation.methods(trained))
    lost = shown.pop("lost")
    energies = np.square(shown["reference"]).sum(axis=(1, 2))
    assert len(lost) == evaluation.EXAMPLES and (np.diff(energies) <= 0).all()
    for values in shown.values():
        assert np.array_equal(values[~lost], shown["reference"][~lost])
    assert not shown["damaged"][lost].any()


def test_gaps_of_a_waveform_are_those_that_are_scored_and_heard(trained):
    task = trained.systems["inpainting"]
    (track,) = corpora.recordings(trained, task.roles, "test")
    waveform, gaps = evaluation.cut_waveform(track, trained, 20.0)
    assert len(waveform) == 2 * 16000 and len(gaps) == 4
    assert {stop - start for start, stop in gaps} == {320}
    assert evaluation.cut_waveform(track, trained, 20.0)[1] == gaps
    ((name, role, made, rate),) = evaluation.versions(trained)
    assert (name, role, rate) == (track.track, "speech", 16000)
    assert np.array_equal(made["reference"], waveform)
    inside = np.zeros(len(waveform), dtype=bool)
    for start, stop in gaps:
        inside[start:stop] = True
    for version in made.values():
        assert np.array_equal(version[~inside], waveform[~inside])
    assert not made["damaged"][inside].any()
    rows = evaluation.waveform_scores(track, trained, evaluation.methods(trained))
    scores = {(method, metric): value for _, method, metric, value in rows}
    for method in ("linear", *AUTOREGRESSIVE, "UNet_Sun"):
        by_hand = gap_snr_db(waveform, made[method], gaps)
        assert scores[method, "gap_snr_db"] == pytest.approx(by_hand, abs=1e-6)


def test_what_is_too_short_or_absent_is_told(trained):
    task = trained.systems["inpainting"]
    alone = trained.model_copy(
        update={"systems": {"inpainting": task.model_copy(update={"roles": ["piano"]})}}
    )
    with pytest.raises(DataError, match="no test recording of piano"):
        evaluation.evaluate(alone)
