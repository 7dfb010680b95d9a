"""A synthetic piano at full band: stiff strings struck by felt, in a room, playing music.

Every string partial is a damped mode (:mod:`shellac.datasets.synthesis.modes`).

Inharmonicity: Fletcher, J. Acoust. Soc. Am. 36 (1964), f_n = n f_0 sqrt(1 + B n^2), with B over
the keyboard as two exponential branches (Rigaud, David, Daudet, J. Acoust. Soc. Am. 133, 2013).
Two-stage decay by coupled, mistuned strings: Weinreich, J. Acoust. Soc. Am. 62 (1977).
"""

from dataclasses import dataclass, field

import numpy as np
from scipy import signal

from shellac.datasets.synthesis.modes import Modes
from shellac.datasets.synthesis.room import finish, place
from shellac.datasets.synthesis.score import Note, compose

_MAX_PARTIALS = 150
_DOUBLED_PARTIALS = 26  # above these a partial decays before its beating is heard
_MAX_FREQUENCY_HZ = 20000.0
_FAINTEST = 10 ** (-90 / 20)
_KNOCKS = 4


@dataclass(frozen=True)
class Instrument:
    """One piano; drawn per piece so that pieces share neither tuning nor long-term spectrum."""

    a4_hz: float
    stretch_cents: float  # at three octaves from A4
    bass_inharmonicity: float  # logarithm of B's falling branch at MIDI number 0
    treble_inharmonicity: float  # logarithm of B's rising branch at MIDI number 0
    detune_cents: float
    wear_cents: float  # how far whole keys are out of tune
    brightness_hz: float  # corner of the felt at middle C and full velocity
    hardness_hz: float  # scale of the exponential roll-off above the corner
    strike_position: float  # of the string's length
    sustain: float  # multiplies all decay times
    knock: float  # hammer and key noise against the strings
    damper_seconds: float


def draw_instrument(rng: np.random.Generator) -> Instrument:
    """Draw a piano, from a soft felt upright to a bright, badly tuned bar piano."""
    neglected = rng.random() < 0.2
    return Instrument(
        a4_hz=float(rng.uniform(432.0, 445.0)),
        stretch_cents=float(rng.uniform(4.0, 18.0)),
        bass_inharmonicity=float(rng.uniform(-6.4, -5.4)),
        treble_inharmonicity=float(rng.uniform(-14.0, -13.2)),
        detune_cents=float(rng.uniform(2.0, 6.0) if neglected else rng.uniform(0.3, 1.6)),
        wear_cents=float(rng.uniform(2.0, 7.0) if neglected else rng.uniform(0.2, 1.5)),
        brightness_hz=float(np.exp(rng.uniform(np.log(1800.0), np.log(4200.0)))),
        hardness_hz=float(np.exp(rng.uniform(np.log(3200.0), np.log(5600.0)))),
        strike_position=float(rng.uniform(0.105, 0.145)),
        sustain=float(rng.uniform(0.6, 1.4)),
        knock=float(10 ** (rng.uniform(-38.0, -26.0) / 20)),
        damper_seconds=float(rng.uniform(0.04, 0.12)),
    )


def fundamental_hz(instrument: Instrument, midi: int) -> float:
    """Return the stretched equal-tempered frequency of a key (MIDI number)."""
    octaves = (midi - 69) / 12.0
    cents = instrument.stretch_cents * (octaves / 3.0) ** 3
    return instrument.a4_hz * 2.0 ** (octaves + cents / 1200.0)


def inharmonicity(instrument: Instrument, midi: int) -> float:
    """Return the stiffness coefficient B of a key."""
    return float(
        np.exp(instrument.bass_inharmonicity - 0.085 * midi)
        + np.exp(instrument.treble_inharmonicity + 0.0926 * midi)
    )


