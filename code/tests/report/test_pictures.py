import numpy as np
import pytest

from shellac.report import figures, pictures

RATE = 8000


@pytest.mark.parametrize("seconds", [0.05, 0.5, 3.0])
def test_blocks_are_measured_as_the_whole_is(rng, seconds):
    waveform = rng.standard_normal((2, int(seconds * RATE)))
    meter = pictures.Meter(waveform.shape[1], RATE)
    for start in range(0, waveform.shape[1], 700):
        meter.append(waveform[:, start : start + 700])
    got = meter.level()
    wanted = [figures.level(channel, RATE) for channel in waveform]
    mean = np.mean([10 ** (one.db / 10) for one in wanted], axis=0)
    assert got.db == pytest.approx(10 * np.log10(mean), abs=1e-6)
    assert got.seconds == pytest.approx(wanted[0].seconds)
    assert np.array_equal(got.frequency_hz, wanted[0].frequency_hz)


def test_a_long_recording_has_few_columns_in_their_places(monkeypatch):
    monkeypatch.setattr(pictures, "MAX_COLUMNS", 50)
    time = np.arange(60 * RATE) / RATE
    tone = np.where(time >= 30, np.sin(2 * np.pi * 1000 * time), 0)[np.newaxis]
    level = pictures.measure(tone, RATE)
    assert level.db.shape[1] <= 50
    left, right = level.seconds
    centres = left + (np.arange(level.db.shape[1]) + 0.5) * (right - left) / level.db.shape[1]
    loud = level.db.max(axis=0) > -3
    assert np.array_equal(loud, centres > 30)
    assert level.frequency_hz[level.db[:, -1].argmax()] == pytest.approx(1000, abs=RATE / 1024)
    assert level.top_db == pytest.approx(0, abs=0.05)


def test_axes_are_seconds_and_khz_on_one_scale(rng):
    levels = {
        "Input": pictures.measure(rng.standard_normal((1, RATE)), RATE),
        "Restored": pictures.measure(0.1 * rng.standard_normal((1, 2 * RATE)), 2 * RATE),
    }
    figure = pictures.spectrograms(levels, 1.0, "a $\\bad$ name")
    first, second = figure.axes[:2]
    assert first.get_xlim() == second.get_xlim() == (0, 1)
    assert (first.get_ylim(), second.get_ylim()) == ((0, 4), (0, 8))
    assert first.images[0].norm.vmin == second.images[0].norm.vmin
    assert first.images[0].get_array().max() == pytest.approx(0)
    assert second.images[0].get_array().max() < -10


@pytest.mark.parametrize("suffix", [".pdf", ".png"])
def test_pictures_are_byte_stable_whatever_the_name(rng, tmp_path, suffix):
    level = pictures.measure(rng.standard_normal((1, RATE)), RATE)
    for name in ("a", "b"):
        figure = pictures.spectrograms({"Input": level}, 1.0, "$\\frac{1}$ \u4e2d\nb")
        pictures.save(figure, tmp_path / f"{name}{suffix}")
    assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()
