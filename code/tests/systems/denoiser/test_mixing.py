import numpy as np
import pytest
import torch

from shellac.errors import AudioError
from shellac.systems.denoiser import mixing, scores

RATE = 8000
REVOLUTION = int(RATE * 60 / 78)


def test_noise_that_turns_with_the_disc_goes_on_turning():
    turn = np.random.default_rng(1).standard_normal(REVOLUTION)
    noise = np.tile(turn, 3)[: 2 * REVOLUTION + 500]
    out = mixing.extended(noise, 10 * REVOLUTION + 17, RATE, crossfade_samples=200)
    wanted = np.tile(turn, 11)[: len(out)]
    # the halves of a symmetric window do not quite add up to one
    np.testing.assert_allclose(out, wanted, atol=0.02 * np.abs(turn).max())
    assert out.shape == wanted.shape


def test_long_noise_is_cut_and_short_noise_refused():
    noise = np.arange(5000.0)
    assert np.array_equal(mixing.extended(noise, 4000, RATE), noise[:4000])
    with pytest.raises(AudioError, match="too few to be repeated"):
        mixing.extended(noise, 50000, RATE)


def test_mixture_has_the_ratio_asked_for(rng):
    clean, noise = rng.standard_normal((2, 50000))
    noisy, scaled = mixing.mixed(clean, 7 * noise, snr_db=6.0, scale_db=-3.0)
    ratio = np.var(scaled) / np.var(noisy - scaled)
    assert 10 * np.log10(ratio) == pytest.approx(6.0, abs=1e-6)
    np.testing.assert_allclose(scaled, 10**-0.3 * clean)
    silent, _ = mixing.mixed(clean, np.zeros(50000), 6.0, 0.0)
    assert np.array_equal(silent, clean)


def test_scores_of_known_signals():
    reference = torch.full((2, 8192), 0.5)
    np.testing.assert_allclose(scores.snr_db(0.9 * reference, reference), 20, atol=1e-3)
    noise = torch.randn(1, 65536, generator=torch.Generator().manual_seed(0))
    np.testing.assert_allclose(scores.lsd(10 * noise, noise), 2, atol=0.02)
    assert scores.lsd(noise, noise).item() == pytest.approx(1e-4, rel=1e-3)  # its own floor
