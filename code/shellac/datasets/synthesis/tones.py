"""Bowed and blown instruments: periods of harmonics, played with vibrato, breath and a body.

A note reads two tables of one period, soft and loud, and moves between them with its strength, as
strings under the bow and air columns do; the body's resonances stand still while the pitch moves
through them, which is what makes vibrato sound alive. Partials fade out below 0.474 of the rate.
"""

from dataclasses import dataclass

import numpy as np
from scipy import signal

from shellac.datasets.synthesis import control
from shellac.datasets.synthesis.score import Note

_PERIOD = 8192
_HARMONICS = 1200
_HIGHEST, _FADING = 0.474, 0.34  # of the sample rate: vibrato stays below half of it
_BODY_SECONDS = 0.04


@dataclass(frozen=True)
class Timbre:
    """One instrument, or a section of like ones."""

    fall_db: float  # of the harmonics per octave, at full strength
    soft_db: float  # more of it per octave at the softest
    corner_hz: float  # above it they fall by 6 dB per octave more, by 12 above three times that
    low_hz: float  # below it the instrument radiates little
    even_db: float  # even harmonics over odd ones: far below 0 in a closed pipe
    resonances: tuple[tuple[float, float, float], ...]  # of the body: Hz, Q, dB
    attack_seconds: float
    release_seconds: float
    vibrato_hz: float
    vibrato_cents: float
    scoop_cents: float  # how far below a note begins
    drift_cents: float
    breath_db: float  # noise of bow or air against the tone
    breath_hz: float  # centre of its band
    players: int
    spread_cents: float
    ranks: tuple[tuple[int, float], ...] = ((1, 0.0),)  # an organ's: harmonic, dB


