"""How the cases of the constant-Q transform and of the CQTdiff+ network are run."""

import numpy as np
import torch
from parity.cases import Case

from shellac import published
from shellac.transforms.cqt import CQT


def transform(case: Case) -> dict[str, np.ndarray]:
    """Coefficients, inverse, both filters and the grid."""
    told = case.description["settings"]
    window = told["window"]
    shape, beta = (window, 1.0) if isinstance(window, str) else window
    cqt = CQT(told["numocts"], told["binsoct"], told["fs"], told["audio_len"], shape, beta)
    bins, steps = slice(None, None, told["bin_stride"]), slice(None, None, told["time_stride"])
    x = torch.from_numpy(case.arrays["in_x"])
    octaves = cqt.analyse(x)
    outputs = {
        "out_reconstruction": cqt.synthesise(octaves)[..., steps],
        "out_hpf": cqt.in_band(x)[..., steps],
        "out_lpf": cqt.out_of_band(x)[..., steps],
        **{f"out_oct{i}": octave[..., bins, :] for i, octave in enumerate(octaves)},
    }
    return {
        **{name: value.numpy() for name, value in outputs.items()},
        "out_window_lengths": cqt.lengths,
        "out_positions": cqt.positions,
        "out_sizes": np.array(cqt.sizes),
    }


def network(case: Case) -> dict[str, np.ndarray]:
    """One call on a waveform."""
    told = case.description["settings"]
    loaded = published.load("babe2_network", case.weights(), told)
    x, level = (torch.from_numpy(case.arrays[name]) for name in ("in_x", "in_cnoise"))
    with torch.inference_mode():
        return {"out_y": loaded(x, level)[:, :: told["time_stride"]].numpy()}


RUNNERS = {"babe2_cqt": transform, "babe2_network": network}
