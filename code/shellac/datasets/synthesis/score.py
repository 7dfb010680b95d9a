"""Composing: seeded chords, bass, accompaniment and melody with the timing of a player.

The aim is material for learning and testing, not music to keep: enough harmony, rhythm, register
and dynamics that no two pieces share notes, tempo or texture.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

SCALES = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "harmonic minor": (0, 2, 3, 5, 7, 8, 11),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
}
PROGRESSIONS = (  # scale degrees, 0 = tonic, one chord per bar
    (0, 3, 4, 0), (0, 5, 3, 4), (0, 4, 5, 3), (0, 1, 4, 0), (5, 3, 0, 4), (0, 2, 3, 4),
    (0, 3, 6, 2), (5, 1, 4, 0), (0, 4, 0, 4), (3, 4, 2, 5), (0, 6, 5, 4), (1, 4, 0, 0),
)  # fmt: skip
_LOWEST, _HIGHEST = 26, 98  # MIDI numbers, D1 to D7

Event = tuple[float, float, int, float]  # start in beats, length in beats, MIDI number, weight


@dataclass(frozen=True)
class Note:
    """One key stroke: ``velocity`` in (0, 1]; the damper falls at ``stop_seconds``."""

    start_seconds: float
    stop_seconds: float
    midi: int
    velocity: float


@dataclass(frozen=True)
class Style:
    """What stays the same through a piece."""

    tonic: int
    scale: tuple[int, ...]
    beats_per_bar: int
    tempo_bpm: float
    rubato: float  # relative slowing towards the end of a phrase
    accompaniment: str
    melody_rate: float  # notes per beat, about
    melody_octave: int
    pedal: bool
    legato: float  # sounding part of a note's written length without pedal
    loudness: float  # mean velocity
    dynamic_range: float


def draw_style(rng: np.random.Generator) -> Style:
    """Draw the traits of one piece."""
    slow = rng.random() < 0.45
    return Style(
        tonic=int(rng.integers(12)),
        scale=SCALES[str(rng.choice(list(SCALES)))],
        beats_per_bar=int(rng.choice((3, 4, 4))),
        tempo_bpm=float(rng.uniform(52, 88) if slow else rng.uniform(88, 168)),
        rubato=float(rng.uniform(0.03, 0.22)),
        accompaniment=str(rng.choice(list(_ACCOMPANIMENTS))),
        melody_rate=float(rng.uniform(1.0, 3.0) if slow else rng.uniform(0.6, 1.8)),
        melody_octave=int(rng.choice((5, 5, 6))),
        pedal=bool(rng.random() < (0.8 if slow else 0.45)),
        legato=float(rng.uniform(0.55, 1.0)),
        loudness=float(rng.uniform(0.42, 0.72)),
        dynamic_range=float(rng.uniform(0.1, 0.28)),
    )


def pitch(style: Style, degree: int, octave: int) -> int:
    """Return the MIDI number of a scale degree (which may leave 0..6) counted from an octave."""
    octaves, step = divmod(degree, 7)
    midi = 12 * (octave + 1 + octaves) + style.tonic + style.scale[step]
    while midi < _LOWEST:
        midi += 12
    while midi > _HIGHEST:
        midi -= 12
    return midi


def _blocks(style: Style, chord: int, rng: np.random.Generator) -> list[Event]:
    events = [(0.0, style.beats_per_bar, pitch(style, chord, 2), 0.9)]
    for beat in range(0, style.beats_per_bar, 1 if rng.random() < 0.5 else 2):
        events += [(beat, 1.0, pitch(style, chord + k, 3), 0.7) for k in (0, 2, 4)]
    return events


def _broken(style: Style, chord: int, rng: np.random.Generator) -> list[Event]:
    order = (0, 4, 2, 4) if rng.random() < 0.7 else (0, 2, 4, 2)
    halves = range(2 * style.beats_per_bar)
    return [(h / 2, 0.5, pitch(style, chord + order[h % 4], 3), 0.65) for h in halves]


def _bass_and_chords(style: Style, chord: int, rng: np.random.Generator) -> list[Event]:
    events: list[Event] = []
    for beat in range(style.beats_per_bar):
        low = beat == 0 or (style.beats_per_bar == 4 and beat == 2)
        if low:
            root = chord if beat == 0 else chord - 3
            events += [(beat, 0.9, pitch(style, root, octave), 0.95) for octave in (1, 2)]
        else:
            events += [(beat, 0.6, pitch(style, chord + k, 3), 0.6) for k in (0, 2, 4)]
    return events


def _arpeggio(style: Style, chord: int, rng: np.random.Generator) -> list[Event]:
    steps = (0, 4, 7, 9, 11, 9, 7, 4)
    per_beat = int(rng.choice((2, 3, 4)))
    count = per_beat * style.beats_per_bar
    notes = [(i / per_beat, 1.0 / per_beat, steps[i % 8]) for i in range(count)]
    return [(at, length, pitch(style, chord + k, 2), 0.6) for at, length, k in notes]


def _chorale(style: Style, chord: int, rng: np.random.Generator) -> list[Event]:
    halves = [(0.0, chord), (style.beats_per_bar / 2, chord + int(rng.choice((0, 3, 5))))]
    length = style.beats_per_bar / 2
    voices = ((0, 2), (4, 2), (2, 3), (7, 3))
    return [(at, length, pitch(style, c + k, o), 0.75) for at, c in halves for k, o in voices]


_ACCOMPANIMENTS: dict[str, Callable[[Style, int, np.random.Generator], list[Event]]] = {
    "blocks": _blocks,
    "broken": _broken,
    "bass and chords": _bass_and_chords,
    "arpeggio": _arpeggio,
    "chorale": _chorale,
}


def draw_rhythm(style: Style, rng: np.random.Generator) -> list[float]:
    """Return the note lengths in beats that fill one bar."""
    lengths: list[float] = []
    left = float(style.beats_per_bar)
    choices = np.array([0.25, 0.5, 0.75, 1.0, 1.5, 2.0])
    closeness = np.exp(-np.abs(np.log2(choices * style.melody_rate)))
    while left > 1e-9:
        possible = choices <= left
        if not possible.any():
            lengths[-1] += left
            break
        weights = np.where(possible, closeness, 0.0)
        length = float(rng.choice(choices, p=weights / weights.sum()))
        lengths.append(length)
        left -= length
    return lengths


def draw_melody(
    style: Style, chord: int, degree: int, rhythm: list[float], rng: np.random.Generator
) -> tuple[list[Event], int]:
    """Return one bar of melody that continues from scale degree ``degree``, and where it ended."""
    events: list[Event] = []
    at = 0.0
    for length in rhythm:
        degree += int(
            rng.choice((-2, -1, -1, 0, 1, 1, 2, 4), p=(0.1, 0.25, 0.1, 0.1, 0.2, 0.1, 0.1, 0.05))
        )
        degree = int(np.clip(degree, -4, 11))
        strong = at == int(at)
        if strong:  # lean on the nearest chord tone
            tones = [d for d in range(-7, 15) if (d - chord) % 7 in (0, 2, 4)]
            degree = min(tones, key=lambda tone: abs(tone - degree))
        if rng.random() > 0.08:
            events.append((at, length, pitch(style, degree, style.melody_octave), 1.0))
            if strong and length >= 1.0 and rng.random() < 0.25:
                below = pitch(style, degree - 2, style.melody_octave)
                events.append((at, length, below, 0.8))
        at += length
    return events, degree


def _write(style: Style, bars: int, rng: np.random.Generator) -> list[tuple[int, Event]]:
    """Return (bar, event) for all voices; phrases of four bars, the first motif comes back."""
    written: list[tuple[int, Event]] = []
    motif = draw_rhythm(style, rng)
    accompaniment = _ACCOMPANIMENTS[style.accompaniment]
    degree = int(rng.integers(0, 7))
    progression = PROGRESSIONS[0]
    for bar in range(bars):
        if bar % 4 == 0:
            progression = PROGRESSIONS[int(rng.integers(len(PROGRESSIONS)))]
            rest = bar > 0 and rng.random() < 0.12  # a phrase without melody
        if bar % 16 == 12 and rng.random() < 0.6:  # another texture before the return
            accompaniment = _ACCOMPANIMENTS[str(rng.choice(list(_ACCOMPANIMENTS)))]
        chord = progression[bar % 4]
        written += [(bar, event) for event in accompaniment(style, chord, rng)]
        if not rest:
            rhythm = motif if rng.random() < 0.6 else draw_rhythm(style, rng)
            melody, degree = draw_melody(style, chord, degree, rhythm, rng)
            written += [(bar, event) for event in melody]
    return written


def draw_clock(style: Style, bars: int, rng: np.random.Generator) -> np.ndarray:
    """Return the time in seconds of every quarter beat: phrases slow down at their ends."""
    quarters = 4 * style.beats_per_bar * (bars + 1)
    in_phrase = np.arange(quarters) % (16 * style.beats_per_bar) / (16 * style.beats_per_bar)
    wander = np.convolve(rng.standard_normal(quarters), np.ones(16) / 16, mode="same")
    stretch = 1 + style.rubato * (in_phrase**4 - 0.3 * np.sin(np.pi * in_phrase))
    stretch += 0.1 * style.rubato * wander
    return np.concatenate([[0.0], np.cumsum(stretch * 15.0 / style.tempo_bpm)])


def compose(rng: np.random.Generator, seconds: float) -> list[Note]:
    """Write a piece for piano.

    Parameters
    ----------
    rng : numpy.random.Generator
    seconds : float
        Notes start within this duration; some sound longer.

    Returns
    -------
    list of Note, in order of their start
    """
    style = draw_style(rng)
    bar_seconds = 60.0 * style.beats_per_bar / style.tempo_bpm
    bars = int(np.ceil(1.15 * seconds / bar_seconds)) + 1
    clock = draw_clock(style, bars, rng)
    grid = np.arange(len(clock)) / 4.0
    levels = style.loudness + style.dynamic_range * rng.uniform(-1, 1, bars // 4 + 1)
    notes = []
    for bar, (at, length, midi, weight) in _write(style, bars, rng):
        beat = bar * style.beats_per_bar + at
        bar_end = (bar + 1) * style.beats_per_bar
        end = bar_end if style.pedal else beat + length * style.legato
        start, stop = np.interp((beat, max(end, beat + 0.15)), grid, clock)
        start += rng.normal(0.0, 0.006) + 0.01 * (weight < 1)  # melody leads a little
        arc = 0.12 * np.sin(np.pi * (bar % 4 + at / style.beats_per_bar) / 4)
        accent = 0.06 * (at == 0) + rng.normal(0.0, 0.04)
        velocity = (levels[bar // 4] + arc + accent) * (0.55 + 0.45 * weight)
        start = max(0.0, start)
        if start < seconds:
            stop = max(stop, start + 0.06)
            notes.append(Note(start, stop, midi, float(np.clip(velocity, 0.08, 1.0))))
    return sorted(notes, key=lambda note: (note.start_seconds, note.midi))
