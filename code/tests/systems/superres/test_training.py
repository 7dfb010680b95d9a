"""Training by either recipe leaves weights that say so; every filter is tested."""

import numpy as np
import pytest
import torch

from shellac import config, networks, paths, weights
from shellac.datasets import corpora
from shellac.files import read_csv
from shellac.metrics import lsd_reference, snr_reference_db
from shellac.systems.superres import evaluation, fragments, training

NETWORKS = "{audiounet: {width: 0.03125}, old: {network: tfilm, mode: legacy, width: 0.03125}}"


@pytest.fixture
def prepared(folder_root):
    def prepare(*changes):
        settings = config.apply_profile(
            "folder",
            ["data.folder=mine", "superres.training.steps=2", "superres.training.batch_size=2",
             "superres.training.validate_every=1", "compute.threads=1",
             f"superres.networks={NETWORKS}", *changes],
        )  # fmt: skip
        corpora.obtain(settings, "folder")
        fragments.build(settings)
        return settings

    return prepare


@pytest.mark.parametrize("recipe", ["sound", "published"])
def test_weights_lie_under_the_entrys_name_and_say_what_they_are(prepared, recipe):
    settings = prepared(f"superres.training.recipe={recipe}")
    training.train(settings, "old")
    state, card = weights.load(weights.trained_path("folder", "superres/old"))
    assert card.network == "superres/tfilm"
    assert card.settings == {"width": 0.03125, "mode": "legacy"}
    assert card.extra["recipe"] == recipe
    assert card.extra["training_low_pass"] == ["chebyshev"]
    weights.fill(networks.build(card.network, **card.settings), state, "old")
    start = networks.build(card.network, seed=settings.seed, **card.settings).state_dict()
    moved = (state["last.0.weight"] - start["last.0.weight"]).abs().max()
    # two steps move no weight by more than two learning rates; another start lies further off
    assert (moved < 0.003) == (recipe == "published")


def test_the_published_recipe_judges_patches_by_snr_and_lsd(prepared, rng):
    settings = prepared()
    task = settings.systems["superres"]
    folder = paths.fragments("folder", "superres")
    patches = training.Patches(folder / fragments.file_name(settings, task, "validation"))
    network = torch.nn.Identity()
    judged = training.SuperResolutionTask(network, patches, patches, 3, 1, torch.device("cpu"))
    data, label = (part[:, 0].numpy() for part in patches.rows(np.arange(len(patches))))
    assert judged.judge() == pytest.approx(
        (-snr_reference_db(label, data), lsd_reference(label, data)), rel=1e-5
    )


def test_legacy_validation_does_not_depend_on_the_batch(prepared):
    settings = prepared()
    task = settings.systems["superres"]
    folder = paths.fragments("folder", "superres")
    patches = training.Patches(folder / fragments.file_name(settings, task, "validation"))
    network = networks.build("superres/tfilm", mode="legacy", width=0.03125).eval()
    with torch.inference_mode():
        losses = [
            training.SuperResolutionTask(
                network, patches, patches, size, 1, torch.device("cpu")
            ).validate()
            for size in (1, 4)
        ]
    assert losses[0] == losses[1]


def test_every_method_is_scored_under_every_filter(prepared):
    settings = prepared("superres.evaluation.low_pass=[chebyshev, codec]")
    for name in ("audiounet", "old"):
        training.train(settings, name)
    evaluation.evaluate(settings)
    folder = paths.results("folder", "metrics")
    rows = read_csv(folder / "superres.csv")
    places = {(row["low_pass"], row["unit"], row["method"]) for row in rows}
    methods = ("spline", "band_copy", "audiounet", "old")
    whole = {(low, "file", m) for low in ("chebyshev", "codec") for m in methods}
    assert places == whole | {("chebyshev", "patch", m) for m in methods}
    values = {(r["low_pass"], r["method"]): r["value"] for r in rows if r["metric"] == "snr_db"}
    assert values["chebyshev", "spline"] != values["codec", "spline"]
    paired = read_csv(folder / "superres-paired.csv")
    assert {(row["method"], row["against"]) for row in paired if row["metric"] == "lsd"} == {
        (name, "band_copy") for name in ("spline", "audiounet", "old")
    }


def test_silent_patches_have_no_ratio_and_do_not_count(prepared, rng):
    task = prepared().systems["superres"]
    reference = 0.1 * rng.standard_normal(3 * 8192)
    reference[:8192] = 0.0
    restored = reference + 0.01 * rng.standard_normal(len(reference))
    scores = evaluation.scores(reference, restored, task, True)
    found = {(unit, name): value for unit, name, value in scores}
    by_hand = [
        snr_reference_db(reference[start : start + 8192], restored[start : start + 8192])
        for start in range(4096, len(reference) - 8191, 4096)
    ]
    assert found["patch", "snr_reference_db"] == pytest.approx(np.mean(by_hand))
