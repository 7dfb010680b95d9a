"""Rate conversion: length, delay, and the reach that chunking relies on."""

import numpy as np
import pytest

from shellac.transforms.resampling import (
    REACH_SAMPLES,
    converted_length,
    fit_length,
    resample,
    resample_blocks,
)

RATES = [(44100, 16000), (16000, 44100), (22050, 16000), (48000, 16000), (8000, 16000),
         (44099, 16000), (192000, 16000), (24000, 22050)]  # fmt: skip


@pytest.mark.parametrize(("sample_rate", "new_rate"), RATES)
def test_a_sine_keeps_its_place(sample_rate, new_rate):
    seconds, pitch = 1.0, 437.0
    there = np.arange(int(seconds * sample_rate)) / sample_rate
    converted = resample(
        np.sin(2 * np.pi * pitch * there).astype(np.float32), sample_rate, new_rate
    )
    assert len(converted) == converted_length(len(there), sample_rate, new_rate)
    here = np.arange(len(converted)) / new_rate
    inside = slice(len(here) // 4, -len(here) // 4)
    assert np.allclose(converted[inside], np.sin(2 * np.pi * pitch * here)[inside], atol=2e-4)


@pytest.mark.parametrize(("sample_rate", "new_rate"), RATES)
def test_a_change_further_away_than_the_reach_is_below_minus_100_db(sample_rate, new_rate, rng):
    noise = rng.standard_normal(sample_rate).astype(np.float32)
    half = len(noise) // 2
    changed = noise.copy()
    changed[:half] = -changed[:half][::-1]
    difference = np.abs(
        resample(noise, sample_rate, new_rate) - resample(changed, sample_rate, new_rate)
    )
    reach = REACH_SAMPLES / min(sample_rate, new_rate)
    after = int((half / sample_rate + reach) * new_rate) + 1
    assert difference[after:].max() < 1e-5
    assert difference[: after - int(reach * new_rate)].max() > 0.1


@pytest.mark.parametrize("length", [1, 2, 3, 17])
def test_short_signals_keep_their_length(length):
    for channels in (1, 2):
        waveform = np.ones((channels, length), np.float32)
        there = resample(waveform, 44100, 16000)
        assert there.shape == (channels, converted_length(length, 44100, 16000))
        assert np.isfinite(there).all()


def test_fit_length_cuts_and_pads():
    assert fit_length(np.ones((2, 5)), 3).shape == (2, 3)
    assert fit_length(np.ones(3), 5).tolist() == [1, 1, 1, 0, 0]


@pytest.mark.parametrize(
    ("sample_rate", "new_rate"), [(48000, 16000), (22050, 22000), (8000, 8000)]
)
def test_blocks_are_converted_to_the_same_samples(sample_rate, new_rate, rng):
    x = rng.standard_normal(30_001).astype(np.float32)
    blocks = (x[:1], x[1:7000], x[7000:7000], x[7000:])
    got = np.concatenate(list(resample_blocks(blocks, sample_rate, new_rate)))
    assert np.array_equal(got, resample(x, sample_rate, new_rate))
