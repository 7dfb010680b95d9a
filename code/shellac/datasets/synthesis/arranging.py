"""Arranging: one line of melody and its chords, shared out to the parts of an ensemble.

Harmony, rhythm and melody are those of :mod:`shellac.datasets.synthesis.score`; an idiom says how
fast the chords move, how the beat swings, and which figures each part plays.
"""

from dataclasses import dataclass, replace

import numpy as np

from shellac.datasets.synthesis.figures import FIGURES, Bar, Part
from shellac.datasets.synthesis.score import (
    SCALES,
    Event,
    Note,
    Style,
    draw_clock,
    draw_melody,
    draw_rhythm,
    draw_style,
)

_PHRASE_BARS = 4


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
        bar = Bar(style, harmony, own[-1], sorted(one_line.values()), last)
        leader = ""
        if idiom.leaders:
            leader = idiom.leaders[(first_leader + number // _PHRASE_BARS) % len(idiom.leaders)]
        for part in idiom.parts:
            figures = ("melody",) if part.name == leader else part.figures
            for figure in figures:
                written += [(part, number, event) for event in FIGURES[figure](bar, part, rng)]
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
        arc = 0.12 * np.sin(
            np.pi * (number % _PHRASE_BARS + at / style.beats_per_bar) / _PHRASE_BARS
        )
        accent = 0.06 * (at == 0) + rng.normal(0.0, 0.04)
        loudness = (levels[number // _PHRASE_BARS] + 0.15 + arc + accent) * (0.4 + 0.6 * weight)
        velocity = float(np.clip(loudness * (0.6 + 0.5 * part.weight), 0.1, 1.0))
        notes[part.name].append(Note(start, max(stop, start + 0.06), midi, velocity))
    return {
        name: sorted(played, key=lambda note: (note.start_seconds, note.midi))
        for name, played in notes.items()
    }
