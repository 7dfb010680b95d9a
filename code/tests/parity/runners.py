"""Which function runs the cases of which model key: (case) -> outputs by name."""

from collections.abc import Callable

import numpy as np
import pytest
from parity import babe2, behm_gan, cqtdiff, denoiser, inpainting, rules, superres
from parity.cases import Case
from parity.not_built import NOT_BUILT

RUNNERS: dict[str, Callable[[Case], dict[str, np.ndarray]]] = {
    **inpainting.RUNNERS,
    **superres.RUNNERS,
    **denoiser.RUNNERS,
    **behm_gan.RUNNERS,
    **babe2.RUNNERS,
    **cqtdiff.RUNNERS,
}


def check(case: Case) -> dict[str, float]:
    """Run one case; return its mismatches. Skips what is not built yet, fails what is unknown."""
    model = case.description["model"]
    if model in NOT_BUILT:
        pytest.skip(f"{model} is not built yet")
    if model not in RUNNERS:
        pytest.fail(f"{case.path.stem}: nothing runs the model key {model!r}")
    return rules.mismatches(case.description, case.arrays, RUNNERS[model](case))
