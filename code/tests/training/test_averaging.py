"""The moving average of weights."""

import pytest
import torch
from torch import nn

from shellac.training import loop, sharing
from shellac.training.averaging import Averaged
from shellac.training.settings import LoopSettings


def test_every_update_counts_once_and_the_ramp_comes_first():
    averaged = Averaged(nn.Linear(1, 1, bias=False), rate=0.9, batch_size=2, ramp_examples=4)
    nn.init.constant_(averaged.average.weight, 0.0)
    nn.init.constant_(averaged.network.weight, 1.0)
    averaged.follow(0)
    assert averaged.average.weight.item() == 0.0
    averaged.follow(1)  # two of four examples: half of the old one is kept
    averaged.follow(1)
    assert averaged.average.weight.item() == pytest.approx(0.5)
    averaged.follow(2)
    assert averaged.average.weight.item() == pytest.approx(0.55)


def test_training_runs_the_network_and_evaluation_its_average():
    averaged = Averaged(nn.Linear(2, 1), rate=0.5, batch_size=1, ramp_examples=0)
    nn.init.constant_(averaged.average.weight, 0.0)
    nn.init.constant_(averaged.average.bias, 7.0)
    x = torch.ones(1, 2)
    torch.testing.assert_close(averaged.train()(x), averaged.network(x))
    assert averaged.eval()(x).item() == 7.0
    assert not any(each.requires_grad for each in averaged.average.parameters())


def test_its_state_resumes_both():
    torch.manual_seed(0)
    first, second = (Averaged(nn.Linear(2, 2), 0.5, 1, 0) for _ in range(2))
    first.follow(3)
    second.load_state_dict(first.state_dict())
    second.follow(3)  # seen already
    for name, value in first.state_dict().items():
        assert torch.equal(value, second.state_dict()[name])


def test_the_learning_rate_rises_first_and_gradients_are_clipped_together():
    settings = LoopSettings(
        steps=100, batch_size=1, learning_rate=1.0, final_learning_rate=1.0, validate_every=100,
        checkpoint_seconds=60.0, warm_up_steps=4, clip_norm=1.0,
    )  # fmt: skip
    rates = [loop.learning_rate(settings, step) for step in range(6)]
    assert rates == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0, 1.0])

    class Steep:
        network = nn.Linear(3, 1, bias=False)

        def batch(self, step):
            return (torch.full((1, 3), 100.0),)

        def losses(self, batch):
            return {"loss": self.network(*batch).sum()}

    task = Steep()
    assert loop._alone(task.network, settings).clip_norm == 1.0
    optimiser = torch.optim.SGD(task.network.parameters(), lr=1.0)
    player = loop.Player(task.network, optimiser, lambda step: 1.0, clip_norm=1.0)
    before = task.network.weight.detach().clone()
    players = {loop.ALONE: player}
    loop._step(task, loop._single_round(task), players, sharing.Alone(), 0, 50)
    assert (task.network.weight - before).norm().item() == pytest.approx(1.0, rel=1e-4)
