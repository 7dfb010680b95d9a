"""Arranging: one line of melody and its chords, shared out to the parts of an ensemble.

Harmony, rhythm and melody are those of :mod:`shellac.datasets.synthesis.score`; an idiom says how
fast the chords move, how the beat swings, and which figure each part plays.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from shellac.datasets.synthesis import drums
from shellac.datasets.synthesis.score import (
    SCALES,
    Event,
    Note,
    Style,
    draw_clock,
    draw_melody,
    draw_rhythm,
    draw_style,
    pitch,
)

_PHRASE_BARS = 4


@dataclass(frozen=True)
class Part:
    """One instrument's place: its figures, its register (MIDI numbers) and how it plays."""

    name: str
    figures: tuple[str, ...]
    low: int
    high: int
    weight: float = 0.8
    legato: float = 0.95  # sounding part of a note's written length


@dataclass(frozen=True)
class Idiom:
    """What the pieces of one genre have in common."""

    tempo_bpm: tuple[float, float]
    beats_per_bar: tuple[int, ...]
    scales: tuple[str, ...]
    progressions: tuple[tuple[int, ...], ...]  # scale degrees, a chord per step
    chords_per_bar: int
    parts: tuple[Part, ...]
    melody_rate: tuple[float, float] = (0.9, 2.0)
    rubato: tuple[float, float] = (0.02, 0.1)
    swing: float = 0.0  # how much of a beat the second half comes late
    leaders: tuple[str, ...] = ()  # who takes the melody in turn, phrase by phrase


@dataclass
class _Bar:
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


def _nearest(bar: _Bar, part: Part, degree: int, tones: Sequence[int] = (0, 2, 4)) -> int:
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


def _melody(bar: _Bar, part: Part, rng: np.random.Generator) -> list[Event]:
    if not bar.tune:
        return []
    middle = np.median([midi for _, _, midi, _ in bar.tune])
    shift = 12 * round((0.5 * (part.low + part.high) - middle) / 12)
    return [(at, length, _fit(midi + shift, part), 1.0) for at, length, midi, _ in bar.tune]


def _second(bar: _Bar, part: Part, rng: np.random.Generator) -> list[Event]:
    """Thirds (or the next scale tones) below the melody."""
    keys = [m for m in range(24, 109) if (m - bar.style.tonic) % 12 in bar.style.scale]
    lower = []
    for at, length, midi, weight in _melody(bar, part, rng):
        below = [key for key in keys if key <= midi]
        lower.append((at, length, _fit(below[-3], part), 0.8 * weight))
    return lower


def _counter(bar: _Bar, part: Part, rng: np.random.Generator) -> list[Event]:
    """A slower line of the part's own."""
    slower = replace(bar.style, melody_rate=0.6 * bar.style.melody_rate)
    degree = int(rng.integers(0, 5))
    events, _ = draw_melody(slower, bar.harmony[0][2], degree, draw_rhythm(slower, rng), rng)
    return [(at, length, _fit(midi, part), 0.85) for at, length, midi, _ in events]


def _held(bar: _Bar, part: Part, rng: np.random.Generator) -> list[Event]:
    return [(at, length, _nearest(bar, part, degree), 0.75) for at, length, degree in bar.harmony]


def _pulse(bar: _Bar, part: Part, rng: np.random.Generator) -> list[Event]:
    """Repeated quavers."""
    events: list[Event] = []
    for at, length, degree in bar.harmony:
        midi = _nearest(bar, part, degree)
        halves = range(int(2 * length))
        events += [(at + h / 2, 0.4, midi, 0.75 if h % 2 == 0 else 0.6) for h in halves]
    return events


def _offbeat(bar: _Bar, part: Part, rng: np.random.Generator) -> list[Event]:
    """After-beats: the second half of what the bass began."""
    events: list[Event] = []
    for at, length, degree in bar.harmony:
        midi = _nearest(bar, part, degree)
        beats = np.arange(at, at + length)
        on = beats[1::2] if bar.style.beats_per_bar == 4 else beats[beats > 0]
        events += [(float(beat), 0.5, midi, 0.65) for beat in on]
    return events


def _arpeggio(bar: _Bar, part: Part, rng: np.random.Generator) -> list[Event]:
    steps = (0, 2, 4, 7, 4, 2)
    events: list[Event] = []
    for at, length, degree in bar.harmony:
        for h in range(int(2 * length)):
            midi = _fit(pitch(bar.style, degree + steps[h % 6], 3), part)
            events.append((at + h / 2, 0.7, midi, 0.75 if h == 0 else 0.6))
    return events


