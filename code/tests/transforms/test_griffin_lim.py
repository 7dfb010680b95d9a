import numpy as np
import pytest
import torch

from shellac.transforms import griffin_lim
from shellac.transforms.griffin_lim import MOMENTUM, Known, reconstruct
from shellac.transforms.stft import PUBLISHED, SOUND, Framing

FRAMINGS = pytest.mark.parametrize("framing", [PUBLISHED, SOUND], ids=["published", "sound"])


def sine_and_noise(samples, items=1, noise=0.05):
    time = torch.arange(samples) / 16000
    generator = torch.Generator().manual_seed(0)
    draws = torch.randn(items, samples, generator=generator)
    return 0.5 * torch.sin(2 * np.pi * 440 * time) + noise * draws


def convergence(framing, spectrum, magnitudes, samples):
    found = framing.analyse(framing.synthesise(spectrum, samples)).abs()
    return float((found - magnitudes).norm() / magnitudes.norm())


def plainly(spectrum, framing, damaged, iterations):
    """Griffin-Lim over all frames, one transform of the whole after the other."""
    magnitudes, whole = spectrum.abs(), Framing(framing.n_fft, lead=0)
    for _ in range(iterations):
        again = whole.analyse(whole.synthesise(spectrum))[:, : spectrum.shape[1]]
        found = magnitudes * torch.exp(1j * again.angle())
        spectrum = torch.where(damaged[..., None], found, spectrum)
    return spectrum


@FRAMINGS
def test_it_is_the_plain_loop(framing):
    start = framing.analyse(sine_and_noise(6000).double()).abs().to(torch.complex128)
    damaged = torch.ones(start.shape[:2], dtype=torch.bool)
    found = reconstruct(start.abs(), framing, 4)
    assert (found - plainly(start, framing, damaged, 4)).abs().max() < 1e-9


@FRAMINGS
def test_it_converges_as_published_at_the_level_of_the_original(framing):
    waveform = sine_and_noise(32000)
    magnitudes = framing.analyse(waveform).abs()
    errors = []
    for iterations in (10, 100):
        found = reconstruct(magnitudes, framing, iterations)
        errors.append(convergence(framing, found, magnitudes, 32000))
    assert errors[0] < 0.36
    assert errors[1] < 0.135
    restored = framing.synthesise(found, 32000)
    assert restored.norm() / waveform.norm() == pytest.approx(1, abs=0.02)
    fast = reconstruct(magnitudes, framing, 100, momentum=MOMENTUM)
    assert convergence(framing, fast, magnitudes, 32000) < errors[1]


@FRAMINGS
@pytest.mark.parametrize(
    "gaps", [[(0, 3)], [(40, 47), (70, 71), (73, 76)], [(85, 1000)], [(0, 1000)]]
)
def test_only_damaged_frames_change_and_each_as_if_all_took_part(framing, gaps):
    spectrum = framing.analyse(sine_and_noise(5888, 2).double())
    damaged = torch.zeros(spectrum.shape[:2], dtype=torch.bool)
    for start, stop in gaps:
        damaged[1, start:stop] = True
    frames = damaged[..., None]
    start = torch.where(frames, spectrum.abs().to(spectrum.dtype), spectrum)
    found = reconstruct(spectrum.abs(), framing, 5, Known(start, damaged))
    assert torch.equal(found[~damaged], spectrum[~damaged])
    assert (found - plainly(start, framing, damaged, 5)).abs().max() < 1e-8


def test_known_phases_and_samples_bring_the_waveform_back():
    waveform = sine_and_noise(8000, 2, noise=0.01)
    missing = torch.zeros(2, 8000, dtype=torch.bool)
    missing[0, 3000:3200] = True
    missing[1, 5000:5320] = True
    damaged = torch.zeros(2, SOUND.frames(8000), dtype=torch.bool)
    damaged[0, 46:54] = True
    damaged[1, 77:87] = True
    held = waveform.masked_fill(missing, 0)
    magnitudes = SOUND.analyse(waveform).abs()

    def error_db(*samples):
        known = Known(SOUND.analyse(held), damaged, *samples)
        found = SOUND.synthesise(reconstruct(magnitudes, SOUND, 100, known, MOMENTUM), 8000)
        harm = (found - waveform)[missing].square().sum() / waveform[missing].square().sum()
        return 10 * harm.log10()

    assert error_db() < -15
    assert error_db(held, missing) < error_db() - 3


def test_silence_stays_silence():
    spectrum = torch.zeros(1, 40, 129, dtype=torch.complex64)
    damaged = torch.zeros(1, 40, dtype=torch.bool)
    damaged[0, 10:20] = True
    assert reconstruct(spectrum.abs(), SOUND, 5).abs().max() == 0
    assert reconstruct(spectrum.abs(), SOUND, 5, Known(spectrum, damaged)).abs().max() == 0
    damaged[:] = False
    assert torch.equal(reconstruct(spectrum.abs(), SOUND, 5, Known(spectrum, damaged)), spectrum)


def test_segments_are_runs_of_damaged_frames_with_their_context():
    damaged = torch.zeros(2, 50, dtype=torch.bool)
    damaged[0, [0, 20, 26, 40]] = True
    damaged[1, 49] = True
    rows, first, length = griffin_lim._segments(damaged)
    assert rows.tolist() == [0, 0, 0, 1]
    assert first.tolist() == [-3, 17, 37, 46]
    assert length == 13
