"""What the bands play and pluck: registers, turns, strings in tune, drums that end."""

import numpy as np
import pytest

from shellac.datasets.synthesis import drums
from shellac.datasets.synthesis.arranging import arrange
from shellac.datasets.synthesis.idioms import GENRES, IDIOMS
from shellac.datasets.synthesis.instruments import (
    DRUMS,
    PIANO,
    draw_pluck,
    draw_timbre,
    is_plucked,
)
from shellac.datasets.synthesis.plucked import PluckedStrings
from shellac.datasets.synthesis.score import Note

RATE = 44100


@pytest.mark.parametrize("genre", GENRES)
def test_every_part_plays_within_its_register_all_through(genre):
    for seed in range(4):
        notes = arrange(IDIOMS[genre], 40.0, np.random.default_rng(seed))
        for part in IDIOMS[genre].parts:
            played = notes[part.name]
            assert played, part.name
            starts = [note.start_seconds for note in played]
            assert starts == sorted(starts)
            assert 0 <= starts[0]
            assert starts[-1] < 40.0
            for note in played:
                assert note.stop_seconds > note.start_seconds
                assert 0 < note.velocity <= 1
                if part.name not in {DRUMS, PIANO}:
                    assert part.low <= note.midi <= part.high
        assert max(played[-1].start_seconds for played in notes.values()) > 35.0


@pytest.mark.parametrize("genre", GENRES)
def test_every_part_has_an_instrument(genre, rng):
    for part in IDIOMS[genre].parts:
        if is_plucked(part.name):
            assert draw_pluck(part.name, 440.0, rng).position > 0
        elif part.name not in {DRUMS, PIANO}:
            assert draw_timbre(part.name, rng).attack_seconds > 0


def test_leaders_take_turns():
    notes = arrange(IDIOMS["swing-combo"], 60.0, np.random.default_rng(3))
    saxophone, trumpet = (
        {int(note.start_seconds) for note in notes[name]}
        for name in ("tenor saxophone", "muted trumpet")
    )
    assert len(saxophone & trumpet) < 0.3 * min(len(saxophone), len(trumpet))


def test_swing_delays_the_half_beat():
    rides = arrange(IDIOMS["swing-combo"], 20.0, np.random.default_rng(1))[DRUMS]
    gaps = np.diff([n.start_seconds for n in rides if n.midi == drums.RIDE])
    short, long = np.percentile(gaps, [10, 60])
    assert 0.4 < short / long < 0.65  # a third against two thirds; straight quavers would give 1


@pytest.mark.parametrize("name", ["guitar", "mandolin", "banjo", "plucked bass"])
def test_plucked_strings_are_in_tune_and_die_away(name, rng):
    strings = PluckedStrings(draw_pluck(name, 440.0, rng), RATE, rng)
    midi = 45 if name == "plucked bass" else 57
    x = strings.strike(midi, 0.8, 3 * RATE).astype(np.float64)
    early, late = np.square(x[: RATE // 2]).mean(), np.square(x[-RATE // 2 :]).mean()
    assert late < 0.05 * early
    spectrum = np.abs(np.fft.rfft(x[:RATE] * np.hanning(RATE)))
    first_hz = 440 * 2 ** ((midi - 69) / 12)
    near = slice(int(0.94 * first_hz), int(1.06 * first_hz))
    assert near.start + np.argmax(spectrum[near]) == pytest.approx(first_hz, abs=2)


def test_a_string_that_outlasts_its_tables_fades(rng):
    strings = PluckedStrings(draw_pluck("guitar", 440.0, rng), RATE, rng)
    x = strings.strike(40, 0.8, 10 * RATE)
    assert len(x) < 10 * RATE
    assert abs(x[-1]) < 1e-3 * np.abs(x).max()


@pytest.mark.parametrize(
    "drum", [drums.KICK, drums.SNARE, drums.BRUSH, drums.HAT, drums.RIDE, drums.CRASH]
)
def test_drums_start_at_once_end_at_nothing_and_differ_by_stroke(drum, rng):
    kit = drums.Kit(RATE, rng)
    x = kit.play([Note(0.5, 0.6, drum, 0.9)], 3 * RATE)
    assert not x[: RATE // 2].any()
    assert np.abs(x[RATE // 2 : RATE]).max() > 0.05
    last = np.flatnonzero(x)[-1]
    assert abs(x[last]) < 1e-3
    first, second = (kit.play([Note(0.0, 0.1, drum, 0.9)], RATE) for _ in range(2))
    strokes = [kit.play([Note(0.0, 0.1, drum, 0.9)], RATE) for _ in range(12)]
    assert any(not np.array_equal(strokes[0], other) for other in [first, second, *strokes[1:]])


def test_kicks_are_low_and_cymbals_high(rng):
    kit = drums.Kit(RATE, rng)
    centroid = {}
    for drum in (drums.KICK, drums.SNARE, drums.HAT):
        power = np.abs(np.fft.rfft(kit.play([Note(0.0, 0.1, drum, 0.9)], RATE))) ** 2
        centroid[drum] = (power * np.arange(len(power))).sum() / power.sum()
    assert centroid[drums.KICK] < 300 < centroid[drums.SNARE] < centroid[drums.HAT]
