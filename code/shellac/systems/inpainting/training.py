"""Training of the inpainting networks: squared error, in two stages or variational where they are.

What the two recipes differ in stands in :class:`.settings.TrainingSettings`. Networks that correct
autoregression learn from other data and by another loss: :mod:`.correction_training`.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from shellac import networks, paths, weights
from shellac.config import Settings
from shellac.files import sha256
from shellac.systems.inpainting import fragments, preparation, representation
from shellac.systems.inpainting.correction_training import CorrectionTask
from shellac.systems.inpainting.filled import FilledGaps
from shellac.systems.inpainting.network import Estimate
from shellac.systems.inpainting.preparation import Conversion
from shellac.systems.inpainting.segments import Segments, normalisation
from shellac.systems.inpainting.settings import InpaintingSettings, TrainingSettings
from shellac.systems.inpainting.start import begin_at_nothing
from shellac.training import determinism
from shellac.training.run import run

Batch = tuple[Tensor, Tensor, Tensor]


def kullback_leibler(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Divergence of N(mean, e^log_variance), both (B, Z), from N(0, 1): sum over Z, mean over B."""
    terms = 1 + log_variance - mean.square() - log_variance.exp()
    return -0.5 * terms.sum(dim=1).mean()


def loss(found: Estimate, target: Tensor, counted: Tensor, kl_weight: float) -> Tensor:
    """Squared error of an estimate (B, C, N, F) against a target (B, 1, N, F).

    The mean over the frames ``counted`` (B, N); with an intermediate estimate the sum of both
    errors; with a latent distribution plus ``kl_weight`` times its divergence.
    """
    total = _squared_error(found.restored, target, counted)
    if found.intermediate is not None:
        total = total + _squared_error(found.intermediate, target, counted)
    if found.mean is not None:
        total = total + kl_weight * kullback_leibler(found.mean, found.log_variance)
    return total


def _squared_error(x: Tensor, target: Tensor, counted: Tensor) -> Tensor:
    error = (x - target).square().mean(dim=(1, 3))  # (B, N)
    return (error * counted).sum() / counted.sum().clamp_min(1)


