"""The constant-Q transform beside denser and plainer ones, and the CQTdiff+ network over its floor.

As a script, ``cqt.py NAME SAMPLES CHECKPOINTING`` computes one gradient in a process of its own and
prints what it cost as JSON.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import calibration
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from shellac import networks
from shellac.allocation import peak_mb
from shellac.transforms.cqt import CQT

NAMES = ("babe2/cqtdiff_22k", "babe2/cqtdiff_44k")
GRIDS = ((7, 64, 22050, 184184), (8, 32, 44100, 262144))
_CALIBRATIONS = 100  # of 3 ms each: as long as a network's turn needs to be compared with


class Entries(NamedTuple):
    """Bands and spectrum tied entry by entry: place in all bands, in the spectrum, weight."""

    band: Tensor
    place: Tensor
    weight: Tensor


def entries(transform: CQT, like: Tensor) -> tuple[Entries, Entries]:
    """List the entries of the analysis and of the synthesis."""
    tables = transform._tables(like)
    found = []
    for each in (tables.analysis._lists[0], tables.synthesis._transposed[0]):
        weight = each.weights[:, 0]
        (band,) = weight.nonzero(as_tuple=True)
        found.append(Entries(band, each.places[band], weight[band]))
    return found[0], found[1]


def _cut(transform: CQT, bands: Tensor) -> list[Tensor]:
    count = transform.bins_per_octave
    cut = bands.split([count * size for size in transform.sizes], -1)
    return [octave.unflatten(-1, (count, -1)) for octave in cut]


def _flat(octaves: list[Tensor]) -> Tensor:
    return torch.cat([torch.fft.fft(octave).flatten(-2) for octave in octaves], -1)


def plain(transform: CQT, x: Tensor, octaves: list[Tensor]) -> tuple[Callable, Callable]:
    """Gather every entry and add it where it belongs: the transform without its short lists."""
    analysis, synthesis = entries(transform, x)
    total = sum(transform.sizes) * transform.bins_per_octave

    def forward() -> list[Tensor]:
        spectrum = torch.fft.rfft(x)
        bands = spectrum.new_zeros(*x.shape[:-1], total)
        read = spectrum.index_select(-1, analysis.place) * analysis.weight
        bands.index_add_(-1, analysis.band, read)
        return [torch.fft.ifft(octave) for octave in _cut(transform, bands)]

    def inverse() -> Tensor:
        bands = _flat(octaves)
        spectrum = bands.new_zeros(*bands.shape[:-1], transform.samples // 2 + 1)
        read = bands.index_select(-1, synthesis.band) * synthesis.weight
        spectrum.index_add_(-1, synthesis.place, read)
        return torch.fft.irfft(spectrum, transform.samples)

    return forward, inverse


def dense(transform: CQT, x: Tensor, octaves: list[Tensor]) -> tuple[Callable, Callable]:
    """Multiply by the matrix of all windows, and find the places of a band in index matrices.

    The published formulation, in memory as Python comes.
    """
    analysis, synthesis = entries(transform, x)
    width, count = transform.samples // 2 + 1, transform.bins_per_octave
    sizes = torch.tensor(transform.sizes).repeat_interleave(count)
    ends = sizes.cumsum(0)
    owner = torch.bucketize(torch.arange(int(ends[-1])), ends, right=True)
    windows, duals = torch.zeros(2, transform.bins, width)
    windows[owner[analysis.band], analysis.place] = analysis.weight
    duals[owner[synthesis.band], synthesis.place] = synthesis.weight
    read = torch.zeros(int(ends[-1]), dtype=torch.int64)
    read[analysis.band] = analysis.place
    back = torch.zeros(transform.bins, width, dtype=torch.int64)
    starts = (ends - sizes)[owner[synthesis.band]]
    back[owner[synthesis.band], synthesis.place] = synthesis.band - starts
    rows = _cut(transform, read)
    inside = [
        part.gather(-1, row) != 0 for part, row in zip(windows.split(count), rows, strict=True)
    ]

    @calibration.memory_returned()
    def forward() -> list[Tensor]:
        product = torch.fft.rfft(x)[..., None, :] * windows
        found = []
        for part, row, held in zip(product.split(count, -2), rows, inside, strict=True):
            band = part.gather(-1, row.expand(*part.shape[:-1], -1))
            found.append(torch.fft.ifft(band.where(held, 0)))
        return found

    @calibration.memory_returned()
    def inverse() -> Tensor:
        total = x.new_zeros(*x.shape[:-1], width, dtype=torch.complex64)
        matrices = zip(back.split(count), duals.split(count), strict=True)
        for octave, (places, dual) in zip(octaves, matrices, strict=True):
            bands = torch.fft.fft(octave)
            total += (bands.gather(-1, places.expand(*bands.shape[:-1], -1)) * dual).sum(-2)
        return torch.fft.irfft(total, transform.samples)

    return forward, inverse


def _distance(found: Tensor, wanted: Tensor) -> float:
    return float(torch.linalg.vector_norm(found - wanted) / torch.linalg.vector_norm(wanted))


def transforms(grid: tuple[int, int, int, int], turns: int) -> Iterator[dict[str, object]]:
    """Yield a row each for analysis and synthesis; ratios are the others' times over ours."""
    transform = CQT(*grid)
    x = torch.randn(1, grid[3], generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        octaves = transform.analyse(x)
        ours = (lambda: transform.analyse(x), lambda: transform.synthesise(octaves))
        others = (plain(transform, x, octaves), dense(transform, x, octaves))
        for i, what in enumerate(("analysis", "synthesis")):
            calls = [ours[i], *(other[i] for other in others)]
            fast, gathered, full = calibration.alternate(calls, turns)
            results = [call() if i else torch.cat([o.flatten() for o in call()]) for call in calls]
            yield {
                "what": f"constant-Q {what}, {grid[0]} x {grid[1]}, {grid[3]} samples",
                "cpu_seconds": fast,
                "plain_seconds": gathered,
                "plain_ratio": gathered / fast,
                "dense_seconds": full,
                "dense_ratio": full / fast,
                "largest_distance": max(_distance(each, results[0]) for each in results[1:]),
            }


def open_network(name: str, samples: int, width: float) -> nn.Module:
    """Build a network as restoration has it, all gates open, on the published grid's sizes."""
    network = networks.build(name, samples=samples, width=width).eval().requires_grad_(False)
    for parameter in (p for n, p in network.named_parameters() if ".gate." in n):
        parameter.fill_(0.1)
    return network


def _forward(network: nn.Module, x: Tensor) -> None:
    with torch.inference_mode():
        network(x, x.new_zeros(1, 1))


def gradient_by_input(network: nn.Module, x: Tensor) -> None:
    """Compute the gradient by the input, as a sampler's guidance needs it."""
    given = x.detach().requires_grad_()
    network(given, x.new_zeros(1, 1)).square().sum().backward()


def operations(name: str, samples: int, width: float, run: Callable) -> float:
    """Count floating-point operations of the direct algorithms, without computing anything."""
    with torch.device("meta"):
        network, x = open_network(name, samples, width), torch.empty(1, samples)
        with FlopCounterMode(display=False) as counter:
            run(network, x)
    return float(counter.get_total_flops())


def over_floor(
    name: str, samples: int, width: float, turns: int, calibrations: int
) -> Iterator[dict[str, object]]:
    """Yield a row for the forward pass and one with the gradient; ``ratio`` is over the floor."""
    network = open_network(name, samples, width)
    x = torch.randn(1, samples, generator=torch.Generator().manual_seed(0))

    def convolutions() -> None:
        for _ in range(calibrations):
            calibration.conv2d()

    for what, run in (("forward", _forward), ("forward and gradient", gradient_by_input)):
        flops = operations(name, samples, width, run)
        calls = (convolutions, lambda f=run: f(network, x), convolutions)
        before, seconds, after = calibration.alternate(calls, turns)
        rate = 2 * calibrations * calibration.conv2d() / (before + after)
        yield {
            "what": f"{name} {what}, {samples} samples",
            "cpu_seconds": seconds,
            "gflop": flops / 1e9,
            "floor_seconds": flops / rate,
            "ratio": seconds * rate / flops,
            "conv2d_gflops": rate / 1e9,
        }


def memory(name: str, samples: int, width: float = 1.0) -> Iterator[dict[str, object]]:
    """Yield the peak memory of a gradient, in MB, without and with activation checkpointing."""
    for checkpointing in (0, 1):
        arguments = [name, str(samples), str(width), str(checkpointing)]
        command = [sys.executable, str(Path(__file__).resolve()), *arguments]
        done = subprocess.run(command, capture_output=True, check=True, text=True)
        kind = "with" if checkpointing else "without"
        yield {
            "what": f"{name} gradient {kind} checkpointing, {samples} samples",
            **json.loads(done.stdout),
        }


def _one_gradient(name: str, samples: int, width: float, checkpointing: bool) -> dict[str, float]:
    network = open_network(name, samples, width)
    network.checkpointing = checkpointing
    x = torch.randn(1, samples, generator=torch.Generator().manual_seed(0))
    base, start = peak_mb(), time.process_time()
    gradient_by_input(network, x)
    return {
        "peak_mb": peak_mb(),
        "base_mb": base,
        "cpu_seconds": time.process_time() - start,
    }


def measure(
    grids: tuple[tuple[int, int, int, int], ...] = GRIDS,
    shares: float = 0.5,
    width: float = 1.0,
    turns: int = 3,
    calibrations: int = _CALIBRATIONS,
) -> Iterator[dict[str, object]]:
    """Yield all rows; networks are timed on a share of a published segment.

    The gradient's memory is measured at the whole published piano segment.
    """
    for grid in grids:
        yield from transforms(grid, turns)
    for name, grid in zip(NAMES, grids, strict=True):
        yield from over_floor(name, int(grid[3] * shares), width, turns, calibrations)
    yield from memory(NAMES[0], grids[0][3], width)


if __name__ == "__main__":
    torch.set_num_threads(1)
    told = _one_gradient(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), sys.argv[4] == "1")
    print(json.dumps(told))
