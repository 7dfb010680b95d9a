"""Convolution kernels that may be stored as gain and direction (weight normalisation).

Salimans and Kingma, "Weight normalization" (2016): w = g v / |v|, the norm over all axes but the
first, under the names ``weight_g`` and ``weight_v`` of PyTorch's older hooks, which published
checkpoints have.
"""

import math

import torch
from torch import Tensor, nn


class NormalisedKernel(nn.Module):
    """A kernel of ``shape`` and a bias (``outputs``,), drawn as PyTorch's convolutions draw them.

    Stored as ``weight``, ``bias`` or, with ``weight_norm``, as ``bias``, ``weight_g``,
    ``weight_v``, in these orders.
    """

    def __init__(self, shape: tuple[int, ...], outputs: int, weight_norm: bool):
        super().__init__()
        bound = 1 / math.sqrt(math.prod(shape[1:]))  # Kaiming uniform with a = sqrt(5)
        kernel = torch.empty(shape).uniform_(-bound, bound)
        bias = nn.Parameter(torch.empty(outputs).uniform_(-bound, bound))
        self.folded = not weight_norm
        if weight_norm:
            self.bias = bias
            self.weight_g = nn.Parameter(_norm(kernel))
            self.weight_v = nn.Parameter(kernel)
        else:
            self.weight = nn.Parameter(kernel)
            self.bias = bias

    def kernel(self) -> Tensor:
        """Return the kernel in effect, of the shape given."""
        if self.folded:
            return self.weight
        return self.weight_g * (self.weight_v / _norm(self.weight_v))

    def prepare(self) -> None:
        """Compute the kernel once, in the layout that is fastest, for inference alone."""
        kernel = self.kernel().detach()
        if kernel.ndim == 4:
            kernel = kernel.contiguous(memory_format=torch.channels_last)
        if not self.folded:
            del self.weight_g, self.weight_v
        self.folded = True
        self.weight = nn.Parameter(kernel, requires_grad=False)


def _norm(kernel: Tensor) -> Tensor:
    axes = tuple(range(1, kernel.ndim))
    return torch.linalg.vector_norm(kernel, dim=axes, keepdim=True)


def prepare(network: nn.Module) -> nn.Module:
    """Make a network ready for inference alone, in place, and return it.

    Every module that has a ``prepare`` runs it: kernels are folded and arranged once instead of at
    every call. The result can neither be trained nor stored, nor moved to another device.
    """
    for module in list(network.modules()):
        if module is not network and hasattr(module, "prepare"):
            module.prepare()
    return network.eval()
