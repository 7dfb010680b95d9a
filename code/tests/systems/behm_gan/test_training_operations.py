import numpy as np
import pytest
import torch
from scipy import signal

from shellac.systems.behm_gan import degradation, losses, published_pipeline
from shellac.systems.spectrogram_front import transformed
from shellac.transforms.stft import HAMMING_1024


def test_filters_are_what_the_window_design_with_one_hertz_gives():
    bank = degradation.filter_bank()
    cutoff_hz = np.random.RandomState(43).normal(3500, 300, 300)[7]
    wanted = signal.firwin(25, cutoff_hz, width=1, window="kaiser", fs=22050)
    np.testing.assert_allclose(bank[7], wanted, atol=1e-7)
    assert bank.shape == (300, 25) and bank.dtype == np.float32


def test_every_row_goes_through_its_own_filter_without_delay():
    waveform = torch.zeros(2, 101)
    waveform[:, 50] = 1
    filters = torch.tensor([[0.0, 1.0, 0.0], [0.5, 1.0, 0.25]])
    out = degradation.low_passed(waveform, filters)
    assert torch.equal(out[0], waveform[0])
    assert out[1, 49:52].tolist() == [0.25, 1.0, 0.5]


def test_losses_of_a_louder_copy():
    target = torch.randn(2, 8192, generator=torch.Generator().manual_seed(0))
    table = losses.stft_losses(2 * target, target)
    torch.testing.assert_close(table, torch.tensor([[0.6931, 1.0]] * 4), rtol=1e-3, atol=1e-3)
    assert losses.stft_loss(2 * target, target) == pytest.approx(1.6931, abs=1e-3)
    assert losses.stft_loss(target, target) == 0


def test_what_lies_below_the_least_magnitude_is_learnt_under_the_smooth_floor_alone():
    generator = torch.Generator().manual_seed(0)
    target = 1e-4 * torch.randn(1, 8192, generator=generator)
    slopes = {}
    for smooth in (False, True):
        estimate = (1e-3 * target).requires_grad_()
        losses.stft_losses(estimate, target, smooth_floor=smooth)[:, 0].sum().backward()
        slopes[smooth] = estimate.grad.abs().max().item()
    assert slopes[False] == 0 < slopes[True]
    same = losses.stft_losses(target, target, smooth_floor=True)
    assert not same.any()


def test_banks_of_different_lengths_stand_below_each_other_without_delay():
    bank = degradation.training_bank(["repository", "long"])
    assert bank.shape == (600, 127)
    assert np.array_equal(bank[:300, 51:76], degradation.filter_bank())
    assert not bank[:300, :51].any() and not bank[:300, 76:].any()
    frequency, response = signal.freqz(bank[307].astype(np.float64), worN=4096, fs=22050)
    cutoff_hz = degradation.cutoffs_hz()[7]
    level_db = 20 * np.log10(np.abs(response) + 1e-12)
    assert level_db[np.abs(frequency - cutoff_hz).argmin()] == pytest.approx(-6, abs=0.2)
    assert level_db[frequency > cutoff_hz + 500].max() < -55
    assert level_db[frequency < cutoff_hz - 500].min() > -0.1


def test_the_published_pipeline_loses_the_end_that_its_loop_does_not_reach(rng):
    segment, overlap = 4096, 512

    def same(waveform):
        return transformed(lambda spectrogram: spectrogram, waveform, HAMMING_1024)

    def run(samples):
        mono = rng.standard_normal(samples).astype(np.float32)
        return mono, *published_pipeline.run(mono, (same, same), segment, overlap)

    mono, denoised, extended = run(7000)
    np.testing.assert_allclose(denoised, mono, atol=0.01)  # the cross-fade does not add up to one
    np.testing.assert_allclose(extended, mono, atol=0.01)
    mono, denoised, _ = run(2 * segment)  # two segments reach 7680 samples
    assert not denoised[2 * segment - overlap :].any()
    assert denoised[: 2 * segment - 2 * overlap] == pytest.approx(
        mono[: 2 * segment - 2 * overlap], abs=0.01
    )


def test_what_the_published_pipeline_hears():
    stereo = np.stack((np.ones(4410), np.zeros(4410)))
    assert published_pipeline.heard(stereo, 22050) == pytest.approx(0.5)
    assert published_pipeline.heard(stereo, 44100).shape == (2206,)
