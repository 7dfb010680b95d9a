"""The edge effect is measured where it is known: a filter's reach."""

import pytest
import torch

from shellac.systems.edges import edge_seconds, music

RATE = 1000


def delayed(samples, gain=1.0):
    def process(waveform):
        past = torch.nn.functional.pad(waveform, (samples, 0))[..., : waveform.shape[-1]]
        return waveform + gain * past

    return process


@pytest.mark.parametrize("reach", [10, 100, 250])
def test_reach_of_an_echo(reach):
    noise = torch.randn(1, 2000, generator=torch.Generator().manual_seed(0))
    measured = edge_seconds(delayed(reach), noise, RATE, 1)
    assert measured == pytest.approx(reach / RATE, abs=0.006)


def test_what_is_60_db_down_does_not_count():
    noise = torch.randn(1, 2000, generator=torch.Generator().manual_seed(0))
    assert edge_seconds(delayed(100, gain=1e-4), noise, RATE, 1) == 0
    assert edge_seconds(lambda waveform: waveform, noise, RATE, 1) == 0


def test_a_silent_beginning_does_not_hide_the_reach():
    generator = torch.Generator().manual_seed(0)
    programme = torch.cat([torch.zeros(1, 1000), torch.randn(1, 1000, generator=generator)], dim=1)
    measured = edge_seconds(delayed(100), programme, RATE, 1)
    assert measured == pytest.approx(0.1, abs=0.006)


def test_a_look_ahead_counts_as_a_look_back():
    noise = torch.randn(1, 2000, generator=torch.Generator().manual_seed(0))

    def ahead(waveform):
        return waveform + torch.nn.functional.pad(waveform, (0, 50))[..., 50:]

    assert edge_seconds(ahead, noise, RATE, 1) == pytest.approx(0.05, abs=0.006)


def test_a_state_that_starts_anew_counts_though_other_contexts_make_no_difference():
    noise = torch.randn(1, 2000, generator=torch.Generator().manual_seed(0))
    decay = 0.1 ** (torch.arange(2000) / 40)  # 60 dB down after 120 samples

    def settling(waveform):
        return waveform + decay[: waveform.shape[-1]]

    assert edge_seconds(settling, noise, RATE, 1) == pytest.approx(0.12, abs=0.006)


def test_the_programme_is_the_same_every_time_and_mostly_tonal():
    programme = music(22050, 22050)
    assert programme.shape == (1, 22050) and programme.dtype == torch.float32
    assert torch.equal(programme, music(22050, 22050))
    assert programme.square().mean().sqrt() == pytest.approx(0.1, rel=1e-4)
    power = torch.fft.rfft(programme[0]).abs().square()
    assert power.topk(500).values.sum() > 0.95 * power.sum()
