"""Griffin-Lim: a spectrum with given magnitudes that some waveform has, from magnitudes alone.

Griffin and Lim, "Signal estimation from modified short-time Fourier transform" (1984): the
waveform nearest to the spectrum in least squares, then that waveform's phases under the given
magnitudes, and so on. With ``momentum`` each step goes beyond the last (Perraudin, Balazs and
Sondergaard, "A fast Griffin-Lim algorithm", 2013).

What is known need not be guessed: frames that are intact keep their spectrum, samples that are
intact keep their value, and only the damaged frames, with the three on either side that share
samples with them, take part.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from scipy import fft
from torch import Tensor

from shellac.transforms.stft import FRAME, HOP, Framing, overlap_add

_REACH = FRAME // HOP - 1  # frames to either side that share samples with a frame
MOMENTUM = 0.99  # of the fast variant, as its authors recommend


@dataclass(frozen=True)
class Known:
    """What a damaged recording still says.

    spectrum : complex (B, N, F); that of intact frames is kept, in damaged ones its phases are
        where the search starts
    damaged : bool (B, N), the frames to be found
    waveform, missing : (B, T) and bool (B, T), or both None: samples not missing are kept too
    """

    spectrum: Tensor
    damaged: Tensor
    waveform: Tensor | None = None
    missing: Tensor | None = None


@torch.no_grad()
def reconstruct(
    magnitudes: Tensor,
    framing: Framing,
    iterations: int = 100,
    known: Known | None = None,
    momentum: float = 0.0,
) -> Tensor:
    """Find a spectrum with ``magnitudes`` (B, N, F); return it, complex (B, N, F).

    ``framing.synthesise`` makes a waveform of it. Without ``known`` all frames are found, from
    phases of zero as published; with it, only the damaged ones.
    """
    if known is None:
        frames = torch.ones_like(magnitudes[..., 0])
        step = _Step(framing, magnitudes, frames)
        return _iterate(torch.complex(magnitudes, torch.zeros_like(magnitudes)), step, iterations,
                        momentum)  # fmt: skip
    rows, first, length = _segments(known.damaged.cpu())
    if not len(rows):
        return known.spectrum.clone()
    frames = known.spectrum.shape[-2]
    places = first[:, None] + torch.arange(length)
    rows, places = rows[:, None].to(magnitudes.device), places.to(magnitudes.device)
    inside = (places >= 0) & (places < frames)
    at = (rows, places.clamp(0, frames - 1))
    kept = known.spectrum[at] * inside[..., None]
    wanted = known.damaged[at] & inside
    here = magnitudes[at] * wanted[..., None]
    held = None
    if known.waveform is not None and known.missing is not None:
        held = tuple(_cut(x, framing, frames, rows, first.to(rows.device), length)
                     for x in (known.waveform, known.missing))  # fmt: skip
    step = _Step(framing, here, inside.to(here.dtype), held, (kept, wanted[..., None]))
    phases = torch.where(kept.abs() > 0, torch.sgn(kept), torch.ones_like(kept))
    start = torch.where(wanted[..., None], phases * here, kept)
    found = _iterate(start, step, iterations, momentum)
    result = known.spectrum.clone()
    result[rows.expand_as(places)[wanted], places[wanted]] = found[wanted]
    return result


class _Step:
    """One iteration on segments of L frames: from a spectrum (K, L, F) to a better one."""

    def __init__(
        self,
        framing: Framing,
        magnitudes: Tensor,
        frames: Tensor,
        held: tuple[Tensor, Tensor] | None = None,
        kept: tuple[Tensor, Tensor] | None = None,
    ):
        self._n_fft, self._magnitudes, self._held, self._kept = (
            framing.n_fft, magnitudes, held, kept,
        )  # fmt: skip
        self._window = framing.window(magnitudes)
        self._forward, self._backward = _transforms(framing.n_fft, magnitudes)
        self._gain = 1 / framing.weight(frames.shape[-1], magnitudes, frames)

    def consistent(self, spectrum: Tensor) -> Tensor:
        """Return the spectrum of the waveform that is nearest to ``spectrum``."""
        waveform = overlap_add(self._backward(spectrum) * self._window).mul_(self._gain)
        if self._held is not None:
            truth, missing = self._held
            waveform = torch.where(missing, waveform, truth)
        cut = waveform.unfold(-1, FRAME, HOP)[..., : self._n_fft]
        return self._forward(cut * self._window)

    def with_magnitudes(self, spectrum: Tensor) -> Tensor:
        """Put the given magnitudes under the phases of ``spectrum``, where they are wanted."""
        found = torch.sgn(spectrum).mul_(self._magnitudes)
        if self._kept is None:
            return found
        kept, wanted = self._kept
        return torch.where(wanted, found, kept)


def _iterate(spectrum: Tensor, step: _Step, iterations: int, momentum: float) -> Tensor:
    last = None
    for _ in range(iterations):
        nearest = step.consistent(spectrum)
        ahead = nearest
        if momentum and last is not None:
            ahead = torch.lerp(last, nearest, 1 + momentum)
        last = nearest
        spectrum = step.with_magnitudes(ahead)
    return spectrum


def _transforms(
    n_fft: int, like: Tensor
) -> tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor]]:
    """Return the real transform of frames and its inverse.

    On a processor, 255 points take MKL three times as long as they take pocketfft; at 256 it is
    the other way round.
    """
    if n_fft % 2 and like.device.type == "cpu":
        return (
            lambda frames: torch.from_numpy(fft.rfft(frames.numpy(), overwrite_x=True)),
            lambda spectrum: torch.from_numpy(fft.irfft(spectrum.numpy(), n_fft)),
        )
    return torch.fft.rfft, lambda spectrum: torch.fft.irfft(spectrum, n_fft)


def _segments(damaged: Tensor) -> tuple[Tensor, Tensor, int]:
    """Find the runs of damaged frames that do not share samples, with their context.

    Returns the row and the first frame of each segment, and the one length that suits all; frames
    may lie outside the spectrum.
    """
    near = torch.nn.functional.max_pool1d(
        torch.nn.functional.pad(damaged.float(), (2 * _REACH, 2 * _REACH))[:, None],
        2 * _REACH + 1, stride=1,
    )[:, 0]  # fmt: skip
    edges = torch.diff(torch.nn.functional.pad(near, (1, 1)), dim=-1)
    rows, starts = torch.nonzero(edges == 1, as_tuple=True)
    stops = torch.nonzero(edges == -1, as_tuple=True)[1]
    length = int((stops - starts).max()) if len(rows) else 0
    return rows, starts - _REACH, length


def _cut(
    x: Tensor, framing: Framing, frames: int, rows: Tensor, first: Tensor, length: int
) -> Tensor:
    """Samples under segments of ``length`` frames: (B, T) -> (K, (length + 3) * HOP), 0 outside."""
    hops = frames + _REACH
    beyond = hops * HOP - framing.lead - x.shape[-1]
    blocks = torch.nn.functional.pad(x, (framing.lead, beyond)).unflatten(-1, (hops, HOP))
    places = first[:, None] + torch.arange(length + _REACH, device=x.device)
    inside = (places >= 0) & (places < hops)
    cut = blocks[rows, places.clamp(0, hops - 1)]
    return torch.where(inside[..., None], cut, torch.zeros_like(cut)).flatten(-2)
