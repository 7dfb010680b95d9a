"""How the cases of the two-stage U-Net denoiser are run."""

import numpy as np
import torch
from parity.cases import Case
from torch import Tensor

from shellac import published
from shellac.systems.spectrogram_front import from_channels, to_channels, transformed
from shellac.transforms.stft import HAMMING_1024, HAMMING_2048


def network(case: Case) -> dict[str, np.ndarray]:
    """One call on a spectrogram; with one stage its only output is called the first."""
    loaded = published.load("denoiser", case.weights(), case.description["settings"])
    with torch.inference_mode():
        found = loaded(torch.from_numpy(case.arrays["in_spectrogram"]))
    if found.first is None:
        return {"out_stage1": found.final.numpy()}
    return {"out_stage2": found.final.numpy(), "out_stage1": found.first.numpy()}


def waveform(case: Case) -> dict[str, np.ndarray]:
    """From waveform to waveform, not cropped."""
    loaded = published.load("denoiser", case.weights(), case.description["settings"])
    x = torch.from_numpy(case.arrays["in_waveform"])
    with torch.inference_mode():
        out = transformed(lambda spectrogram: loaded(spectrogram).final, x, HAMMING_1024)
    return {"out_waveform": out.numpy()}


def tensorflow(case: Case) -> dict[str, np.ndarray]:
    """The 44.1 kHz network; arrays there have their channels last."""
    loaded = published.load("denoiser_tf", case.weights(), case.description["settings"])
    x = torch.from_numpy(case.arrays["in_waveform"])[None]

    def inverse(parts: Tensor) -> Tensor:
        return HAMMING_2048.synthesise(from_channels(parts))[0]

    with torch.inference_mode():
        seen = to_channels(HAMMING_2048.analyse(x))
        found = loaded(seen)
        outputs = {
            "out_spectrogram": seen.permute(0, 2, 3, 1),
            "out_stage2": found.final.permute(0, 2, 3, 1),
            "out_waveform": inverse(found.final),
            "out_residual": inverse(seen - found.final),
        }
        first = found.final if found.first is None else found.first
        outputs["out_stage1"] = first.permute(0, 2, 3, 1)
    return {name: value.numpy() for name, value in outputs.items()}


RUNNERS = {"denoiser": network, "denoiser_wave": waveform, "denoiser_tf": tensorflow}
