"""Loading the authors' weights by their own parameter names."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from shellac.errors import UsageError

if TYPE_CHECKING:
    from torch import nn

# Published model -> module whose ``load(model, state_dict, settings)`` builds it.
MODULES: dict[str, str] = {
    "babe2_network": "shellac.systems.babe2.published",
    "babe2_piano": "shellac.systems.babe2.published",
    "babe2_singing": "shellac.systems.babe2.published",
    "behm_audiounet": "shellac.systems.behm_gan.published",
    "behm_discriminators": "shellac.systems.behm_gan.published",
    "behm_generator": "shellac.systems.behm_gan.published",
    "behm_seanet": "shellac.systems.behm_gan.published",
    "denoiser": "shellac.systems.denoiser.published",
    "denoiser_tf": "shellac.systems.denoiser.published",
    "superres_audiounet": "shellac.systems.superres.published",
    "superres_tfilm": "shellac.systems.superres.published",
    "inpainting": "shellac.systems.inpainting.published",
}
BUILT: tuple[str, ...] = tuple(MODULES)


def load(
    model: str, state_dict: Mapping[str, Any], settings: Mapping[str, Any] | None = None
) -> nn.Module:
    """Build a published network from its checkpoint, in evaluation mode, on the CPU.

    ``state_dict`` maps the authors' parameter names to arrays or tensors, which are copied;
    ``settings`` is the published configuration where the model has one. Raises
    :class:`UsageError` for an unknown model, :class:`WeightsError` where the weights do not fit.
    """
    if model not in MODULES:
        raise UsageError(f"no published model is called {model!r}; there are: {', '.join(BUILT)}")
    return import_module(MODULES[model]).load(model, state_dict, settings or {})
