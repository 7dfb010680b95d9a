"""How the inpainting cases are run."""

import numpy as np
import torch
from parity.cases import Case

from shellac import published


def network(case: Case) -> dict[str, np.ndarray]:
    """One call of the published network; arrays there have their channels last."""
    settings = case.description["settings"]
    loaded = published.load("inpainting", case.weights(), settings)
    eps = case.arrays.get("in_eps")
    with torch.inference_mode():
        found = loaded(
            torch.from_numpy(case.arrays["in_x"]).permute(0, 3, 1, 2),
            eps=None if eps is None else torch.from_numpy(eps),
        )
    restored = found.restored.permute(0, 2, 3, 1)
    outputs = {
        "out_y": restored.flatten(1, 2) if settings["model"] == "WaveNet" else restored,
        "out_mid": None if found.intermediate is None else found.intermediate.permute(0, 2, 3, 1),
        "out_mu": found.mean,
        "out_log_var": found.log_variance,
    }
    return {name: value.numpy() for name, value in outputs.items() if value is not None}


RUNNERS = {"inpainting": network}
