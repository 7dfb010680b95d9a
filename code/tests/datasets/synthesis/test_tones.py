"""Bowed and blown notes: in tune, without aliases, and ending without a click."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import signal

from shellac.datasets.synthesis import control
from shellac.datasets.synthesis.instruments import draw_timbre
from shellac.datasets.synthesis.score import Note
from shellac.datasets.synthesis.tones import Player, Timbre, body_response

RATE = 44100
BARE = Timbre(
    fall_db=0.0, soft_db=0.0, corner_hz=1e6, low_hz=1.0, even_db=0.0, resonances=(),
    attack_seconds=0.05, release_seconds=0.08, vibrato_hz=5.5, vibrato_cents=0.0, scoop_cents=0.0,
    drift_cents=0.0, breath_db=-200.0, breath_hz=2000.0, players=1, spread_cents=0.0,
)  # fmt: skip


def play(timbre, midi, seconds=1.5, stop=2.0, rng=0):
    note = Note(0.0, stop, midi, 0.8)
    player = Player(timbre, RATE, np.random.default_rng(rng))
    return player.play([note], int(seconds * RATE), 440.0).astype(np.float64)


@pytest.mark.parametrize("midi", [40, 69, 88, 103])
def test_a_plain_tone_has_its_harmonics_and_nothing_else(midi):
    x = play(BARE, midi)[RATE // 4 :][: 2**15]
    power = np.abs(np.fft.rfft(x * signal.get_window(("kaiser", 14), len(x)))) ** 2
    frequency_hz = np.fft.rfftfreq(len(x), 1 / RATE)
    first_hz = 440 * 2 ** ((midi - 69) / 12)
    order = frequency_hz / first_hz
    beside = np.abs(order - np.round(order)) * first_hz > 30
    # a flat spectrum is the hardest: straight lines between the points of a table
    assert power[beside].max() < 1e-6 * power.max()
    for number in (1, 2, 3):
        near = np.abs(frequency_hz - number * first_hz) < 8
        assert power[near].max() > 1e-2 * power.max()


def test_vibrato_swings_by_its_depth_and_speed():
    timbre = replace(BARE, vibrato_cents=40.0, fall_db=60.0)
    x = play(timbre, 69, seconds=4.0, stop=5.0)
    phase = np.unwrap(np.angle(signal.hilbert(x)))
    cents = 1200 * np.log2(np.diff(phase[RATE : -RATE // 4]) * RATE / (2 * np.pi) / 440)
    cents = signal.sosfiltfilt(signal.butter(4, 30, fs=RATE, output="sos"), cents)[2000:-2000]
    assert 20 < np.abs(cents).max() < 55
    crossings = np.count_nonzero(np.diff(np.sign(cents)))
    assert crossings / 2 / (len(cents) / RATE) == pytest.approx(5.5, rel=0.2)


def test_a_note_ends_at_nothing_and_without_a_click():
    x = play(replace(BARE, fall_db=12.0), 60, seconds=1.5, stop=1.0)
    assert np.abs(x[int(1.085 * RATE) :]).max() < 1e-4
    high = signal.sosfilt(signal.butter(8, 15000, "highpass", fs=RATE, output="sos"), x)
    ending = high[int(0.98 * RATE) : int(1.1 * RATE)]
    sounding = high[int(0.3 * RATE) : int(0.9 * RATE)]
    assert np.abs(ending).max() < 1.5 * np.abs(sounding).max()


def test_loud_brass_is_brighter_than_soft():
    timbre = replace(draw_timbre("trumpet", np.random.default_rng(1)), breath_db=-200.0)
    centroids = []
    for velocity in (0.2, 0.9):
        player = Player(timbre, RATE, np.random.default_rng(2))
        x = player.play([Note(0.0, 1.0, 65, velocity)], RATE, 440.0)
        power = np.abs(np.fft.rfft(x)) ** 2
        centroids.append((power * np.arange(len(power))).sum() / power.sum())
    assert centroids[1] > 1.3 * centroids[0]


def test_a_clarinet_lacks_even_harmonics():
    timbre = draw_timbre("clarinet", np.random.default_rng(3))
    x = play(replace(timbre, vibrato_cents=0.0, drift_cents=0.0, scoop_cents=0.0), 57)
    power = np.abs(np.fft.rfft(x * np.hanning(len(x)))) ** 2
    step = 220 * len(x) / RATE
    level = [10 * np.log10(power[int(k * step) - 9 : int(k * step) + 9].max()) for k in range(1, 5)]
    assert min(level[0], level[2]) > max(level[1], level[3]) + 3


def test_a_body_rings_where_its_resonance_is():
    gain = np.abs(np.fft.rfft(body_response(((1000.0, 8.0, 12.0),), RATE), RATE))
    assert np.argmax(gain) == pytest.approx(1000, abs=40)
    assert 20 * np.log10(gain.max()) == pytest.approx(14, abs=2)
    assert gain[8000] == pytest.approx(1.0, abs=0.1)


def test_a_phase_is_the_integral_of_its_frequency():
    frequency_hz = np.linspace(300.0, 900.0, control.edges(100_000))
    found = control.cycles(frequency_hz, RATE, 100_000)
    line = control.raised(frequency_hz, 100_000).astype(np.float64)
    expected = np.concatenate([[0.0], np.cumsum(line)[:-1]]) / RATE
    apart = (found - expected + 0.5) % 1.0 - 0.5
    assert np.abs(apart).max() < 0.02
