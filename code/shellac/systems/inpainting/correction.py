"""Autoregression corrected: a network's magnitudes under the phases of what filled the gaps.

Autoregression knows phases far better than a search from magnitudes finds them, but says too
little where its model does not hold: towards the middle of a gap, at onsets, in what vibrates. A
network that starts from its magnitudes has only that to learn, and to keep what is right.
"""

import torch
from torch import Tensor, nn

from shellac.systems.inpainting import preparation
from shellac.systems.inpainting.filling import Correction
from shellac.systems.inpainting.preparation import Conversion

_MOST_SNR_DB = 30.0  # inside a gap; what is better than that counts no more
_SILENCE = 1e-10


def correct(network: nn.Module, conversion: Conversion, filled: Tensor, missing: Tensor) -> Tensor:
    """Return waveforms (B, T) at the network's rate, corrected where samples are missing.

    ``filled`` is what autoregression made of them, ``missing`` bool (B, T); T is as many samples
    as whole blocks have. Magnitudes of frames that lack samples are the network's, phases those of
    ``filled``, and the waveform the nearest to both.
    """
    form = conversion.form
    spectrum = form.encode(filled)
    lost = form.missing_share(missing) > 0
    blocks = form.blocks(form.values(spectrum))
    lost_blocks = lost.reshape(-1, form.block_frames)
    level = form.level(blocks.masked_fill(lost_blocks[:, None, :, None], 0))
    prepared = form.normalise(blocks, level)
    found = preparation.estimate(network, conversion, prepared, lost_blocks).restored
    values = form.join(form.denormalise(found.mean(dim=1, keepdim=True), level), len(filled))
    seen = spectrum[..., : form.bins]
    seen = torch.where(lost[..., None], torch.sgn(seen) * values, seen)
    whole = torch.cat((seen, spectrum[..., form.bins :]), dim=-1)
    heard = form.framing.synthesise(whole, filled.shape[-1])
    return torch.where(missing, heard, filled)


def corrector(network: nn.Module, conversion: Conversion, device: torch.device) -> Correction:
    """Return :func:`correct` by a network in evaluation mode, as gaps are filled with."""

    def run(filled: Tensor, missing: Tensor) -> Tensor:
        with torch.inference_mode():
            return correct(network, conversion, filled.to(device), missing.to(device)).cpu()

    return Correction(run, conversion.form)


def loss(heard: Tensor, whole: Tensor, missing: Tensor) -> Tensor:
    """Return the negative SNR in dB of (B, T) over the samples ``missing``, the mean over B.

    Soft above 30 dB (Wisdom et al., "Unsupervised sound separation using mixture invariant
    training", 2020, equation 2). What is silent there does not count.
    """
    error = ((heard - whole).square() * missing).sum(-1)
    power = (whole.square() * missing).sum(-1)
    counted = power > _SILENCE
    soft = 10 ** (-_MOST_SNR_DB / 10) * power
    ratio = (error + soft) / power.clamp_min(_SILENCE)
    return 10 * torch.where(counted, ratio, 1).log10().sum() / counted.sum().clamp_min(1)
