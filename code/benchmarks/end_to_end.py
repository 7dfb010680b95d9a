"""``shellac restore`` over its network's floor: what context, resampling and files add to it.

Networks of the published size with fresh weights, since what is computed does not depend on their
values. Their edge effect is set to the most that the probe of published weights can show, so that
no published weights carry more context.
"""

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import calibration
import numpy as np
import torch
from networks import BINS, operations
from torch import nn
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook

from shellac import audio, chunking, networks, weights
from shellac.commands.inputs import Job
from shellac.commands.restore import Options, Session
from shellac.systems import registry

EDGE_SECONDS = {"denoiser/unet_22k": 1.5, "behm_gan/unet": 1.5, "superres/tfilm": 2.05}
_RATE = 44100
_HOUR = 3600
_HOP = 256  # samples between frames, of networks that see spectrograms
_COUNTED = 128  # frames


def measure(seconds: float = 40, width: float = 1.0, turns: int = 3) -> Iterator[dict[str, object]]:
    """Yield one row per network for one recording of 44.1 kHz, mono.

    ``ratio`` is the whole command over the floor of the recording without context,
    ``ratio_in_kernel`` what of it the system spent, which clears the memory of large maps anew, or
    has to get it from a virtual machine's host again (``machine.py``);
    ``network_ratio`` what was spent in the network alone over the same floor, with the context;
    ``context_of_an_hour`` how much more than its length is computed of a long recording.
    """
    for name in EDGE_SECONDS:
        with tempfile.TemporaryDirectory() as folder:
            yield _row(name, Path(folder), seconds, width, turns)


def _row(name: str, folder: Path, seconds: float, width: float, turns: int) -> dict[str, object]:
    rate = registry.find(name)[1].sample_rate
    network, stored = fresh(name, folder, width)
    source = folder / "input.wav"
    noise = np.random.default_rng(0).standard_normal((1, round(seconds * _RATE)), np.float32)
    audio.write(source, 0.05 * noise, _RATE)
    session = Session(Options((name,), (str(stored),), device="cpu"))
    before = _rate_of(turns)
    in_kernel = os.times().system
    with _timed(type(network)) as spent, calibration.memory_returned("small"):
        whole = calibration.cpu_seconds(lambda: session.run(Job(source, folder / "out")))
    in_kernel = os.times().system - in_kernel
    conv2d_rate = float(np.median([*before, *_rate_of(turns)]))
    floor = _operations(name, seconds, rate, width) / conv2d_rate
    plan = chunking.plan(_HOUR * _RATE, session.restorer.layout(_RATE))
    return {
        "what": f"{name} restores {seconds:g} s",
        "cpu_seconds": whole,
        "floor_seconds": floor,
        "ratio": whole / floor,
        "ratio_in_kernel": in_kernel / floor,
        "network_ratio": sum(spent) / floor,
        "beside_network_seconds": whole - sum(spent),
        "context_of_an_hour": sum(each.read_stop - each.read_start for each in plan)
        / (_HOUR * _RATE) - 1,
        "conv2d_gflops": conv2d_rate / 1e9,
    }  # fmt: skip


def fresh(name: str, folder: Path, width: float = 1.0) -> tuple[nn.Module, Path]:
    """Return a network with fresh weights, and the file that they are stored in."""
    network, path = networks.build(name, seed=0, width=width), folder / "fresh.safetensors"
    card = weights.Card(
        network=name, settings={"width": width}, sample_rate=registry.find(name)[1].sample_rate,
        level=None, edge_seconds=EDGE_SECONDS[name], origin="benchmark", licence="",
    )  # fmt: skip
    weights.store(path, network.state_dict(), card)
    return network, path


def _operations(name: str, seconds: float, rate: int, width: float) -> float:
    """Count the operations of one pass over a recording, without context."""
    if name.startswith("superres"):
        length = 32768
        return operations(name, (1, 1, length), width, False) * seconds * rate / length
    whole = operations(name, (1, 2, _COUNTED, BINS), width, False)
    return whole * seconds * rate / _HOP / _COUNTED


def _rate_of(turns: int) -> list[float]:
    calibration.conv2d()
    return [
        calibration.conv2d() / calibration.cpu_seconds(calibration.conv2d) for _ in range(turns)
    ]


@contextmanager
def _timed(kind: type[nn.Module]) -> Iterator[list[float]]:
    """Yield a list that gets the CPU seconds of every call of networks of a class."""
    spent: list[float] = []

    def before(module: nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
        if isinstance(module, kind):
            spent.append(-time.process_time())

    def after(module: nn.Module, inputs: tuple[torch.Tensor, ...], output: object) -> None:
        if isinstance(module, kind):
            spent[-1] += time.process_time()

    hooks = register_module_forward_pre_hook(before), register_module_forward_hook(after)
    try:
        yield spent
    finally:
        for hook in hooks:
            hook.remove()
