"""Composed scores: playable, varied, and short enough for the strings."""

import numpy as np

from shellac.datasets.synthesis.piano import draw_instrument
from shellac.datasets.synthesis.score import compose, draw_style

SEEDS = range(40)


def test_notes_are_playable():
    for seed in SEEDS:
        notes = compose(np.random.default_rng(seed), 20.0)
        starts = [note.start_seconds for note in notes]
        assert starts == sorted(starts)
        assert 0 <= starts[0] < 2.0
        assert 15.0 < starts[-1] < 20.0
        assert 1.0 < len(notes) / 20.0 < 40.0
        for note in notes:
            assert 21 <= note.midi <= 108
            assert 0 < note.velocity <= 1
            assert note.stop_seconds > note.start_seconds


def test_no_note_outlasts_the_tables_of_the_strings():
    # strings sound for at most 8 s; a note must have been damped by then
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        release = 7 * draw_instrument(rng).damper_seconds
        notes = compose(rng, 30.0)
        assert max(note.stop_seconds - note.start_seconds for note in notes) + release < 8.0


def test_pieces_differ_in_style():
    styles = [draw_style(np.random.default_rng(seed)) for seed in SEEDS]
    assert len({style.tonic for style in styles}) > 8
    assert len({style.accompaniment for style in styles}) == 5
    assert np.ptp([style.tempo_bpm for style in styles]) > 60
    assert {style.beats_per_bar for style in styles} == {3, 4}
    assert len({style.scale for style in styles}) >= 3


def test_hands_use_the_keyboard_and_dynamics():
    for seed in range(8):
        notes = compose(np.random.default_rng(seed), 30.0)
        midi = np.array([note.midi for note in notes])
        velocity = np.array([note.velocity for note in notes])
        assert np.ptp(midi) > 20
        assert len(set(midi)) > 10
        assert velocity.std() > 0.05
