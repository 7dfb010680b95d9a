"""Training of the prior: noise in, the preconditioned target out, and an average of the weights."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from shellac import networks, paths, weights
from shellac.config import Settings
from shellac.errors import WeightsError
from shellac.files import sha256
from shellac.systems.babe2 import fragments, ltas
from shellac.systems.babe2.diffusion import TrainingLevels, training_pair
from shellac.systems.babe2.fragments import Recordings
from shellac.systems.babe2.losses import TrainingLoss
from shellac.systems.babe2.prior import Sampling
from shellac.systems.babe2.settings import Babe2Settings
from shellac.training import determinism
from shellac.training.averaging import Averaged
from shellac.training.run import run

LTAS_FFT = 2048
_VALIDATION_BATCHES = 4
Batch = tuple[Tensor, Tensor, Tensor]


class PriorTask:
    """Batches, loss and validation for :func:`shellac.training.loop.fit`.

    The network under training lies in an :class:`.Averaged`; its average is what is validated.
    """

    def __init__(
        self,
        network: nn.Module,
        task: Babe2Settings,
        parts: Mapping[str, Recordings],
        seed: int,
        device: torch.device,
    ):
        chosen, noise = task.training, task.diffusion
        self.network = Averaged(
            network, chosen.average_rate, chosen.batch_size, chosen.average_ramp
        )
        self.network.loss = TrainingLoss(*chosen.loss_options, task.sample_rate, seed)
        self.network.to(device)
        self._task, self._parts, self._seed, self._device = task, parts, seed, device
        self._levels = TrainingLevels(
            noise.levels, noise.sigma_min, noise.sigma_max, mean=noise.mean, std=noise.std
        )
        self._updates = 0

    def batch(self, step: int) -> Batch:
        """Return clean segments (B, T), noise (B, T) and levels (B,), by seed and step alone."""
        self._updates = step
        self.network.follow(step)
        return self._drawn("train", step, np.random.default_rng([self._seed, step]))

    def _drawn(self, split: str, number: int, rng: np.random.Generator) -> Batch:
        task, count = self._task, self._task.training.batch_size
        clean = self._parts[split].cut(count, task.samples, rng) * task.diffusion.sigma_data
        u = rng.random(count)
        if split == "train":
            gain = rng.uniform(-task.training.gain_db, task.training.gain_db, (count, 1))
            clean = clean * 10 ** (gain / 20)
        else:  # levels spread evenly, so that few batches tell
            u = (np.arange(count) + (number + 0.5) / _VALIDATION_BATCHES) / count
        noise = rng.standard_normal(clean.shape, dtype=np.float32)
        levels = self._levels.of(torch.from_numpy(u), task.diffusion.sigma_data)
        clean = torch.from_numpy(np.asarray(clean, dtype=np.float32))
        return tuple(x.to(self._device) for x in (clean, torch.from_numpy(noise), levels))

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Return the loss of the network's output against its target; see :mod:`.losses`."""
        clean, noise, levels = batch
        seen, told, wanted = training_pair(clean, noise, levels, self._task.diffusion.sigma_data)
        return {"loss": self.network.loss(self.network(seen, told) - wanted, told)}

    def validate(self) -> float:
        """Return the mean loss of the averaged weights over fixed segments, levels and noises."""
        self.network.follow(self._updates + 1)
        found = []
        for number in range(_VALIDATION_BATCHES):
            batch = self._drawn(
                "validation", number, np.random.default_rng([self._seed, 1, number])
            )
            found.append(self.losses(batch)["loss"].item())
        return float(np.mean(found))


def average_spectrum(recordings: Recordings, sigma_data: float) -> np.ndarray:
    """Return the mean power spectrum (F,) of recordings at the level of training."""
    powers = [ltas.power(recordings.whole(i)[None], LTAS_FFT) for i in range(len(recordings))]
    return np.mean(powers, axis=0) * sigma_data**2


def train(settings: Settings, name: str) -> None:
    """Train one network on the fragments of the profile; leave its weights and its curve."""
    task: Babe2Settings = settings.systems["babe2"]
    determinism.pin(settings.compute)
    device = determinism.device(settings.compute.device)
    folder = paths.fragments(settings.profile, "babe2")
    parts = {split: Recordings(folder, split) for split in fragments.SPLITS}
    network = networks.build(task.network_class(name), seed=settings.seed, **task.for_build(name))
    start, heard = _start(task, network)
    loop_task = PriorTask(network, task, parts, settings.seed, device)

    def card() -> weights.Card:
        average = average_spectrum(parts["train"], task.diffusion.sigma_data)
        return _card(settings, name, average, [*heard, *parts["train"].sources])

    run(
        settings,
        "babe2",
        name,
        loop_task,
        task.training,
        card,
        decisive={
            "network": task.network_class(name),
            "built": task.for_build(name),
            "diffusion": task.diffusion.model_dump(),
            "start": start,
            "inputs": {split: sha256(fragments.waveform_path(folder, split)) for split in parts},
        },
        kept=loop_task.network.average,
    )


def _start(task: Babe2Settings, network: nn.Module) -> tuple[str, tuple[str, ...]]:
    """Fill the network with the weights to begin from; return their hash, and what they heard."""
    if not task.training.start_from:
        return "", ()
    path = paths.root() / Path(task.training.start_from).expanduser()
    state, card = weights.load(path)
    if card.sample_rate != task.sample_rate:
        raise WeightsError(f"{path}: is of {card.sample_rate} Hz, not {task.sample_rate} Hz")
    weights.fill(network, state, str(path))
    return sha256(path), card.trained_on


def sampling_of(task: Babe2Settings) -> Sampling:
    """Return how restorations are sampled, in the scale of the signals."""
    chosen, noise = task.sampling, task.diffusion
    return Sampling(
        steps=chosen.steps,
        order=chosen.order,
        start_sigma=chosen.start_sigma * noise.sigma_data,
        sigma_min=task.least_sigma,
        sigma_max=noise.sigma_max,
        rho=chosen.rho,
        churn=chosen.churn,
        guidance=chosen.guidance,
        xi=chosen.xi,
        least_noise=chosen.least_noise * noise.sigma_data,
        observation_noise=chosen.observation_noise * noise.sigma_data,
        level=noise.sigma_data,
    )


def _card(settings: Settings, name: str, average: np.ndarray, heard: list[str]) -> weights.Card:
    task: Babe2Settings = settings.systems["babe2"]
    built = networks.build(task.network_class(name), **task.for_build(name))
    return weights.Card(
        network=task.network_class(name),
        settings=task.for_build(name),
        sample_rate=task.sample_rate,
        level=None,
        edge_seconds=0.0,
        origin="trained",
        licence="that of the recordings it was trained on",
        profile=settings.profile,
        trained_on=tuple(sorted(set(heard))),
        extra={
            "sigma_data": task.diffusion.sigma_data,
            "sampling": asdict(sampling_of(task)),
            "ltas": average.tolist(),
            "parameters": sum(each.numel() for each in built.parameters()),
            "levels": task.diffusion.levels,
            "steps": task.training.steps,
            "roles": list(task.roles),
            "start_from": task.training.start_from,
        },
    )
