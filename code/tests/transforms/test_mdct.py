import numpy as np
import pytest
import torch
from scipy import fft

from shellac.transforms import mdct


def noise(samples, items=2):
    return torch.randn(items, samples, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("half", [64, 128])
@pytest.mark.parametrize("samples", [1, 127, 128, 5000])
def test_every_sample_comes_back(half, samples):
    waveform = noise(samples)
    coefficients = mdct.mdct(waveform, half)
    assert coefficients.shape == (2, mdct.frames(samples, half), half)
    restored = mdct.inverse(coefficients, samples)
    assert restored.shape == waveform.shape
    assert (restored - waveform).abs().max() < 1e-5


@pytest.mark.parametrize("half", [64, 128])
def test_coefficients_are_the_sum_of_the_definition(half):
    waveform = noise(4 * half, 1).double()
    place = np.arange(2 * half)
    window = np.sin(np.pi / 2 * np.sin(np.pi * (place + 0.5) / (2 * half)) ** 2)
    phase = np.outer(np.arange(half) + 0.5, place + 0.5 + half / 2)
    cosines = 2 * np.cos(np.pi / half * phase)
    cut = waveform[0, half : 3 * half].numpy() * window
    assert np.allclose(mdct.mdct(waveform, half)[0, 2].numpy(), cosines @ cut, atol=1e-9)


def test_the_folded_frames_take_a_cosine_transform_of_type_4():
    x = noise(64).double()
    assert np.allclose(mdct._dct4(x).numpy(), fft.dct(x.numpy(), type=4), atol=1e-9)


def test_a_lost_frame_harms_its_own_two_halves_alone():
    waveform = noise(1280, 1)
    coefficients = mdct.mdct(waveform, 64)
    coefficients[:, 5] = 0
    harm = (mdct.inverse(coefficients, 1280) - waveform)[0].abs() > 1e-5
    assert not harm[: 4 * 64].any()
    assert harm[4 * 64 : 6 * 64].float().mean() > 0.9
    assert not harm[6 * 64 :].any()
