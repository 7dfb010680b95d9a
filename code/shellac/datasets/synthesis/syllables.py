"""What the synthesised voice says: syllables on a tune, or in the rhythm and melody of speech."""

from dataclasses import dataclass, replace

import numpy as np

from shellac.datasets.synthesis.score import draw_clock, draw_melody, draw_rhythm, draw_style

_PHRASE_BARS = 2
_BREATH_SECONDS = 0.5
_PROGRESSION = (0, 3, 4, 0, 5, 3, 4, 0)


@dataclass(frozen=True)
class Syllable:
    """A consonant (or none) and a vowel, which may glide into a second one."""

    start_seconds: float
    stop_seconds: float
    pitch_hz: float
    fall: float  # of the pitch while it lasts, octaves per second
    strength: float
    consonant: str
    vowel: str
    glide: str


def _sounds(
    vowels: tuple[str, ...], consonants: tuple[str, ...], rng: np.random.Generator
) -> tuple[str, str, str]:
    glide = str(rng.choice(vowels)) if rng.random() < 0.2 else ""
    return str(rng.choice(consonants)), str(rng.choice(vowels)), glide


def sing(
    seconds: float,
    lowest_midi: int,
    sounds: tuple[tuple[str, ...], tuple[str, ...]],
    rng: np.random.Generator,
) -> list[Syllable]:
    """Compose a song: a syllable a note, within 19 semitones above ``lowest_midi``.

    ``sounds`` are the vowels and consonants to choose from; notes start within ``seconds``.
    """
    style = replace(
        draw_style(rng), tempo_bpm=float(rng.uniform(56, 104)), melody_octave=4,
        melody_rate=float(rng.uniform(0.6, 1.3)),
    )  # fmt: skip
    bars = int(np.ceil(1.15 * seconds * style.tempo_bpm / 60 / style.beats_per_bar)) + 1
    clock = draw_clock(style, bars, rng)
    grid = np.arange(len(clock)) / 4.0
    tuned = float(rng.uniform(-0.5, 0.5))
    degree, syllables = 0, []
    for bar in range(bars):
        chord = _PROGRESSION[bar % len(_PROGRESSION)]
        tune, degree = draw_melody(style, chord, degree, draw_rhythm(style, rng), rng)
        arc = np.sin(np.pi * (bar % 4 + 0.5) / 4)
        one_line = {event[0]: event for event in reversed(tune)}
        for at, length, midi, _ in sorted(one_line.values()):
            beat = bar * style.beats_per_bar + at
            ends = bar % _PHRASE_BARS == _PHRASE_BARS - 1 and at + length >= style.beats_per_bar
            start, stop = np.interp((beat, beat + length * (0.7 if ends else 0.98)), grid, clock)
            key = lowest_midi + (midi - lowest_midi) % 12 + (7 if rng.random() < 0.1 else 0)
            strength = 0.55 + 0.3 * arc + rng.normal(0.0, 0.06)
            if start < seconds:
                pitch_hz = 440 * 2 ** ((key + tuned - 69) / 12)
                strength = float(np.clip(strength, 0.2, 1.0))
                sound = _sounds(*sounds, rng)
                stop = max(stop, start + 0.2)
                syllables.append(Syllable(start, stop, pitch_hz, 0.0, strength, *sound))
    return [
        _until_breath(syllable, following)
        for syllable, following in zip(syllables, [*syllables[1:], None], strict=True)
    ]


def _until_breath(syllable: Syllable, following: Syllable | None) -> Syllable:
    """Return a syllable that lasts until the singer must breathe for the next: no long silence."""
    if following is None or following.start_seconds - syllable.stop_seconds < _BREATH_SECONDS:
        return syllable
    return replace(syllable, stop_seconds=following.start_seconds - _BREATH_SECONDS)


def recite(
    seconds: float,
    middle_hz: float,
    sounds: tuple[tuple[str, ...], tuple[str, ...]],
    rng: np.random.Generator,
) -> list[Syllable]:
    """Speak: phrases of 4 to 11 syllables whose pitch falls, stresses, and pauses for breath."""
    syllables: list[Syllable] = []
    pace = float(rng.uniform(0.15, 0.23))
    at = 0.15
    while at < seconds:
        count = int(rng.integers(4, 12))
        for k in range(count):
            stressed = rng.random() < 0.35
            length = (
                pace
                * rng.uniform(0.8, 1.3)
                * (1.35 if stressed else 1.0)
                * (1.4 if k == count - 1 else 1.0)
            )
            line = 0.22 - 0.5 * k / count + (0.16 if stressed else 0.0) + rng.normal(0.0, 0.04)
            strength = float(
                np.clip(0.55 + 0.25 * stressed - 0.2 * k / count + rng.normal(0, 0.05), 0.15, 1)
            )
            if at < seconds:
                pitch_hz, sound = middle_hz * 2.0**line, _sounds(*sounds, rng)
                syllables.append(Syllable(at, at + length, pitch_hz, -0.4, strength, *sound))
            at += length + (0.02 if rng.random() < 0.3 else 0.0)
        at += float(rng.uniform(0.25, 0.8))
    return syllables
