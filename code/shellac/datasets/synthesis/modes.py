"""Damped modes by two tables: sums of decaying partials without recursion.

A mode is a damped complex exponential z^n. With n = B m + k, a sum of modes is one matrix product
of the tables z^(B m) and z^k; the tables of a string serve all its strokes.
"""

from dataclasses import dataclass

import numpy as np

_BLOCK = 512


def _powers(poles: np.ndarray, count: int) -> np.ndarray:
    """Return poles**k for k = 0 .. count - 1, shape (Q, count), by doubling."""
    table = np.ones((len(poles), count), np.complex128)
    known = 1
    step = poles.copy()
    while known < count:
        more = min(known, count - known)
        table[:, known : known + more] = table[:, :more] * step[:, None]
        step = step * step
        known += more
    return table


@dataclass(frozen=True)
class Modes:
    """Powers of Q poles within a block, (Q, block) complex64, and by block, (M, Q) complex64."""

    within: np.ndarray
    between: np.ndarray

    @classmethod
    def tuned(
        cls, frequency_hz: np.ndarray, decay: np.ndarray, sample_rate: int, max_seconds: float
    ) -> "Modes":
        """Return modes of frequencies (Q,) in Hz and decay rates (Q,) in 1/s."""
        poles = np.exp((-decay + 2j * np.pi * frequency_hz) / sample_rate)
        blocks = int(max_seconds * sample_rate / _BLOCK) + 1
        return cls(
            within=_powers(poles, _BLOCK).astype(np.complex64),
            between=_powers(poles**_BLOCK, blocks).T.astype(np.complex64),
        )

    def ring(self, start: np.ndarray, samples: int) -> np.ndarray:
        """Return the sum of the modes (L,) float32 from complex start values (Q,).

        L is ``samples``, or what the tables reach.
        """
        blocks = min(-(-samples // _BLOCK), len(self.between))
        within = start.astype(np.complex64)[:, None] * self.within
        between = self.between[:blocks]
        wave = between.real @ within.real - between.imag @ within.imag
        return wave.reshape(-1)[:samples]
