"""Figures: what a part plays in one bar, from the melody and the chords that all share.

Every figure is a function of (bar, part, rng) and returns events; beats count from the bar's start.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from shellac.datasets.synthesis import drums
from shellac.datasets.synthesis.score import (
    Event,
    Style,
    draw_melody,
    draw_rhythm,
    pitch,
)


@dataclass(frozen=True)
class Part:
    """One instrument's place: its figures, its register (MIDI numbers) and how it plays."""

    name: str
    figures: tuple[str, ...]
    low: int
    high: int
    weight: float = 0.8
    legato: float = 0.95  # sounding part of a note's written length


@dataclass
class Bar:
    """What the figures of one bar share; ``last`` remembers where each part was."""

    style: Style
    harmony: list[tuple[float, float, int]]  # beat, length, degree
    following: int
    tune: list[Event]
    last: dict[str, int]
    used: set[int] = field(default_factory=set)


def _fit(midi: int, part: Part) -> int:
    while midi < part.low:
        midi += 12
    while midi > part.high:
        midi -= 12
    return midi


def _nearest(bar: Bar, part: Part, degree: int, tones: Sequence[int] = (0, 2, 4)) -> int:
    """Return the chord tone nearest to where the part was; another than its fellows' if it can."""
    before = bar.last.get(part.name, (part.low + part.high) // 2)
    candidates = [
        midi
        for midi in range(part.low, part.high + 1)
        if any((midi - pitch(bar.style, degree + tone, 4)) % 12 == 0 for tone in tones)
    ]
    if not candidates:
        return before
    taken = {midi % 12 for midi in bar.used}
    found = min(candidates, key=lambda midi: abs(midi - before) + 4 * (midi % 12 in taken))
    bar.last[part.name] = found
    bar.used.add(found)
    return found


def _melody(bar: Bar, part: Part, rng: np.random.Generator) -> list[Event]:
    if not bar.tune:
        return []
    middle = np.median([midi for _, _, midi, _ in bar.tune])
    shift = 12 * round((0.5 * (part.low + part.high) - middle) / 12)
    return [(at, length, _fit(midi + shift, part), 1.0) for at, length, midi, _ in bar.tune]


def _second(bar: Bar, part: Part, rng: np.random.Generator) -> list[Event]:
    """Thirds (or the next scale tones) below the melody."""
    keys = [m for m in range(24, 109) if (m - bar.style.tonic) % 12 in bar.style.scale]
    lower = []
    for at, length, midi, weight in _melody(bar, part, rng):
        below = [key for key in keys if key <= midi]
        lower.append((at, length, _fit(below[-3], part), 0.8 * weight))
    return lower


def _counter(bar: Bar, part: Part, rng: np.random.Generator) -> list[Event]:
    """A slower line of the part's own."""
    slower = replace(bar.style, melody_rate=0.6 * bar.style.melody_rate)
    degree = int(rng.integers(0, 5))
    events, _ = draw_melody(slower, bar.harmony[0][2], degree, draw_rhythm(slower, rng), rng)
    return [(at, length, _fit(midi, part), 0.85) for at, length, midi, _ in events]


def _held(bar: Bar, part: Part, rng: np.random.Generator) -> list[Event]:
    return [(at, length, _nearest(bar, part, degree), 0.75) for at, length, degree in bar.harmony]


def _pulse(bar: Bar, part: Part, rng: np.random.Generator) -> list[Event]:
    """Repeated quavers."""
    events: list[Event] = []
    for at, length, degree in bar.harmony:
        midi = _nearest(bar, part, degree)
        halves = range(int(2 * length))
        events += [(at + h / 2, 0.4, midi, 0.75 if h % 2 == 0 else 0.6) for h in halves]
    return events


def _offbeat(bar: Bar, part: Part, rng: np.random.Generator) -> list[Event]:
    """After-beats: the second half of what the bass began."""
    events: list[Event] = []
    for at, length, degree in bar.harmony:
        midi = _nearest(bar, part, degree)
        beats = np.arange(at, at + length)
        on = beats[1::2] if bar.style.beats_per_bar == 4 else beats[beats > 0]
        events += [(float(beat), 0.5, midi, 0.65) for beat in on]
    return events


def _arpeggio(bar: Bar, part: Part, rng: np.random.Generator) -> list[Event]:
    steps = (0, 2, 4, 7, 4, 2)
    events: list[Event] = []
    for at, length, degree in bar.harmony:
        for h in range(int(2 * length)):
            midi = _fit(pitch(bar.style, degree + steps[h % 6], 3), part)
            events.append((at + h / 2, 0.7, midi, 0.75 if h == 0 else 0.6))
    return events


def _strum(bar: Bar, part: Part, rng: np.random.Generator) -> list[Event]:
    """Chords over all strings, down on the beat and now and then up after it."""
    events: list[Event] = []
    for at, length, degree in bar.harmony:
        tones = sorted({_fit(pitch(bar.style, degree + k, 2), part) for k in (0, 4, 7, 9, 11)})
        for h in range(int(2 * length)):
            up = h % 2 == 1
            if up and rng.random() < 0.5:
                continue
            chord = tones[::-1][:3] if up else tones
            events += [
                (at + h / 2 + 0.03 * k, 0.8, midi, 0.5 if up else 0.75)
                for k, midi in enumerate(chord)
            ]
    return events


def _comp(bar: Bar, part: Part, rng: np.random.Generator) -> list[Event]:
    """Four-note chords without their root, off the beat as a player of the band likes it."""
    rhythms = ((0.0, 1.5), (0.5, 2.5), (1.0, 2.5, 3.5), (0.0, 1.5, 3.0), (1.5,))
    hits = rhythms[int(rng.integers(len(rhythms)))]
    events: list[Event] = []
    for beat in hits:
        inside = [degree for at, length, degree in bar.harmony if at <= beat < at + length]
        tones = {
            _fit(pitch(bar.style, degree + k, 3), part) for degree in inside for k in (2, 4, 6, 8)
        }
        events += [(beat, 0.6, midi, 0.65) for midi in sorted(tones)]
    return events


def _bass(bar: Bar, part: Part, rng: np.random.Generator) -> list[Event]:
    """Roots, held."""
    return [
        (at, length, _fit(pitch(bar.style, degree, 2), part), 0.85)
        for at, length, degree in bar.harmony
    ]


def _two_beat(bar: Bar, part: Part, rng: np.random.Generator) -> list[Event]:
    """Root and fifth under after-beats."""
    events: list[Event] = []
    for at, length, degree in bar.harmony:
        for k, beat in enumerate(
            np.arange(at, at + length, 2 if bar.style.beats_per_bar == 4 else 3)
        ):
            fifth = degree + (4 if k % 2 and rng.random() < 0.8 else 0)
            events.append((float(beat), 0.8, _fit(pitch(bar.style, fifth, 2), part), 0.9))
    return events


def _walk(bar: Bar, part: Part, rng: np.random.Generator) -> list[Event]:
    """A step on every beat, from root to root."""
    degrees: list[int] = []
    chords = [degree for _, _, degree in bar.harmony] + [bar.following]
    per_chord = bar.style.beats_per_bar // len(bar.harmony)
    for degree, after in zip(chords, chords[1:], strict=False):
        way = [degree, degree + int(rng.choice((2, 4, -3))), degree + int(rng.choice((4, 2, 7)))]
        degrees += [*way[: per_chord - 1], after + int(rng.choice((1, -1)))][:per_chord]
    return [(k, 0.95, _fit(pitch(bar.style, d, 2), part), 0.85) for k, d in enumerate(degrees)]


def _stride(bar: Bar, part: Part, rng: np.random.Generator) -> list[Event]:
    """A pianist's left hand: octaves below, chords above."""
    events: list[Event] = []
    for at, length, degree in bar.harmony:
        for k in range(int(length)):
            if k % 2 == 0:
                root = degree if k % 4 == 0 else degree + 4
                events += [(at + k, 0.8, pitch(bar.style, root, octave), 0.85) for octave in (1, 2)]
            else:
                events += [(at + k, 0.5, pitch(bar.style, degree + j, 3), 0.6) for j in (0, 2, 4)]
    return events


def _ragged(bar: Bar, part: Part, rng: np.random.Generator) -> list[Event]:
    """A right hand that leans across the beat, in octaves on its accents."""
    events: list[Event] = []
    for at, length, degree in bar.harmony:
        for half in np.arange(0.0, length, 2.0):
            for beat in (0.0, 0.25, 0.75, 1.0, 1.5):
                step = int(rng.choice((0, 2, 4, 7, 5)))
                midi = _fit(pitch(bar.style, degree + step, 5), part)
                events.append((at + half + beat, 0.4, midi, 0.9))
                if beat in (0.25, 0.75):
                    events.append((at + half + beat, 0.4, midi - 12, 0.7))
    return events


_PATTERNS: dict[str, tuple[tuple[float, int, float], ...]] = {  # beat, drum, weight; in four beats
    "swing": tuple((float(b), drums.RIDE, 0.7) for b in range(4))
    + ((1.5, drums.RIDE, 0.5), (3.5, drums.RIDE, 0.5), (1, drums.HAT, 0.8), (3, drums.HAT, 0.8))
    + ((0, drums.KICK, 0.35), (2, drums.KICK, 0.3)),
    "dance": ((0, drums.KICK, 0.9), (2, drums.KICK, 0.8))
    + ((1, drums.SNARE, 0.7), (3, drums.SNARE, 0.8))
    + tuple((h / 2, drums.HAT, 0.8 - 0.3 * (h % 2)) for h in range(8)),
    "brushes": ((0, drums.KICK, 0.6), (2, drums.KICK, 0.5))
    + tuple((h / 2, drums.BRUSH, 0.9 if h % 4 == 2 else 0.5) for h in range(8)),
    "march": ((0, drums.KICK, 0.9), (2, drums.KICK, 0.8))
    + ((1, drums.SNARE, 0.55), (3, drums.SNARE, 0.6))
    + ((3.5, drums.SNARE, 0.4), (3.75, drums.SNARE, 0.4)),
}  # fmt: skip


def _drums(pattern: str) -> Callable[[Bar, Part, np.random.Generator], list[Event]]:
    def figure(bar: Bar, part: Part, rng: np.random.Generator) -> list[Event]:
        beats = bar.style.beats_per_bar
        events = [(b, 0.2, drum, w) for b, drum, w in _PATTERNS[pattern] if b < beats]
        if rng.random() < 0.15:  # a fill into the next bar
            fill = drums.BRUSH if pattern == "brushes" else drums.SNARE
            events += [(beats - 1 + k / 4, 0.2, fill, 0.4 + 0.12 * k) for k in range(4)]
        if pattern != "brushes" and rng.random() < 0.08:
            events.append((0.0, 0.2, drums.CRASH, 0.8))
        return events

    return figure


FIGURES: dict[str, Callable[[Bar, Part, np.random.Generator], list[Event]]] = {
    "melody": _melody, "second": _second, "counter": _counter, "held": _held, "pulse": _pulse,
    "offbeat": _offbeat, "arpeggio": _arpeggio, "strum": _strum, "comp": _comp, "bass": _bass,
    "two-beat": _two_beat, "walk": _walk, "stride": _stride, "ragged": _ragged,
    **{f"drums: {pattern}": _drums(pattern) for pattern in _PATTERNS},
}  # fmt: skip
