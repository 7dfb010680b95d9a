import numpy as np
import pytest
from sounds import tone

from shellac.metrics import snr_db
from shellac.systems.classical import declick

RATE = 22050


def damaged(seconds=4.0, per_second=8, seed=0):
    """Music, the same with hiss and clicks, and where the clicks are: (T,), (T,), (E, 2)."""
    rng = np.random.default_rng(seed)
    music = tone(seconds, RATE, seed=seed)[0]
    hissing = music + np.float32(2e-3) * rng.standard_normal(len(music), dtype=np.float32)
    clicked = hissing.copy()
    starts = np.sort(rng.choice(len(music) // 200 - 2, int(per_second * seconds), replace=False))
    events = []
    for start in 200 * (starts + 1):
        length = int(rng.integers(2, 20))
        clicked[start : start + length] += rng.choice((-1, 1)) * rng.uniform(0.1, 0.4, length)
        events.append((start, start + length))
    return hissing, clicked, np.array(events)


def overlap(events, found):
    return (events[:, None, 0] < found[None, :, 1]) & (found[None, :, 0] < events[:, None, 1])


def test_clicks_are_found_where_they_are_and_nowhere_else():
    music, clicked, events = damaged()
    (found,) = declick.detect(clicked[None], RATE)
    hits = overlap(events, found)
    assert hits.any(axis=1).mean() > 0.95  # recall
    assert hits.any(axis=0).mean() > 0.9  # precision: these notes begin within one sample
    assert len(declick.detect(music[None], RATE)[0]) <= 2


def test_repair_brings_the_music_back_and_leaves_all_else_bit_for_bit():
    music, clicked, _ = damaged()
    found = declick.detect(clicked[None], RATE)
    (repaired,) = declick.repair(clicked[None], found)
    touched = np.zeros(len(music), bool)
    for start, stop in found[0]:
        touched[start:stop] = True
    assert np.array_equal(repaired[~touched], clicked[~touched])
    assert touched.mean() < 0.02
    assert snr_db(music, repaired) > snr_db(music, clicked) + 8


def test_a_voice_with_its_pulses_and_an_attack_are_no_clicks():
    pulses = np.zeros(4 * RATE)
    pulses[:: RATE // 110] = 1.0
    voice = np.zeros_like(pulses)
    for n in range(2, len(voice)):  # one formant
        voice[n] = pulses[n] + 1.7 * voice[n - 1] - 0.8 * voice[n - 2]
    voice += 1e-3 * np.random.default_rng(0).standard_normal(len(voice))
    time = np.arange(len(voice)) / RATE % 0.5
    drum = np.random.default_rng(1).standard_normal(len(voice)) * np.exp(-30 * time)
    for sound in (voice / np.abs(voice).max(), 0.3 * drum):
        assert len(declick.detect(sound[None].astype(np.float32), RATE)[0]) <= 4  # 8 drum beats


def test_channels_do_not_know_each_other():
    _, clicked, _ = damaged()
    other = tone(4.0, RATE, seed=5)[0]
    alone = [declick.detect(x[None], RATE)[0] for x in (clicked, other)]
    for found, expected in zip(
        declick.detect(np.stack([clicked, other]), RATE), alone, strict=True
    ):
        assert np.array_equal(found, expected)


@pytest.mark.parametrize("samples", [1, 2, 100, 5000])
@pytest.mark.parametrize("value", [0.0, 0.25])
def test_silence_and_dc_of_any_length_hold_no_clicks(samples, value):
    x = np.full((2, samples), value, np.float32)
    assert [len(found) for found in declick.detect(x, RATE)] == [0, 0]


def test_levinson_solves_the_normal_equations():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((3, 500))
    correlation = np.stack([np.correlate(row, row, "full")[499:508] for row in x] + [np.zeros(9)])
    filters = declick.levinson(correlation)
    for row, filter_ in zip(correlation[:3], filters, strict=False):
        matrix = row[np.abs(np.subtract.outer(np.arange(8), np.arange(8)))]
        assert np.allclose(matrix @ filter_[1:], -row[1:], atol=1e-5 * row[0])
    assert filters[3].tolist() == [1.0] + [0.0] * 8


def test_blocks_are_powers_of_two():
    assert [declick.block_length(rate) for rate in (1000, 16000, 44100, 192000)] == [
        256, 1024, 4096, 16384,
    ]  # fmt: skip
