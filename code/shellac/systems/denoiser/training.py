"""Training of the denoiser: both stages against the clean spectrogram.

What the two recipes differ in stands in :class:`.settings.TrainingSettings`.
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import torch
from torch import Tensor

from shellac import networks, paths, weights
from shellac.config import Settings
from shellac.files import sha256
from shellac.systems.denoiser import fragments, preparation
from shellac.systems.denoiser.mixtures import Mixtures, segment_samples
from shellac.systems.denoiser.network import Denoiser
from shellac.systems.denoiser.preparation import CLASSICAL
from shellac.systems.denoiser.restoration import FRAMINGS, grid, processor
from shellac.systems.denoiser.settings import DenoiserSettings, TrainingSettings
from shellac.systems.edges import edge_seconds
from shellac.systems.spectrogram_front import to_channels
from shellac.training import determinism
from shellac.training.loop import ALONE, Player
from shellac.training.run import run

_PUBLISHED_BETAS = (0.5, 0.9)
_LEAST_ERROR = 1e-3  # of the clean segment's energy: what is 30 dB down counts no further
_SILENCE = 1e-6
_PROBE_GRIDS = 4  # six times these are computed to measure the edge effect
Batch = tuple[Tensor, Tensor]


def mean_magnitude(estimate: Tensor, clean: Tensor) -> Tensor:
    """Return the published loss: the mean magnitude of all real and imaginary parts' errors."""
    return (estimate - clean).abs().mean()


def relative_error(estimate: Tensor, clean: Tensor) -> Tensor:
    """Return the mean over segments (B, 2, N, F) of ln(error energy / clean energy + 1e-3).

    Loud and quiet segments, clean and noisy ones count alike; 10 / ln 10 times it is minus a
    signal-to-noise ratio in dB that saturates at 30.
    """
    error = (estimate - clean).square().sum((1, 2, 3))
    energy = clean.square().sum((1, 2, 3)) + _SILENCE
    return (error / energy + _LEAST_ERROR).log().mean()


LOSSES = {"published": mean_magnitude, "sound": relative_error}


