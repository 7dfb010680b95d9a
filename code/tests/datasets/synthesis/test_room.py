"""Rooms: the direct sound first, energy that dies away, and no two alike."""

import numpy as np
import pytest

from shellac.datasets.synthesis.room import place, room_response, soundboard_response

RATE = 22050


def test_direct_sound_comes_first_and_the_tail_dies(rng):
    response = room_response(rng, RATE)
    assert np.argmax(np.abs(response)) == 0
    assert response[0] == pytest.approx(1.0, abs=0.01)
    tail = np.square(response[1:])
    quarter = len(tail) // 4
    assert tail[-quarter:].sum() < 1e-3 * tail.sum()
    assert 0.003 < tail.sum() < 1.5


def test_the_board_colours_by_some_decibels(rng):
    gain = np.abs(np.fft.rfft(soundboard_response(rng, RATE)))
    frequency_hz = np.fft.rfftfreq(int(0.12 * RATE), 1 / RATE)
    level = 20 * np.log10(gain[(frequency_hz > 100) & (frequency_hz < 3000)])
    assert 0.5 < level.std() < 8


def test_placing_keeps_the_length_and_starts_at_once(rng):
    dry = np.zeros(3000, np.float32)
    dry[100] = 1.0
    heard = place(dry, rng, RATE)
    assert heard.shape == dry.shape
    assert np.abs(heard[:99]).max() < 1e-5
    assert np.argmax(np.abs(heard)) == 100
