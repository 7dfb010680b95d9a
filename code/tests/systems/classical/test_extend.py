"""The band copy: found where treble ends, level and phase as promised, nothing added elsewhere."""

import numpy as np
import pytest
import torch
from scipy import signal

import shellac
from shellac.metrics import snr_db
from shellac.systems.classical import extend, profile
from shellac.systems.classical.framing import framing

RATE = 22050
CUT_HZ = 3000.0


@pytest.fixture(scope="module")
def cut():
    rng = np.random.default_rng(0)
    white = rng.standard_normal(8 * RATE)
    filtered = signal.sosfiltfilt(signal.ellip(8, 0.1, 80, CUT_HZ, fs=RATE, output="sos"), white)
    return (0.1 * filtered).astype(np.float32)[None]


def levels(x):
    hz, power = signal.welch(x[0], RATE, nperseg=2048)
    return hz, 10 * np.log10(power + 1e-20)


def test_the_copy_falls_by_18_db_an_octave_from_the_cut(cut):
    out = shellac.load("classical/extend", device="cpu").restore(cut, RATE).waveform
    hz, before = levels(cut)
    _, after = levels(out)
    kept = hz < 0.9 * CUT_HZ
    assert np.abs(after - before)[kept].max() < 1.0
    edge = after[(hz > 0.8 * CUT_HZ) & (hz < 0.95 * CUT_HZ)].mean()
    for above_hz in (4000.0, 6000.0, 9000.0):
        near = np.abs(np.log2(hz[1:] / above_hz)) < 0.05
        wanted = edge - 18 * np.log2(above_hz / CUT_HZ)
        assert after[1:][near].mean() == pytest.approx(wanted, abs=3)


def test_chunks_join_without_a_seam(cut):
    restorer = shellac.load("classical/extend", device="cpu")
    whole = restorer.restore(cut, RATE, segment_seconds=60).waveform
    parts = restorer.restore(cut, RATE, segment_seconds=1.3).waveform
    assert snr_db(whole, parts) > 60


def test_a_full_band_and_silence_are_left_alone():
    rng = np.random.default_rng(0)
    white = (0.1 * rng.standard_normal((1, 4 * RATE))).astype(np.float32)
    for heard in (white, np.zeros_like(white)):
        out = shellac.load("classical/extend", device="cpu").restore(heard, RATE)
        assert np.array_equal(out.waveform, heard)


def test_the_cut_is_found_and_a_steady_tone_stays_a_tone(cut):
    frames = profile.PowerFrames(framing(RATE).n_fft)
    frames.add(cut)
    copy = extend.find(frames.power(), framing(RATE), RATE)
    bin_hz = RATE / framing(RATE).n_fft
    assert copy.cut * bin_hz == pytest.approx(CUT_HZ, rel=0.1)
    tone = torch.sin(2 * torch.pi * 2000 / RATE * torch.arange(2 * RATE))[None]
    heard = framing(RATE).synthesise(copy.apply(framing(RATE).analyse(tone)), 2 * RATE)
    above = (heard - tone)[0, 4096:-4096].numpy()
    power = np.abs(np.fft.rfft(above * np.hanning(len(above)))) ** 2
    peaks, _ = signal.find_peaks(power, 0.01 * power.max(), distance=50)
    hz = peaks * RATE / len(above)
    assert len(hz) >= 1
    steps = (hz - 2000) / (copy.shift * bin_hz)
    assert np.allclose(steps, np.round(steps), atol=1e-3)
