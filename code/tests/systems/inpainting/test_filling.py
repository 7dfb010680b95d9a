import numpy as np
import pytest
import torch
from sounds import tone

from shellac.metrics import gap_lsd, gap_snr_db
from shellac.systems.inpainting import filling, representation
from shellac.systems.inpainting.baselines import linear
from shellac.systems.inpainting.filling import fill

ALL = pytest.mark.parametrize("name", representation.REPRESENTATIONS)


def cut(whole, gaps):
    damaged = whole.copy()
    for start, stop in gaps:
        damaged[:, start:stop] = np.nan  # nothing of it may be looked at
    return damaged


def straight(damaged, lost):
    return linear(damaged[:, 0], lost)[:, None]


def truth(whole, sample_rate, gaps, form):
    """What knows the blocks of the whole recording, gap by gap."""
    windows = [
        filling._Window.around(gap, sample_rate, form, filling._blocks(gap, sample_rate, form))
        for gap in gaps
    ]
    heard = np.concatenate([window.heard(whole, sample_rate, form) for window in windows])
    blocks = form.blocks(form.values(form.encode(torch.from_numpy(heard))))

    def method(damaged, lost):
        assert damaged.shape == blocks.shape
        assert damaged[lost[:, None].expand(damaged.shape[:3])].abs().max() == 0
        assert lost.any(-1).all()
        return blocks

    return method


@ALL
@pytest.mark.parametrize("sample_rate", [16000, 44100])
def test_true_values_beat_autoregression(name, sample_rate):
    form = representation.get(name)
    whole = tone(1.5, sample_rate, 2, seed=4)
    length = int(0.03 * sample_rate)
    gaps = [(at, at + length) for at in (sample_rate // 2 - 100, sample_rate + 50)]
    damaged = cut(whole, gaps)
    plain = fill(damaged, sample_rate, gaps, None, form)
    found = fill(damaged, sample_rate, gaps, truth(whole, sample_rate, gaps, form), form)
    assert gap_snr_db(whole, found, gaps) > gap_snr_db(whole, plain, gaps) + 3
    assert gap_lsd(whole, found, gaps) < gap_lsd(whole, plain, gaps)


@pytest.mark.parametrize("sample_rate", [8000, 16000, 44100, 96000])
@pytest.mark.parametrize("channels", [1, 3])
def test_samples_outside_gaps_are_untouched_and_edges_have_no_step(sample_rate, channels):
    form = representation.get("spectrogram")
    whole = tone(1.0, sample_rate, channels)
    half = sample_rate // 2
    gaps = [(0, 20), (half, half + sample_rate // 50), (sample_rate - 30, sample_rate)]
    found = fill(cut(whole, gaps), sample_rate, gaps, straight, form)
    inside = np.zeros(sample_rate, bool)
    for start, stop in gaps:
        inside[start:stop] = True
    assert found.shape == whole.shape
    assert found.dtype == np.float32
    assert np.array_equal(found[:, ~inside], whole[:, ~inside])
    assert np.isfinite(found).all()
    start, stop = gaps[1]
    steps = np.abs(np.diff(found, axis=1))
    assert steps[:, [start - 1, stop - 1]].max() < 2 * np.abs(np.diff(whole, axis=1)).max()


@ALL
def test_a_gap_longer_than_a_block_is_filled(name):
    whole = tone(3.0, 16000)
    gaps = [(16000, 16000 + 9000)]
    found = fill(cut(whole, gaps), 16000, gaps, straight, representation.get(name))
    assert np.isfinite(found).all()
    assert np.abs(found).max() < 2


def test_gaps_of_one_window_do_not_mind_each_other():
    form = representation.get("spectrogram")
    whole = tone(2.0, 16000, seed=5)
    gaps = [(12000, 12160), (13500, 13900), (14100, 14120)]
    seen = []

    def method(damaged, lost):
        seen.append(lost.sum(-1))
        return straight(damaged, lost)

    found = fill(cut(whole, gaps), 16000, gaps, method, form)
    assert len(seen) == 1
    assert len(seen[0]) == 3
    alone = form.mask_frames(gaps[:1], 500).sum()
    assert (seen[0] > alone + 5).all()
    assert gap_snr_db(whole, found, gaps) > 3


def test_the_band_above_the_network_is_filled_too():
    rate = 48000
    time = np.arange(rate) / rate
    whole = (np.sin(2 * np.pi * 700 * time) + np.sin(2 * np.pi * 13000 * time))[None]
    whole = (0.3 * whole).astype(np.float32)
    gaps = [(24000, 24960)]
    form = representation.get("spectrogram")
    found = fill(cut(whole, gaps), rate, gaps, straight, form)[0, 24000:24960]
    spectrum = np.abs(np.fft.rfft(found * np.hanning(960)))
    wanted = np.abs(np.fft.rfft(whole[0, 24000:24960] * np.hanning(960)))
    assert spectrum[258:263].max() == pytest.approx(wanted[258:263].max(), rel=0.1)


def test_silence_around_a_gap_stays_silent():
    form = representation.get("spectrogram")
    whole = np.zeros((2, 16000), np.float32)
    assert np.abs(fill(whole, 16000, [(8000, 8200)], straight, form)).max() == 0
    assert np.array_equal(fill(tone(0.1, 16000), 16000, [], straight, form), tone(0.1, 16000))


@ALL
def test_a_network_gone_wild_is_no_louder_than_the_music(name):
    whole = tone(1.0, 44100, 2)
    gaps = [(20000, 21000)]

    def wild(damaged, lost):
        return damaged + 1e4

    found = fill(cut(whole, gaps), 44100, gaps, wild, representation.get(name))
    intact = np.delete(whole, slice(*gaps[0]), axis=1)
    assert np.abs(found).max() == np.abs(intact).max()
    assert np.abs(np.diff(found[:, 19998:20003])).max() < 0.1


def test_the_shorter_a_gap_the_less_the_network_has_to_say():
    form = representation.get("spectrogram")
    whole = tone(1.0, 16000, seed=5)
    heard = []
    for length in (40, 1200):
        gaps = [(9000, 9000 + length)]
        plain = fill(cut(whole, gaps), 16000, gaps, None, form)
        silent = fill(cut(whole, gaps), 16000, gaps, lambda damaged, _: 0 * damaged, form)
        heard.append(gap_snr_db(plain, silent, gaps))
    assert heard[0] > 5
    assert heard[1] < 2
