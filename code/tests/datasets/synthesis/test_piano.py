"""The synthetic piano: strings that sound like strings, pieces that differ, any rate and length."""

import numpy as np
import pytest
from scipy import signal

from shellac.datasets.synthesis.piano import (
    Strings,
    draw_instrument,
    fundamental_hz,
    inharmonicity,
    partials,
    piano_piece,
)

RATE = 44100


@pytest.fixture(scope="module")
def pieces():
    return [piano_piece(seed, 6.0) for seed in range(6)]


@pytest.fixture
def strings(rng):
    return Strings(draw_instrument(rng), RATE, rng)


def bands_db(x, rate=RATE):
    """Long-term power in bands, in dB over the whole."""
    frequency_hz, power = signal.welch(x, rate, nperseg=4096)
    edges = (0, 250, 500, 1000, 2000, 4000, 6000, 8000, 10000)
    return 10 * np.log10([
        power[(frequency_hz >= low) & (frequency_hz < high)].sum() / power.sum()
        for low, high in zip(edges[:-1], edges[1:], strict=True)
    ])  # fmt: skip


def test_shape_level_and_type(pieces):
    for piece in pieces:
        assert piece.shape == (6 * RATE,)
        assert piece.dtype == np.float32
        assert 0.49 < np.abs(piece).max() < 0.91
        assert -32 < 20 * np.log10(piece.std()) < -12


def test_upper_partials_carry_energy_and_roll_off_as_real_pianos_do(pieces):
    # real recordings: 2-4 kHz at -12 to -18 dB, 4-6 at -25 to -32, 6-8 at -36 to -42, 8-10 at -51
    levels = np.array([bands_db(piece) for piece in pieces])
    assert (levels[:, 4] > -32).all() and (levels[:, 4] < -9).all()
    assert np.median(levels[:, 4]) == pytest.approx(-17, abs=5)
    assert np.median(levels[:, 6]) == pytest.approx(-43, abs=9)
    assert levels[:, 7].max() > -55
    assert (np.diff(levels[:, 3:], axis=1) < 0).all()


def test_no_two_pieces_share_their_long_term_spectrum(pieces):
    levels = [bands_db(piece) for piece in pieces]
    for i, first in enumerate(levels):
        for second in levels[:i]:
            assert np.abs(first - second).max() > 3.0


def test_the_seed_decides_everything():
    assert np.array_equal(piano_piece(7, 1.5), piano_piece(7, 1.5))
    assert not np.array_equal(piano_piece(7, 1.5), piano_piece(8, 1.5))


@pytest.mark.parametrize("sample_rate", [8000, 16000, 48000, 96000])
@pytest.mark.parametrize("seconds", [0.001, 0.7])
def test_any_rate_and_length(sample_rate, seconds):
    x = piano_piece(1, seconds, sample_rate)
    assert x.shape == (round(seconds * sample_rate),)
    assert np.isfinite(x).all()
    assert np.abs(x).max() > 0.1


@pytest.mark.parametrize("midi", [33, 60, 81])
def test_partials_are_those_of_a_stiff_string(strings, midi):
    instrument = strings.instrument
    number = np.arange(1, 13)
    stiffness = inharmonicity(instrument, midi)
    expected = number * np.sqrt((1 + stiffness * number**2) / (1 + stiffness))
    frequency_hz, _ = partials(instrument, midi, RATE)
    assert frequency_hz[:12] / frequency_hz[0] == pytest.approx(expected[: len(frequency_hz)])
    x = strings.strike(midi, 0.9, 4 * RATE)
    spectrum = np.abs(np.fft.rfft(x * np.hanning(len(x))))
    resolution_hz = RATE / len(x)
    for wanted_hz in frequency_hz[:6]:
        near = slice(int(0.98 * wanted_hz / resolution_hz), int(1.02 * wanted_hz / resolution_hz))
        found_hz = (near.start + np.argmax(spectrum[near])) * resolution_hz
        assert 1200 * np.log2(found_hz / wanted_hz) == pytest.approx(0.0, abs=18)


def test_tuning_is_drawn_and_stretched():
    for seed in range(10):
        instrument = draw_instrument(np.random.default_rng(seed))
        assert 432 <= fundamental_hz(instrument, 69) <= 445
        assert fundamental_hz(instrument, 105) > 8 * fundamental_hz(instrument, 69)
        assert fundamental_hz(instrument, 33) < fundamental_hz(instrument, 69) / 8
        assert 1e-4 < inharmonicity(instrument, 45) < inharmonicity(instrument, 90) < 2e-2


def test_decay_has_two_stages_and_treble_dies_first(strings):
    x = strings.strike(57, 0.8, 6 * RATE).astype(np.float64)
    level = 10 * np.log10(np.square(x[: 5 * RATE]).reshape(10, -1).mean(axis=1))
    assert level[0] - level[1] > 1.3 * (level[6] - level[9]) / 3
    assert (np.diff(level) < 1.5).all()
    high = signal.sosfiltfilt(signal.butter(6, 2000, "highpass", fs=RATE, output="sos"), x)
    share = np.square(high[: 5 * RATE]).reshape(10, -1).mean(axis=1) / 10 ** (level / 10)
    assert share[4] < 0.3 * share[0]


def test_a_note_rings_without_seams(strings):
    x = strings.strike(45, 0.8, 3 * RATE)[2 * RATE :].astype(np.float64)
    seams = signal.sosfiltfilt(signal.butter(8, 15000, "highpass", fs=RATE, output="sos"), x)
    assert np.square(seams).mean() < 1e-9 * np.square(x).mean()


def test_harder_strokes_are_louder_and_brighter(strings):
    soft, loud = (strings.strike(60, velocity, RATE) for velocity in (0.3, 0.9))
    assert loud.std() > 2 * soft.std()
    assert bands_db(loud)[5] > bands_db(soft)[5] + 3
