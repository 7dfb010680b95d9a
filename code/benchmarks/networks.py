"""Networks over their floor: the direct algorithm's operations at the rate of a plain conv2d."""

import copy
from collections.abc import Iterator

import calibration
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from shellac import networks
from shellac.systems import weight_norm
from shellac.systems.inpainting.network import Estimate, fuse

WAVEFORM_NAMES = ("superres/audiounet", "superres/tfilm", "superres/afilm")
SPECTROGRAM_NAMES = ("denoiser/unet_22k", "behm_gan/unet")
WIDE_NAMES = ("denoiser/unet_44k",)  # their spectrograms have 1025 bins
INPAINTING_NAMES = tuple(
    f"inpainting/{name}" for name in ("UNet_v2", "Attention_UNet", "FPN_RFB_RON", "SE_ResNet")
)
BINS = 513
Shape = tuple[int, ...]


def operations(name: str, shape: Shape, width: float, train: bool) -> float:
    """Count floating-point operations of the direct algorithms, without computing anything.

    On the ``meta`` device, where every layer takes PyTorch's own kernels. Recurrent layers are
    not counted (2 % of ``superres/tfilm``).
    """
    with torch.device("meta"):
        network, x = networks.build(name, width=width), torch.empty(shape)
    with FlopCounterMode(display=False) as counter:
        loss = _result(network.train(train), x).square().mean()
        if train:
            loss.backward()
    return float(counter.get_total_flops())


def _result(network: nn.Module, x: torch.Tensor) -> torch.Tensor:
    result = network(x)
    if isinstance(result, Estimate):
        return result.restored
    return result.final if isinstance(result, tuple) else result


def _infer(network: nn.Module, x: torch.Tensor) -> None:
    with torch.inference_mode():
        _result(network.eval(), x)


def _step(network: nn.Module, x: torch.Tensor) -> None:
    network.train().zero_grad()
    _result(network, x).square().mean().backward()


def built(name: str, width: float) -> nn.Module:
    """Build a network as training lays it out, a map's channels beside each other."""
    network = networks.build(name, width=width).to(memory_format=torch.channels_last)
    if name in WIDE_NAMES:
        _calm(network)
    return network


def _calm(network: nn.Module) -> None:
    """Draw kernels as PyTorch does.

    Drawn as the original draws them, maps reach 1e10 until training tames them: the exponential of
    ELU then meets denormal numbers, at half its pace.
    """
    for kernel in (p for p in network.parameters() if p.ndim == 4):
        nn.init.kaiming_uniform_(kernel, a=5**0.5)


def measure(
    width: float = 1.0,
    length: int = 32768,
    batch: int = 4,
    patch: int = 8192,
    frames: int = 111,
    side: int = 128,
    turns: int = 3,
) -> Iterator[dict[str, object]]:
    """Yield one row per network for inference of one item and one for the gradients of a batch.

    Waveform networks: ``length`` samples, and ``batch`` of ``patch``. Spectrogram networks:
    ``frames`` (111 are 1.3 s) for both, prepared for inference as for restoration. Inpainting:
    ``batch`` segments of ``side`` frames by as many bins for both. All are laid out for gradients
    as in training, a map's channels beside each other; ``plain_ratio`` is that of the network as
    it was built, in PyTorch's own layout and with nothing folded, in turns with it.
    """
    waveforms = ((1, 1, length), (batch, 1, patch))
    spectrograms = ((1, 2, frames, BINS),) * 2
    wide = ((1, 2, frames, 2 * BINS - 1),) * 2
    segments = ((batch, 1, side, side),) * 2
    for names, shapes in (
        (WAVEFORM_NAMES, waveforms),
        (SPECTROGRAM_NAMES, spectrograms),
        (WIDE_NAMES, wide),
        (INPAINTING_NAMES, segments),
    ):
        for name in names:
            yield from _rows(name, shapes, width, turns)


def _rows(
    name: str, shapes: tuple[Shape, Shape], width: float, turns: int
) -> Iterator[dict[str, object]]:
    trained = built(name, width)
    plain = copy.deepcopy(trained).to(memory_format=torch.contiguous_format)
    prepared = weight_norm.prepare(fuse(trained))
    inference = ("inference", _infer, prepared, shapes[0])
    for task, run, network, shape in (inference, ("training step", _step, trained, shapes[1])):
        x = torch.randn(shape, generator=torch.Generator().manual_seed(0))
        flops = operations(name, shape, width, train=run is _step)
        seconds, unprepared, convolution, product = calibration.alternate(
            (lambda f=run, n=network, x=x: f(n, x), lambda f=run, x=x: f(plain, x),
             calibration.conv2d, calibration.matmul),
            turns,
        )  # fmt: skip
        conv2d_rate = calibration.conv2d() / convolution
        matmul_rate = calibration.matmul() / product
        yield {
            "what": f"{name} {task}, {' x '.join(map(str, shape))}",
            "cpu_seconds": seconds,
            "floor_seconds": flops / conv2d_rate,
            "ratio": seconds * conv2d_rate / flops,
            "plain_ratio": unprepared * conv2d_rate / flops,
            "conv2d_gflops": conv2d_rate / 1e9,
            "matmul_gflops": matmul_rate / 1e9,
        }
