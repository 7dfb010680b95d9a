"""Stimuli: same seconds, same loudness, names that give nothing away."""

import numpy as np
import pytest
from sounds import tone

from shellac import audio
from shellac.listening.loudness import TARGET_LUFS, alignment_gain, integrated_loudness
from shellac.listening.stimuli import excerpt_start, opaque_name, write_item

RATE = 16000


def test_loudness_of_the_standards_own_example():
    # BS.1770: a 997 Hz sine at 0 dBFS in one channel measures -3.01 LKFS
    sine = np.sin(2 * np.pi * 997 * np.arange(5 * 48000) / 48000)[None].astype(np.float32)
    assert integrated_loudness(sine, 48000) == pytest.approx(-3.01, abs=0.05)
    assert integrated_loudness(0.1 * sine, 48000) == pytest.approx(-23.01, abs=0.05)


def test_many_channels_are_as_loud_as_their_powers_together():
    one = 0.1 * tone(3.0, RATE)
    alone = integrated_loudness(one, RATE)
    twelve = np.concatenate([one, -one] * 6)
    assert integrated_loudness(twelve, RATE) == pytest.approx(alone + 10 * np.log10(12), abs=0.01)
    halved = np.concatenate([one, np.zeros_like(one)] * 3)
    assert integrated_loudness(halved, RATE) == pytest.approx(alone + 10 * np.log10(3), abs=0.01)
    assert integrated_loudness(np.zeros((6, RATE)), RATE) is None


def test_silence_and_very_short_sounds_have_no_loudness():
    assert integrated_loudness(np.zeros((1, RATE)), RATE) is None
    assert integrated_loudness(np.ones((1, 100)), RATE) is None
    assert alignment_gain(np.zeros((1, RATE)), RATE) == 1.0


def test_gain_reaches_the_target_but_never_clips():
    quiet = 0.05 * tone(3.0, RATE)
    gain = alignment_gain(quiet, RATE)
    assert integrated_loudness(quiet * np.float32(gain), RATE) == pytest.approx(
        TARGET_LUFS, abs=0.1
    )
    click = np.zeros((1, 3 * RATE), np.float32)
    click[0, ::4000] = 0.5
    assert np.abs(click).max() * alignment_gain(click, RATE) <= 0.9 + 1e-6


def test_excerpts_avoid_the_quiet_half(rng):
    loud_end = np.concatenate([np.zeros(10 * RATE), tone(10.0, RATE)[0]])
    starts = {excerpt_start(loud_end, 2 * RATE, rng) for _ in range(20)}
    assert min(starts) >= 8 * RATE


def test_an_item_is_aligned_blind_and_reproducible(tmp_path):
    reference = tone(4.0, RATE)[0]
    versions = {"reference": reference, "softer": 0.2 * reference}
    items = [
        write_item(tmp_path / name, "track", "piano", versions, RATE, 2.0, seed=5) for name in "ab"
    ]
    assert items[0] == items[1]
    waves = {}
    for condition, described in items[0]["conditions"].items():
        waves[condition], rate = audio.read(tmp_path / "a" / described["file"])
        assert (rate, waves[condition].shape) == (RATE, (1, 2 * RATE))
        assert condition not in described["file"]
    # the same excerpt at the same loudness: after alignment nothing tells them apart
    assert np.abs(waves["reference"] - waves["softer"]).max() < 1e-3
    start = int(items[0]["start_seconds"] * RATE)
    gain = 10 ** (items[0]["conditions"]["reference"]["gain_db"] / 20)
    expected = gain * reference[start : start + 2 * RATE]
    assert np.abs(waves["reference"][0] - expected).max() < 1e-3


def test_names_differ_by_condition_and_seed():
    names = {opaque_name(seed, "t", condition) for seed in (1, 2) for condition in ("a", "b")}
    assert len(names) == 4
