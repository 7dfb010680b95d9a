"""Assessors that do not exist: for tests and for planning, never for results."""

import functools
from collections.abc import Mapping
from typing import Any

import numpy as np

from shellac.listening.analysis import signed_rank
from shellac.listening.excerpts import REFERENCE
from shellac.listening.responses import Response

OPINIONS = {REFERENCE: 100.0, "anchor_3500_hz": 15.0, "anchor_7000_hz": 45.0}
MOST_DIFFERENCE = 50
_LISTENERS = (6, 8, 10, 12, 15, 20, 30)
_REPETITIONS = 200
_SEED = 1534
_SIGNIFICANCE = 0.05
BETWEEN_LISTENERS = 5.0  # spread of how far apart a listener hears two systems, in points


def scores(
    opinions: np.ndarray, deviation: float, trials: int, rng: np.random.Generator
) -> np.ndarray:
    """Return whole ratings 0 to 100, (..., trials, conditions), around opinions (..., conditions).

    Errors are normal with ``deviation`` points and independent from one rating to the next.
    """
    mean = np.repeat(np.asarray(opinions, float)[..., None, :], trials, axis=-2)
    return np.clip(np.rint(mean + deviation * rng.standard_normal(mean.shape)), 0, 100)


def responses(
    key: dict[str, Any],
    opinions: Mapping[str, float],
    listeners: int,
    deviation: float,
    rng: np.random.Generator,
) -> list[Response]:
    """Return what listeners of one mind would answer to a test.

    ``opinions`` of conditions, beside :data:`OPINIONS` of reference and anchors; the hidden
    reference is always found.
    """
    minds = {**OPINIONS, **opinions}
    found = []
    for number in range(listeners):
        given = {}
        for name, trial in key["trials"].items():
            heard = sorted({stimulus["condition"] for stimulus in trial["stimuli"].values()})
            rated = scores(np.array([minds[each] for each in heard]), deviation, 1, rng)[0]
            given[name] = {
                each: 100 if each == REFERENCE else int(score)
                for each, score in zip(heard, rated, strict=True)
            }
        found.append(Response(f"simulated-{number:03d}", "", given))
    return found


def power(difference: float, deviation: float, systems: int, trials: int) -> dict[int, float]:
    """Return by number of listeners how often a difference would be found.

    One of ``systems`` is ``difference`` points better than the others. It counts as found where
    a paired Wilcoxon test, corrected by Holm for all pairs of systems, tells it from a given
    other one: at worst, with no other difference found, the smallest p must be below the level
    divided by the number of pairs, and that is what is asked for here.
    """
    pairs = systems * (systems - 1) // 2
    return {
        listeners: float(np.mean(chances < _SIGNIFICANCE / pairs))
        for listeners, chances in _chances(difference, deviation, trials).items()
    }


@functools.cache
def _chances(difference: float, deviation: float, trials: int) -> dict[int, np.ndarray]:
    """The p of every repetition by number of listeners: the same however many systems there are."""
    rng = np.random.default_rng(_SEED)
    minds = np.array([50 - difference / 2, 50 + difference / 2])
    found = {}
    for listeners in _LISTENERS:
        shape = (_REPETITIONS, listeners, 2)
        opinions = minds + BETWEEN_LISTENERS * rng.standard_normal(shape)
        means = scores(opinions, deviation, trials, rng).mean(axis=-2)
        found[listeners] = np.array([signed_rank(mean) for mean in means[..., 1] - means[..., 0]])
    return found
