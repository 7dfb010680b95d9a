import numpy as np
import pytest
import torch

from shellac.transforms import stft
from shellac.transforms.stft import PUBLISHED, SOUND


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
