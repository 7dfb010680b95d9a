"""What stands around a network: the noise it hears, the band it keeps, what its card says."""

import numpy as np
import pytest
import torch

from shellac.errors import WeightsError
from shellac.systems.behm_gan.audiounet import AudioUNet
from shellac.systems.behm_gan.extension import SAMPLE_RATE, Extension, through
from shellac.systems.behm_gan.network import Generator
from shellac.systems.behm_gan.seanet import SEANet
from shellac.systems.behm_gan.start import begin_at_nothing

BUILD = {
    "unet": lambda: Generator(1 / 32, depth=2),
    "audiounet": lambda: AudioUNet(1 / 32),
    "seanet": lambda: SEANet(1 / 32),
}


def noise(samples, seed=0, batch=2):
    return torch.randn(batch, samples, generator=torch.Generator().manual_seed(seed))


def band_energy(waveform, low_hz, high_hz):
    power = np.abs(np.fft.rfft(np.asarray(waveform) * np.hanning(waveform.shape[-1]))) ** 2
    hz = np.fft.rfftfreq(np.shape(waveform)[-1], 1 / SAMPLE_RATE)
    return power[..., (hz >= low_hz) & (hz < high_hz)].sum()


@pytest.mark.parametrize("name", BUILD)
def test_below_the_kept_band_nothing_changes_and_above_the_network_adds(name):
    torch.manual_seed(0)
    network, x, hiss = BUILD[name]().eval(), 0.1 * noise(8000), noise(8000, 1)
    with torch.inference_mode():
        out = Extension(noise_rms=0.001, kept_hz=3000.0).apply(network, x, hiss)
        heard = x + 0.001 * hiss
        given = through(network, heard)
    assert out.shape == x.shape
    made, added = given if name == "unet" else given - heard, out - x
    above = band_energy(added, 3400, 11025)
    assert above == pytest.approx(band_energy(made, 3400, 11025), rel=0.02)
    assert band_energy(added, 0, 2600) < 1e-4 * band_energy(made, 0, 11025)


@pytest.mark.parametrize("name", BUILD)
def test_the_published_way_is_what_the_network_gives_for_the_noisy_whole(name):
    torch.manual_seed(0)
    network, x, hiss = BUILD[name]().eval(), 0.1 * noise(8000), noise(8000, 1)
    with torch.inference_mode():
        out = Extension().apply(network, x, hiss)
        assert torch.equal(out, through(network, x + 0.001 * hiss))


@pytest.mark.parametrize("name", BUILD)
@pytest.mark.parametrize("samples", [1, 500, 5001])
def test_any_length_goes_through(name, samples):
    with torch.inference_mode():
        assert through(BUILD[name]().eval(), noise(samples)).shape == (2, samples)


def test_published_frames_begin_with_the_first_sample():
    torch.manual_seed(0)
    network, x = BUILD["unet"]().eval(), noise(8000)
    with torch.inference_mode():
        ours, theirs = (through(network, x, published_frames=each) for each in (False, True))
    assert ours.shape == theirs.shape and not torch.allclose(ours, theirs)


@pytest.mark.parametrize("name", BUILD)
def test_a_sound_training_starts_near_the_input(name):
    torch.manual_seed(0)
    network, x = BUILD[name]().eval(), 0.1 * noise(8000)
    extension = Extension(kept_hz=3000.0)
    with torch.inference_mode():
        drawn = (extension.apply(network, x, noise(8000, 1)) - x).square().mean()
        begin_at_nothing(network)
        begun = (extension.apply(network, x, noise(8000, 1)) - x).square().mean()
    assert 0 < begun < 0.1 * drawn


def test_a_card_says_how_a_network_is_used():
    extension = Extension(noise_rms=0.0, kept_hz=2900.0)
    assert Extension.from_card(extension.for_card()) == extension
    assert Extension.from_card({}) == Extension(noise_rms=0.001, kept_hz=0.0)  # as published


@pytest.mark.parametrize("told", [
    {"kept_hz": "much"}, {"kept_hz": 11025.0}, {"kept_hz": -1.0}, {"noise_rms": 2.0},
    {"noise_rms": float("nan")}, {"spare": 1.0}, "text",
])  # fmt: skip
def test_a_card_that_makes_no_sense_is_refused(told):
    with pytest.raises(WeightsError, match="the weights' card"):
        Extension.from_card({"extension": told})
