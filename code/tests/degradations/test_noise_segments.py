"""Noise alone is found where it is, and nowhere else: planted, and in real recordings."""

import numpy as np
import pytest
import shared_audio
from sounds import tone

from shellac import audio
from shellac.datasets.synthesis.ensemble import ensemble_piece
from shellac.datasets.synthesis.piano import piano_piece
from shellac.degradations.noise_segments import find
from shellac.degradations.record_noise import draw_settings, record_noise

RATE = 44100


def found(waveform, rate=RATE):
    waveform = np.atleast_2d(waveform)
    return [
        (stretch.start / rate, stretch.stop / rate)
        for stretch in find(lambda a, b: waveform[:, a:b], waveform.shape[1], rate)
    ]


def noise(seed, seconds, rate=RATE):
    rng = np.random.default_rng(seed)
    return record_noise(draw_settings(rng), int(seconds * rate), rate, rng)


@pytest.mark.parametrize("seed", range(8))
def test_a_record_s_noise_is_noise_all_through(seed):
    ((start, stop),) = found(noise(seed, 6.0))
    assert start == 0
    assert stop > 5.7


def test_lead_in_pause_and_run_out_are_found_between_the_music():
    disc = noise(3, 20.0)
    for at, seed in ((2.0, 0), (11.0, 1)):
        music = 0.5 * tone(5.0, RATE, seed=seed)[0]
        disc[int(at * RATE) : int((at + 5) * RATE)] += music
    lead_in, pause, run_out = found(np.stack([disc, disc]))
    assert lead_in == pytest.approx((0.0, 2.0), abs=0.4)
    assert pause == pytest.approx((7.0, 11.0), abs=1.3)  # the last chord rings on
    assert run_out == pytest.approx((16.0, 20.0), abs=1.3)
    assert pause[0] > 6.98
    assert run_out[0] > 15.98


@pytest.mark.parametrize("rate", [8000, 16000, 96000])
def test_any_rate(rate):
    assert len(found(noise(1, 3.0, rate), rate)) == 1


def test_level_and_slope_are_those_of_the_noise():
    white = 0.01 * np.random.default_rng(0).standard_normal((1, 5 * RATE))
    (stretch,) = find(lambda a, b: white[:, a:b], 5 * RATE, RATE)
    assert stretch.slope_db_per_octave == pytest.approx(0.0, abs=0.3)
    in_band = 20 * np.log10(0.01) + 10 * np.log10((5000 - 250) / (RATE / 2))
    assert stretch.level_dbfs == pytest.approx(in_band, abs=0.7)


def test_music_and_silence_hold_none():
    assert found(piano_piece(1, 10.0)) == []
    assert found(ensemble_piece(1, 10.0, RATE, "string-quartet")) == []
    assert found(np.zeros(5 * RATE)) == []
    faint = 1e-5 * np.random.default_rng(0).standard_normal(5 * RATE)
    assert found(faint) == []  # a converter's own
    assert found(np.zeros(100)) == []


def test_a_room_s_rumble_is_no_surface():
    brown = np.cumsum(np.random.default_rng(0).standard_normal(5 * RATE))
    brown -= np.convolve(brown, np.ones(2001) / 2001, "same")
    assert found(0.1 * brown / np.abs(brown).max()) == []


def test_a_tone_under_the_noise_is_told_from_noise():
    time = np.arange(5 * RATE) / RATE
    quiet = 0.01 * np.random.default_rng(0).standard_normal(5 * RATE)
    assert len(found(quiet)) == 1
    assert found(quiet + 0.003 * np.sin(2 * np.pi * 880 * time)) == []


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("historical/edison_cylinder_1903_spring_of_love", [(0.0, 2.0)]),
        ("historical/edison_cylinder_1903_spring_of_love_end", [(59.25, 60.0)]),
        ("noise/vinyl_runoff_groove", [(0.0, 6.87)]),
        ("noise/vinyl_hiss_loop", [(0.0, 8.0)]),
        ("music/sugar_plum_fairy", []),
        ("music/loop_mika_drums", []),
        ("music/cello_phrase", []),
        ("piano/piano_phrase", []),
    ],
)
def test_real_recordings(name, expected):
    waveform, rate = audio.read(shared_audio.require() / f"{name}.flac")
    stretches = found(waveform, rate)
    assert len(stretches) == len(expected)
    for stretch, wanted in zip(stretches, expected, strict=True):
        assert stretch == pytest.approx(wanted, abs=0.15)
