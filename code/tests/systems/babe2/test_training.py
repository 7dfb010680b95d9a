"""Fragments, training and evaluation of a tiny prior, through the real configuration."""

import json
import math

import numpy as np
import pytest
import torch

from shellac import audio, config, paths, pipeline, weights
from shellac.datasets import corpora
from shellac.errors import ConfigError, DataError, WeightsError
from shellac.files import read_csv, sha256
from shellac.systems.babe2 import evaluation, fragments, scores, training
from shellac.systems.babe2.fragments import Recordings
from shellac.systems.babe2.prior import PIANO
from shellac.training import loop

TINY = (
    "data.folder=mine", "compute.threads=1", "babe2.roles=[speech]", "babe2.sample_rate=8000",
    "babe2.samples=4096",
    "babe2.networks={tiny: {channels: [8, 8, 8], dilated_layers: [1, 1, 1], bins_per_octave: 8,"
    " embedding: 16}}",
    "babe2.training.steps=4", "babe2.training.batch_size=2", "babe2.training.validate_every=2",
    "babe2.evaluation.tracks=2", "babe2.evaluation.steps=2", "babe2.evaluation.resamples=100",
    "babe2.stimuli.tracks=1",
)  # fmt: skip


@pytest.fixture
def prepared(folder_root):
    def prepare(*changes):
        settings = config.apply_profile("folder", [*TINY, *changes])
        corpora.obtain(settings, "folder")
        fragments.build(settings)
        return settings

    return prepare


def test_fragments_hold_whole_recordings_where_the_index_says(prepared):
    settings = prepared()
    folder = paths.fragments("folder", "babe2")
    rows = read_csv(folder / "train.index.csv")
    found = list(corpora.recordings(settings, ["speech"], "train"))
    assert [row["sha256"] for row in rows] == [each.sha256 for each in found]
    joined = np.load(folder / "train.npy")
    for row, recording in zip(rows, found, strict=True):
        part = joined[int(row["start"]) :][: int(row["samples"])]
        np.testing.assert_array_equal(part, fragments.mono_at(recording, 8000))
    parts = Recordings(folder, "train")
    assert np.std(parts.whole(0)) == pytest.approx(1.0, rel=1e-3)
    cut = parts.cut(3, 50_000, np.random.default_rng(0))
    assert cut.shape == (3, 50_000) and not cut[:, -1].any()  # shorter ones are padded


def test_recordings_may_stay_at_their_own_level_as_published(prepared):
    settings = prepared("babe2.levelled=false", "babe2.diffusion.sigma_data=0.125")
    (first, *_) = corpora.recordings(settings, ["speech"], "train")
    parts = Recordings(paths.fragments("folder", "babe2"), "train")
    np.testing.assert_array_equal(parts.whole(0) * 0.125, fragments.mono_at(first, 8000))


def test_missing_fragments_are_an_error_in_words(folder_root):
    settings = config.apply_profile("folder", TINY)
    with pytest.raises(DataError, match="run shellac fragments"):
        training.train(settings, "tiny")


def test_training_leaves_averaged_weights_with_all_that_restoration_needs(prepared):
    settings = prepared()
    training.train(settings, "tiny")
    path = weights.trained_path("folder", "babe2/tiny")
    state, card = weights.load(path)
    assert not any(name.startswith(("average", "network.")) for name in state)
    assert len(card.extra["ltas"]) == training.LTAS_FFT // 2 + 1
    assert card.extra["sampling"]["start_sigma"] == pytest.approx(1.0)
    assert set(card.trained_on) == set(
        Recordings(paths.fragments("folder", "babe2"), "train").sources
    )
    rows = read_csv(paths.results("folder", "metrics", "babe2-training", "tiny.csv"))
    assert [int(row["step"]) for row in rows] == [2, 4]
    assert all(math.isfinite(float(row["validation_loss"])) for row in rows)
    first = sha256(path)
    training.train(settings, "tiny")
    assert sha256(path) == first


def test_an_interrupted_training_ends_in_the_same_bits(prepared, monkeypatch):
    settings = prepared("babe2.training.checkpoint_seconds=0")
    training.train(settings, "tiny")
    path = weights.trained_path("folder", "babe2/tiny")
    wanted = sha256(path)
    path.unlink()
    step = loop._step

    def killed(*arguments):
        if arguments[-1] == 3:
            raise KeyboardInterrupt
        return step(*arguments)

    monkeypatch.setattr(loop, "_step", killed)
    with pytest.raises(KeyboardInterrupt):
        training.train(settings, "tiny")
    monkeypatch.setattr(loop, "_step", step)
    training.train(settings, "tiny")
    assert sha256(path) == wanted


def test_fine_tuning_begins_with_the_weights_that_are_named(prepared):
    settings = prepared()
    training.train(settings, "tiny")
    path = weights.trained_path("folder", "babe2/tiny")
    base = path.with_name("base.safetensors")
    path.rename(base)
    place = base.relative_to(paths.root())
    tuned = config.apply_profile(
        "folder", [*TINY, f"babe2.training.start_from={place}", "babe2.training.learning_rate=1e-9",
                   "babe2.training.final_learning_rate=1e-9"]
    )  # fmt: skip
    training.train(tuned, "tiny")
    before, after = (weights.load(each)[0] for each in (base, path))
    for name, value in before.items():
        torch.testing.assert_close(after[name], value, rtol=1e-4, atol=1e-5)
    slower = config.apply_profile(
        "folder", [*TINY, f"babe2.training.start_from={place}", "babe2.sample_rate=4000"]
    )
    fragments.build(slower)
    with pytest.raises(WeightsError, match="8000 Hz"):
        training.train(slower, "tiny")


