"""Training: rounds and losses by hand, both recipes, weights that say what they are, kills."""

import os
import signal
import subprocess
import sys

import numpy as np
import pytest
import torch

import shellac
from shellac import networks, paths, weights
from shellac.errors import DataError
from shellac.files import read_csv, sha256
from shellac.systems.behm_gan import degradation, losses, training
from shellac.systems.behm_gan.extension import Extension
from shellac.systems.behm_gan.segments import Segments

CPU = torch.device("cpu")


def contest_of(settings, name, **changes):
    task = settings.systems["behm_gan"]
    task = task.model_copy(update={"training": task.training.model_copy(update=changes)})
    entry, folder = task.networks[name], paths.fragments("folder", "behm_gan")
    parts = {split: Segments(folder, split, entry.material) for split in ("train", "validation")}
    network = networks.build(task.network_class(name), **entry.for_build())
    return training.ExtensionTask(network, parts, task, name, settings.seed, CPU)


def test_segments_are_low_passed_each_by_a_filter_of_its_own_or_all_by_one(prepared):
    settings = prepared("behm_gan.training.batch_size=4", "behm_gan.low_pass=[repository, paper]")
    bank = torch.from_numpy(degradation.training_bank(["repository", "paper"]))
    assert len(bank) == 600

    def used(clean, observed):
        all_ = torch.stack([degradation.low_passed(clean[None], each[None])[0] for each in bank])
        return int((all_ - observed).abs().amax(1).argmin())

    filters = {}
    for recipe in ("sound", "published"):
        clean, observed = contest_of(settings, "gan", recipe=recipe).batch(3)
        filters[recipe] = {used(*pair) for pair in zip(clean, observed, strict=True)}
    assert len(filters["sound"]) > 1
    assert len(filters["published"]) == 1


def test_batches_are_functions_of_the_step_and_visit_every_segment_once(prepared):
    settings = prepared("behm_gan.training.batch_size=3")
    one, again = (contest_of(settings, "gan") for _ in range(2))
    for step in (7, 2, 12):
        assert all(map(torch.equal, one.batch(step), again.batch(step)))
    levels = [one.batch(step)[0] for step in range(10)]  # 30 segments, an epoch
    shapes = torch.cat([clean / clean.abs().amax(1, keepdim=True) for clean in levels])
    assert len(torch.unique(shapes, dim=0)) == 30


def test_rounds_teach_the_discriminators_twice_from_the_second_phase_on(prepared):
    settings = prepared()
    contest = contest_of(settings, "gan")
    assert set(contest.players()) == {"generator", "discriminators"}
    assert set(contest_of(settings, "quiet").players()) == {"generator"}
    assert [name for name, _ in contest.rounds(contest.batch(0), 0)] == ["generator"]
    names = [name for name, _ in contest.rounds(contest.batch(1), 1)]
    assert names == ["discriminators", "discriminators", "generator"]


def test_each_loss_has_gradients_for_its_own_network_alone(prepared):
    contest = contest_of(prepared(), "gan")
    generator, judges = contest.network, contest._discriminators
    for name, loss in contest.rounds(contest.batch(1), 1):
        for network in (generator, judges):
            network.zero_grad(set_to_none=True)
        loss.backward()
        own, other = (judges, generator) if name == "discriminators" else (generator, judges)
        assert any(p.grad is not None and p.grad.abs().max() > 0 for p in own.parameters())
        assert all(p.grad is None for p in other.parameters())
    assert all(p.requires_grad for p in judges.parameters())


def test_losses_by_hand(prepared):
    settings = prepared()
    contest = contest_of(settings, "gan", signal_weight=0.5)
    clean, observed = contest.batch(1)
    torch.manual_seed(3)
    found = [loss.item() for _, loss in contest.rounds((clean, observed), 1)]
    torch.manual_seed(3)
    with torch.no_grad():
        made = contest.extension.apply(contest.network, observed, torch.randn_like(observed))
        real, false = (
            [scores for scores, _ in contest._discriminators(each[:, None])]
            for each in (clean, made)
        )
        told = sum(((1 - r) ** 2).mean() + (f**2).mean() for r, f in zip(real, false, strict=True))
        fooled = sum(((1 - f) ** 2).mean() for f in false)
        spectral = losses.stft_loss(made, clean, smooth_floor=True)
    assert found[0] == found[1] == pytest.approx(told.item(), rel=1e-4)
    assert found[2] == pytest.approx((0.5 * spectral + 0.25 * fooled).item(), rel=1e-4)
    alone = contest_of(settings, "seanet")
    torch.manual_seed(3)
    ((_, loss),) = alone.rounds((clean, observed), 1)
    assert loss.item() < 0.1  # of samples, and 0.1 of it


def test_learning_rates_follow_the_phases(prepared):
    settings = prepared(
        "behm_gan.training.steps=20", "behm_gan.training.adversary.from_step=10",
        "behm_gan.training.learning_rate=0.01", "behm_gan.training.final_learning_rate=0.001",
        "behm_gan.training.adversary.learning_rate=0.003",
        "behm_gan.training.adversary.generator_learning_rate=0.002",
    )  # fmt: skip
    for recipe, last in (("sound", 0.001), ("published", 0.01)):
        players = contest_of(settings, "gan", recipe=recipe).players()
        rates = [players["generator"].learning_rate(step) for step in (0, 9, 10, 19)]
        assert rates == pytest.approx([0.01, last, 0.002, 0.002])
        assert players["discriminators"].learning_rate(15) == 0.003
        group = players["generator"].optimiser.param_groups[0]
        assert group["betas"] == (0.5, 0.9) and group["weight_decay"] == 0.01


