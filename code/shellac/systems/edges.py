"""How far the edge of its input disturbs a network's output, measured on the weights at hand."""

from collections.abc import Callable

import torch

_WINDOW_SECONDS = 0.005
_THRESHOLD = 10 ** (-60 / 20)


def edge_seconds(
    process: Callable[[torch.Tensor], torch.Tensor],
    programme: torch.Tensor,
    sample_rate: int,
    multiple: int,
) -> float:
    """Measure the distance beyond which a change of far context moves the output below -60 dB.

    The first half of ``programme`` (1, T) is replaced by noise of the programme's level and the
    outputs are compared in the second half, and the other way round; the difference is taken as
    RMS over 5 ms, relative to the RMS of the output. The longer of the two distances is returned,
    at most half the length of ``programme``.
    """
    half = programme.shape[-1] // (2 * multiple) * multiple
    programme = programme[..., : 2 * half]
    first, second = programme[..., :half], programme[..., half:]
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(first.shape, generator=generator).to(programme)
    noise *= programme.square().mean().sqrt()
    with torch.inference_mode():
        whole = process(programme)
        new_past = process(torch.cat([noise, second], dim=-1))
        new_future = process(torch.cat([first, noise], dim=-1))
    level = whole.square().mean().sqrt().clamp_min(1e-12)
    reach = max(
        _reach((new_past - whole)[..., half:], level, sample_rate),
        _reach((new_future - whole)[..., :half].flip(-1), level, sample_rate),
    )
    return min(reach, half / sample_rate)


def _reach(difference: torch.Tensor, level: torch.Tensor, sample_rate: int) -> float:
    window = max(1, round(_WINDOW_SECONDS * sample_rate))
    count = difference.shape[-1] // window
    energy = difference[..., : count * window].reshape(-1, count, window).square().mean((0, 2))
    above = (energy.sqrt() / level > _THRESHOLD).nonzero()
    last = int(above[-1]) + 1 if len(above) else 0
    return last * window / sample_rate
