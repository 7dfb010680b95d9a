"""Inpainting as a member of a restoring chain."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from shellac import networks, weights
from shellac.degradations.gaps import Interval
from shellac.systems.inpainting.correction import corrector
from shellac.systems.inpainting.filling import context_seconds, fill
from shellac.systems.inpainting.network import fuse
from shellac.systems.inpainting.preparation import Conversion, restored
from shellac.systems.restorer import GapMember
from shellac.weights import Card

FILLS_GAPS = True  # other systems of a chain leave gaps to this one


def member(state: dict[str, Tensor], card: Card, device: torch.device) -> GapMember:
    """Build the network that ``card`` names, fill it, and make it ready to fill gaps."""
    network = networks.build(card.network, **card.settings)
    weights.fill(network, state, card.network)
    network = fuse(network).to(device)
    conversion = Conversion.from_card(card.extra)

    def by_blocks(damaged: Tensor, lost: Tensor) -> Tensor:
        return restored(network, conversion, damaged, lost, device)

    correcting = conversion.corrects
    method = corrector(network, conversion, device) if correcting else by_blocks

    def repair(waveform: np.ndarray, sample_rate: int, gaps: Sequence[Interval]) -> np.ndarray:
        return fill(waveform, sample_rate, gaps, method, conversion.form)

    def context(sample_rate: int) -> float:
        return context_seconds(sample_rate, conversion.form)

    return GapMember(card, repair, context)
