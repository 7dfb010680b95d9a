"""Training: losses by hand, recipes, the same weights again and after a kill."""

import math

import numpy as np
import pytest
import torch

from shellac import config, networks, paths, weights
from shellac.errors import DataError
from shellac.files import read_csv, sha256
from shellac.systems.denoiser import training
from shellac.systems.denoiser.mixtures import Mixtures
from shellac.training.loop import learning_rate

CPU = torch.device("cpu")


def task_of(settings, name="unet_22k"):
    task = settings.systems["denoiser"]
    entry, folder = task.networks[name], paths.fragments("folder", "denoiser")
    published = task.training.recipe == "published"
    parts = {
        split: Mixtures(folder, split, task, settings.seed, published)
        for split in ("train", "validation")
    }
    network = networks.build(task.network_class(name), **entry.for_build())
    return training.DenoiserTask(network, entry.input, parts, task, settings.seed, CPU)


def test_losses_by_hand():
    clean = torch.full((2, 2, 3, 4), 1.0)
    estimate = clean.clone()
    estimate[0, 0] += 0.5  # of one segment, the real parts
    assert training.mean_magnitude(estimate, clean).item() == pytest.approx(0.125)
    by_hand = (math.log(0.125 + 1e-3) + math.log(1e-3)) / 2
    assert training.relative_error(estimate, clean).item() == pytest.approx(by_hand, rel=1e-4)
    louder = training.relative_error(8 * estimate, 8 * clean).item()
    assert louder == pytest.approx(by_hand, rel=1e-4)
    assert math.isfinite(training.relative_error(estimate, 0 * clean).item())


@pytest.mark.parametrize("recipe", ["sound", "published"])
@pytest.mark.parametrize("kind", ["noisy", "classical"])
def test_both_stages_are_supervised(prepared, recipe, kind):
    settings = prepared(
        f"denoiser.training.recipe={recipe}",
        f"denoiser.networks={{unet_22k: {{width: 0.03125, depth: 2, input: {kind}}}}}",
    )
    task = task_of(settings)
    batch = task.batch(0)
    assert batch[0].shape[1:] == ((2,) if kind == "classical" else ()) + batch[1].shape[1:]
    found = task.losses(batch)
    assert found["loss"].item() == pytest.approx((found["first"] + found["final"]).item())
    found["loss"].backward()
    silent = [
        name for name, value in task.network.named_parameters()
        if value.grad is None or not value.grad.abs().sum()
    ]  # fmt: skip
    assert silent == []
    assert math.isfinite(task.validate())


def test_a_correction_starts_at_the_classical_restoration(prepared):
    task = task_of(prepared())
    training.start_at_nothing(task.network, 1)
    heard, clean = task.batch(0)
    found = task.losses((heard, clean))
    kept = heard[:, 0]
    error = ((kept - clean).square().sum(1) / clean.square().sum(1) + 1e-3).log().mean()
    assert found["final"].item() == pytest.approx(error.item(), abs=0.3)


def test_the_published_learning_rate_falls_to_a_tenth(folder_root):
    settings = config.apply_profile("full").systems["denoiser"].training
    rates = [training.dropped(settings, step) for step in (0, 23_999, 24_000, 48_000)]
    assert rates == pytest.approx([2e-4, 2e-4, 2e-5, 2e-6])


def test_the_sound_learning_rate_rises_then_falls(folder_root):
    settings = config.apply_profile("demo").systems["denoiser"].training
    rates = [learning_rate(settings, step) for step in range(settings.steps)]
    top = int(np.argmax(rates))
    assert rates[0] == pytest.approx(settings.learning_rate / 20)
    assert 0 < top <= 20 and np.all(np.diff(rates[: top + 1]) > 0)
    assert np.all(np.diff(rates[top:]) < 0)
    assert rates[-1] == pytest.approx(settings.final_learning_rate)


@pytest.mark.parametrize("recipe", ["sound", "published"])
def test_weights_say_what_they_are_and_come_out_again(prepared, recipe):
    settings = prepared(f"denoiser.training.recipe={recipe}")
    path = weights.trained_path("folder", "denoiser/unet_22k")
    hashes = set()
    for _ in range(2):
        training.train(settings, "unet_22k")
        hashes.add(sha256(path))
    assert len(hashes) == 1
    state, card = weights.load(path)
    assert card.network == "denoiser/unet_22k" and card.sample_rate == 22050
    assert card.settings == {"width": 0.03125, "depth": 2, "num_tfc": 1}
    assert card.extra["input"] == "classical" and card.extra["recipe"] == recipe
    assert card.extra["parameters"] == sum(value.numel() for value in state.values())
    assert 0 <= card.edge_seconds <= card.extra["edge_probe_seconds"] / 2
    held_out = task_of(settings)._validation.digests
    assert card.trained_on and not held_out & set(card.trained_on)
    curve = read_csv(paths.results("folder", "metrics", "denoiser-training", "unet_22k.csv"))
    assert [row["step"] for row in curve] == ["1", "2"]
    assert weights.find("trained", "denoiser/unet_22k") == path


def test_a_killed_training_ends_with_the_same_weights(prepared, monkeypatch):
    settings = prepared("denoiser.training.steps=4", "denoiser.training.checkpoint_seconds=0")
    path = weights.trained_path("folder", "denoiser/unet_22k")
    training.train(settings, "unet_22k")
    expected = sha256(path)
    path.unlink()
    batch, steps = training.DenoiserTask.batch, []

    def interrupted(task, step):
        steps.append(step)
        if step == 2 and steps.count(2) == 1:
            raise KeyboardInterrupt
        return batch(task, step)

    monkeypatch.setattr(training.DenoiserTask, "batch", interrupted)
    with pytest.raises(KeyboardInterrupt):
        training.train(settings, "unet_22k")
    assert not path.exists()
    training.train(settings, "unet_22k")
    assert steps == [0, 1, 2, 2, 3]
    assert sha256(path) == expected


def test_batches_visit_all_segments_at_places_of_their_own(prepared):
    task = task_of(prepared())
    per_epoch = len(task._train) // 2
    first, again, later = task.batch(0), task.batch(0), task.batch(per_epoch)
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not torch.equal(first[1], later[1])
    order = np.concatenate([task._order[2 * i : 2 * i + 2] for i in range(per_epoch)])
    assert len(set(order.tolist())) == len(order)


def test_missing_fragments_are_told(folder_root):
    settings = config.apply_profile("folder", ["data.folder=mine"])
    with pytest.raises(DataError, match="run shellac fragments"):
        training.train(settings, "unet_22k")
