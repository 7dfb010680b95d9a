"""How far the edge of its input disturbs a network's output, measured on the weights at hand."""

from collections.abc import Callable, Iterator

import numpy as np
import torch

_WINDOW_SECONDS = 0.005
_THRESHOLD = 10 ** (-60 / 20)
_CUTS = (1 / 4, 1 / 2, 3 / 4)
_PROGRAMME_RMS = 0.1
_NOTE_SECONDS = 0.25


def edge_seconds(
    process: Callable[[torch.Tensor], torch.Tensor],
    programme: torch.Tensor,
    sample_rate: int,
    multiple: int,
) -> float:
    """Measure the distance beyond which a change of far context moves the output below -60 dB.

    ``programme`` (1, T) is cut in two at several places. On either side of a cut the output is
    compared with the one that the other side's absence gives, as at the ends of a chunk; in the
    middle also with the one that noise of the programme's level gives in its place. The difference
    is taken as RMS over 5 ms, relative to the RMS of the whole output. The longest of the distances
    is returned, at most half the length of ``programme``.
    """
    length = programme.shape[-1] // (2 * multiple) * 2 * multiple
    programme = programme[..., :length]
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(programme.shape, generator=generator).to(programme)
    noise *= programme.square().mean().sqrt()
    with torch.inference_mode():
        whole = process(programme)
        level = whole.square().mean().sqrt().clamp_min(1e-12)
        reach = max(
            _reach(difference, level, sample_rate)
            for place in _CUTS
            for difference in _differences(
                process, programme, whole, round(place * length / multiple) * multiple,
                noise if place == 0.5 else None,
            )
        )  # fmt: skip
    return min(reach, length / 2 / sample_rate)


def music(samples: int, sample_rate: int) -> torch.Tensor:
    """Return a programme (1, T) float32 of struck notes over faint hiss, always the same.

    For networks that would take noise for something to remove.
    """
    rng = np.random.default_rng(0)
    seconds = np.arange(samples) / sample_rate
    waveform = 0.02 * rng.standard_normal(samples)
    for onset in np.arange(0, samples / sample_rate, _NOTE_SECONDS):
        fundamental_hz = 110 * 8 ** rng.random()
        time = seconds[seconds >= onset] - onset
        for partial in range(1, 9):
            tone = np.sin(2 * np.pi * partial * fundamental_hz * time)
            waveform[-len(time) :] += tone * np.exp(-3 * time) / partial
    waveform *= _PROGRAMME_RMS / np.sqrt(np.mean(waveform**2))
    return torch.from_numpy(waveform.astype(np.float32))[None]


def _differences(
    process: Callable[[torch.Tensor], torch.Tensor],
    programme: torch.Tensor,
    whole: torch.Tensor,
    cut: int,
    noise: torch.Tensor | None,
) -> Iterator[torch.Tensor]:
    """Yield what a changed other side changes, from the cut outwards."""
    first, second = programme[..., :cut], programme[..., cut:]
    yield process(second) - whole[..., cut:]
    yield (process(first) - whole[..., :cut]).flip(-1)
    if noise is not None:
        past = torch.cat([noise[..., :cut], second], dim=-1)
        future = torch.cat([first, noise[..., cut:]], dim=-1)
        yield (process(past) - whole)[..., cut:]
        yield (process(future) - whole)[..., :cut].flip(-1)


def _reach(difference: torch.Tensor, level: torch.Tensor, sample_rate: int) -> float:
    window = max(1, round(_WINDOW_SECONDS * sample_rate))
    count = difference.shape[-1] // window
    energy = difference[..., : count * window].reshape(-1, count, window).square().mean((0, 2))
    above = (energy.sqrt() / level > _THRESHOLD).nonzero()
    last = int(above[-1]) + 1 if len(above) else 0
    return last * window / sample_rate
