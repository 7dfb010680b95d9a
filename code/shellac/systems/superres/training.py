"""Training of the super-resolution networks: mean squared error between output and original."""

from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import torch
from torch import nn

from shellac import networks, paths, weights
from shellac.config import Settings
from shellac.datasets import corpora
from shellac.errors import DataError, UsageError
from shellac.files import read_csv, sha256
from shellac.metrics import lsd_reference, snr_reference_db
from shellac.systems.edges import edge_seconds
from shellac.systems.superres.fragments import file_name, training_pair
from shellac.systems.superres.restoration import grid, processor
from shellac.systems.superres.settings import SuperResolutionSettings
from shellac.training import determinism, processes
from shellac.training.run import run

_PROBE_SECONDS = 8.0


class Patches:
    """Random access to one HDF5 file of patches without reading the whole."""

    def __init__(self, path: Path):
        try:
            self._file = h5py.File(path, "r")
            self.data, self.label = self._file["data"], self._file["label"]
        except (OSError, KeyError) as error:
            raise DataError(f"{path}: no readable fragments; run shellac fragments") from error

    def __len__(self) -> int:
        return len(self.data)

    def rows(self, numbers: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        """Return (data, label), each (B, 1, T), of the given patches in the given order."""
        order = np.argsort(numbers)
        back = np.argsort(order)
        ascending = numbers[order]  # HDF5 wants ascending indices
        pair_ = (torch.from_numpy(part[ascending][back]) for part in (self.data, self.label))
        return tuple(tensor.transpose(1, 2).contiguous() for tensor in pair_)

    def peak(self) -> float:
        """Largest magnitude of all originals."""
        step = 256
        starts = range(0, len(self), step)
        return max(float(np.abs(self.label[start : start + step]).max()) for start in starts)


class SuperResolutionTask:
    """Batches, loss and validation for :func:`shellac.training.loop.fit`."""

    def __init__(
        self,
        network: nn.Module,
        train: Patches,
        validation: Patches,
        batch_size: int,
        seed: int,
        device: torch.device,
    ):
        self.network = network.to(device)
        self._train, self._validation = train, validation
        self._batch_size = min(batch_size, len(train))
        self._together = 1 if getattr(network, "mode", "") == "legacy" else self._batch_size
        self._seed, self._device = seed, device
        self._epoch, self._order = -1, np.zeros(0, np.int64)

    def batch(self, step: int) -> tuple[torch.Tensor, ...]:
        """Return (data, label) of ``step``; every epoch visits all patches in its own order."""
        per_epoch = len(self._train) // self._batch_size
        epoch, place = divmod(step, per_epoch)
        if epoch != self._epoch:
            self._epoch = epoch
            self._order = np.random.default_rng([self._seed, epoch]).permutation(len(self._train))
        numbers = self._order[place * self._batch_size : (place + 1) * self._batch_size]
        return tuple(part.to(self._device) for part in self._train.rows(numbers))

    def losses(self, batch: tuple[torch.Tensor, ...]) -> dict[str, torch.Tensor]:
        """Mean squared error over all elements, the published loss."""
        data, label = batch
        return {"loss": nn.functional.mse_loss(self.network(data), label)}

    def validate(self) -> float:
        """Return the mean squared error over all validation patches.

        The legacy TFiLM mode sees them one at a time, as in a restoration: a result there depends
        on the rest of its batch.
        """
        total = 0.0
        for data, label in self._validation_batches():
            total += nn.functional.mse_loss(self.network(data), label).item() * len(data)
        return total / len(self._validation)

    def judge(self) -> tuple[float, float]:
        """Return (-SNR in dB, LSD) over validation patches, as the published recipe judges."""
        scores = []
        for data, label in self._validation_batches():
            restored = self.network(data)
            pairs = zip(label[:, 0].cpu().numpy(), restored[:, 0].cpu().numpy(), strict=True)
            scores += [(-snr_reference_db(*each), lsd_reference(*each)) for each in pairs]
        return tuple(np.mean(scores, axis=0).tolist())

    def _validation_batches(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        count = len(self._validation)
        for start in range(0, count, self._together):
            numbers = np.arange(start, min(start + self._together, count))
            yield tuple(part.to(self._device) for part in self._validation.rows(numbers))


def start_at_the_input(network: nn.Module, seed: int) -> None:
    """Draw the last convolution from N(0, 1e-3²), so that training starts at the spline itself.

    The original TensorFlow code does so; with PyTorch's default, which the published
    reimplementation keeps, an untrained network adds noise louder than the band that is missing.
    """
    *_, last = (layer for layer in network.modules() if isinstance(layer, nn.Conv1d))
    generator = torch.Generator().manual_seed(seed)
    nn.init.normal_(last.weight, std=1e-3, generator=generator)
    nn.init.zeros_(last.bias)


def train(settings: Settings, name: str) -> None:
    """Train one network on the fragments of the profile; leave its weights and its curve.

    What the recipes differ in stands in :class:`TrainingSettings`.

    The weights' card names every recording seen, the level and the measured edge effect.
    """
    task: SuperResolutionSettings = settings.systems["superres"]
    determinism.pin(settings.compute)
    device = determinism.device(settings.compute.device)
    folder = paths.fragments(settings.profile, "superres")
    files = {split: folder / file_name(settings, task, split) for split in ("train", "validation")}
    patches = {split: Patches(path) for split, path in files.items()}
    build = task.networks[name].for_build()
    network = networks.build(task.network_class(name), seed=settings.seed, **build)
    if processes.count() > 1 and getattr(network, "mode", "") == "legacy":
        raise UsageError(f"superres/{name}: legacy TFiLM needs whole batches: one process only")
    published = task.training.recipe == "published"
    if not published:
        start_at_the_input(network, settings.seed)
    size = task.training.batch_size
    loop_task = SuperResolutionTask(
        network, patches["train"], patches["validation"], size, settings.seed, device
    )
    run(
        settings,
        "superres",
        name,
        loop_task,
        task.training.steady() if published else task.training,
        lambda: _card(settings, task, name, network.eval(), device, files["train"]),
        decisive={
            "network": task.network_class(name),
            "build": build,
            "inputs": {split: sha256(path) for split, path in files.items()},
        },
        judge=loop_task.judge if published else None,
    )


def _card(
    settings: Settings,
    task: SuperResolutionSettings,
    name: str,
    network: nn.Module,
    device: torch.device,
    train_file: Path,
) -> weights.Card:
    sources = {row["sha256"] for row in read_csv(train_file.with_suffix(".index.csv"))}
    held_out = next(corpora.recordings(settings, task.roles, "validation", task.corpora))
    heard = training_pair(held_out, task, settings.seed)[0]
    probe = np.resize(heard, int(_PROBE_SECONDS * task.sample_rate))
    probe_tensor = torch.from_numpy(probe)[None].to(device)
    reach = edge_seconds(processor(network), probe_tensor, task.sample_rate, grid(network))
    return weights.Card(
        network=task.network_class(name),
        settings=task.networks[name].for_build(),
        sample_rate=task.sample_rate,
        level=Patches(train_file).peak(),
        edge_seconds=reach,
        origin="trained",
        licence="that of the recordings it was trained on",
        profile=settings.profile,
        trained_on=tuple(sorted(sources)),
        extra={
            "scale": task.scale,
            "low_pass": task.low_pass,
            "training_low_pass": task.trained_low_pass,
            "recipe": task.training.recipe,
            "steps": task.training.steps,
            "roles": list(task.roles),
        },
    )
