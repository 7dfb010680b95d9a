"""What stands between damaged segments and a network: filling, level, and what its output means.

Segments are (S, 1, N, F) float32 tensors as :meth:`.representation.Representation.blocks` cuts
them, lost frames being 0; ``lost`` (S, N) is True where a frame is lost.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from shellac.systems.inpainting import representation
from shellac.systems.inpainting.baselines import linear
from shellac.systems.inpainting.network import Estimate
from shellac.systems.inpainting.representation import Representation

BATCH = 16  # segments that a network sees at once outside training


@dataclass(frozen=True)
class Conversion:
    """How damaged segments become a network's input and back; weights carry it on their card.

    ``representation``: its name; ``shift`` and ``scale``: those of the training set, None where
    each segment has its own level; ``input``: see :class:`.settings.NetworkSettings`.
    """

    representation: str
    shift: float | None
    scale: float | None
    input: str

    @classmethod
    def from_card(cls, extra: Mapping[str, Any]) -> "Conversion":
        """Read what :meth:`for_card` put on a card; raise KeyError where it is not all there."""
        return cls(**{field.name: extra["conversion"][field.name] for field in fields(cls)})

    def for_card(self) -> dict[str, Any]:
        """Return what a card's ``extra`` holds of it."""
        return {"conversion": asdict(self)}

    @property
    def corrects(self) -> bool:
        """Whether the network corrects waveforms that autoregression has filled."""
        return self.input == "autoregressive"

    @cached_property
    def form(self) -> Representation:
        """The representation, with the training set's shift and scale."""
        known = representation.get(self.representation)
        return replace(known, shift=self.shift, scale=self.scale)

    def prepare(self, damaged: Tensor, lost: Tensor) -> tuple[Tensor, Tensor]:
        """Return the network's input (S, 1, N, F) in its own space, and the level (S, 1, 1, 1)."""
        level = self.form.level(damaged)
        shown = damaged
        if self.input == "interpolated":
            shown = linear(damaged[:, 0], lost)[:, None]
        return self.form.normalise(shown, level), level


def estimate(
    network: nn.Module,
    conversion: Conversion,
    prepared: Tensor,
    lost: Tensor,
    eps: Tensor | None = None,
) -> Estimate:
    """Run a network on prepared segments; all in its own space.

    What a network that does not refer to its input gives is added to an interpolated one. ``eps``
    is the draw of variational networks, none by default.
    """
    seen = (~lost)[:, None, :, None].to(prepared.dtype)
    found = network(prepared, seen, eps)
    if conversion.input == "damaged" or network.rule != "plain":
        return found
    return found._replace(restored=prepared + found.restored)


def restored(
    network: nn.Module,
    conversion: Conversion,
    damaged: Tensor,
    lost: Tensor,
    device: torch.device,
) -> Tensor:
    """Return what a network in evaluation mode makes of segments (S, 1, N, F), as it gives it.

    Nothing is put back. A network of several output channels is taken at the mean over them, as
    in training a target of one channel is held against each.
    """
    out = torch.empty_like(damaged)
    with torch.inference_mode():
        for start in range(0, len(damaged), BATCH):
            part = slice(start, start + BATCH)
            prepared, level = conversion.prepare(damaged[part], lost[part])
            found = estimate(network, conversion, prepared.to(device), lost[part].to(device))
            single = found.restored.mean(dim=1, keepdim=True).cpu()
            out[part] = conversion.form.denormalise(single, level)
    return out
