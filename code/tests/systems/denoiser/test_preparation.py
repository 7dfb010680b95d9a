"""What a network hears and what its output means."""

import numpy as np
import pytest
import torch
from sounds import noisy, tone

from shellac import audio, weights
from shellac.errors import WeightsError
from shellac.systems.classical.restoration import estimator
from shellac.systems.denoiser import preparation
from shellac.systems.denoiser.network import Denoiser
from shellac.systems.denoiser.restoration import member
from shellac.systems.denoiser.training import start_at_nothing
from shellac.systems.restorer import Estimator, Member, Restorer
from shellac.systems.spectrogram_front import to_channels
from shellac.transforms.stft import HAMMING_1024
from shellac.weights import Card

RATE = 22050
SMALL = {"width": 1 / 16, "depth": 2, "num_tfc": 1}
CPU = torch.device("cpu")


def spectra(waveforms):
    x = torch.from_numpy(np.asarray(waveforms, np.float32))
    return to_channels(HAMMING_1024.analyse(x[None]))


def untouched():
    """A network that starts at the classical restoration, and its card."""
    network = Denoiser(**SMALL).eval()
    start_at_nothing(network, 1)
    torch.nn.init.zeros_(network.finalblock.conv2.weight)
    card = Card("denoiser/unet_22k", SMALL, RATE, None, 0.2, "trained", "", "demo",
                extra={"input": "classical"})  # fmt: skip
    return network, card


def test_the_published_way_passes_spectrum_and_recording_through():
    network = Denoiser(**SMALL).eval()
    x = spectra(tone(0.5, RATE)[0])
    with torch.inference_mode():
        plain, found = network(x), preparation.estimates("noisy", network, x)
    assert torch.equal(found.final, plain.final) and torch.equal(found.first, plain.first)
    waveform = tone(0.2, RATE)[0]
    assert preparation.heard("noisy", waveform, RATE) is waveform
    built = member(network.state_dict(), Card("denoiser/unet_22k", SMALL, RATE, None, 0.2, "", ""),
                   CPU)  # fmt: skip
    assert isinstance(built, Member)


def test_levels_rise_by_a_fourth_of_the_logarithm_of_power(rng):
    kept = rng.standard_normal(RATE // 2)
    seen = preparation.levels(spectra([kept, 2 * kept]))
    assert seen.shape == (1, 2, HAMMING_1024.frames(RATE // 2), 513)
    rise = (seen[:, 1] - seen[:, 0])[:, 3:-4]
    torch.testing.assert_close(rise, torch.full_like(rise, np.log(4) / 4), rtol=0, atol=0.01)
    assert torch.isfinite(preparation.levels(torch.zeros(1, 2, 2, 4, 513))).all()


def test_maps_scale_what_was_kept_and_put_back_what_was_taken(rng):
    pair = spectra(rng.standard_normal((2, 4000)))
    given = torch.zeros(1, 2, *pair.shape[3:])
    given[:, 0], given[:, 1] = np.arctanh(0.5), np.arctanh(0.25)
    found = preparation.corrected(given, pair)
    torch.testing.assert_close(found, 1.5 * pair[:, :, 0] + 0.25 * pair[:, :, 1])


def test_what_is_kept_and_what_is_taken_make_up_the_recording():
    _, damaged = noisy(3.0, rate=RATE)
    kept, taken = preparation.heard("classical", damaged[0], RATE)
    np.testing.assert_allclose(kept + taken, damaged[0], atol=1e-6)
    alone = Restorer([estimator("classical/full", CPU)]).restore(damaged, RATE).waveform[0]
    assert np.array_equal(kept, alone)


@pytest.mark.parametrize(("rate", "channels"), [(RATE, 1), (44100, 2)])
def test_a_correction_of_nothing_is_the_classical_restoration(rate, channels):
    network, card = untouched()
    built = member(network.state_dict(), card, CPU)
    assert isinstance(built, Estimator)
    _, damaged = noisy(4.0, channels, rate)
    chain = Restorer([built])
    found = chain.restore(damaged, rate)
    assert chain.above_band == "drop"
    assert found.waveform.shape == damaged.shape
    if rate == RATE:
        alone = Restorer([estimator("classical/full", CPU)]).restore(damaged, rate).waveform
        error = np.square(found.waveform - alone).sum() / np.square(alone).sum()
        assert error < 1e-6


def test_noise_is_known_from_pieces_of_a_long_recording(monkeypatch):
    monkeypatch.setattr(preparation, "SURVEY_PIECES", 2)
    damaged = np.tile(noisy(2.0, rate=44100)[1], 10)
    asked = []

    def read(start, stop):
        asked.append((start, stop))
        return damaged[:, start:stop]

    built = preparation.surveyed(read, damaged.shape[1], 44100, RATE)
    assert asked == [(0, 6 * 44100), (14 * 44100, 20 * 44100)]
    assert built.card.sample_rate == RATE
    assert built.estimates["noise_profile"] is not None


def test_chunks_are_60_db_below_the_programme_against_one_pass(tmp_path):
    network, card = untouched()
    weights.store(tmp_path / "w.safetensors", network.state_dict(), card)
    state, kept = weights.load(tmp_path / "w.safetensors")
    _, damaged = noisy(8.0, rate=RATE)
    chain = Restorer([member(state, kept, CPU)])
    whole = chain.restore(damaged, RATE, segment_seconds=100).waveform
    chunked = chain.restore(damaged, RATE, segment_seconds=2.0).waveform
    error = np.sqrt(np.mean((chunked - whole) ** 2) / np.mean(whole**2))
    assert 20 * np.log10(error + 1e-12) < -60


def test_it_restores_through_the_command(tmp_path):
    from shellac.cli import main

    network, card = untouched()
    weights.store(tmp_path / "w.safetensors", network.state_dict(), card)
    audio.write(tmp_path / "in.wav", noisy(2.0, 2, 44100)[1], 44100, "FLOAT")
    assert main(["restore", str(tmp_path / "in.wav"), "-o", str(tmp_path / "out"), "--system",
                 "denoiser", "--weights", str(tmp_path / "w.safetensors")]) == 0  # fmt: skip
    assert audio.inspect(tmp_path / "out" / "in.restored.wav").samples == 2 * 44100
    assert "clicks_repaired" in (tmp_path / "out" / "in.json").read_text()


@pytest.mark.parametrize("told", ["all", ["noisy"], 3])
def test_an_unknown_input_is_refused(told):
    with pytest.raises(WeightsError, match="unknown input"):
        preparation.from_card({"input": told})
    assert preparation.from_card({}) == "noisy"
