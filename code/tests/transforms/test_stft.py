from dataclasses import replace

import numpy as np
import pytest
import torch

from shellac.transforms import stft
from shellac.transforms.stft import HAMMING_1024, HAMMING_2048, PUBLISHED, SOUND


def noise(samples, items=2, seed=0):
    return torch.randn(items, samples, generator=torch.Generator().manual_seed(seed))


def test_the_published_frames_are_those_of_the_specification():
    assert PUBLISHED.frames(480_000) == 7500
    assert PUBLISHED.bins == 128
    waveform = noise(1000, 1)
    spectrum = PUBLISHED.analyse(waveform)
    assert spectrum.shape == (1, 16, 128)
    padded = np.pad(waveform[0].double().numpy(), (0, 256))
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(256) / 256)
    for frame in (0, 3, 15):
        cut = (padded[frame * 64 :][:256] * window)[:255]
        bins = np.exp(-2j * np.pi * np.outer(np.arange(128), np.arange(255)) / 255)
        assert np.allclose(spectrum[0, frame].numpy(), bins @ cut, atol=1e-4)


@pytest.mark.parametrize("samples", [1, 63, 64, 65, 8000, 12345])
def test_every_sample_comes_back_from_sound_frames(samples):
    waveform = noise(samples)
    restored = SOUND.synthesise(SOUND.analyse(waveform), samples)
    assert restored.shape == waveform.shape
    assert (restored - waveform).abs().max() < 1e-5


def test_published_frames_give_the_level_back_after_a_fade_of_3_ms():
    waveform = noise(8000)
    restored = PUBLISHED.synthesise(PUBLISHED.analyse(waveform), 8000)
    assert (restored - waveform)[:, 64:].abs().max() < 1e-5
    assert (restored.abs() <= waveform.abs() + 1e-5).all()


def test_a_tone_lies_in_its_bin():
    time = torch.arange(4000) / 16000
    tone = torch.sin(2 * np.pi * 20 * 16000 / 256 * time)[None]
    assert (SOUND.analyse(tone)[0, 8:-8].abs().argmax(-1) == 20).all()


def test_gradients_flow_after_inference():
    with torch.inference_mode():
        SOUND.analyse(noise(500))
    waveform = noise(500).requires_grad_()
    SOUND.analyse(waveform).abs().sum().backward()
    assert waveform.grad.abs().sum() > 0


def test_overlap_add_is_a_sum_of_shifted_frames():
    frames = noise(256, 5)[None]
    wanted = torch.zeros(1, 256 + 4 * 64)
    for i in range(5):
        wanted[:, i * 64 : i * 64 + 256] += frames[:, i]
    assert torch.allclose(stft.overlap_add(frames), wanted, atol=1e-6)


@pytest.mark.parametrize("samples", [1, 1023, 1024, 5000])
def test_at_22_khz_frames_start_until_the_very_end_and_every_sample_comes_back(samples):
    spectrum = HAMMING_1024.analyse(noise(samples))
    assert spectrum.shape == (2, samples // 256 + 1, 513)
    whole = HAMMING_1024.synthesise(spectrum)
    assert whole.shape == (2, samples // 256 * 256 + 1024)
    torch.testing.assert_close(whole[:, :samples], noise(samples), rtol=0, atol=2e-5)


def test_frames_are_what_the_general_transform_gives():
    x, window = noise(4000), torch.hamming_window(2048)
    spectrum = HAMMING_2048.analyse(x)
    padded = torch.nn.functional.pad(x, (0, 7 * 512 + 2048 - 4000))
    wanted = torch.stft(padded, 2048, 512, window=window, center=False, return_complex=True)
    torch.testing.assert_close(spectrum, wanted.mT, rtol=1e-4, atol=1e-4)


def test_at_44_khz_the_ends_are_faded_and_the_rest_comes_back():
    x = noise(20480)
    back = HAMMING_2048.synthesise(HAMMING_2048.analyse(x))
    assert back.shape == (2, 39 * 512 + 2048)
    torch.testing.assert_close(back[:, 1536:20480], x[:, 1536:], rtol=0, atol=2e-5)
    window = torch.hamming_window(2048)
    faded = window.square()[:512] / 1.5896
    torch.testing.assert_close(back[:, :512], x[:, :512] * faded, rtol=0, atol=2e-5)


@pytest.mark.parametrize("framing", [HAMMING_1024, HAMMING_2048])
def test_with_a_lead_every_sample_comes_back_and_nothing_moves(framing):
    leading = replace(framing, lead=framing.frame - framing.hop)
    x = noise(9999)
    back = leading.synthesise(leading.analyse(x), 9999)
    torch.testing.assert_close(back, x, rtol=0, atol=2e-6)
