"""How the super-resolution cases are run."""

from collections.abc import Mapping

import numpy as np
import torch
from parity.cases import Case
from torch import nn

from shellac import metrics, published
from shellac.systems.superres import preparation
from shellac.transforms.spline import upsample

_TAP = "out_tap_"


def network(case: Case) -> dict[str, np.ndarray]:
    """One call of the published network per input, and the output of the tapped sub-modules."""
    model = case.description["model"]
    loaded = published.load(model, case.weights(), case.description.get("settings"))
    return network_outputs(loaded, case.arrays, case.description["outputs"])


def network_outputs(
    loaded: nn.Module, arrays: Mapping[str, np.ndarray], names: Mapping[str, object]
) -> dict[str, np.ndarray]:
    """Run a network that is already there."""
    batch = torch.from_numpy(arrays["in_batch"])
    taps = {}

    def tap(name: str):
        def keep(_module: nn.Module, _inputs: tuple, output: torch.Tensor) -> None:
            taps[name] = output.numpy().copy()

        return keep

    with torch.inference_mode():
        outputs = {
            "out_batch": loaded(batch),
            "out_batch_item0_alone": loaded(batch[:1]),
            "out_single": loaded(torch.from_numpy(arrays["in_single"])),
        }
        for name in names:
            if name.startswith(_TAP):
                module = loaded.get_submodule(name.removeprefix(_TAP))
                module.register_forward_hook(tap(name))
        outputs["out_short"] = loaded(torch.from_numpy(arrays["in_short"]))
    return {name: value.numpy() for name, value in outputs.items()} | taps


def prepared(case: Case) -> dict[str, np.ndarray]:
    """The data preparation with each of the case's options, and the legacy filter."""
    wav = case.arrays["in_wav"]
    outputs = {}
    for key, options in case.description["settings"]["cases"].items():
        data, label = preparation.prepare(
            wav,
            options["scale"],
            options["dimension"],
            options["stride"],
            low_pass=options["low_pass"],
            batch=options["batch"],
        )
        outputs |= {f"out_{key}_data": data, f"out_{key}_label": label}
    cropped = wav[: len(wav) // 4 * 4]
    low = preparation.decimate_legacy(cropped, 4)
    return outputs | {"out_legacy_lr": upsample(low, 4).astype(np.float32)}


def scored(case: Case) -> dict[str, np.ndarray]:
    """The published metrics, item by item."""
    pairs = list(zip(case.arrays["in_gt"], case.arrays["in_pred"], strict=True))
    snr = np.array([metrics.snr_reference_db(r, x) for r, x in pairs])
    lsd = np.array([metrics.lsd_reference(r, x) for r, x in pairs])
    zero = np.array([metrics.lsd_reference(r, x, padding="zero") for r, x in pairs])
    mean = np.array([snr.mean(), lsd.mean()])
    return {"out_snr": snr, "out_lsd": lsd, "out_lsd_zero_pad": zero, "out_mean": mean}


RUNNERS = {
    "superres_audiounet": network,
    "superres_tfilm": network,
    "superres_prep": prepared,
    "superres_metrics": scored,
}
