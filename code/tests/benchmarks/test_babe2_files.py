"""What the benchmark of BABE-2's long files takes for a seam, and for one that is heard."""

import sys
from pathlib import Path

import numpy as np
import pytest

from shellac import audio

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
import babe2_files

RATE, SEGMENTS = 16000, (8192, 800, 8000)


def test_seams_lie_where_segments_meet():
    # 8192 samples at 8 kHz, then the last segment, which ends with the recording: 7808 to 16000
    places = babe2_files.seam_places(32000, RATE, SEGMENTS)
    assert places.tolist() == [2 * 7392, 2 * 8192, 2 * 7808, 2 * 15584]


@pytest.mark.parametrize("click", [0.0, 1.5])
def test_a_click_at_every_seam_is_seen(tmp_path, rng, click):
    x = 0.1 * rng.standard_normal((1, 10 * RATE)).astype(np.float32)
    x[0, babe2_files.seam_places(x.shape[1], RATE, SEGMENTS)] += click
    audio.write(tmp_path / "made.wav", x, RATE, "FLOAT")
    found = babe2_files.seams(tmp_path / "made.wav", SEGMENTS)
    apart = found["seams_db"] - found["elsewhere_db"]
    assert apart > 1.0 if click else abs(apart) < 0.3
    assert (found["seams_above_95th_percentile"] > 0.5) == bool(click)
