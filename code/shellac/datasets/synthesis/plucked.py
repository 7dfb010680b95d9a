"""Plucked strings: damped modes of a string pulled aside at a point, over a resonant body.

A string released from a triangle has partials that fall with n^2 at the middle and show zeros where
the plectrum stood; thick fingers take the top away. Courses of two strings beat. The class offers
what :func:`shellac.datasets.synthesis.piano.perform` plays: ``strike`` and ``knock``.
"""

from dataclasses import dataclass

import numpy as np
from scipy import signal

from shellac.datasets.synthesis.modes import Modes
from shellac.datasets.synthesis.tones import body_response

_MAX_FREQUENCY_HZ = 20000.0
_FAINTEST = 10 ** (-80 / 20)
_MAX_SECONDS = 5.0


@dataclass(frozen=True)
class Pluck:
    """One plucked instrument."""

    a4_hz: float
    position: float  # of the string's length
    hardness_hz: float  # of finger or plectrum: an exponential roll-off
    stiffness: float
    loss: float  # 1/s at A3, rising with pitch
    damping: float  # 1/s per kHz^1.3
    course_cents: float  # 0: single strings
    scratch_db: float  # noise of the plectrum
    resonances: tuple[tuple[float, float, float], ...]
    damper_seconds: float


class PluckedStrings:
    """All strings of an instrument; each pitch is strung when first plucked."""

    def __init__(self, pluck: Pluck, sample_rate: int, rng: np.random.Generator):
        self.pluck = pluck
        self.sample_rate = sample_rate
        self.rng = rng
        self._strings: dict[int, tuple[np.ndarray, np.ndarray, Modes]] = {}

    def _string(self, midi: int) -> tuple[np.ndarray, np.ndarray, Modes]:
        pluck, rng = self.pluck, self.rng
        first_hz = pluck.a4_hz * 2.0 ** ((midi - 69) / 12 + rng.normal(0.0, 2.0) / 1200)
        number = np.arange(1, 201)
        frequency_hz = first_hz * number * np.sqrt(1 + pluck.stiffness * number**2)
        inside = frequency_hz < min(_MAX_FREQUENCY_HZ, 0.46 * self.sample_rate)
        number, frequency_hz = number[inside], frequency_hz[inside]
        comb = np.sqrt(np.sin(np.pi * number * pluck.position) ** 2 + 0.005)
        amplitude = comb / number * np.exp(-frequency_hz / pluck.hardness_hz)
        heard = amplitude > _FAINTEST * amplitude.max()
        amplitude, frequency_hz = amplitude[heard], frequency_hz[heard]
        decay = pluck.loss * 2.0 ** ((midi - 57) / 18) + pluck.damping * (frequency_hz / 1e3) ** 1.3
        amplitude *= np.exp(rng.normal(0.0, 0.2, len(amplitude))) / np.sqrt(
            np.square(amplitude).sum()
        )
        if pluck.course_cents:
            apart = 2.0 ** (pluck.course_cents * rng.uniform(0.5, 1.5) / 1200)
            frequency_hz = np.concatenate([frequency_hz, frequency_hz * apart])
            amplitude = np.concatenate([amplitude, 0.8 * amplitude])
            decay = np.concatenate([decay, decay])
        modes = Modes.tuned(frequency_hz, decay, self.sample_rate, _MAX_SECONDS)
        return frequency_hz, amplitude, modes

    def strike(self, midi: int, velocity: float, samples: int) -> np.ndarray:
        """Return the undamped sound (L,) float32 of one pluck; L is ``samples`` or five seconds."""
        if midi not in self._strings:
            self._strings[midi] = self._string(midi)
        frequency_hz, amplitude, modes = self._strings[midi]
        softer = np.exp(-(1 - velocity) * frequency_hz / (1.5 * self.pluck.hardness_hz))
        phase = np.exp(1j * (0.5 * np.pi + self.rng.normal(0.0, 0.3, len(amplitude))))
        wave = modes.ring(velocity**1.3 * amplitude * softer * phase, samples)
        rise = min(len(wave), int(0.0012 * self.sample_rate) + 2)
        wave[:rise] *= 0.5 - 0.5 * np.cos(np.pi * np.arange(rise, dtype=np.float32) / rise)
        last = min(len(wave), int(0.02 * self.sample_rate))
        if len(wave) < samples:  # the tables end before the damper falls
            wave[len(wave) - last :] *= np.linspace(1.0, 0.0, last, dtype=np.float32)
        return wave

    def knock(self, velocity: float) -> np.ndarray:
        """Return the scratch of plectrum or nail, (L,) float32."""
        time = np.arange(int(0.03 * self.sample_rate)) / self.sample_rate
        noise = np.diff(self.rng.standard_normal(len(time) + 1)) * np.exp(-time / 0.004)
        noise *= np.clip(time / 0.0008, 0.0, 1.0)
        return (10 ** (self.pluck.scratch_db / 20) * velocity * noise).astype(np.float32)

    def body(self, dry: np.ndarray) -> np.ndarray:
        """Return the strings' sound (T,) as the body radiates it."""
        response = body_response(self.pluck.resonances, self.sample_rate)
        return signal.oaconvolve(dry, response)[: len(dry)].astype(np.float32)
