import numpy as np
import pytest
import soundfile
from shared_audio import require, rows
from sounds import tone

from shellac.degradations.gap_detection import find_gaps, scan
from shellac.degradations.gaps import cut_gaps, draw_gaps


def music(seconds=3.0, sample_rate=16000, channels=2):
    return tone(seconds, sample_rate, channels)


@pytest.mark.parametrize("sample_rate", [8000, 44100])
@pytest.mark.parametrize("channels", [1, 2])
def test_digital_silence_is_found_to_the_sample(sample_rate, channels):
    waveform = music(4.0, sample_rate, channels)
    assert find_gaps(waveform, sample_rate) == []
    gaps = draw_gaps(waveform.shape[1], sample_rate, np.random.default_rng(0), (2.0, 80.0))
    assert find_gaps(cut_gaps(waveform, gaps), sample_rate) == gaps


def test_a_drop_out_is_covered_and_hardly_more():
    waveform = music()
    gaps = [(16000, 16160), (30011, 31000)]
    damaged = waveform.copy()
    for start, stop in gaps:
        damaged[:, start:stop] *= 0.003
    found = find_gaps(damaged, 16000)
    assert len(found) == 2
    for (start, stop), (first, last) in zip(gaps, found, strict=True):
        assert start - 32 <= first <= start
        assert stop <= last <= stop + 32


def test_silence_in_one_channel_is_music():
    waveform = music()
    waveform[0, 16000:16500] = 0
    assert find_gaps(waveform, 16000) == []


@pytest.mark.parametrize(
    ("start", "stop"),
    [(0, 500), (47500, 48000), (16000, 16007), (16000, 16000 + 8100)],
    ids=["start", "end", "too short", "too long"],
)
def test_rests_are_no_gaps(start, stop):
    waveform = music()
    waveform[:, start:stop] = 0
    assert find_gaps(waveform, 16000) == []


def test_zeros_of_quiet_sound_are_no_gaps():
    quiet = np.round(1.4 * np.sin(np.arange(16000) / 40)) / 128  # two steps of 8 bits
    assert (np.diff(np.flatnonzero(quiet)) > 20).any()
    assert find_gaps(quiet[None].astype(np.float32), 16000) == []


def test_clicks_over_silence_are_no_edges_of_a_gap():
    waveform = 1e-5 * np.random.default_rng(0).standard_normal((1, 16000)).astype(np.float32)
    for place in range(1000, 16000, 1500):
        waveform[:, place : place + 8] = 0.5
    assert find_gaps(waveform, 16000) == []


@pytest.mark.parametrize("samples", [1, 10, 200])
def test_silence_and_scraps_have_no_gaps(samples):
    assert find_gaps(np.zeros((2, samples), np.float32), 16000) == []
    assert find_gaps(np.ones((2, samples), np.float32), 16000) == []


def test_scanning_in_blocks_finds_the_same():
    waveform = music(65.0, 8000, 1)
    damaged = cut_gaps(waveform, draw_gaps(520_000, 8000, np.random.default_rng(1), (5.0, 90.0)))
    damaged[:, 160_000 - 500 : 160_000 + 300] *= 0.003  # over the edge of a block
    last = 0

    def read(start, stop):
        nonlocal last
        assert last <= start < stop <= 520_000
        last = start
        return damaged[:, start:stop]

    found = scan(read, 520_000, 8000)
    assert found == find_gaps(damaged, 8000)
    assert len(found) > 100


def test_real_recordings_have_no_gaps():
    for row in rows():
        if row["role"] in {"music", "piano", "historical"}:
            path = row["file"]
            waveform, rate = soundfile.read(require() / path, frames=300_000, always_2d=True)
            assert find_gaps(waveform.T, rate) == [], path
