"""Waveforms through networks that map complex spectrograms."""

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from shellac.transforms.stft import Framing


def to_channels(spectrum: Tensor) -> Tensor:
    """Turn complex (B, N, F) into real and imaginary parts (B, 2, N, F)."""
    return torch.stack((spectrum.real, spectrum.imag), 1)


def from_channels(parts: Tensor) -> Tensor:
    """Turn real and imaginary parts (B, 2, N, F) into complex (B, N, F)."""
    return torch.complex(parts[:, 0].contiguous(), parts[:, 1].contiguous())


def transformed(estimate: Callable[[Tensor], Tensor], waveform: Tensor, framing: Framing) -> Tensor:
    """Return what ``estimate``, (B, 2, N, F) -> the same, makes of (B, T): all that frames hold."""
    return framing.synthesise(from_channels(estimate(to_channels(framing.analyse(waveform)))))


def fitted(
    estimate: Callable[[Tensor], Tensor],
    waveform: Tensor,
    published: Framing,
    fitting_frames: Callable[[int], int],
) -> Tensor:
    """Return what ``estimate``, (B, 2, N, F) -> the same, makes of (B, T), without delay: (B, T).

    Frames lie on the ``published`` grid but begin three quarters of a frame earlier, so that every
    sample is seen by four of them; as published, the first quarter is seen by one, and its errors
    are magnified. Silence is appended to make up ``fitting_frames`` of their number.
    """
    framing = replace(published, lead=published.frame - published.hop)
    samples = waveform.shape[-1]
    frames = framing.frames(samples)
    missing = (fitting_frames(frames) - frames) * framing.hop
    heard = torch.nn.functional.pad(waveform, (0, missing))
    return transformed(estimate, heard, framing)[:, :samples]


def processor(
    estimate: Callable[[Tensor], Tensor],
    published: Framing,
    fitting_frames: Callable[[int], int],
) -> Callable[[Tensor], Tensor]:
    """Return :func:`fitted` as a function (C, T) -> (C, T), any T.

    Channels go through one at a time: one alone needs gigabytes.
    """

    def process(waveform: Tensor) -> Tensor:
        channels = (waveform[i : i + 1] for i in range(len(waveform)))
        done = [fitted(estimate, channel, published, fitting_frames) for channel in channels]
        return torch.cat(done)

    return process