def _strum(bar: _Bar, part: Part, rng: np.random.Generator) -> list[Event]:
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
                (at + h / 2 + 0.03 * k, 0.8, midi, 0.5 if up else 0.75) for k, midi in enumerate(chord)
            ]
    return events


def _comp(bar: _Bar, part: Part, rng: np.random.Generator) -> list[Event]:
    """Four-note chords without their root, off the beat as a player of the band likes it."""
    rhythms = ((0.0, 1.5), (0.5, 2.5), (1.0, 2.5, 3.5), (0.0, 1.5, 3.0), (1.5,))
    hits = rhythms[int(rng.integers(len(rhythms)))]
    events: list[Event] = []
    for beat in hits:
        inside = [degree for at, length, degree in bar.harmony if at <= beat < at + length]
        tones = {_fit(pitch(bar.style, degree + k, 3), part) for degree in inside for k in (2, 4, 6, 8)}
        events += [(beat, 0.6, midi, 0.65) for midi in sorted(tones)]
    return events


def _bass(bar: _Bar, part: Part, rng: np.random.Generator) -> list[Event]:
    """Roots, held."""
    return [
        (at, length, _fit(pitch(bar.style, degree, 2), part), 0.85) for at, length, degree in bar.harmony
    ]


def _two_beat(bar: _Bar, part: Part, rng: np.random.Generator) -> list[Event]:
    """Root and fifth under after-beats."""
    events: list[Event] = []
    for at, length, degree in bar.harmony:
        for k, beat in enumerate(np.arange(at, at + length, 2 if bar.style.beats_per_bar == 4 else 3)):
            fifth = degree + (4 if k % 2 and rng.random() < 0.8 else 0)
            events.append((float(beat), 0.8, _fit(pitch(bar.style, fifth, 2), part), 0.9))
    return events


def _walk(bar: _Bar, part: Part, rng: np.random.Generator) -> list[Event]:
    """A step on every beat, from root to root."""
    degrees: list[int] = []
    chords = [degree for _, _, degree in bar.harmony] + [bar.following]
    per_chord = bar.style.beats_per_bar // len(bar.harmony)
    for degree, after in zip(chords, chords[1:], strict=False):
        way = [degree, degree + int(rng.choice((2, 4, -3))), degree + int(rng.choice((4, 2, 7)))]
        degrees += [*way[: per_chord - 1], after + int(rng.choice((1, -1)))][:per_chord]
    return [(k, 0.95, _fit(pitch(bar.style, d, 2), part), 0.85) for k, d in enumerate(degrees)]


def _stride(bar: _Bar, part: Part, rng: np.random.Generator) -> list[Event]:
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


def _ragged(bar: _Bar, part: Part, rng: np.random.Generator) -> list[Event]:
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
    "dance": ((0, drums.KICK, 0.9), (2, drums.KICK, 0.8), (1, drums.SNARE, 0.7), (3, drums.SNARE, 0.8))
    + tuple((h / 2, drums.HAT, 0.8 - 0.3 * (h % 2)) for h in range(8)),
    "brushes": ((0, drums.KICK, 0.6), (2, drums.KICK, 0.5))
    + tuple((h / 2, drums.BRUSH, 0.9 if h % 4 == 2 else 0.5) for h in range(8)),
    "march": ((0, drums.KICK, 0.9), (2, drums.KICK, 0.8), (1, drums.SNARE, 0.55), (3, drums.SNARE, 0.6))
    + ((3.5, drums.SNARE, 0.4), (3.75, drums.SNARE, 0.4)),
}  # fmt: skip


def _drums(pattern: str) -> Callable[[_Bar, Part, np.random.Generator], list[Event]]:
    def figure(bar: _Bar, part: Part, rng: np.random.Generator) -> list[Event]:
        beats = bar.style.beats_per_bar
        events = [(b, 0.2, drum, w) for b, drum, w in _PATTERNS[pattern] if b < beats]
        if rng.random() < 0.15:  # a fill into the next bar
            fill = drums.BRUSH if pattern == "brushes" else drums.SNARE
            events += [(beats - 1 + k / 4, 0.2, fill, 0.4 + 0.12 * k) for k in range(4)]
        if pattern != "brushes" and rng.random() < 0.08:
            events.append((0.0, 0.2, drums.CRASH, 0.8))
        return events

    return figure


