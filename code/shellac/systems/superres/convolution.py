"""The dilated convolution of the super-resolution networks, by the cheapest of several algorithms.

The kernels are long (up to 65 taps), so that most of the multiplications of a direct convolution
can be saved: :func:`_spectral` cuts the signal into blocks and multiplies their discrete Fourier
transforms, both steps as matrix products. Short signals and thin layers are better served by the
direct forms. Which one runs follows from the shapes alone: equal shapes take equal paths, and a
run repeats bit by bit. The results differ by float rounding only.
"""

import functools
import math

import torch
from torch import Tensor, nn
from torch.nn import functional

DILATION = 2

_BLOCKS = (16, 24, 32, 48, 64, 80, 96, 128, 160, 192)
# Costs are in multiply-accumulates of a large matrix product. Moving a value between layouts takes
# as long as so many of them, and so does a value of the transformed taps.
_MOVE_COST = 250
_TAP_COST = 100
_FULL_RATE_CHANNELS = 64  # with fewer, a direct convolution stays below the machine's rate
_GROUP_VALUES = 2**22  # 16 MiB: larger memory comes from the system anew at every call


class DilatedConv1d(nn.Conv1d):
    """A convolution dilated by 2 that keeps the length: (B, in, T) -> (B, out, T).

    Parameters, their names and initial values are those of :class:`torch.nn.Conv1d`, whose own
    kernels run on every device but the CPU. ``kernel`` must be odd.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel: int):
        padding = DILATION * (kernel - 1) // 2
        super().__init__(in_channels, out_channels, kernel, padding=padding, dilation=DILATION)

    def forward(self, x: Tensor) -> Tensor:
        """Convolve with zeros around both ends."""
        if x.device.type != "cpu":
            return super().forward(x)
        name, block = algorithm(*self.weight.shape, x.shape[0], x.shape[2])
        if name == "spectral":
            return _spectral(x, self.weight, self.bias, block)
        if name == "plain":
            return super().forward(x)
        return _DIRECT[name](x, self.weight, self.bias)


@functools.lru_cache(maxsize=1024)
def algorithm(
    out_channels: int, in_channels: int, kernel: int, batch: int, length: int
) -> tuple[str, int]:
    """Return the cheapest algorithm for these shapes and its block length (0 if it has none)."""
    if in_channels == 1:
        return "single", 0
    pairs, samples = in_channels * out_channels, batch * length
    narrowness = max(1.0, _FULL_RATE_CHANNELS / min(in_channels, 4 * out_channels)) ** 0.5
    direct = "plain" if min(in_channels, out_channels) >= _FULL_RATE_CHANNELS else "channels_last"
    costs = {(direct, 0): kernel * pairs * samples * narrowness}
    if out_channels <= 4:
        costs["narrow", 0] = kernel * out_channels * samples * (in_channels + _MOVE_COST)
    for block in _BLOCKS:
        hop = block - kernel + 1
        if hop < kernel - 1:  # a block may reach into the next section alone
            continue
        blocks = batch * DILATION * math.ceil(length / (DILATION * hop))
        transforms = in_channels * block * block + out_channels * block * hop
        moves = _MOVE_COST * (in_channels * block + out_channels * hop)
        taps = 2 * block * pairs * (kernel + _TAP_COST)
        costs["spectral", block] = blocks * (2 * block * pairs + transforms + moves) + taps
    return min(costs, key=costs.__getitem__)


@functools.lru_cache(maxsize=64)
@torch.inference_mode(False)  # what inference leaves in the cache must serve training too
def _transforms(block: int, kernel: int, dtype: torch.dtype) -> tuple[Tensor, Tensor, Tensor]:
    """Matrices of the discrete Fourier transform at the odd half frequencies.

    Between the bins of the usual transform no bin is real, so that a block of N values becomes
    N / 2 complex ones, as (bin, part) rows; that products wrap around with the opposite sign does
    not matter, since wrapped values are dropped. Returns the forward transform (N, N), the two
    for the taps (2 * N, kernel) and the inverse (N - kernel + 1, N).

    The spectrum of a correlation is that of the signal, R + iI, times the conjugate of that of
    the taps, r + is. Laid out for ``[r; -s] R + [s; r] I``, the taps' rows are (bin, of R or I,
    part).
    """
    samples = torch.arange(block, dtype=torch.float64)
    bins = torch.arange(block // 2, dtype=torch.float64) + 0.5
    angles = 2 * math.pi / block * bins[:, None] * samples
    real, imaginary = angles.cos(), -angles.sin()
    forward = torch.stack((real, imaginary), 1).flatten(0, 1)
    taps = torch.stack((real, -imaginary, imaginary, real), 1).flatten(0, 1)[:, :kernel]
    inverse = forward.T[: block - kernel + 1] * (2 / block)
    return tuple(matrix.to(dtype).contiguous() for matrix in (forward, taps, inverse))


def _spectral(x: Tensor, weight: Tensor, bias: Tensor, block: int) -> Tensor:
    """Convolve by overlapping blocks of ``block`` values of every second sample (overlap-save)."""
    out_channels, in_channels, kernel = weight.shape
    batch, _, length = x.shape
    hop = block - kernel + 1
    blocks = math.ceil(length / (DILATION * hop))
    forward, taps, inverse = _transforms(block, kernel, x.dtype)

    # Block i is section i and the head of section i + 1. The index of the block is the last of
    # the axes, so that the copies run along it.
    padded_length = DILATION * (blocks + 1) * hop
    padded = functional.pad(x, (kernel - 1, padded_length - length - kernel + 1))
    sections = padded.view(batch, in_channels, blocks + 1, hop, DILATION).permute(3, 1, 4, 0, 2)
    columns = torch.cat((sections[..., :-1], sections[: kernel - 1, ..., 1:]))
    spectrum = (forward @ columns.view(block, -1)).view(block // 2, 2, in_channels, -1)
    product = _multiply(spectrum, taps, weight)
    out = (inverse @ product.view(block, -1)).view(hop, out_channels, DILATION, batch, blocks)
    out = out.permute(3, 1, 4, 0, 2).reshape(batch, out_channels, -1)
    return out[..., :length] + bias.unsqueeze(1)


def _multiply(spectrum: Tensor, taps: Tensor, weight: Tensor) -> Tensor:
    """Multiply by the spectrum of the taps: (bins, 2, in, M) -> (bins, 2 * out, M).

    A few bins at a time: the spectra of all taps together can be large.
    """
    out_channels, in_channels, kernel = weight.shape
    matrix = weight.reshape(-1, kernel).T
    together = max(1, _GROUP_VALUES // (4 * weight[..., 0].numel()))
    products = []
    for part, rows in zip(spectrum.split(together), taps.split(4 * together), strict=True):
        pairs = (rows @ matrix).view(-1, 2, 2 * out_channels, in_channels)
        product = torch.bmm(pairs[:, 0], part[:, 0])
        products.append(torch.baddbmm(product, pairs[:, 1], part[:, 1]))
    return torch.cat(products) if len(products) > 1 else products[0]


def _narrow(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Convolve to few output channels as one matrix product, whose rows are then added up."""
    out_channels, in_channels, kernel = weight.shape
    batch, _, length = x.shape
    rows = weight.transpose(1, 2).reshape(out_channels * kernel, in_channels)
    taps = torch.matmul(rows, x).view(batch, out_channels, kernel, length)
    # Row j has to move left by DILATION * j samples before the rows are added: laying the
    # padded rows end to end and cutting them again, that much longer, does it in one copy.
    padded = functional.pad(taps, (kernel - 1, kernel - 1)).flatten(2)
    skewed = functional.pad(padded, (0, DILATION * kernel)).unflatten(2, (kernel, -1))
    return skewed[..., :length].sum(2) + bias.unsqueeze(1)


def _single(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Convolve one channel as an undilated convolution over the even and the odd samples."""
    kernel, length = weight.shape[2], x.shape[2]
    phases = functional.pad(x, (0, length % DILATION)).unflatten(2, (-1, DILATION))
    out = functional.conv2d(phases, weight.unsqueeze(3), bias, padding=(kernel // 2, 0))
    return out.flatten(2)[..., :length]


def _channels_last(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Convolve in the layout that keeps the channels of a sample together in memory."""
    rows, taps = (
        tensor.unsqueeze(2).contiguous(memory_format=torch.channels_last) for tensor in (x, weight)
    )
    padding = (0, weight.shape[2] - 1)
    return functional.conv2d(rows, taps, bias, padding=padding, dilation=(1, DILATION)).squeeze(2)


_DIRECT = {"narrow": _narrow, "single": _single, "channels_last": _channels_last}
