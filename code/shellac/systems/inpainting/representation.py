"""What inpainting networks see of a waveform: square blocks of magnitudes or MDCT coefficients.

``published`` is the spectrogram of the published networks: linear magnitudes, scaled by the
largest of their training set, so that ordinary music lies within a few thousandths of zero.

``spectrogram`` is what new training uses. Every block has its own level, the largest magnitude of
its intact frames, so that loudness does not matter and each block weighs the same; and magnitudes
are compressed by a square root. Linear magnitudes leave all but the loudest partials out of the
error, logarithms make the noise floor as important as the music; the square root lies between, has
no floor to choose, and maps damaged frames (no magnitude) and silence to zero.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from shellac.errors import UsageError
from shellac.transforms import griffin_lim, mdct, stft

SAMPLE_RATE = 16000
_OFFSET = 0.001  # of published normalised values
_LEAST_LEVEL = 1e-4  # a sine that is 110 dB below full scale


@dataclass(frozen=True)
class Representation:
    """A way from waveforms to blocks (n, 1, block_frames, bins) and back.

    frame, hop : samples of a frame and from one to the next, at ``sample_rate`` Hz
    bins : values per frame that a network sees
    block_frames : frames of a block
    lead : samples by which the first frame starts before the waveform
    shift, scale : of normalised values, (x + shift) / scale + 0.001; None where every block has
        its own level instead
    framing : of the Fourier transform, None for the MDCT
    """

    name: str
    frame: int
    hop: int
    bins: int
    block_frames: int
    lead: int
    shift: float | None = None
    scale: float | None = None
    framing: stft.Framing | None = None
    sample_rate: int = SAMPLE_RATE

    @property
    def has_phase(self) -> bool:
        """Whether blocks hold magnitudes, so that a waveform needs phases besides."""
        return self.framing is not None

    def frames(self, samples: int) -> int:
        """Count the frames of a waveform."""
        if self.framing is not None:
            return self.framing.frames(samples)
        return mdct.frames(samples, self.hop)

    def samples(self, frames: int) -> int:
        """Return the longest waveform that has ``frames`` frames."""
        return frames * self.hop - self.lead

    def encode(self, waveform: Tensor) -> Tensor:
        """Transform (B, T): complex (B, N, F) spectrum, or real (B, N, bins) MDCT coefficients."""
        if self.framing is not None:
            return self.framing.analyse(waveform)
        return mdct.mdct(waveform, self.hop)

    def values(self, spectrum: Tensor) -> Tensor:
        """Return what networks see of a spectrum: real (B, N, bins).

        Magnitudes, without the bin at the Nyquist frequency where there is one: 128 is even.
        """
        return spectrum[..., : self.bins].abs() if self.framing is not None else spectrum

    def blocks(self, values: Tensor, pad: bool = False) -> Tensor:
        """Cut (B, N, bins) into consecutive blocks (B * n, 1, block_frames, bins).

        An item's blocks stay together. What is left at the end is dropped, as published, or with
        ``pad`` completed with zeros.
        """
        frames = values.shape[1]
        if pad:
            missing = -frames % self.block_frames
            values = torch.nn.functional.pad(values, (0, 0, 0, missing))
        whole = values[:, : values.shape[1] // self.block_frames * self.block_frames]
        return whole.reshape(-1, 1, self.block_frames, self.bins)

    def join(self, blocks: Tensor, items: int, frames: int | None = None) -> Tensor:
        """Join :meth:`blocks` of ``items`` items to (B, N, bins), cut to ``frames``."""
        return blocks.reshape(items, -1, self.bins)[:, :frames]

    def level(self, damaged: Tensor) -> Tensor:
        """Return the level of each block (n, 1, 1, 1), from the block as it is, damaged.

        The largest magnitude, at least 1e-4; 1 where one scale serves all.
        """
        if self.scale is not None:
            return torch.ones_like(damaged[:, :, :1, :1])
        return damaged.amax((-2, -1), keepdim=True).clamp_min(_LEAST_LEVEL)

    def normalise(self, blocks: Tensor, level: Tensor) -> Tensor:
        """Bring blocks, damaged or clean, to the range that networks work in."""
        if self.scale is not None and self.shift is not None:
            return (blocks + self.shift) / self.scale + _OFFSET
        return (blocks / level).sqrt()

    def denormalise(self, normalised: Tensor, level: Tensor) -> Tensor:
        """Invert :meth:`normalise`; no magnitude is less than zero."""
        if self.scale is not None and self.shift is not None:
            blocks = (normalised - _OFFSET) * self.scale - self.shift
        else:
            blocks = normalised.clamp_min(0).square() * level
        return blocks.clamp_min(0) if self.has_phase else blocks

    def mask_frames(self, gaps: Iterable[tuple[int, int]], frames: int) -> Tensor:
        """Tell which frames lack samples: bool (frames,), for gaps (start, stop) in samples.

        A sample that a frame's window has no weight for does not count: the first of a Hann
        window.
        """
        unseen = 1 if self.has_phase else 0
        span = self.frame if self.framing is None else self.framing.n_fft
        edges = np.asarray(list(gaps), dtype=np.int64).reshape(-1, 2) + self.lead
        first = -((span - 1 - edges[:, 0]) // self.hop)  # the first that ends behind the start
        last = (edges[:, 1] - 1 - unseen) // self.hop  # the last that starts before the stop
        steps = np.zeros(frames + 1, dtype=np.int64)
        np.add.at(steps, first.clip(0, frames), 1)
        np.add.at(steps, (last + 1).clip(0, frames), -1)
        return torch.from_numpy(steps[:-1].cumsum() > 0)

    def missing_share(self, missing: Tensor) -> Tensor:
        """Return the share of each frame's energy, were it white, in missing samples: (B, N).

        ``missing`` is bool (B, T); frames reach beyond its ends, where nothing is missing.
        """
        if self.framing is not None:
            weight = self.framing.window(torch.ones(())).square()
        else:
            weight = mdct.window(self.hop, torch.float32).square()
        frames = self.frames(missing.shape[-1])
        right = (frames - 1) * self.hop + len(weight) - self.lead - missing.shape[-1]
        padded = torch.nn.functional.pad(missing.float(), (self.lead, max(0, right)))
        cut = padded.unfold(-1, len(weight), self.hop)[:, :frames]
        return cut @ weight.to(missing.device) / weight.sum()

    def decode(
        self,
        values: Tensor,
        damaged: Tensor,
        mask: Tensor,
        samples: int,
        iterations: int = 100,
        held: tuple[Tensor, Tensor] | None = None,
    ) -> Tensor:
        """Make a waveform (B, samples) of restored ``values`` (B, N, bins).

        Only frames in ``mask`` (N,) or (B, N) are taken from ``values``; the others are those of
        the ``damaged`` spectrum, as :meth:`encode` gives it. Magnitudes get phases by fast
        Griffin-Lim from the damaged spectrum's, intact frames keep theirs. ``held``, a waveform
        (B, samples) and which of its samples are missing (bool), lets intact samples keep their
        value too.
        """
        mask = mask.expand(damaged.shape[:2])
        if self.framing is None:
            return mdct.inverse(torch.where(mask[..., None], values, damaged), samples)
        nothing = self.framing.bins - self.bins
        magnitudes = torch.nn.functional.pad(values, (0, nothing))
        spectrum = griffin_lim.reconstruct(
            magnitudes,
            self.framing,
            iterations,
            griffin_lim.Known(damaged, mask, *(held or ())),
            griffin_lim.MOMENTUM,
        )
        return self.framing.synthesise(spectrum, samples)


_REPRESENTATIONS = (
    Representation("spectrogram", stft.FRAME, stft.HOP, 128, 128, stft.SOUND.lead,
                   framing=stft.SOUND),
    Representation("published", stft.FRAME, stft.HOP, 128, 128, 0,
                   shift=0.0, scale=127.97928619, framing=stft.PUBLISHED),
    Representation("mdct-64", 128, 64, 64, 64, 64, shift=94.2427, scale=189.2825),
    Representation("mdct-128", 256, 128, 128, 128, 128, shift=187.7446, scale=376.0806),
)  # fmt: skip
REPRESENTATIONS = {each.name: each for each in _REPRESENTATIONS}


def get(name: str) -> Representation:
    """Look up a representation; raise :class:`UsageError`, with those there are, for no such one.

    Scales are the published ones of damaged spectra, with which the published code also inverts;
    ``dataclasses.replace`` puts in those of another training set.
    """
    if name not in REPRESENTATIONS:
        known = ", ".join(REPRESENTATIONS)
        raise UsageError(f"no representation is called {name!r}; there are: {known}")
    return REPRESENTATIONS[name]
