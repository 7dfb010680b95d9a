"""Training of bandwidth extension: first the signal's own loss, then discriminators besides.

What the two recipes differ in stands in :class:`.settings.TrainingSettings`.
"""

from collections.abc import Callable, Iterator, Mapping

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from shellac import networks, paths, precision, weights
from shellac.config import Settings
from shellac.datasets import corpora
from shellac.datasets.mono import mono_at
from shellac.files import sha256
from shellac.systems.behm_gan import degradation, fragments, losses
from shellac.systems.behm_gan.discriminators import (
    MultiScaleDiscriminator,
    distances_from_one,
    distances_from_zero,
)
from shellac.systems.behm_gan.extension import Extension
from shellac.systems.behm_gan.restoration import GRID, processor
from shellac.systems.behm_gan.segments import Segments
from shellac.systems.behm_gan.settings import BehmGanSettings, NetworkSettings, TrainingSettings
from shellac.systems.behm_gan.start import begin_at_nothing
from shellac.systems.edges import edge_seconds
from shellac.training import determinism
from shellac.training.loop import Player, learning_rate
from shellac.training.run import run

GENERATOR, DISCRIMINATORS = "generator", "discriminators"
_BETAS = (0.5, 0.9)
_PROBE_GRIDS = 6
_TRAINING, _VALIDATION = 0, 1  # what a seed is for
Batch = tuple[Tensor, Tensor]