_FIGURES: dict[str, Callable[[_Bar, Part, np.random.Generator], list[Event]]] = {
    "melody": _melody, "second": _second, "counter": _counter, "held": _held, "pulse": _pulse,
    "offbeat": _offbeat, "arpeggio": _arpeggio, "strum": _strum, "comp": _comp, "bass": _bass,
    "two-beat": _two_beat, "walk": _walk, "stride": _stride, "ragged": _ragged,
    **{f"drums: {pattern}": _drums(pattern) for pattern in _PATTERNS},
}  # fmt: skip


def _draw(idiom: Idiom, rng: np.random.Generator) -> Style:
    return replace(
        draw_style(rng),
        scale=SCALES[str(rng.choice(idiom.scales))],
        beats_per_bar=int(rng.choice(idiom.beats_per_bar)),
        tempo_bpm=float(rng.uniform(*idiom.tempo_bpm)),
        rubato=float(rng.uniform(*idiom.rubato)),
        melody_rate=float(rng.uniform(*idiom.melody_rate)),
        pedal=False,
    )


def _write(
    idiom: Idiom, style: Style, bars: int, rng: np.random.Generator
) -> list[tuple[Part, int, Event]]:
    """Return (part, bar, event) of a whole piece: phrases of four bars, led in turn."""
    written: list[tuple[Part, int, Event]] = []
    per_bar = idiom.chords_per_bar if style.beats_per_bar % idiom.chords_per_bar == 0 else 1
    length = style.beats_per_bar / per_bar
    motif, degree, last = draw_rhythm(style, rng), int(rng.integers(7)), {}
    chords = [
        chord
        for _ in range(bars * per_bar // 4 + 1)
        for chord in idiom.progressions[int(rng.integers(len(idiom.progressions)))]
    ]
    first_leader = int(rng.integers(max(1, len(idiom.leaders))))
    for number in range(bars):
        own = chords[number * per_bar : (number + 1) * per_bar + 1]
        harmony = [(k * length, length, chord) for k, chord in enumerate(own[:per_bar])]
        rhythm = motif if rng.random() < 0.6 else draw_rhythm(style, rng)
        tune, degree = draw_melody(style, own[0], degree, rhythm, rng)
        one_line = {event[0]: event for event in reversed(tune)}  # without its double stops
        bar = _Bar(style, harmony, own[-1], sorted(one_line.values()), last)
        leader = ""
        if idiom.leaders:
            leader = idiom.leaders[(first_leader + number // _PHRASE_BARS) % len(idiom.leaders)]
        for part in idiom.parts:
            figures = ("melody",) if part.name == leader else part.figures
            for figure in figures:
                written += [(part, number, event) for event in _FIGURES[figure](bar, part, rng)]
    return written


def arrange(idiom: Idiom, seconds: float, rng: np.random.Generator) -> dict[str, list[Note]]:
    """Compose a piece and share it out.

    Parameters
    ----------
    idiom : Idiom
    seconds : float
        Notes start within this duration.
    rng : numpy.random.Generator

    Returns
    -------
    dict of part name to its notes in order of their start; the numbers of drums are in
    :mod:`shellac.datasets.synthesis.drums`
    """
    style = _draw(idiom, rng)
    bars = int(np.ceil(1.15 * seconds * style.tempo_bpm / 60.0 / style.beats_per_bar)) + 1
    clock = draw_clock(style, bars, rng)
    grid = np.arange(len(clock)) / 4.0
    levels = style.loudness + style.dynamic_range * rng.uniform(-1, 1, bars // _PHRASE_BARS + 1)
    notes: dict[str, list[Note]] = {part.name: [] for part in idiom.parts}
    for part, number, (at, length, midi, weight) in _write(idiom, style, bars, rng):
        late = idiom.swing * (1 - 2 * abs(at % 1.0 - 0.5))  # all of it at the half beat
        beat = number * style.beats_per_bar + at + late
        start, stop = np.interp((beat, beat + length * part.legato), grid, clock)
        start = max(0.0, start + rng.normal(0.0, 0.007))
        if start >= seconds:
            continue
        arc = 0.12 * np.sin(np.pi * (number % _PHRASE_BARS + at / style.beats_per_bar) / _PHRASE_BARS)
        accent = 0.06 * (at == 0) + rng.normal(0.0, 0.04)
        loudness = (levels[number // _PHRASE_BARS] + 0.15 + arc + accent) * (0.4 + 0.6 * weight)
        velocity = float(np.clip(loudness * (0.6 + 0.5 * part.weight), 0.1, 1.0))
        notes[part.name].append(Note(start, max(stop, start + 0.06), midi, velocity))
    return {
        name: sorted(played, key=lambda note: (note.start_seconds, note.midi))
        for name, played in notes.items()
    }
