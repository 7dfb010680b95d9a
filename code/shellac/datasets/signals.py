"""Recordings of an index as the signals that systems learn from."""

import numpy as np

from shellac import audio
from shellac.datasets.index import Recording
from shellac.transforms.resampling import resample


def mono_at(recording: Recording, sample_rate: int) -> np.ndarray:
    """Read a recording, average its channels, convert its rate: (T,) float32."""
    waveform, rate = audio.read(recording.path)
    return resample(waveform.mean(axis=0), rate, sample_rate)
