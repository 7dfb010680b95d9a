import numpy as np
import pytest
from sounds import tone

from shellac.systems.classical import hum

RATE = 16000
SECONDS = 16


def collected(waveform):
    frames = hum.frames(RATE)
    frames.add(waveform)
    return frames


def humming(fundamental_hz, harmonics=(1, 2, 3), level=0.01):
    time = np.arange(SECONDS * RATE) / RATE
    lines = [level / k * np.sin(2 * np.pi * k * fundamental_hz * time + k) for k in harmonics]
    return np.sum(lines, axis=0)


@pytest.mark.parametrize("mains_hz", [50.0, 60.0, 50.07, 59.9])
def test_lines_are_found_at_their_frequency_and_strength_and_taken_away(mains_hz):
    time = np.arange(SECONDS * RATE) / RATE
    music = 3e-3 * np.random.default_rng(0).standard_normal((2, len(time)))
    music += 0.3 * np.sin(2 * np.pi * 333 * time) * np.sin(np.pi * time)
    noisy = music + humming(mains_hz)
    lines = hum.find(collected(noisy), RATE)
    assert [round(line.frequency_hz / mains_hz) for line in lines] == [1, 2, 3]
    for line, amplitude in zip(lines, (0.01, 0.005, 0.01 / 3), strict=True):
        assert abs(line.frequency_hz - round(line.frequency_hz / mains_hz) * mains_hz) < 0.1
        assert line.amplitude == pytest.approx([amplitude] * 2, rel=0.2)
    left = hum.subtract(noisy, lines, RATE) - music
    middle = slice(RATE, -RATE)
    assert 10 * np.log10(np.mean(left[:, middle] ** 2) / np.mean(humming(mains_hz) ** 2)) < -20


def test_none_is_invented_in_music_noise_or_silence():
    noise = 0.01 * np.random.default_rng(0).standard_normal((1, SECONDS * RATE))
    silence = np.zeros((2, SECONDS * RATE))
    for sound in (tone(SECONDS, RATE), noise, silence):
        assert hum.find(collected(sound), RATE) == []


def test_a_bass_note_that_comes_and_goes_is_no_hum():
    time = np.arange(SECONDS * RATE) / RATE
    playing = (time % 8) < 4
    noise = 1e-3 * np.random.default_rng(0).standard_normal(len(time))
    note = noise + humming(50.0, level=0.2) * playing
    assert hum.find(collected(note[None]), RATE) == []


def test_hum_of_other_than_mains_frequency_stays():
    noise = 1e-3 * np.random.default_rng(0).standard_normal(SECONDS * RATE)
    assert hum.find(collected((noise + humming(53.0))[None]), RATE) == []


def test_a_note_in_the_place_of_a_line_loses_no_more_than_the_line():
    lines = [hum.Line(50.0, np.array([0.01]), 20.0)]
    note = humming(50.0, harmonics=(1,), level=0.3)[None]
    removed = note - hum.subtract(note, lines, RATE)
    assert np.abs(removed).max() < 0.02


@pytest.mark.parametrize("samples", [1, 100, 30000])
def test_any_length_keeps_its_shape_and_kind(samples):
    lines = [hum.Line(50.0, np.array([0.01, 0.02]), 20.0)]
    x = np.zeros((2, samples), np.float32)
    result = hum.subtract(x, lines, RATE)
    assert result.shape == x.shape and result.dtype == x.dtype
    assert not result.any()
    assert hum.find(collected(x), RATE) == []
