"""One training by several processes: each runs the networks on its own rows of every batch.

Whatever a task does around its networks (draws, losses, levels) every process does for the whole
batch, so that a loss need not be a mean over rows, and draws are those of one process. A network
is given its process's rows alone; its results are gathered, and gradients with them. What a network
does across rows, batch normalisation and the draws of dropout, is done for the whole batch too.
Losses and weights are therefore those of one process, up to the order in which sums are rounded.
"""

import atexit
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from shellac.errors import UsageError
from shellac.precision import mapped
from shellac.training import processes

_BUCKET = 1 << 23  # numbers that are added up over the processes at a time
_LONGEST_WAIT = timedelta(days=7)  # the others wait while the first validates


class Alone:
    """What one process has to do to agree with itself: nothing."""

    writes = True

    def first(self, work: Callable[[], Any]) -> Any:
        """Return what the first process found by ``work``."""
        return work()

    def merge(self, network: nn.Module) -> None:
        """Make the gradients of a network those of the whole batch."""


@contextmanager
def shared(networks: Iterable[nn.Module]) -> Iterator[Alone]:
    """Let all processes that torchrun started train these networks; yield how they agree."""
    if processes.count() == 1:
        yield Alone()
        return
    networks = list(networks)
    _join(next(networks[0].parameters()).device)
    with ExitStack() as stack:
        for network in networks:
            stack.enter_context(_run_on_own_rows(network))
        yield _Peers()


def _join(device: torch.device) -> None:
    """Meet the other processes, once: what a second meeting is told is mixed up with the first."""
    from torch import distributed

    if distributed.is_initialized():
        return
    if device.type == "cuda":
        torch.cuda.set_device(device)
    backend = "nccl" if device.type == "cuda" else "gloo"
    distributed.init_process_group(backend, timeout=_LONGEST_WAIT)
    atexit.register(distributed.destroy_process_group)


class _Peers(Alone):
    """What several processes have to do."""

    def __init__(self):
        self.writes = processes.number() == 0

    def first(self, work: Callable[[], Any]) -> Any:
        from torch import distributed

        found = [work() if self.writes else None]
        distributed.broadcast_object_list(found)
        return found[0]

    def merge(self, network: nn.Module) -> None:
        bucket, size = [], 0
        for parameter in network.parameters():
            if parameter.grad is not None:
                bucket.append(parameter.grad)
                size += parameter.numel()
                if size >= _BUCKET:
                    _average(bucket)
                    bucket, size = [], 0
        if bucket:
            _average(bucket)


def _average(gradients: list[Tensor]) -> None:
    flat = _summed(torch.cat([each.reshape(-1) for each in gradients])) / processes.count()
    parts = flat.split([each.numel() for each in gradients])
    for gradient, part in zip(gradients, parts, strict=True):
        gradient.copy_(part.view(gradient.shape))


def _summed(x: Tensor) -> Tensor:
    """Add up over the processes, in place."""
    from torch import distributed

    distributed.all_reduce(x)
    return x


@contextmanager
def _run_on_own_rows(network: nn.Module) -> Iterator[None]:
    """In training, give a network the rows of its process and return those of all."""
    whole_forward = network.forward

    def forward(*inputs: Any) -> Any:
        if not network.training:
            return whole_forward(*inputs)
        count = len(inputs[0])
        rows = _rows(count)

        def own(x: Any) -> Any:
            return _Own.apply(x, rows) if isinstance(x, Tensor) and len(x) == count else x

        with _AcrossRows(rows, count):
            found = whole_forward(*map(own, inputs))
        return mapped(lambda x: _Gathered.apply(x, rows, count), found)

    network.forward = forward
    try:
        yield
    finally:
        del network.forward


def _rows(count: int) -> slice:
    """Return which of a batch's rows are this process's, as even as can be."""
    number, of = processes.number(), processes.count()
    if count < of:
        raise UsageError(f"{of} processes cannot share a batch of {count}: start fewer of them")
    return slice(number * count // of, (number + 1) * count // of)


class _Own(torch.autograd.Function):
    """Rows of a whole that every process has; in return the gradient of the whole.

    Gradients inside networks are as many times too large as there are processes, so that the mean
    over the processes is right for a parameter that sees some rows, and for one that sees all.
    """

    @staticmethod
    def forward(ctx: Any, whole: Tensor, rows: slice) -> Tensor:
        ctx.rows, ctx.shape = rows, whole.shape
        return whole[rows].clone()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        whole = gradient.new_zeros(ctx.shape)
        whole[ctx.rows] = gradient
        return _summed(whole) / processes.count(), None


class _Gathered(torch.autograd.Function):
    """The whole, of which every process has some rows."""

    @staticmethod
    def forward(ctx: Any, own: Tensor, rows: slice, count: int) -> Tensor:
        ctx.rows = rows
        whole = own.new_zeros((count, *own.shape[1:]))
        whole[rows] = own
        return _summed(whole)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        return gradient[ctx.rows] * processes.count(), None, None


class _Sum(torch.autograd.Function):
    """The sum over the processes, on which the results of all of them depend."""

    @staticmethod
    def forward(ctx: Any, own: Tensor) -> Tensor:
        return _summed(own.clone())

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return _summed(gradient.clone())


class _AcrossRows(TorchFunctionMode):
    """Do for the whole batch what a network does across its rows."""

    def __init__(self, rows: slice, count: int):
        super().__init__()
        self._start, self._stop, self._count = rows.start, rows.stop, count
        self._own = {functional.batch_norm: self._normalised, functional.dropout: self._dropped}

    def __torch_function__(self, called: Callable, types: Any, args: Any = (), kwargs: Any = None):
        """Replace batch normalisation and dropout."""
        return self._own.get(called, called)(*args, **(kwargs or {}))

    def _normalised(
        self, x: Tensor, mean: Tensor | None, variance: Tensor | None, weight: Tensor | None = None,
        bias: Tensor | None = None, training: bool = False, momentum: float = 0.1,
        eps: float = 1e-5,
    ) -> Tensor:  # fmt: skip
        if not training:
            return functional.batch_norm(x, mean, variance, weight, bias, False, momentum, eps)
        others, shape = [0, *range(2, x.ndim)], [-1, *(1 for _ in range(2, x.ndim))]
        share = self._count / (self._stop - self._start)
        size = round(share * x.numel() / x.shape[1])
        middle = _Sum.apply(x.sum(others)) / size
        centred = x - middle.view(shape)
        spread = _Sum.apply(centred.square().sum(others)) / size
        if mean is not None:
            with torch.no_grad():
                mean.lerp_(middle, momentum)
                variance.lerp_(spread * (size / (size - 1)), momentum)
        gain = torch.rsqrt(spread + eps) * (1 if weight is None else weight)
        found = centred * gain.view(shape)
        return found if bias is None else found + bias.view(shape)

    def _dropped(
        self, x: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
    ) -> Tensor:
        if not training or not p:
            return x
        pieces = len(x) // (self._stop - self._start)  # of a row
        # draws follow the order in memory; that of a batch cannot always be told from one row of
        # it, so that a process with a single row may draw otherwise than one process would
        single = len(x) == 1
        order = sorted(range(x.ndim), key=lambda axis: (axis > 0 or not single, -x.stride(axis)))
        shape = (pieces * self._count, *x.shape[1:])
        ones = x.new_ones([shape[axis] for axis in order])
        kept = functional.dropout(ones.permute([order.index(axis) for axis in range(x.ndim)]), p)
        return x * kept[pieces * self._start : pieces * self._stop]
