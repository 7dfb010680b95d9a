"""Self-attention over time with relative positions, an option of the CQTdiff+ network.

Raffel et al., "Exploring the limits of transfer learning with a unified text-to-text transformer"
(JMLR 2020), for the buckets of relative positions. Maps are (B, F, T, C).
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True)
class Attention:
    """``heads``; whether queries and keys have a ``bias``; whether relative positions count.

    Distances in time fall into ``buckets``, all beyond ``reach`` steps into the last one.
    """

    heads: int = 8
    bias: bool = False
    relative: bool = True
    buckets: int = 32
    reach: int = 64

    def __post_init__(self) -> None:
        if self.heads < 1 or self.buckets < 4 or self.reach <= self.buckets // 4:
            raise ValueError(
                f"attention of {self.heads} heads, {self.buckets} buckets within {self.reach}"
                " steps cannot be"
            )


class TimeAttention(nn.Module):
    """Each head attends over time; what it compares and passes on is one channel of all rows.

    (B, ``rows``, T, ``channels``) -> the same.
    """

    def __init__(self, channels: int, rows: int, how: Attention):
        super().__init__()
        self.how = how
        merged = how.heads * rows
        self.qk = nn.Conv1d(merged, 2 * merged, 1, bias=how.bias)
        self.proj_in = nn.Conv2d(channels, how.heads, 1, bias=False)
        self.proj_out = nn.Conv2d(how.heads, channels, 1, bias=False)
        if how.relative:
            self.rel_pos = RelativePositions(how)

    def forward(self, x: Tensor) -> Tensor:
        """Attend."""
        rows, steps = x.shape[1:3]
        values = functional.linear(x, self.proj_in.weight[:, :, 0, 0])
        values = values.permute(0, 3, 2, 1)  # (B, heads, T, rows)
        both = self.qk(values.transpose(2, 3).flatten(1, 2))
        both = both.unflatten(1, (self.how.heads, 2, rows)).transpose(3, 4)
        mask = self.rel_pos(steps) / math.sqrt(rows) if self.how.relative else None
        found = functional.scaled_dot_product_attention(
            both[:, :, 0], both[:, :, 1], values, attn_mask=mask, scale=1 / math.sqrt(rows)
        )
        return functional.linear(found.permute(0, 3, 2, 1), self.proj_out.weight[:, :, 0, 0])


class RelativePositions(nn.Module):
    """A learned number for each head and bucket of relative positions."""

    def __init__(self, how: Attention):
        super().__init__()
        self.how = how
        self.relative_attention_bias = nn.Embedding(how.buckets, how.heads)

    def buckets(self, steps: int, device: torch.device) -> Tensor:
        """Number the bucket of each (query, key), (T, T): one by one, then logarithmically."""
        place = torch.arange(steps, device=device)
        ahead = place[None, :] - place[:, None]
        sides = self.how.buckets // 2
        exact = sides // 2
        far = ahead.abs()
        octaves = torch.log(far.clamp_min(1) / exact) / math.log(self.how.reach / exact)
        wide = (exact + (octaves * (sides - exact)).long()).clamp_max(sides - 1)
        return sides * (ahead >= 0) + torch.where(far < exact, far, wide)

    def forward(self, steps: int) -> Tensor:
        """Return what is added to the scores, (1, heads, T, T)."""
        table = self.relative_attention_bias.weight
        return table[self.buckets(steps, table.device)].permute(2, 0, 1)[None]