@pytest.mark.parametrize("name", ["gan", "quiet", "audiounet", "seanet"])
@pytest.mark.parametrize("recipe", ["sound", "published"])
def test_weights_say_what_they_are_and_restore(prepared, name, recipe):
    settings = prepared(f"behm_gan.training.recipe={recipe}")
    training.train(settings, name)
    path = weights.trained_path("folder", f"behm_gan/{name}")
    state, card = weights.load(path)
    kept_hz = 0.0 if recipe == "published" else settings.systems["behm_gan"].training.kept_hz
    noise_rms = 0.0 if name == "quiet" else 0.001
    assert Extension.from_card(card.extra) == Extension(noise_rms, kept_hz)
    assert card.network == settings.systems["behm_gan"].network_class(name)
    assert (card.level is None) == (recipe == "published")
    assert 0 <= card.edge_seconds < 3
    assert card.extra["adversary"] == (name in {"gan", "audiounet"})
    validated = Segments(paths.fragments("folder", "behm_gan"), "validation").sources
    assert card.trained_on and not validated & set(card.trained_on)
    curve = read_csv(paths.results("folder", "metrics", "behm_gan-training", f"{name}.csv"))
    assert [row["step"] for row in curve] == ["1", "2"]
    restorer = shellac.load(card.network, weights=path, device="cpu")
    waveform = 0.1 * np.random.default_rng(0).standard_normal((2, 7001)).astype(np.float32)
    out = restorer.restore(waveform, 22050).waveform
    assert out.shape == waveform.shape and np.isfinite(out).all()


def test_which_weights_are_kept(prepared):
    settings = prepared("behm_gan.training.steps=3")
    task = settings.systems["behm_gan"]
    for name, recipe, last in (
        ("gan", "sound", True), ("quiet", "sound", False), ("quiet", "published", True),
    ):  # fmt: skip
        chosen = task.training.model_copy(update={"recipe": recipe})
        assert training.last_weights(chosen, task.networks[name]) == last
    late = task.training.adversary.model_copy(update={"from_step": 3})
    chosen = task.training.model_copy(update={"adversary": late})
    assert not training.last_weights(chosen, task.networks["gan"])  # met no adversary


def test_trained_weights_are_found_by_the_systems_name(prepared):
    settings = prepared()
    training.train(settings, "gan")
    restorer = shellac.load("behm_gan", weights="trained", device="cpu")
    assert restorer.members[0].card.network == "behm_gan/unet"
    assert restorer.members[0].card.profile == "folder"


def test_a_training_stopped_in_the_second_phase_ends_with_the_same_weights(prepared, monkeypatch):
    settings = prepared("behm_gan.training.steps=5", "behm_gan.training.checkpoint_seconds=0")
    path = weights.trained_path("folder", "behm_gan/gan")
    training.train(settings, "gan")
    expected = sha256(path)
    path.unlink()
    batch, steps = training.ExtensionTask.batch, []

    def interrupted(task, step):
        steps.append(step)
        if step == 3 and steps.count(3) == 1:
            raise KeyboardInterrupt
        return batch(task, step)

    monkeypatch.setattr(training.ExtensionTask, "batch", interrupted)
    with pytest.raises(KeyboardInterrupt):
        training.train(settings, "gan")
    assert not path.exists()
    training.train(settings, "gan")
    assert steps == [0, 1, 2, 3, 3, 4]
    assert sha256(path) == expected


KILLED = """
import os, signal, sys
from shellac import cli
from shellac.training.checkpoints import Scratch

save, left = Scratch.save, [int(sys.argv[1])]

def killing(scratch, state):
    save(scratch, state)
    left[0] -= 1
    if not left[0]:
        os.kill(os.getpid(), signal.SIGKILL)

Scratch.save = killing
sys.exit(cli.main(["train", "behm_gan/gan"]))
"""


def test_a_training_killed_twice_ends_with_the_same_weights(prepared):
    settings = prepared(
        "behm_gan.training.steps=9", "behm_gan.training.validate_every=4",
        "behm_gan.training.adversary.from_step=3", "behm_gan.training.checkpoint_seconds=0",
    )  # fmt: skip
    path = weights.trained_path("folder", "behm_gan/gan")
    training.train(settings, "gan")
    expected = sha256(path)
    path.unlink()
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    for checkpoints in ("2", "4"):  # written by each process until it kills itself: 2, then 6
        command = [sys.executable, "-c", KILLED, checkpoints]
        done = subprocess.run(
            command, check=False, env=environment, stderr=subprocess.PIPE, text=True
        )
        assert done.returncode == -signal.SIGKILL, done.stderr
        assert not path.exists()
    training.train(settings, "gan")
    assert sha256(path) == expected


def test_missing_fragments_and_absent_material_are_told(prepared, folder_root):
    settings = prepared("behm_gan.networks={seanet: {width: 0.03125, material: [harp]}}")
    with pytest.raises(DataError, match="harp"):
        training.train(settings, "seanet")
    for path in paths.fragments("folder", "behm_gan").iterdir():
        path.unlink()
    with pytest.raises(DataError, match="run shellac fragments"):
        training.train(settings, "seanet")
