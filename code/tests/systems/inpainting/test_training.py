"""Training: the losses by hand, every network one step through its real configuration, recipes."""

import math

import numpy as np
import pytest
import torch

from shellac import config, networks, paths, weights
from shellac.datasets import corpora
from shellac.errors import DataError
from shellac.files import read_csv, sha256
from shellac.systems.inpainting import fragments, preparation, training
from shellac.systems.inpainting.network import Estimate
from shellac.systems.inpainting.preparation import Conversion
from shellac.systems.inpainting.segments import Segments
from shellac.systems.inpainting.start import begin_at_nothing

SMALL = 1 / 32
CPU = torch.device("cpu")
TINY = (
    "data.folder=mine", "compute.threads=1", "inpainting.training.steps=2",
    "inpainting.training.batch_size=4", "inpainting.training.validate_every=1",
)  # fmt: skip


@pytest.fixture
def prepared(folder_root):
    def prepare(*changes):
        settings = config.apply_profile("folder", [*TINY, *changes])
        corpora.obtain(settings, "folder")
        fragments.build(settings)
        return settings

    return prepare


def task_of(settings, name, recipe="sound"):
    task = settings.systems["inpainting"]
    entry = task.networks[name]
    folder = paths.fragments("folder", "inpainting")
    parts = {
        split: Segments(folder, split, task, settings.seed) for split in ("train", "validation")
    }
    network = networks.build(task.network_class(name), **entry.for_build())
    conversion = Conversion(task.representation, None, None, entry.input)
    chosen = task.training.model_copy(update={"recipe": recipe})
    return training.InpaintingTask(network, conversion, parts, chosen, settings.seed, CPU)


def test_losses_by_hand():
    target = torch.zeros(1, 1, 2, 2)
    restored = torch.tensor([[1.0, 1.0], [3.0, 1.0]])[None, None]
    both, second = torch.tensor([[True, True]]), torch.tensor([[False, True]])
    assert training.loss(Estimate(restored), target, both, 1.0).item() == 3.0
    assert training.loss(Estimate(restored), target, second, 1.0).item() == 5.0
    two = Estimate(restored, intermediate=2 * restored)
    assert training.loss(two, target, both, 1.0).item() == 15.0
    mean, log_variance = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, math.log(2.0)]])
    divergence = 0.5 * (1 + (2 - 1 - math.log(2)))
    latent = Estimate(restored, mean=mean, log_variance=log_variance)
    assert training.loss(latent, target, both, 0.1).item() == pytest.approx(3 + 0.1 * divergence)


def test_weights_say_what_they_are_and_restore(prepared):
    entry = "{network: Res_UNet_v2, width: 0.03125, input: interpolated, mask_input: true}"
    settings = prepared(f"inpainting.networks={{mine: {entry}}}")
    training.train(settings, "mine")
    state, card = weights.load(weights.trained_path("folder", "inpainting/mine"))
    assert card.network == "inpainting/Res_UNet_v2"
    assert card.settings == {"width": SMALL, "mask_input": True}
    assert card.level is None and card.sample_rate == 16000
    assert card.extra["recipe"] == "sound" and card.extra["gaps"] == "scattered"
    conversion = Conversion.from_card(card.extra)
    assert conversion == Conversion("spectrogram", None, None, "interpolated")
    network = networks.build(card.network, **card.settings).eval()
    weights.fill(network, state, "mine")
    assert card.extra["parameters"] == sum(p.numel() for p in network.parameters())
    folder = paths.fragments("folder", "inpainting")
    segments = Segments(folder, "validation", settings.systems["inpainting"], settings.seed)
    assert not {digest for digest, _ in segments.sources} & set(card.trained_on)
    whole, lost = segments.rows(np.arange(3))
    damaged = whole * ~lost[:, None, :, None]
    out = preparation.restored(network, conversion, damaged, lost, CPU)
    line = preparation.linear(damaged[:, 0], lost)[:, None]
    # two steps from a start that changes nothing: still near the interpolation
    assert out.shape == whole.shape and torch.isfinite(out).all()
    assert (out - line).square().sum() < 0.05 * whole.square().sum()
    curve = read_csv(paths.results("folder", "metrics", "inpainting-training", "mine.csv"))
    assert [row["step"] for row in curve] == ["1", "2"]