class InpaintingTask:
    """Batches, loss and validation for :func:`shellac.training.loop.fit`."""

    def __init__(
        self,
        network: nn.Module,
        conversion: Conversion,
        parts: Mapping[str, Segments],
        training: TrainingSettings,
        seed: int,
        device: torch.device,
    ):
        # a map's channels beside each other: up to twice as fast on a CPU
        self.network = network.to(device, memory_format=torch.channels_last)
        self._conversion, self._device, self._seed = conversion, device, seed
        self._train, self._validation = parts["train"], parts["validation"]
        self._published = training.recipe == "published"
        self._kl_weight = training.kl_weight
        self._size = min(training.batch_size, len(self._train))
        self._epoch, self._order = -1, np.zeros(0, np.int64)

    def batch(self, step: int) -> Batch:
        """Return (prepared, target, lost) of ``step``, in the network's space.

        Every epoch visits all segments: in file order with the same gaps (published), or in an
        order and with gaps of its own.
        """
        epoch, place = divmod(step, len(self._train) // self._size)
        part = slice(place * self._size, (place + 1) * self._size)
        if self._published:
            return self._converted(self._train, np.arange(len(self._train))[part], 0)
        if epoch != self._epoch:
            self._epoch = epoch
            self._order = np.random.default_rng([self._seed, epoch]).permutation(len(self._train))
        return self._converted(self._train, self._order[part], 1 + epoch)

    def _converted(self, segments: Segments, numbers: np.ndarray, draw_number: int) -> Batch:
        whole, lost = segments.rows(numbers, draw_number)
        prepared, level = self._conversion.prepare(whole * ~lost[:, None, :, None], lost)
        target = self._conversion.form.normalise(whole, level)
        return tuple(part.to(self._device) for part in (prepared, target, lost))

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Return the loss that the network's kind and the recipe ask for."""
        prepared, target, lost = batch
        found = self._estimate(prepared, lost)
        counted = torch.ones_like(lost) if self._published else lost
        return {"loss": loss(found, target, counted, self._kl_weight)}

    def _estimate(self, prepared: Tensor, lost: Tensor) -> Estimate:
        """Run the network; variational ones draw in training, from PyTorch's generator."""
        draws = self.network.training and self.network.latent
        shape = (len(prepared), self.network.latent)
        eps = torch.randn(shape, device=prepared.device) if draws else None
        return preparation.estimate(self.network, self._conversion, prepared, lost, eps)

    def validate(self) -> float:
        """Return the mean loss over all validation segments, with their fixed gaps."""
        total = 0.0
        for batch in self._validation_batches():
            total += self.losses(batch)["loss"].item() * len(batch[0])
        return total / len(self._validation)

    def judge(self) -> tuple[float]:
        """Return the negative mean PSNR over validation segments, as the published recipe judges.

        In dB with a range of 1 on normalised cells; segments without any error do not count.
        """
        found = []
        for prepared, target, lost in self._validation_batches():
            restored = self._estimate(prepared, lost).restored
            error = (restored - target).square().mean(dim=(1, 2, 3))
            found += (-10 * torch.log10(error[error > 0])).tolist()
        return (-float(np.mean(found)),)

    def _validation_batches(self) -> Iterator[Batch]:
        count = len(self._validation)
        for start in range(0, count, self._size):
            numbers = np.arange(start, min(start + self._size, count))
            yield self._converted(self._validation, numbers, 0)


def train(settings: Settings, name: str) -> None:
    """Train one network on the fragments of the profile; leave its weights and its curve."""
    task: InpaintingSettings = settings.systems["inpainting"]
    determinism.pin(settings.compute)
    device = determinism.device(settings.compute.device)
    folder = paths.fragments(settings.profile, "inpainting")
    entry, training = task.networks[name], task.training
    conversion = _conversion(folder, task, name)
    parts = _parts(folder, conversion, task, settings.seed)
    network = networks.build(task.network_class(name), seed=settings.seed, **entry.for_build())
    published = training.recipe == "published" and not conversion.corrects
    if conversion.corrects:
        loop_task = CorrectionTask(
            network, conversion, parts, training.batch_size, settings.seed, device
        )
    else:
        loop_task = InpaintingTask(network, conversion, parts, training, settings.seed, device)
    if conversion.corrects or (not published and entry.input == "interpolated"):
        begin_at_nothing(network, lambda: loop_task.losses(loop_task.batch(0)), settings.seed)
    count = sum(parameter.numel() for parameter in network.parameters())
    run(
        settings,
        "inpainting",
        name,
        loop_task,
        training.steady() if training.recipe == "published" else training,
        lambda: _card(settings, name, conversion, parts["train"], count),
        decisive={
            "network": task.network_class(name),
            "entry": entry.model_dump(),
            "gaps": task.gaps.model_dump(),
            "inputs": {split: sha256(fragments.target_path(folder, split)) for split in parts},
        },
        judge=loop_task.judge if published else None,
    )


def _conversion(folder: Path, task: InpaintingSettings, name: str) -> Conversion:
    """Return what stands before and after a network."""
    chosen = task.networks[name].input
    form = "spectrogram" if chosen == "autoregressive" else task.representation
    one_scale = representation.get(form).scale is not None
    scale = normalisation(folder) if one_scale else (None, None)
    return Conversion(form, *scale, chosen)


def _parts(
    folder: Path, conversion: Conversion, task: InpaintingSettings, seed: int
) -> dict[str, Segments] | dict[str, FilledGaps]:
    """Return what a network learns from and is judged by, per split."""
    if conversion.corrects:
        window = conversion.form.samples(conversion.form.block_frames)
        return {split: FilledGaps(folder, split, window) for split in fragments.SPLITS}
    return {split: Segments(folder, split, task, seed) for split in fragments.SPLITS}


def _card(
    settings: Settings,
    name: str,
    conversion: Conversion,
    train: Segments | FilledGaps,
    parameters: int,
) -> weights.Card:
    task: InpaintingSettings = settings.systems["inpainting"]
    return weights.Card(
        network=task.network_class(name),
        settings=task.networks[name].for_build(),
        sample_rate=task.sample_rate,
        level=None,
        edge_seconds=0.0,
        origin="trained",
        licence="that of the recordings it was trained on",
        profile=settings.profile,
        trained_on=tuple(sorted({digest for digest, _ in train.sources})),
        extra={
            **conversion.for_card(),
            "parameters": parameters,
            "gaps": "filled by autoregression" if conversion.corrects else task.gaps.kind,
            "recipe": task.training.recipe,
            "steps": task.training.steps,
            "roles": list(task.roles),
        },
    )
