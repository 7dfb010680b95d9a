"""The voice: formants where vowels have them, pitch in the singer's range, clean, seeded."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import signal

from shellac import config
from shellac.datasets import gate
from shellac.datasets.synthesis import voice
from shellac.datasets.synthesis.syllables import Syllable, recite, sing
from shellac.datasets.synthesis.voice import CONSONANTS, VOICES, VOWELS, draw_throat, voice_piece

RATE = 44100
SOUNDS = tuple(VOWELS), CONSONANTS


@pytest.fixture(scope="module")
def pieces():
    return {kind: voice_piece(4, 5.0, RATE, kind) for kind in VOICES}


def spoken(syllables, seconds, **changes):
    rng = np.random.default_rng(0)
    throat = replace(draw_throat("man speaking", rng), tract=1.0, **changes)
    samples = int(seconds * RATE)
    tracks = voice._tracks(syllables, throat, samples, RATE, rng)
    return voice._speak(tracks, throat, samples, RATE, rng).astype(np.float64)


def test_shape_level_gate_and_band(pieces, folder_root):
    settings = config.load().data.gate
    for kind, piece in pieces.items():
        assert piece.shape == (5 * RATE,)
        assert piece.dtype == np.float32
        assert np.isfinite(piece).all()
        assert 0.49 < np.abs(piece).max() < 0.91
        assert gate.verdict(gate.examine(piece[None], RATE), settings) is None, kind
        frequency_hz, power = signal.welch(piece, RATE, nperseg=4096)
        high = power[(frequency_hz > 8000) & (frequency_hz < 16000)].sum() / power.sum()
        assert -60 < 10 * np.log10(high) < -10, kind


def test_no_two_voices_share_their_long_term_spectrum(pieces):
    levels = []
    for piece in pieces.values():
        frequency_hz, power = signal.welch(piece, RATE, nperseg=4096)
        edges = 150.0 * 2.0 ** (np.arange(19) / 3)
        levels.append(10 * np.log10([
            power[(frequency_hz >= low) & (frequency_hz < high)].mean() / power.mean()
            for low, high in zip(edges[:-1], edges[1:], strict=True)
        ]))  # fmt: skip
    for i, first in enumerate(levels):
        for second in levels[:i]:
            assert np.sqrt(np.square(first - second).mean()) > 1.5


def test_the_seed_decides_everything():
    first = voice_piece(7, 1.5, RATE, "alto")
    assert np.array_equal(voice_piece(7, 1.5, RATE, "alto"), first)
    assert not np.array_equal(voice_piece(8, 1.5, RATE, "alto"), first)


@pytest.mark.parametrize("vowel", ["a", "i", "u"])
def test_formants_stand_where_the_vowel_has_them(vowel):
    held = [Syllable(0.1, 1.9, 100.0, 0.0, 0.8, "", vowel, "")]
    x = spoken(held, 2.0, vibrato_cents=0.0, jitter=0.0, breath_db=-80.0)
    frequency_hz, power = signal.welch(x[RATE // 2 : RATE * 3 // 2], RATE, nperseg=16384)
    level = signal.resample_poly(np.log(power), 1, 1)
    number = np.arange(1, 40)
    partials = np.array([level[np.argmin(np.abs(frequency_hz - 100 * k))] for k in number])
    first_hz, second_hz = VOWELS[vowel][:2]
    low = (
        100 * number[np.argmax(np.where(100 * number < (first_hz + second_hz) / 2, partials, -99))]
    )
    assert low == pytest.approx(first_hz, abs=110)
    between = partials[round((first_hz + second_hz) / 200) - 1]
    assert partials[round(second_hz / 100) - 1] > between - 0.5


def test_hissed_consonants_are_high_and_unvoiced():
    said = [Syllable(0.3, 1.0, 110.0, 0.0, 0.8, "s", "a", "")]
    x = spoken(said, 1.2, breath_db=-60.0)
    hiss = x[int(0.34 * RATE) : int(0.38 * RATE)]
    power = np.abs(np.fft.rfft(hiss)) ** 2
    centroid_hz = (power * np.fft.rfftfreq(len(hiss), 1 / RATE)).sum() / power.sum()
    assert 4500 < centroid_hz < 10000
    assert np.abs(x[: int(0.25 * RATE)]).max() < 0.01 * np.abs(x).max()


def test_no_alias_stands_between_the_harmonics_of_a_high_voice():
    held = [Syllable(0.0, 2.0, 690.0, 0.0, 0.8, "", "a", "")]
    rng = np.random.default_rng(0)
    throat = replace(draw_throat("soprano", rng), vibrato_cents=0.0, jitter=0.0, breath_db=-200.0)
    samples = 2 * RATE
    tracks = voice._tracks(held, throat, samples, RATE, rng)
    tracks.pitch_hz[:] = 690.0  # no divisor of the rate: aliases fall between
    x = voice._speak(tracks, throat, samples, RATE, rng)[RATE // 2 :][: 2**15].astype(np.float64)
    power = np.abs(np.fft.rfft(x * signal.get_window(("kaiser", 14), len(x)))) ** 2
    frequency_hz = np.fft.rfftfreq(len(x), 1 / RATE)
    beside = np.abs(frequency_hz / 690 - np.round(frequency_hz / 690)) * 690 > 50
    assert power[beside].max() < 1e-7 * power.max()


def test_singers_keep_to_their_range_and_speakers_fall(rng):
    for seed in range(5):
        song = sing(30.0, 53, SOUNDS, np.random.default_rng(seed))
        midi = [69 + 12 * np.log2(syllable.pitch_hz / 440) for syllable in song]
        assert 52 <= min(midi) <= max(midi) <= 73
        assert song[-1].start_seconds > 25
        for before, after in zip(song, song[1:], strict=False):
            assert after.start_seconds - before.stop_seconds < 0.51
    speech = recite(30.0, 110.0, SOUNDS, rng)
    assert 2 < len(speech) / 30 < 8
    pauses = [
        after.start_seconds - before.stop_seconds
        for before, after in zip(speech, speech[1:], strict=False)
    ]
    assert max(pauses) > 0.24
    starts = np.array([0, *(np.flatnonzero(np.array(pauses) > 0.2) + 1)])
    ends = np.array([*starts[1:] - 1, len(speech) - 1])
    first = np.mean([speech[k].pitch_hz for k in starts])
    assert first > 1.1 * np.mean([speech[k].pitch_hz for k in ends])


@pytest.mark.parametrize("sample_rate", [8000, 22050, 96000])
@pytest.mark.parametrize("kind", ["bass", "woman speaking"])
def test_any_rate_and_length(sample_rate, kind):
    for seconds in (0.001, 0.7):
        x = voice_piece(1, seconds, sample_rate, kind)
        assert x.shape == (round(seconds * sample_rate),)
        assert np.isfinite(x).all()