@pytest.mark.parametrize("recipe", ["sound", "published"])
def test_training_again_gives_the_same_weights(prepared, recipe):
    settings = prepared(
        f"inpainting.training.recipe={recipe}", "inpainting.representation=published",
        "inpainting.networks={VAE_UNet_v2: {width: 0.03125}}",
    )  # fmt: skip
    hashes = set()
    for _ in range(2):
        training.train(settings, "VAE_UNet_v2")
        hashes.add(sha256(weights.trained_path("folder", "inpainting/VAE_UNet_v2")))
    assert len(hashes) == 1
    extra = weights.load(weights.trained_path("folder", "inpainting/VAE_UNet_v2"))[1].extra
    shift, scale = extra["conversion"]["shift"], extra["conversion"]["scale"]
    assert shift == 0.0 and 0 < scale < 128  # of these recordings, not the published one


def test_a_killed_training_ends_with_the_same_weights(prepared, monkeypatch):
    settings = prepared(
        "inpainting.networks={VAE_Res_UNet_v2: {width: 0.03125, input: interpolated}}",
        "inpainting.training.steps=4", "inpainting.training.checkpoint_seconds=0",
    )  # fmt: skip
    path = weights.trained_path("folder", "inpainting/VAE_Res_UNet_v2")
    training.train(settings, "VAE_Res_UNet_v2")
    expected = sha256(path)
    path.unlink()
    batch, steps = training.InpaintingTask.batch, []

    def interrupted(task, step):
        steps.append(step)
        if step == 2 and steps.count(2) == 1:
            raise KeyboardInterrupt
        return batch(task, step)

    monkeypatch.setattr(training.InpaintingTask, "batch", interrupted)
    with pytest.raises(KeyboardInterrupt):
        training.train(settings, "VAE_Res_UNet_v2")
    assert not path.exists()
    training.train(settings, "VAE_Res_UNet_v2")
    # batch 0 again for where a training starts, then on from where it was
    assert steps == [0, 0, 1, 2, 0, 2, 3]
    assert sha256(path) == expected


def test_recipes_differ_in_order_gaps_and_where_errors_count(prepared):
    settings = prepared("inpainting.networks={UNet_Sun: {width: 0.25}}")
    sound, published = (task_of(settings, "UNet_Sun", kind) for kind in ("sound", "published"))
    per_epoch = 10 // 4
    again = published.batch(per_epoch)
    assert all(torch.equal(a, b) for a, b in zip(published.batch(0), again, strict=True))
    assert torch.equal(published.batch(0)[2], published._train.rows(np.arange(4))[1])
    assert not torch.equal(sound.batch(0)[2], sound.batch(per_epoch)[2])
    assert torch.equal(sound.batch(1)[0], sound.batch(1)[0])
    prepared_, target, lost = sound.batch(0)
    intact = torch.where(lost[:, None, :, None], target, target + 1.0)
    losses = [task.losses((prepared_, intact, lost))["loss"] for task in (sound, published)]
    plain = [task.losses((prepared_, target, lost))["loss"] for task in (sound, published)]
    assert losses[0].item() != pytest.approx(losses[1].item())
    assert plain[0].item() == pytest.approx(losses[0].item())  # intact frames do not count


def test_the_published_recipe_judges_by_psnr(prepared):
    settings = prepared("inpainting.networks={UNet_Sun: {width: 0.25}}")
    task = task_of(settings, "UNet_Sun", "published")
    task.network.eval()
    whole, lost = task._validation.rows(np.arange(len(task._validation)))
    with torch.inference_mode():
        prepared_, level = task._conversion.prepare(whole * ~lost[:, None, :, None], lost)
        found = task._estimate(prepared_, lost).restored
        target = task._conversion.form.normalise(whole, level)
        by_hand = -10 * torch.log10((found - target).square().mean(dim=(1, 2, 3))).mean()
        assert task.judge()[0] == pytest.approx(-by_hand.item(), rel=1e-5)


@pytest.mark.parametrize("name", ["Res_UNet_v2", "Dual_Res_UNet_v2", "FPN", "WaveNet", "SE_ResNet"])
def test_a_correction_starts_at_the_interpolation(prepared, name):
    entry = f"{{width: {SMALL}, input: interpolated}}"
    settings = prepared(f"inpainting.networks={{{name}: {entry}}}")
    task = task_of(settings, name)
    prepared_, _, lost = batch = task.batch(0)
    begin_at_nothing(task.network, lambda: task.losses(batch), 1)
    with torch.inference_mode():
        found = task._estimate(prepared_, lost)
    assert (found.restored - prepared_).abs().max() < 0.02


def test_missing_fragments_are_told(folder_root):
    settings = config.apply_profile("folder", ["data.folder=mine"])
    with pytest.raises(DataError, match="run shellac fragments"):
        training.train(settings, next(iter(settings.systems["inpainting"].networks)))
