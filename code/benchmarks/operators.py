"""Where the time of networks goes, operator by operator: inference of a batch, on one thread."""

import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import calibration
import networks as benchmark  # the benchmark of this name, which prepares them alike
import numpy as np
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from shellac.systems import weight_norm
from shellac.systems.inpainting.network import fuse

CASES = (
    *((name, (4, 1, 128, 128)) for name in benchmark.INPAINTING_NAMES),
    *((name, (1, 2, 111, 2 * benchmark.BINS - 1)) for name in benchmark.WIDE_NAMES),
)
_LEAST_SHARE = 0.02  # of the whole; what takes less is summed up


class _Timed(TorchDispatchMode):
    """Adds up seconds and floating-point operations by kind of operator."""

    def __init__(self):
        super().__init__()
        self.seconds: dict[str, float] = defaultdict(float)
        self.operations: dict[str, float] = defaultdict(float)

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        start = time.process_time()
        result = func(*args, **(kwargs or {}))
        packet, spent = func._overloadpacket, time.process_time() - start
        kind = _kind(packet, args)
        self.seconds[kind] += spent
        if packet in flop_registry:
            self.operations[kind] += flop_registry[packet](*args, **(kwargs or {}), out_val=result)
        return result


def _kind(packet: Any, args: Sequence[Any]) -> str:
    if packet is not torch.ops.aten.convolution:
        return packet.__name__
    kernel, stride, transposed = tuple(args[1].shape[2:]), args[3], args[6]
    name = "transposed convolution" if transposed else "convolution"
    return f"{name} {' x '.join(map(str, kernel))}" + ", strided" * (max(stride) > 1)


def measure(
    cases: Sequence[tuple[str, benchmark.Shape]] = CASES, width: float = 1.0, turns: int = 5
) -> Iterator[dict[str, object]]:
    """Yield a row per network, for an input of a shape, and kind of operator, dearest first.

    ``share`` is that of the network's time; ``ratio`` the time over that of as many operations at
    the rate of a plain convolution, for operators that are counted in operations.
    """
    for name, shape in cases:
        network = weight_norm.prepare(fuse(benchmark.built(name, width)))
        x = torch.randn(shape, generator=torch.Generator().manual_seed(0))
        x = x.contiguous(memory_format=torch.channels_last)
        runs, rates = [], []
        with torch.no_grad():  # in inference mode convolutions are not told apart
            network(x)
            calibration.conv2d()
            for _ in range(turns):
                with _Timed() as timed:
                    network(x)
                runs.append(timed)
                seconds = calibration.cpu_seconds(calibration.conv2d)
                rates.append(calibration.conv2d() / seconds)
        yield from _rows(name, runs, float(np.median(rates)))


def _rows(name: str, runs: Sequence[_Timed], rate: float) -> Iterator[dict[str, object]]:
    kinds = runs[0].seconds
    spent = {kind: float(np.median([run.seconds[kind] for run in runs])) for kind in kinds}
    whole, rest = sum(spent.values()), 0.0
    for kind, seconds in sorted(spent.items(), key=lambda item: -item[1]):
        if seconds < _LEAST_SHARE * whole:
            rest += seconds
            continue
        row = {"what": f"{name}: {kind}", "cpu_seconds": seconds, "share": seconds / whole}
        if operations := runs[0].operations.get(kind):
            row |= {"gflop": operations / 1e9, "ratio": seconds * rate / operations}
        yield row
    if rest:
        yield {"what": f"{name}: all else", "cpu_seconds": rest, "share": rest / whole}
