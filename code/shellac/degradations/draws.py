"""Degradations drawn anew whenever a fragment is read, and the same ones whenever it is again."""

import numpy as np


def generator(seed: int, digest: str, place: int, draw_number: int = 0) -> np.random.Generator:
    """Return the generator of one fragment: keyed on seed, recording and place, on nothing else.

    ``digest`` is the recording's SHA-256, ``place`` counts its fragments, ``draw_number`` draws
    for the same fragment.
    """
    return np.random.default_rng([seed, int(digest[:16], 16), place, draw_number])