def partials(instrument: Instrument, midi: int, sample_rate: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the frequencies in Hz and slow decay rates in 1/s of a key's partials, (P,) each."""
    first_hz, stiffness = fundamental_hz(instrument, midi), inharmonicity(instrument, midi)
    number = np.arange(1, _MAX_PARTIALS + 1)
    frequency_hz = first_hz * number * np.sqrt((1 + stiffness * number**2) / (1 + stiffness))
    frequency_hz = frequency_hz[frequency_hz < min(_MAX_FREQUENCY_HZ, 0.46 * sample_rate)]
    string_loss = 0.35 * 2.0 ** ((midi - 48) / 14.0)  # short strings ring shorter
    decay = (string_loss + 0.45 * (frequency_hz / 1000.0) ** 1.2) / instrument.sustain
    return frequency_hz, decay


def _spectrum(
    instrument: Instrument, midi: int, frequency_hz: np.ndarray, velocity: float
) -> np.ndarray:
    """Return the amplitudes (P,) that a stroke of ``velocity`` gives the partials.

    The felt is stiffer the faster it strikes and the shorter the string: its corner rises.
    """
    number = np.arange(1, len(frequency_hz) + 1)
    strike = np.sqrt(np.sin(np.pi * number * instrument.strike_position) ** 2 + 0.01)
    corner = instrument.brightness_hz * (0.25 + 0.75 * velocity) * 2.0 ** ((midi - 60) / 30.0)
    scale = instrument.hardness_hz * (0.45 + 0.55 * velocity)
    felt = np.exp(-frequency_hz / scale) / (1 + (frequency_hz / corner) ** 2)
    board = 1.0 / (1 + (90.0 / frequency_hz) ** 2)  # a board radiates little below its first mode
    loudness = velocity**1.7 * 2.0 ** ((60 - midi) / 48.0)
    return loudness * strike * felt * board


@dataclass
class _Key:
    """One key: its partials, and the modes that they split into."""

    frequency_hz: np.ndarray
    partial: np.ndarray  # (Q,) partial that each mode belongs to
    gain: np.ndarray  # (Q,) complex start value at unit amplitude
    modes: Modes


@dataclass
class Strings:
    """All strings of an instrument; keys are strung when first struck."""

    instrument: Instrument
    sample_rate: int
    rng: np.random.Generator
    max_seconds: float = 8.0
    _keys: dict[int, _Key] = field(default_factory=dict)
    _knocks: list[np.ndarray] = field(default_factory=list)

    def _string(self, midi: int) -> _Key:
        frequency_hz, decay = partials(self.instrument, midi, self.sample_rate)
        loudest = _spectrum(self.instrument, midi, frequency_hz, 1.0)
        count = int(np.flatnonzero(loudest > _FAINTEST * loudest.max())[-1]) + 1
        frequency_hz, decay = frequency_hz[:count], decay[:count]
        doubled = min(count, _DOUBLED_PARTIALS)
        partial = np.concatenate([np.arange(count), np.arange(doubled)])
        first = np.arange(len(partial)) < count
        # in phase, the strings drive the board and die fast; against each other they ring on
        rate = decay[partial] * np.where(first, self.rng.uniform(2.2, 3.4), 0.8)
        share = np.where(first, 1.0, self.rng.uniform(0.12, 0.4, len(partial)))
        apart = self.instrument.detune_cents * self.rng.normal(0.0, 1.0) / 1200.0
        worn = self.instrument.wear_cents * self.rng.normal(0.0, 1.0) / 1200.0
        tuned = 2.0 ** (worn + np.where(first, 0.0, apart)) * frequency_hz[partial]
        phase = 2 * np.pi * self.rng.random(len(partial))
        return _Key(
            frequency_hz=frequency_hz,
            partial=partial,
            gain=share * np.exp(1j * phase),
            modes=Modes.tuned(tuned, rate, self.sample_rate, self.max_seconds),
        )

    def strike(self, midi: int, velocity: float, samples: int) -> np.ndarray:
        """Return the undamped sound (samples,) float32 of one stroke."""
        if midi not in self._keys:
            self._keys[midi] = self._string(midi)
        key = self._keys[midi]
        amplitude = _spectrum(self.instrument, midi, key.frequency_hz, velocity)
        wave = key.modes.ring(amplitude[key.partial] * key.gain, samples)
        contact_seconds = 0.0035 * 2.0 ** (-(midi - 36) / 30.0)  # the felt leaves the string
        rise = min(len(wave), max(2, int(contact_seconds * self.sample_rate)))
        wave[:rise] *= 0.5 - 0.5 * np.cos(np.pi * np.arange(rise, dtype=np.float32) / rise)
        return wave

    def knock(self, velocity: float) -> np.ndarray:
        """Return the noise of hammer, key and action, (L,) float32."""
        if not self._knocks:
            self._knocks = [self._draw_knock() for _ in range(_KNOCKS)]
        burst = self._knocks[int(self.rng.integers(_KNOCKS))]
        return np.float32(self.instrument.knock * velocity**1.5) * burst

    def _draw_knock(self) -> np.ndarray:
        time = np.arange(int(0.15 * self.sample_rate)) / self.sample_rate
        low_hz = self.rng.uniform(60.0, 110.0)
        body = signal.butter(2, [low_hz, 4 * low_hz], "bandpass", fs=self.sample_rate, output="sos")
        thump = signal.sosfilt(body, self.rng.standard_normal(len(time)))
        thump *= np.exp(-time / 0.03) / np.sqrt(np.square(thump).mean())
        hiss = signal.lfilter([1.0], [1.0, -0.75], self.rng.standard_normal(len(time)))
        hiss *= np.exp(-time / 0.006) / np.sqrt(np.square(hiss).mean())
        return (thump + 0.25 * hiss).astype(np.float32)


def perform(notes: list[Note], strings: Strings, samples: int, damper_seconds: float) -> np.ndarray:
    """Return the dry sound (samples,) float32 of a score; notes past the end are cut."""
    rate = strings.sample_rate
    out = np.zeros(samples, np.float32)
    for note in notes:
        start = int(note.start_seconds * rate)
        damped = int((note.stop_seconds - note.start_seconds) * rate)
        release = int(7 * damper_seconds * rate)
        wave = strings.strike(note.midi, note.velocity, min(damped + release, samples - start))
        tail = np.arange(max(0, len(wave) - damped), dtype=np.float32)
        wave[damped:] *= np.exp(tail * np.float32(-1.0 / (damper_seconds * rate)))
        out[start : start + len(wave)] += wave
        knock = strings.knock(note.velocity)[: samples - start]
        out[start : start + len(knock)] += knock
        if damped < samples - start:
            fall = 0.15 * strings.knock(note.velocity)[: samples - start - damped]
            out[start + damped : start + damped + len(fall)] += fall
    return out


def piano_piece(seed: int, seconds: float, sample_rate: int = 44100) -> np.ndarray:
    """Compose and play a piece on a piano and in a room of its own.

    Parameters
    ----------
    seed : int
        Decides everything: notes, player, instrument, room, microphone.
    seconds : float
    sample_rate : int
        In Hz. Partials reach up to 20 kHz or 0.46 of the rate.

    Returns
    -------
    float32 (T,), T = round(seconds * sample_rate), peak between 0.5 and 0.9
    """
    rng = np.random.default_rng(seed)
    samples = round(seconds * sample_rate)
    instrument = draw_instrument(rng)
    notes = compose(rng, seconds)
    strings = Strings(instrument, sample_rate, rng)
    dry = perform(notes, strings, samples, instrument.damper_seconds)
    heard = place(dry, rng, sample_rate)
    return finish(heard, rng)
