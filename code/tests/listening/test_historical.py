"""Which seconds of historical recordings are restored where a whole one is too much."""

import numpy as np
import pytest

from shellac import audio
from shellac.datasets.corpora import Recording
from shellac.files import sha256
from shellac.listening import historical


@pytest.fixture
def recording():
    """Return what makes a row of an index of a file."""

    def make(path):
        facts = audio.inspect(path)
        return Recording(
            str(path.parent), path.name, "historical", "historical", "", "yes", "",
            facts.sample_rate, facts.channels, facts.samples, sha256(path),
        )  # fmt: skip

    return make


@pytest.mark.parametrize(("seconds", "start", "length"), [(0.5, 2000, 4000), (9.0, 0, 8000)])
def test_the_middle_is_cut_as_it_is(tmp_path, recording, seconds, start, length):
    x = np.random.default_rng(1).integers(-9000, 9000, (2, 8000)) / 32768
    audio.write(tmp_path / "disc.wav", x, 8000, "PCM_16")
    place = tmp_path / "cut"
    path, told = historical.middle(recording(tmp_path / "disc.wav"), seconds, place)
    assert path == place / "disc.wav"
    facts, found = audio.inspect(path), audio.read(path)[0]
    assert (facts.sample_rate, facts.subtype) == (8000, "PCM_16")
    np.testing.assert_array_equal(found, x[:, start : start + length].astype(np.float32))
    assert told["sha256"] == sha256(tmp_path / "disc.wav") and told["of_seconds"] == 1.0
    assert (told["start_seconds"], told["seconds"]) == (start / 8000, length / 8000)


def test_few_recordings_are_spread_over_all():
    assert historical.spread(list("abcdef"), 2) == ["b", "e"]
    assert historical.spread(list("abc"), 3) == historical.spread(list("abc"), 9) == list("abc")
    assert historical.spread(list("abc"), 0) == []
