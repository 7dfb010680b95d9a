"""Preconditioning, training levels and schedules."""

import pytest
import torch

from shellac.systems.babe2 import diffusion
from shellac.systems.babe2.diffusion import Schedule, TrainingLevels


def test_a_network_that_hits_the_target_denoises_perfectly():
    x, noise = torch.randn(3, 64).unbind(0)[0][None], torch.ones(1, 64)
    sigma = torch.tensor([0.3])
    seen, level, target = diffusion.training_pair(x, noise, sigma, 0.5)

    def network(given, told):
        torch.testing.assert_close(given, seen)
        torch.testing.assert_close(told, level)
        return target

    found = diffusion.Denoiser(network, 0.5)(x + sigma * noise, sigma)
    torch.testing.assert_close(found, x, rtol=1e-4, atol=1e-5)


def test_input_and_target_have_unit_variance_at_every_level():
    generator = torch.Generator().manual_seed(0)
    x, noise = (torch.randn(6, 20000, generator=generator) for _ in range(2))
    sigma = torch.tensor([1e-2, 0.05, 0.2, 1.0, 5.0, 50.0])
    seen, _, target = diffusion.training_pair(0.2 * x, noise, sigma, 0.2)
    torch.testing.assert_close(seen.std(dim=1), torch.ones(6), rtol=0.05, atol=0)
    torch.testing.assert_close(target.std(dim=1), torch.ones(6), rtol=0.05, atol=0)


@pytest.mark.parametrize("kind", ["published", "log-normal"])
def test_training_levels_stay_in_their_range_and_follow_the_draw(kind):
    levels = TrainingLevels(kind, 1e-3, 100.0)
    found = levels.of(torch.linspace(0, 1, 1001), 1.0)
    assert found.min() >= 1e-3 * 0.999 and found.max() <= 100.0 * 1.001
    steps = found.diff()
    assert (steps <= 0).all() if kind == "published" else (steps >= 0).all()
    assert torch.isfinite(found).all()


def test_a_schedule_ends_in_silence_and_churns_inside_its_bounds():
    schedule = Schedule(1e-3, 10.0, 7.0, churn=5.0, churn_min=0.01, churn_max=5.0)
    levels = schedule.levels(20)
    assert levels[0] == pytest.approx(10.0) and levels[-2] == pytest.approx(1e-3)
    assert levels[-1] == 0 and (levels.diff() < 0).all() and len(levels) == 21
    gamma = schedule.gamma(levels)
    assert gamma[0] == 0 and gamma[-1] == 0
    assert gamma.max() == pytest.approx(5.0 / 21)
    assert schedule.levels(20, 0.5)[0] == pytest.approx(0.5)