def dropped(settings: TrainingSettings, step: int) -> float:
    """Return the published learning rate of a step: a tenth after every ``drop_every`` steps."""
    return settings.learning_rate * 0.1 ** (step // settings.drop_every)


class DenoiserTask:
    """Batches, losses and validation for :func:`shellac.training.loop.fit`."""

    def __init__(
        self,
        network: Denoiser,
        kind: str,
        parts: Mapping[str, Mixtures],
        task: DenoiserSettings,
        seed: int,
        device: torch.device,
        threads: int = 1,
    ):
        # a map's channels beside each other: faster on a CPU
        self.network = network.to(device, memory_format=torch.channels_last)
        self._kind, self._device, self._seed = kind, device, seed
        self._train, self._validation = parts["train"], parts["validation"]
        self._loss = LOSSES[task.training.recipe]
        self._rate, self._framing = task.sample_rate, FRAMINGS[network.bins]
        self._size = min(task.training.batch_size, len(self._train))
        seen = segment_samples(task.training.seen_seconds, task.sample_rate)
        self._seen, self._threads = min(seen, self._train.samples), threads
        self._epoch, self._order = -1, np.zeros(0, np.int64)

    def batch(self, step: int) -> Batch:
        """Return (heard, clean) of ``step``: (B, T) or (B, 2, T), and (B, T).

        Every epoch visits all segments in an order, at places and in noise of its own.
        """
        epoch, place = divmod(step, len(self._train) // self._size)
        if epoch != self._epoch:
            self._epoch = epoch
            self._order = np.random.default_rng([self._seed, epoch]).permutation(len(self._train))
        numbers = self._order[place * self._size : (place + 1) * self._size]
        rng = np.random.default_rng([self._seed, epoch, place])
        starts = rng.integers(self._train.samples - self._seen + 1, size=len(numbers))
        return self._converted(self._train, numbers, 1 + epoch, starts)

    def _converted(
        self, mixtures: Mixtures, numbers: np.ndarray, draw_number: int, starts: np.ndarray
    ) -> Batch:
        """Mix segments, let the whole of each be heard, and keep the stretch that is seen."""

        def converted(number: int, start: int) -> tuple[np.ndarray, np.ndarray]:
            noisy, clean = mixtures.row(int(number), draw_number)
            heard = preparation.heard(self._kind, noisy, self._rate)
            seen = slice(int(start), int(start) + self._seen)
            return heard[..., seen], clean[seen]

        with ThreadPoolExecutor(self._threads) as pool:
            rows = list(pool.map(converted, numbers, starts))
        heard, clean = (np.stack(part) for part in zip(*rows, strict=True))
        return torch.from_numpy(heard).to(self._device), torch.from_numpy(clean).to(self._device)

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Return the sum of both stages' losses, and each stage's own."""
        heard, clean = (to_channels(self._framing.analyse(part)) for part in batch)
        found = preparation.estimates(self._kind, self.network, heard)
        stages = {"final": self._loss(found.final, clean)}
        if found.first is not None:
            stages["first"] = self._loss(found.first, clean)
        return stages | {"loss": sum(stages.values())}

    def validate(self) -> float:
        """Return the mean loss of the last stage over all validation segments."""
        total, count = 0.0, len(self._validation)
        for start in range(0, count, self._size):
            numbers = np.arange(start, min(start + self._size, count))
            starts = np.full(len(numbers), (self._validation.samples - self._seen) // 2)
            batch = self._converted(self._validation, numbers, 0, starts)
            final = self.losses(batch)["final"]
            total += final.item() * len(numbers)
        return total / count

    def probe(self, samples: int) -> Tensor:
        """Return what is heard of a noisy programme, (1, T) or (1, 2, T), with T = ``samples``.

        The network never learned from it.
        """
        count = -(-samples // self._validation.samples)
        rows = [self._validation.row(number % len(self._validation))[0] for number in range(count)]
        heard = preparation.heard(self._kind, np.concatenate(rows)[:samples], self._rate)
        return torch.from_numpy(heard)[None].to(self._device)


def start_at_nothing(network: Denoiser, seed: int) -> None:
    """Draw the kernels that give the stages' estimates from N(0, 1e-3²), without bias.

    A network that corrects the classical restoration then starts at it.
    """
    heads = [network.finalblock.conv2]
    if network.two_stages:
        heads.append(network.sam_1.conv2)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for head in heads:
            torch.nn.init.normal_(head.weight, std=1e-3)
            torch.nn.init.zeros_(head.bias)


def train(settings: Settings, name: str) -> None:
    """Train one network on the fragments of the profile; leave its weights and its curve."""
    task: DenoiserSettings = settings.systems["denoiser"]
    determinism.pin(settings.compute)
    device = determinism.device(settings.compute.device)
    folder = paths.fragments(settings.profile, "denoiser")
    entry, training = task.networks[name], task.training
    published = training.recipe == "published"
    parts = {
        split: Mixtures(folder, split, task, settings.seed, published)
        for split in ("train", "validation")
    }
    network = networks.build(task.network_class(name), seed=settings.seed, **entry.for_build())
    if entry.input == CLASSICAL:
        start_at_nothing(network, settings.seed)
    threads = settings.compute.threads
    loop_task = DenoiserTask(network, entry.input, parts, task, settings.seed, device, threads)
    run(
        settings,
        "denoiser",
        name,
        loop_task,
        training,
        lambda: _card(settings, name, loop_task, parts["train"]),
        decisive={
            "network": task.network_class(name),
            "entry": entry.model_dump(),
            "mixing": task.mixing.model_dump(),
            "segment_seconds": task.segment_seconds,
            "inputs": {
                f"{split} {kind}": sha256(fragments.array_path(folder, split, kind))
                for split in parts
                for kind in (fragments.CLEAN, fragments.NOISE)
            },
        },
        players={ALONE: _published_player(network, training)} if published else None,
    )


def _published_player(network: Denoiser, training: TrainingSettings) -> Player:
    optimiser = torch.optim.Adam(
        network.parameters(), lr=training.learning_rate, betas=_PUBLISHED_BETAS
    )
    return Player(network, optimiser, partial(dropped, training))


def _card(
    settings: Settings,
    name: str,
    loop_task: DenoiserTask,
    train: Mixtures,
) -> weights.Card:
    """Describe the weights; the edge effect is measured on them, with validation segments."""
    task: DenoiserSettings = settings.systems["denoiser"]
    network = loop_task.network.eval()
    samples = _PROBE_GRIDS * grid(network)
    process = processor(network, task.networks[name].input)
    with torch.inference_mode():
        reach = edge_seconds(process, loop_task.probe(samples), task.sample_rate, grid(network))
    return weights.Card(
        network=task.network_class(name),
        settings=task.networks[name].for_build(),
        sample_rate=task.sample_rate,
        level=None,
        edge_seconds=reach,
        origin="trained",
        licence="that of the recordings it was trained on",
        profile=settings.profile,
        trained_on=tuple(sorted(train.digests)),
        extra={
            "input": task.networks[name].input,
            "parameters": sum(parameter.numel() for parameter in network.parameters()),
            "edge_probe_seconds": samples / task.sample_rate,
            "snr_db": list(task.mixing.snr_db),
            "recipe": task.training.recipe,
            "steps": task.training.steps,
            "roles": list(task.roles),
        },
    )
