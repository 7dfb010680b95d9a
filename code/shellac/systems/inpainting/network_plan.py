"""What every inpainting network has in common: its sizes, and from the network to the estimate."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

Rule = Literal["plain", "x + y", "x - y"]
WIDTHS = (32, 64, 128, 256, 512)  # of encoders


class Estimate(NamedTuple):
    """What a network returns.

    ``restored`` (B, C, N, F); ``intermediate`` the same after the first of two stages;
    ``mean`` and ``log_variance`` (B, latent) of variational networks.
    """

    restored: Tensor
    intermediate: Tensor | None = None
    mean: Tensor | None = None
    log_variance: Tensor | None = None


@dataclass(frozen=True)
class Plan:
    """Sizes to build with: width over the published one, channels in and out, shape of a segment.

    ``positional``: PReLU slopes for every position, as published, so that ``shape`` is the only
    one that the network takes.
    """

    width: float
    inputs: int
    outputs: int
    shape: tuple[int, int]
    positional: bool

    def of(self, channels: int) -> int:
        """Scale a published number of hidden channels."""
        return max(1, round(channels * self.width))


class Network(nn.Module):
    """An inpainting network: (B, 1, N, F) with lost frames -> :class:`Estimate`.

    ``multiple``: N and F must be multiples of it. ``shape``: where it is not None, the only
    (N, F) that the network takes. ``latent``: size of the random draw, 0 for none.
    """

    def __init__(self, body: nn.Module, rule: Rule, multiple: int, bound: bool, plan: Plan):
        super().__init__()
        self.body, self.rule, self.multiple = body, rule, multiple
        self.shape = plan.shape if bound else None
        self.mask_input = plan.inputs == 2
        neck = getattr(body, "latent", None)
        self.latent = neck.latent if neck is not None and neck.out is not None else 0

    def forward(
        self,
        x: Tensor,
        mask: Tensor | None = None,
        eps: Tensor | torch.Generator | None = None,
    ) -> Estimate:
        """Estimate the whole segment.

        ``mask`` (B, 1, N, 1) is 1 for frames that are there: needed by networks built with
        ``mask_input``, ignored by others. ``eps`` (B, latent) is the draw of variational networks,
        or the generator to draw it from; None is zero, which makes them deterministic. Raises
        :class:`ValueError` for inputs of other shapes.
        """
        self._check(x)
        seen = torch.cat((x, self._checked(mask, x)), 1) if self.mask_input else x
        found = self.body(seen, eps)
        middle = found.intermediate
        return found._replace(
            restored=self._output(x, found.restored),
            intermediate=None if middle is None else self._output(x, middle),
        )

    def _output(self, x: Tensor, y: Tensor) -> Tensor:
        if self.rule == "plain":
            return y
        return x + y if self.rule == "x + y" else x - y

    def _check(self, x: Tensor) -> None:
        if x.ndim != 4 or x.shape[1] != 1 or x.numel() == 0:
            raise ValueError(f"input has shape {tuple(x.shape)}: the network takes (B, 1, N, F)")
        size = tuple(x.shape[2:])
        if self.shape is not None and size != self.shape:
            raise ValueError(f"input has {size} frames and bins: this network takes {self.shape}")
        if size[0] % self.multiple or size[1] % self.multiple:
            raise ValueError(
                f"input has {size} frames and bins: both must be multiples of {self.multiple}"
            )

    def _checked(self, mask: Tensor | None, x: Tensor) -> Tensor:
        wanted = (x.shape[0], 1, x.shape[2], 1)
        if mask is None or tuple(mask.shape) != wanted:
            got = "none" if mask is None else tuple(mask.shape)
            raise ValueError(f"this network needs a mask of shape {wanted}, got {got}")
        return mask.to(x).expand_as(x)


class Cascade(nn.Module):
    """Two networks: the second refines what the first found to be wrong.

    Both results are residuals: the input minus the first is the intermediate estimate, minus the
    second the final one. A mask goes into both.
    """

    def __init__(self, first: nn.Module, second: nn.Module):
        super().__init__()
        self.first, self.second = first, second

    def forward(self, x: Tensor, eps: Tensor | torch.Generator | None) -> Estimate:
        """Return both residuals."""
        middle = self.first(x, eps).restored
        last = self.second(torch.cat((middle, x[:, 1:]), 1), eps).restored
        return Estimate(last, middle)
