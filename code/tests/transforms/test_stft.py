"""The framings of the denoiser; those of inpainting are tested with what uses them."""

from dataclasses import replace

import pytest
import torch

from shellac.transforms.stft import HAMMING_1024, HAMMING_2048


def noise(samples, batch=2):
    return torch.randn(batch, samples, generator=torch.Generator().manual_seed(0))


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
