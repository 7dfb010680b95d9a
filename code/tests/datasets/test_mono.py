"""Recordings at a system's rate, whole and in blocks."""

import numpy as np
import pytest
from sounds import tone

from shellac import audio
from shellac.datasets.index import Recording
from shellac.datasets.mono import Stream, length_at, mono_at
from shellac.errors import AudioError, DataError

SAMPLES = 700_000  # more than a decoder is asked for at a time


@pytest.fixture
def recording(tmp_path):
    audio.write(tmp_path / "a.wav", tone(SAMPLES / 44100, 44100, 2), 44100)
    told = ("piano", "piano", "train", "yes", "", 44100, 2, SAMPLES, "")
    return Recording(str(tmp_path), "a.wav", *told)


@pytest.mark.parametrize("rate", [44100, 16000])
def test_reading_forward_gives_the_samples_of_the_whole(recording, rate):
    whole = mono_at(recording, rate)
    assert len(whole) == length_at(recording, rate)
    stream = Stream(recording, rate)
    for start, stop in ((0, 10), (5, 9), (8, 60_000), (30_000, 60_010), (60_010, len(whole))):
        assert np.array_equal(stream.read(start, stop), whole[start:stop])
    stream.finish()


@pytest.mark.parametrize("samples", [SAMPLES - 1000, SAMPLES + 1000])
def test_another_length_than_that_of_the_index_is_refused(recording, samples):
    audio.write(recording.path, tone(samples / 44100, 44100, 2), 44100)
    stream = Stream(recording, 16000)
    with pytest.raises(DataError, match="not as long as its index says"):
        stream.read(0, length_at(recording, 16000))
        stream.finish()


def test_what_is_wrong_at_the_end_is_told_at_the_end(recording):
    waveform = tone(SAMPLES / 44100, 44100, 2)
    waveform[1, -1] = np.nan
    audio.write(recording.path, waveform, 44100, subtype="FLOAT")
    stream = Stream(recording, 44100)
    stream.read(0, 1000)
    with pytest.raises(AudioError, match="1 samples are NaN"):
        stream.finish()