def test_evaluation_scores_every_row_with_intervals(prepared):
    settings = prepared()
    training.train(settings, "tiny")
    evaluation.evaluate(settings)
    folder = paths.results("folder", "metrics")
    rows = read_csv(folder / "babe2-summary.csv")
    found = {(row["method"], row["metric"]) for row in rows}
    methods = ("input", "ltas", "informed", "blind")
    assert {(method, "lsd") for method in methods} <= found
    assert ("informed", "filter_error_db") not in found  # its filter was given
    assert {(method, "filter_error_db") for method in ("input", "ltas", "blind")} <= found
    frechet = read_csv(folder / "babe2-frechet.csv")
    assert [row["method"] for row in frechet] == list(methods)
    assert {row["embedding"] for row in frechet} == {scores.EMBEDDING}
    assert json.loads((folder / "babe2.json").read_text())["tiny"]["input"]["lsd"] > 0
    ((_, _, made, rate),) = evaluation.versions(settings)
    assert set(made) == {"reference", *methods} and rate == 8000
    assert all(len(x) == len(made["reference"]) for x in made.values())


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ("babe2.sampling.start_sigma=1e6", "start_sigma"),
        ("babe2.evaluation.corner_hz=[3000, 100]", "corner_hz"),
        ("babe2.nothing=1", "babe2.nothing"),
    ],
)
def test_settings_that_cannot_be_are_refused(folder_root, change, word):
    with pytest.raises(ConfigError, match=word):
        config.apply_profile("folder", [*TINY, change])


def test_what_the_profile_full_trains_is_sampled_as_published(folder_root):
    made = training.sampling_of(config.apply_profile("full", []).systems["babe2"])
    for name in ("steps", "order", "sigma_min", "sigma_max", "rho", "churn", "guidance", "xi"):
        wanted = getattr(PIANO, name)
        close = wanted if isinstance(wanted, str) else pytest.approx(wanted, rel=1e-3)
        assert getattr(made, name) == close, name
    assert made.start_sigma == pytest.approx(PIANO.start_sigma, rel=0.01)  # relative to sigma_data
    assert made.least_noise == pytest.approx(PIANO.least_noise, rel=0.01)


def test_scores_know_a_perfect_copy_from_a_dull_one(rng):
    time = np.arange(16000) / 16000
    bursts = rng.standard_normal(16000) * np.exp(-((time * 4) % 1) * 8)
    clean = bursts + np.sin(2 * np.pi * 440 * time)
    dull = np.convolve(clean, np.ones(9) / 9, "same")
    assert set(scores.band_errors_db(clean, clean, 16000).values()) == {0.0}
    assert scores.band_errors_db(clean, dull, 16000)["high"] > 5
    assert scores.onset_correlation(clean, clean) == pytest.approx(1.0)
    assert scores.onset_correlation(clean, np.roll(clean, 2000)) < 0.5
    assert scores.chroma_similarity(clean, clean, 16000) == pytest.approx(1.0)
    higher = bursts + np.sin(2 * np.pi * 466.16 * time)
    assert scores.chroma_similarity(clean, higher, 16000) < 0.8
    both = [scores.embedding(x, 16000) for x in (clean, dull)]
    assert scores.frechet_distance(both[0], both[0]) == pytest.approx(0.0, abs=1e-4)
    assert scores.frechet_distance(*both) > 1.0


def test_filter_errors_do_not_count_a_level():
    hz = np.linspace(1, 8000, 500)
    assert scores.filter_error_db(hz, np.full(500, 9.0), np.zeros(500)) == pytest.approx(0.0)
    slope = 6 * np.log2(hz / 1000)
    # a mean of |x| over a range of 6.17 octaves, centred: a quarter of the range
    octaves = np.log2(7200 / 100)
    assert scores.filter_error_db(hz, slope, np.zeros(500)) == pytest.approx(
        1.5 * octaves, rel=0.03
    )


def test_some_seconds_of_historical_recordings_are_restored_and_told(prepared):
    settings = prepared("babe2.stimuli.historical_seconds=1", "babe2.sampling.steps=2")
    training.train(settings, "tiny")
    pipeline.stimuli("babe2")
    folder = paths.results("folder", "restored", "babe2")
    (told,) = json.loads((folder / "excerpts.json").read_text())["excerpts"]
    assert (told["file"], told["start_seconds"], told["seconds"]) == ("historical/disc.wav", 1, 1)
    (made,) = folder.rglob("*.restored.wav")
    assert made.name == "disc.restored.wav" and audio.inspect(made).samples == 16000


def test_options_of_the_loss_change_the_training_and_are_no_part_of_the_weights(prepared):
    settings = prepared()
    found = []
    for changes in (
        (),
        ("babe2.training.a_weighted=true",),
        ("babe2.training.level_weights=true",),
    ):
        settings = config.apply_profile("folder", [*TINY, *changes])
        training.train(settings, "tiny")
        found.append(weights.load(weights.trained_path("folder", "babe2/tiny"))[0])
    assert found[0].keys() == found[1].keys() == found[2].keys()
    name = "embedding.MLP.0.weight"
    for other in found[1:]:
        assert not torch.equal(found[0][name], other[name])
