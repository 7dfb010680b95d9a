"""Networks over their floor: the direct algorithm's operations at the rate of a plain conv2d."""

from collections.abc import Iterator

import calibration
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from shellac import networks

NAMES = ("audiounet", "tfilm", "afilm")


def operations(name: str, batch: int, length: int, width: float, train: bool) -> float:
    """Count floating-point operations of the direct algorithms, without computing anything.

    On the ``meta`` device, where every layer takes PyTorch's own kernels. Recurrent layers are
    not counted (2 % of ``tfilm``).
    """
    with torch.device("meta"):
        network, x = networks.build(f"superres/{name}", width=width), torch.empty(batch, 1, length)
    with FlopCounterMode(display=False) as counter:
        loss = network.train(train)(x).square().mean()
        if train:
            loss.backward()
    return float(counter.get_total_flops())


def _infer(network: nn.Module, x: torch.Tensor) -> None:
    with torch.inference_mode():
        network.eval()(x)


def _step(network: nn.Module, x: torch.Tensor) -> None:
    network.train().zero_grad()
    network(x).square().mean().backward()


def measure(
    width: float = 1.0, length: int = 32768, batch: int = 4, patch: int = 8192, turns: int = 3
) -> Iterator[dict[str, object]]:
    """Yield one row per network for inference of one item and one for the gradients of a batch."""
    tasks = (("inference", _infer, 1, length), ("training step", _step, batch, patch))
    for name in NAMES:
        network = networks.build(f"superres/{name}", width=width)
        for task, run, items, samples in tasks:
            x = torch.randn(items, 1, samples, generator=torch.Generator().manual_seed(0))
            flops = operations(name, items, samples, width, train=run is _step)
            seconds, plain, product = calibration.alternate(
                (lambda f=run, n=network, x=x: f(n, x), calibration.conv2d, calibration.matmul),
                turns,
            )
            conv2d_rate, matmul_rate = calibration.conv2d() / plain, calibration.matmul() / product
            yield {
                "what": f"{name} {task}, {items} x {samples}",
                "cpu_seconds": seconds,
                "floor_seconds": flops / conv2d_rate,
                "ratio": seconds * conv2d_rate / flops,
                "conv2d_gflops": conv2d_rate / 1e9,
                "matmul_gflops": matmul_rate / 1e9,
            }
