"""A drum kit: swept membranes, wires, and plates with dense, inharmonic modes under noise."""

import numpy as np
from scipy import fft

from shellac.datasets.synthesis.score import Note

KICK, SNARE, BRUSH, HAT, RIDE, CRASH = 36, 38, 40, 42, 51, 49  # General MIDI numbers
_VARIANTS = 3


def _shaped_noise(
    rng: np.random.Generator, samples: int, rate: int, band_hz: tuple[float, float]
) -> np.ndarray:
    """Return noise (samples,) of unit RMS with slopes of 12 dB per octave outside of a band."""
    frequency_hz = np.maximum(fft.rfftfreq(samples, 1.0 / rate), 1.0)
    gain = np.minimum(1.0, (frequency_hz / band_hz[0]) ** 2)
    gain *= np.minimum(1.0, (band_hz[1] / frequency_hz) ** 2)
    noise = fft.irfft(fft.rfft(rng.standard_normal(samples)) * gain, samples)
    return noise / np.sqrt(np.square(noise).mean())


def _membrane(
    time: np.ndarray, rng: np.random.Generator, first_hz: float, ring: float
) -> np.ndarray:
    """Return a struck skin: the modes of a circular membrane, the first one falling in pitch."""
    wave = np.zeros(len(time))
    for ratio, gain in (
        (1.0, 1.0),
        (1.59, 0.5),
        (2.14, 0.35),
        (2.3, 0.25),
        (2.65, 0.2),
        (2.92, 0.15),
    ):
        drop = 0.35 * first_hz * ratio * 0.025 * (1 - np.exp(-time / 0.025))
        turn = 2 * np.pi * (first_hz * ratio * time + drop)
        wave += gain * rng.uniform(0.6, 1.3) * np.sin(turn) * np.exp(-time * ratio / ring)
    return wave


def _plate(
    time: np.ndarray, rng: np.random.Generator, low_hz: float, ring: float, rate: int
) -> np.ndarray:
    """Return a cymbal: 60 modes and noise, whose treble dies first."""
    limit_hz = 0.45 * rate
    wave = np.zeros(len(time))
    for frequency_hz in low_hz * (limit_hz / low_hz) ** rng.random(60):
        decay = ring * (low_hz / frequency_hz) ** 0.35
        wave += np.sin(2 * np.pi * (frequency_hz * time + rng.random())) * np.exp(-time / decay)
    for edge_hz, share in ((2500.0, 1.0), (5000.0, 0.75), (10000.0, 0.5)):
        if edge_hz < 0.4 * rate:
            band = (edge_hz, min(2 * edge_hz, limit_hz))
            wave += 1.2 * _shaped_noise(rng, len(time), rate, band) * np.exp(-time / (share * ring))
    return wave * np.exp(-np.maximum(0.0, time - 0.8 * time[-1]) / (0.03 * time[-1]))


class Kit:
    """Drums of one drummer: every stroke is one of a few prepared ones, so that none is a copy."""

    def __init__(self, sample_rate: int, rng: np.random.Generator):
        self.sample_rate = sample_rate
        self.rng = rng
        self._tuned = {
            KICK: rng.uniform(48.0, 72.0), SNARE: rng.uniform(165.0, 230.0),
            HAT: rng.uniform(2500.0, 4000.0), RIDE: rng.uniform(600.0, 1000.0),
            CRASH: rng.uniform(400.0, 700.0), BRUSH: rng.uniform(1500.0, 2500.0),
        }  # fmt: skip
        self._ring = rng.uniform(0.7, 1.4)
        self._strokes: dict[int, list[np.ndarray]] = {}

    def _stroke(self, drum: int) -> np.ndarray:
        rng, rate, tuned_hz = (
            self.rng,
            self.sample_rate,
            self._tuned[drum] * self.rng.uniform(0.98, 1.02),
        )
        seconds = {KICK: 0.5, SNARE: 0.35, BRUSH: 0.25, HAT: 0.2, RIDE: 1.4, CRASH: 2.0}[drum]
        time = np.arange(int(seconds * rate)) / rate
        if drum == KICK:
            wave = 1.6 * _membrane(time, rng, tuned_hz, 0.13 * self._ring)
            wave += (
                0.25 * _shaped_noise(rng, len(time), rate, (600.0, 4000.0)) * np.exp(-time / 0.006)
            )
        elif drum == SNARE:
            wires = _shaped_noise(rng, len(time), rate, (1500.0, 0.4 * rate))
            wave = 0.7 * _membrane(time, rng, tuned_hz, 0.07 * self._ring)
            wave += 0.7 * wires * np.exp(-time / (0.06 * self._ring))
        elif drum == BRUSH:
            sweep = np.sin(np.pi * np.clip(time / seconds, 0.0, 1.0)) ** 2
            wave = 0.2 * _shaped_noise(rng, len(time), rate, (tuned_hz, 0.35 * rate)) * sweep
        else:
            ring = {HAT: 0.035, RIDE: 0.35, CRASH: 0.55}[drum] * self._ring
            wave = {HAT: 0.05, RIDE: 0.022, CRASH: 0.06}[drum] * _plate(
                time, rng, tuned_hz, ring, rate
            )
        rise = int(0.0008 * rate) + 2
        wave[:rise] *= np.linspace(0.0, 1.0, rise)
        last = len(time) // 10
        wave[-last:] *= 0.5 + 0.5 * np.cos(np.linspace(0.0, np.pi, last))
        return wave.astype(np.float32)

    def play(self, notes: list[Note], samples: int) -> np.ndarray:
        """Return the dry sound (samples,) float32 of strokes; ``midi`` names the drum."""
        out = np.zeros(samples, np.float32)
        for note in notes:
            if note.midi not in self._strokes:
                self._strokes[note.midi] = [self._stroke(note.midi) for _ in range(_VARIANTS)]
            stroke = self._strokes[note.midi][int(self.rng.integers(_VARIANTS))]
            start = int(note.start_seconds * self.sample_rate)
            gain = np.float32(note.velocity**1.5)
            out[start : start + len(stroke)] += gain * stroke[: samples - start]
        return out