class ExtensionTask:
    """Batches, rounds and validation for :func:`shellac.training.loop.fit`."""

    def __init__(
        self,
        network: nn.Module,
        parts: Mapping[str, Segments],
        task: BehmGanSettings,
        name: str,
        seed: int,
        device: torch.device,
    ):
        entry: NetworkSettings = task.networks[name]
        training = task.training
        self.network = network.to(device, memory_format=torch.channels_last)
        self.extension = extension_of(task, name)
        self._entry, self._training = entry, training
        self._published = training.recipe == "published"
        self._train, self._validation = parts["train"], parts["validation"]
        self._bank = torch.from_numpy(degradation.training_bank(task.low_pass)).to(device)
        self._size = min(training.batch_size, len(self._train))
        self._seed, self._device = seed, device
        self._epoch, self._order = -1, np.zeros(0, np.int64)
        self._discriminators = None
        if entry.adversary and training.adversary.from_step < training.steps:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(seed)
                judges = MultiScaleDiscriminator(training.adversary.width)
            self._discriminators = precision.applied(judges).to(device)

    def players(self) -> dict[str, Player]:
        """Return the networks with their optimisers, AdamW as published."""
        second = self._training.adversary
        found = {GENERATOR: self._player(self.network, self._generator_rate)}
        if self._discriminators is not None:
            found[DISCRIMINATORS] = self._player(
                self._discriminators, lambda step: second.learning_rate
            )
        return found

    @staticmethod
    def _player(network: nn.Module, rate: Callable[[int], float]) -> Player:
        optimiser = torch.optim.AdamW(network.parameters(), lr=rate(0), betas=_BETAS)
        return Player(network, optimiser, rate)

    def _generator_rate(self, step: int) -> float:
        second = self._training.adversary
        if step >= second.from_step:
            return second.generator_learning_rate
        if self._published:
            return self._training.learning_rate
        first = self._training.model_copy(update={"steps": second.from_step})
        return learning_rate(first, step)

    def batch(self, step: int) -> Batch:
        """Return (clean, low-passed), (B, T) each; every epoch visits all segments in an order."""
        epoch, place = divmod(step, len(self._train) // self._size)
        if epoch != self._epoch:
            self._epoch = epoch
            self._order = np.random.default_rng([self._seed, epoch]).permutation(len(self._train))
        places = self._order[place * self._size : (place + 1) * self._size]
        rng = np.random.default_rng([self._seed, _TRAINING, step])
        return self._degraded(self._train.rows(places), rng)

    def _degraded(self, clean: Tensor, rng: np.random.Generator) -> Batch:
        """Give segments levels of their own, and filters: one for each, or for all (published)."""
        gains = 10 ** (rng.uniform(*self._training.gain_db, (len(clean), 1)) / 20)
        drawn = rng.integers(len(self._bank), size=1 if self._published else len(clean))
        clean = (clean * torch.from_numpy(gains.astype(np.float32))).to(self._device)
        filters = self._bank[torch.from_numpy(drawn).to(self._device)].expand(len(clean), -1)
        return clean, degradation.low_passed(clean, filters)

    def rounds(self, batch: Batch, step: int) -> Iterator[tuple[str, Tensor]]:
        """Yield the discriminators' losses, on one estimate, then the generator's."""
        clean, observed = batch
        made = self._extended(observed, torch.randn_like(observed))
        second, total = self._training.adversary, 0.0
        if self._discriminators is not None and step >= second.from_step:
            for _ in range(second.updates):
                yield DISCRIMINATORS, self._discriminator_loss(clean, made.detach())
            total = second.weight * self._adversarial_loss(made)
        yield GENERATOR, total + self._training.signal_weight * self._signal_loss(made, clean)

    def _extended(self, observed: Tensor, noise: Tensor) -> Tensor:
        return self.extension.apply(self.network, observed, noise, self._published)

    def _signal_loss(self, made: Tensor, clean: Tensor) -> Tensor:
        if self._entry.loss == "mse":
            return functional.mse_loss(made, clean)
        return losses.stft_loss(made, clean, smooth_floor=not self._published)

    def _discriminator_loss(self, clean: Tensor, made: Tensor) -> Tensor:
        """Sum over scales, real and made signals seen in one pass."""
        results = self._discriminators(torch.cat((clean, made))[:, None])
        real, false = zip(*(scores.chunk(2) for scores, _ in results), strict=True)
        return sum(distances_from_one(real)) + sum(distances_from_zero(false))

    def _adversarial_loss(self, made: Tensor) -> Tensor:
        """Sum over scales; no gradients for the discriminators, whose turn it is not."""
        self._discriminators.requires_grad_(False)
        scores = [each for each, _ in self._discriminators(made[:, None])]
        self._discriminators.requires_grad_(True)
        return sum(distances_from_one(scores))

    def validate(self) -> float:
        """Return the mean loss of the signal over validation segments, the same ones every time."""
        wanted = min(self._training.validation_segments, len(self._validation))
        places = np.linspace(0, len(self._validation) - 1, wanted).astype(np.int64)
        total = 0.0
        for start in range(0, wanted, self._size):
            some = places[start : start + self._size]
            rng = np.random.default_rng([self._seed, _VALIDATION, start])
            clean, observed = self._degraded(self._validation.rows(some), rng)
            generator = torch.Generator().manual_seed(start)
            noise = torch.randn(observed.shape, generator=generator).to(observed)
            made = self._extended(observed, noise)
            total += self._signal_loss(made, clean).item() * len(some)
        return total / wanted


def extension_of(task: BehmGanSettings, name: str) -> Extension:
    """Return what stands around an entry's network."""
    kept_hz = 0.0 if task.training.recipe == "published" else task.training.kept_hz
    return Extension(task.noise_of(name), kept_hz)


def train(settings: Settings, name: str) -> None:
    """Train one network on the fragments of the profile; leave its weights and its curve.

    The weights' card names every recording seen, how the band is extended, and the measured edge
    effect.
    """
    task: BehmGanSettings = settings.systems["behm_gan"]
    determinism.pin(settings.compute)
    device = determinism.device(settings.compute.device)
    folder = paths.fragments(settings.profile, "behm_gan")
    entry, training = task.networks[name], task.training
    parts = {split: Segments(folder, split, entry.material) for split in fragments.SPLITS}
    network = networks.build(task.network_class(name), seed=settings.seed, **entry.for_build())
    if training.recipe == "sound":
        begin_at_nothing(network)
    contest = ExtensionTask(network, parts, task, name, settings.seed, device)
    run(
        settings,
        "behm_gan",
        name,
        contest,
        training,
        lambda: _card(settings, name, contest, parts["train"], device),
        decisive={
            "network": task.network_class(name),
            "entry": entry.model_dump(),
            "low_pass": task.low_pass,
            "noise": task.noise_of(name),
            "inputs": {split: sha256(fragments.segments_path(folder, split)) for split in parts},
        },
        judge=_latest if last_weights(training, entry) else None,
        players=contest.players(),
    )


def last_weights(training: TrainingSettings, entry: NetworkSettings) -> bool:
    """Whether the weights of the last step are kept, not those of the lowest validation loss.

    What an adversary teaches raises the loss of the signal.
    """
    adversarial = entry.adversary and training.adversary.from_step < training.steps
    return adversarial or training.recipe == "published"


def _latest() -> tuple[float, ...]:
    """Judge all weights the same, so that the latest are kept."""
    return (0.0,)


def _card(
    settings: Settings,
    name: str,
    contest: ExtensionTask,
    train_part: Segments,
    device: torch.device,
) -> weights.Card:
    task: BehmGanSettings = settings.systems["behm_gan"]
    published = task.training.recipe == "published"
    network = contest.network.eval()
    held_out = next(corpora.recordings(settings, task.roles, "validation", task.corpora))
    whole = mono_at(held_out, task.sample_rate)
    heard = degradation.degraded(
        whole, task.sample_rate, task.low_pass[0], settings.seed, held_out.sha256
    )
    probe = torch.from_numpy(np.resize(heard, _PROBE_GRIDS * GRID))[None].to(device)
    process = processor(network, contest.extension)

    def added(waveform: Tensor) -> Tensor:
        # the programme is so much louder that a seam in the band above would not count beside it
        return process(waveform) - waveform

    measured = added if contest.extension.kept_hz else process
    return weights.Card(
        network=task.network_class(name),
        settings=task.networks[name].for_build(),
        sample_rate=task.sample_rate,
        level=None if published else train_part.peak(),
        edge_seconds=edge_seconds(measured, probe, task.sample_rate, GRID),
        origin="trained",
        licence="that of the recordings it was trained on",
        profile=settings.profile,
        trained_on=tuple(sorted(train_part.sources)),
        extra={
            **contest.extension.for_card(),
            "parameters": sum(parameter.numel() for parameter in network.parameters()),
            "training_low_pass": list(task.low_pass),
            "adversary": task.networks[name].adversary,
            "loss": task.networks[name].loss,
            "material": list(task.networks[name].material),
            "recipe": task.training.recipe,
            "steps": task.training.steps,
            "roles": list(task.roles),
        },
    )
