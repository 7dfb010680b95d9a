"""Evaluation: every method under every filter, by hand, the same again, and full-band input."""

import numpy as np
import pytest

from shellac import metrics, paths
from shellac.datasets import corpora
from shellac.errors import DataError
from shellac.files import read_csv, sha256
from shellac.systems.behm_gan import degradation, evaluation, training
from shellac.transforms.band_copy import band_copy

SMALL = (
    "behm_gan.networks={gan: {network: unet, width: 0.03125, depth: 2},"
    " audiounet: {width: 0.03125, adversary: false}}",
    "behm_gan.training.steps=1", "behm_gan.evaluation.low_pass=[repository, sinc]",
    "behm_gan.evaluation.seconds=1", "behm_gan.evaluation.resamples=100",
)  # fmt: skip
METHODS = ("low_passed", "band_copy", "gan", "audiounet")


@pytest.fixture
def trained(prepared):
    settings = prepared(*SMALL)
    for name in ("gan", "audiounet"):
        training.train(settings, name)
    return settings


def test_every_method_is_scored_under_every_filter_and_by_hand(trained):
    evaluation.evaluate(trained)
    folder = paths.results("folder", "metrics")
    rows = read_csv(folder / "behm_gan.csv")
    assert {(row["low_pass"], row["method"]) for row in rows} == {
        (family, method) for family in ("repository", "sinc", "none") for method in METHODS
    }
    values = {(r["low_pass"], r["method"], r["metric"]): float(r["value"]) for r in rows}
    (track,) = corpora.recordings(trained, ["speech"], "test")
    heard, reference, cutoff_hz = evaluation.pair(track, trained, "repository")
    assert len(reference) == 22050
    for method, made in (
        ("low_passed", heard), ("band_copy", band_copy(heard, 22050, cutoff_hz)),
    ):  # fmt: skip
        wanted = metrics.score(reference, made, 22050, cutoff_hz)
        for metric, value in wanted.items():
            assert values["repository", method, metric] == pytest.approx(value, rel=1e-6)
    assert values["none", "low_passed", "si_sdr_db"] == 100  # untouched
    assert values["none", "band_copy", "si_sdr_db"] < 100
    told = {row["low_pass"]: float(row["cutoff_hz"]) for row in rows}
    assert told["repository"] == told["sinc"] == pytest.approx(cutoff_hz, abs=0.1)
    paired = read_csv(folder / "behm_gan-paired.csv")
    pairs = {(row["metric"], row["against"]) for row in paired}
    assert pairs == {
        ("lsd_above_cut", "band_copy"), ("kept_band_snr_db", "low_passed"),
        ("si_sdr_db", "low_passed"),
    }  # fmt: skip


def test_evaluating_again_gives_the_same_bytes(trained):
    folder, hashes = paths.results("folder", "metrics"), []
    for _ in range(2):
        evaluation.evaluate(trained)
        hashes.append({path.name: sha256(path) for path in folder.glob("behm_gan*.*")})
    assert hashes[0] == hashes[1]


def test_stimuli_are_what_is_scored(trained):
    ((name, role, made, rate),) = evaluation.versions(trained)
    (track,) = corpora.recordings(trained, ["speech"], "test")
    assert (name, role, rate) == (track.track, "speech", 22050)
    assert set(made) == {"reference", *METHODS}
    heard, reference, _ = evaluation.pair(track, trained, "repository")
    assert np.array_equal(made["reference"], reference)
    assert np.array_equal(made["low_passed"], heard)


def test_filters_differ_in_shape_alone_and_follow_from_seed_and_content(rng):
    x, digest = rng.standard_normal(22050).astype(np.float32), "3" * 64
    cutoffs = {f: degradation.held_out_cutoff_hz(f, 1, digest) for f in ("repository", "sinc")}
    assert cutoffs["repository"] == cutoffs["sinc"]
    assert degradation.held_out_cutoff_hz("paper", 1, digest) == cutoffs["sinc"] - 500
    others = {degradation.held_out_cutoff_hz("sinc", 1, f"{n:x}" * 64) for n in range(10)}
    assert len(others) == 10 and degradation.held_out_cutoff_hz("sinc", 2, digest) not in others
    assert np.array_equal(degradation.degraded(x, 22050, "none", 1, digest), x)
    power = {}
    for family in ("repository", "sinc"):
        out = degradation.degraded(x, 22050, family, 1, digest)
        assert out.shape == x.shape and out.dtype == np.float32
        power[family] = (np.abs(np.fft.rfft(out * np.hanning(len(out)))) ** 2)[6000:].mean()
    assert power["sinc"] < 1e-3 * power["repository"]  # 25 taps let through what 200 do not


def test_no_test_recording_is_told(prepared):
    settings = prepared(*SMALL)
    task = settings.systems["behm_gan"].model_copy(update={"roles": ["piano"]})
    alone = settings.model_copy(update={"systems": {"behm_gan": task}})
    with pytest.raises(DataError, match="no test recording of piano"):
        evaluation.evaluate(alone)