class Player:
    """Plays notes of one timbre; ``irregular`` are the instrument's own harmonics."""

    def __init__(self, timbre: Timbre, sample_rate: int, rng: np.random.Generator):
        self.timbre = timbre
        self.sample_rate = sample_rate
        self.rng = rng
        self._irregular_db = rng.normal(0.0, 2.0, _HARMONICS)
        self._phase = 2 * np.pi * rng.random(_HARMONICS)
        self._tables: dict[float, tuple[np.ndarray, np.ndarray]] = {}

    def _spectrum(self, first_hz: float, steeper_db: float) -> np.ndarray:
        """Return harmonic amplitudes (K,) of unit power, those of all ranks together."""
        count = int(np.clip(_HIGHEST * self.sample_rate / first_hz, 1, _HARMONICS))
        number = np.arange(1, count + 1)
        total = np.zeros(count)
        for harmonic, rank_db in self.timbre.ranks:
            own = np.arange(1, count // harmonic + 1)
            level_db = rank_db - (self.timbre.fall_db + steeper_db) * np.log2(own)
            level_db += np.where(own % 2 == 0, self.timbre.even_db / (1 + own / 12), 0.0)
            total[harmonic - 1 :: harmonic][: len(own)] += 10 ** (level_db / 20)
        frequency_hz = number * first_hz
        total *= 10 ** (self._irregular_db[:count] / 20)
        for corner_hz in (self.timbre.corner_hz, 3.0 * self.timbre.corner_hz):
            total /= np.sqrt(1 + (frequency_hz / corner_hz) ** 2)
        total /= 1 + (self.timbre.low_hz / frequency_hz) ** 2
        fading = frequency_hz / self.sample_rate - _FADING  # no wall where the table ends
        total *= np.cos(0.5 * np.pi * np.clip(fading / (_HIGHEST - _FADING), 0.0, 1.0))
        return total / np.sqrt(0.5 * np.square(total).sum())

    def _table(self, first_hz: float) -> tuple[np.ndarray, np.ndarray]:
        if first_hz not in self._tables:
            pair = []
            for steeper_db in (self.timbre.soft_db, 0.0):
                amplitude = self._spectrum(first_hz, steeper_db)
                pair.append(control.period(amplitude, self._phase[: len(amplitude)], _PERIOD))
            self._tables[first_hz] = (pair[0], pair[1])
        return self._tables[first_hz]

    def _pitch_curve(self, first_hz: float, samples: int) -> np.ndarray:
        timbre, rng = self.timbre, self.rng
        time = control.times(samples, self.sample_rate)
        rate_hz = timbre.vibrato_hz * (1 + 0.06 * control.wander(rng, len(time), 250.0))
        turn = 2 * np.pi * (np.cumsum(rate_hz) * control.HOP / self.sample_rate + rng.random())
        growing = np.clip((time - 0.12) / 0.35, 0.0, 1.0)
        cents = timbre.vibrato_cents * growing * rng.uniform(0.6, 1.2) * np.sin(turn)
        cents = cents + timbre.drift_cents * control.wander(rng, len(time), 120.0)
        cents -= timbre.scoop_cents * rng.random() * np.exp(-time / 0.035)
        cents += timbre.spread_cents * rng.standard_normal()
        return first_hz * 2.0 ** (cents / 1200.0)

    def _envelope(self, note: Note, samples: int) -> np.ndarray:
        """Return the strength (N + 1,) in 0 .. 1: rise, swell, and a fall that ends at nothing."""
        time = control.times(samples, self.sample_rate)
        length = note.stop_seconds - note.start_seconds
        attack = min(self.timbre.attack_seconds * self.rng.uniform(0.8, 1.4), 0.6 * length + 0.005)
        rise = 0.5 - 0.5 * np.cos(np.pi * np.clip(time / attack, 0.0, 1.0))
        swell = 1.0 + self.rng.uniform(-0.15, 0.2) * np.sin(np.pi * np.clip(time / length, 0, 1))
        accent = 1.0 + 0.25 * np.exp(-time / (3 * attack))
        fall = np.clip((time - length) / self.timbre.release_seconds, 0.0, 1.0)
        tremor = 1.0 + 0.03 * control.wander(self.rng, len(time), 40.0)
        return rise * swell * accent * tremor * (0.5 + 0.5 * np.cos(np.pi * fall))

    def _note(self, note: Note, first_hz: float, samples: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the tone (samples,) and its strength curve (N + 1,)."""
        soft, loud = self._table(first_hz)
        strength = self._envelope(note, samples) * note.velocity
        bright = control.raised(np.clip(strength, 0.0, 1.0), samples)
        wave = np.zeros(samples, np.float32)
        for _ in range(self.timbre.players):
            phase = control.cycles(self._pitch_curve(first_hz, samples), self.sample_rate, samples)
            phase += np.float32(self.rng.random())
            low = control.read_table(soft, phase)
            wave += low + bright * (control.read_table(loud, phase) - low)
        wave *= control.raised(strength / np.sqrt(self.timbre.players), samples)
        return wave, strength

    def play(self, notes: list[Note], samples: int, a4_hz: float) -> np.ndarray:
        """Return the dry sound (samples,) float32 of notes; what goes past the end is cut."""
        rate, timbre = self.sample_rate, self.timbre
        tone = np.zeros(samples, np.float32)
        breath = np.zeros(control.edges(samples) + 2)
        for note in notes:
            start = int(note.start_seconds * rate)
            length = note.stop_seconds - note.start_seconds + timbre.release_seconds
            count = int(length * rate) + control.HOP
            first_hz = a4_hz * 2.0 ** ((note.midi - 69) / 12)
            wave, strength = self._note(note, first_hz, count)
            tone[start : start + count] += wave[: samples - start]
            chiff = strength * (
                1 + 2 * np.exp(-np.arange(len(strength)) * control.HOP / rate / 0.03)
            )
            place = breath[start // control.HOP :][: len(chiff)]
            place += chiff[: len(place)]
        tone += self._air(breath, samples)
        body = body_response(timbre.resonances, rate)
        return signal.oaconvolve(tone, body)[:samples].astype(np.float32)

    def _air(self, breath: np.ndarray, samples: int) -> np.ndarray:
        """Return bow or breath noise (samples,) under its curve: a wide band about its centre."""
        low_hz = 0.5 * self.timbre.breath_hz
        high_hz = min(3.0 * self.timbre.breath_hz, 0.4 * self.sample_rate)
        band = signal.butter(1, [low_hz, high_hz], "bandpass", fs=self.sample_rate, output="sos")
        noise = signal.sosfilt(band, self.rng.standard_normal(samples, dtype=np.float32))
        level = 10 ** (self.timbre.breath_db / 20) * breath
        return control.raised(level[: control.edges(samples)], samples) * noise.astype(np.float32)


def body_response(
    resonances: tuple[tuple[float, float, float], ...], sample_rate: int
) -> np.ndarray:
    """Return the impulse response (L,) of a body: the direct sound and resonances (Hz, Q, dB)."""
    time = np.arange(int(_BODY_SECONDS * sample_rate)) / sample_rate
    response = np.zeros(len(time))
    for frequency_hz, quality, gain_db in resonances:
        if frequency_hz < 0.45 * sample_rate:
            band_hz = frequency_hz / quality
            ring = np.exp(-np.pi * band_hz * time) * np.sin(2 * np.pi * frequency_hz * time)
            response += 10 ** (gain_db / 20) * 2 * np.pi * band_hz / sample_rate * ring
    response[0] += 1.0
    return response.astype(np.float32)
