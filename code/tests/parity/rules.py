"""The rules of parity cases: how weights are filled in, and when an output passes."""

import zlib
from collections.abc import Iterable, Mapping
from math import prod
from typing import Any

import numpy as np


def filled(seed: int, name: str, shape: Iterable[int], dtype: str = "float32") -> np.ndarray:
    """Make one array of a checkpoint from (seed, name, shape) alone."""
    shape, dtype = tuple(shape), np.dtype(dtype)
    if dtype.kind != "f":
        return np.zeros(shape, dtype)
    key = [seed, zlib.crc32(name.encode("utf-8"))]
    z = np.random.default_rng(key).standard_normal(shape).astype(np.float32)
    if name.endswith("running_var") or name.endswith("moving_variance"):
        values = 1 + 0.1 * abs(z)
    elif len(shape) > 1:
        values = z / np.sqrt(prod(shape[1:]))
    elif name.endswith(("weight", "gamma", "scale")):
        values = 1 + 0.1 * z
    else:
        values = 0.1 * z
    return np.asarray(values).astype(dtype)


def checkpoint(parameters: Iterable[list], seed: int) -> dict[str, np.ndarray]:
    """Fill a list of [name, shape, dtype] in its order."""
    return {name: filled(seed, name, shape, dtype) for name, shape, dtype in parameters}


def rule_of(tolerance: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return the rule for one output: its own or the default one."""
    return tolerance[name] if name in tolerance else tolerance["default"]


def mismatch(rule: Mapping[str, Any], got: Any, arrays: Mapping[str, Any], name: str) -> float:
    """Return the distance of ``got`` from output ``name``, in allowances: 1 or less passes."""
    got, want = np.asarray(got), np.asarray(arrays[name])
    if got.shape != want.shape:
        return np.inf
    if not (np.isfinite(got).all() and np.isfinite(want).all()):
        return np.inf
    if rule.get("exact"):
        return 0.0 if (got == want).all() else np.inf
    wide = complex if "c" in (got.dtype.kind, want.dtype.kind) else float
    error = got.astype(wide) - want.astype(wide)
    if "absolute" in rule:
        return abs(error).max(initial=0) / rule["absolute"]
    base = arrays[rule["minus"]].astype(wide) if "minus" in rule else 0
    size = np.linalg.norm((want.astype(wide) - base).ravel())
    if size == 0:
        return abs(error).max(initial=0) / rule["relative"]
    return np.linalg.norm(error.ravel()) / size / rule["relative"]


def mismatches(
    description: Mapping[str, Any], arrays: Mapping[str, Any], outputs: Mapping[str, Any]
) -> dict[str, float]:
    """Return the mismatch of every output of a case; one that had to be computed and was not is
    infinitely far, an optional one that was not is left out."""
    found = {}
    for name in description["outputs"]:
        rule = rule_of(description["tolerance"], name)
        if name in outputs:
            found[name] = float(mismatch(rule, outputs[name], arrays, name))
        elif not rule.get("optional"):
            found[name] = float("inf")
    return found
