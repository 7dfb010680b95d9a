"""The training loop: it learns, it repeats itself, and it resumes to the same bits."""

import os
import pickle
import signal
import subprocess
import sys
import time

import pytest
import torch
from torch import nn

from shellac.errors import TrainingError
from shellac.training import checkpoints
from shellac.training.checkpoints import Scratch
from shellac.training.loop import Player, fit, learning_rate
from shellac.training.settings import LoopSettings


def loop_settings(**changes):
    values = {"steps": 40, "batch_size": 8, "learning_rate": 0.05, "final_learning_rate": 0.001,
              "validate_every": 10, "checkpoint_seconds": 0.0}  # fmt: skip
    return LoopSettings(**{**values, **changes})


class LineTask:
    """Fits a line through a dropout layer, so that step randomness matters."""

    def __init__(self, fail_at=None, pause=0.0):
        torch.manual_seed(0)
        self.network = nn.Sequential(nn.Linear(3, 8), nn.Dropout(0.5), nn.Linear(8, 1))
        self.fail_at, self.pause = fail_at, pause

    def batch(self, step):
        if step == self.fail_at:
            raise KeyboardInterrupt
        time.sleep(self.pause)
        x = torch.randn(8, 3, generator=torch.Generator().manual_seed(step))
        return x, x.sum(1, keepdim=True)

    def losses(self, batch):
        return {"loss": nn.functional.mse_loss(self.network(batch[0]), batch[1])}

    def validate(self):
        return self.losses(self.batch(10_000))["loss"].item()


class DuelTask(LineTask):
    """Two networks, the second pulling the first's estimate towards its own."""

    def __init__(self, fail_at=None):
        super().__init__(fail_at)
        self.rival, self.order = nn.Linear(3, 1), []

    def players(self):
        def player(network, rate):
            optimiser = torch.optim.AdamW(network.parameters(), betas=(0.5, 0.9))
            return Player(network, optimiser, rate)

        return {
            "first": player(self.network, lambda step: 0.02),
            "second": player(self.rival, lambda step: 0.01 / (1 + step)),
        }

    def rounds(self, batch, step):
        made = self.network(batch[0])
        for _ in range(2):
            self.order.append(self.rival.weight.detach().clone())
            yield "second", nn.functional.mse_loss(self.rival(batch[0]), made.detach())
        self.order.append(self.rival.weight.detach().clone())
        pull = nn.functional.mse_loss(made, self.rival(batch[0]).detach())
        yield "first", pull + nn.functional.mse_loss(made, batch[1])


def bits(network):
    return b"".join(tensor.numpy().tobytes() for tensor in network.state_dict().values())


def test_it_learns_and_keeps_the_best(tmp_path):
    task = LineTask()
    progress = fit(task, loop_settings(steps=200), 1, Scratch(tmp_path))
    values = [row["validation_loss"] for row in progress.history]
    assert min(values) < 0.3 * values[0]
    assert progress.best == min(values)
    task.network.eval()
    assert task.validate() == pytest.approx(progress.best, rel=1e-5)


@pytest.mark.parametrize("stop", [1, 10, 17, 39])
def test_interrupted_and_resumed_is_bit_identical(tmp_path, stop):
    whole = LineTask()
    expected = fit(whole, loop_settings(), 1, Scratch(tmp_path / "a"))
    with pytest.raises(KeyboardInterrupt):
        fit(LineTask(fail_at=stop), loop_settings(), 1, Scratch(tmp_path / "b"))
    resumed = LineTask()
    got = fit(resumed, loop_settings(), 1, Scratch(tmp_path / "b"))
    assert bits(resumed.network) == bits(whole.network)
    assert got.history == expected.history


@pytest.mark.parametrize("stop", [1, 10, 23])
def test_a_contest_resumes_with_both_networks_and_both_optimisers(tmp_path, stop):
    settings = loop_settings()

    def run(task, folder):
        scratch = Scratch(tmp_path / folder)
        return fit(task, settings, 1, scratch, judge=lambda: (0.0,), players=task.players())

    whole, resumed = DuelTask(), DuelTask()
    expected = run(whole, "a")
    with pytest.raises(KeyboardInterrupt):
        run(DuelTask(fail_at=stop), "b")
    got = run(resumed, "b")
    assert bits(resumed.network) == bits(whole.network)
    assert bits(resumed.rival) == bits(whole.rival)
    assert got.history == expected.history
    assert got.best_step == settings.steps  # of equals the latest


def test_a_player_is_updated_before_the_next_loss_is_asked_for(tmp_path):
    task = DuelTask()
    start = task.rival.weight.detach().clone()
    fit(task, loop_settings(steps=2), 1, Scratch(tmp_path), players=task.players())
    assert len(task.order) == 6
    assert torch.equal(task.order[0], start)
    assert not torch.equal(task.order[0], task.order[1])
    assert not torch.equal(task.order[1], task.order[2])
    assert torch.equal(task.order[2], task.order[3])  # the first network's turn moves it not
    first, later = (task.order[i + 1] - task.order[i] for i in (0, 3))
    assert later.abs().max() < 0.8 * first.abs().max()  # its own learning rate, which falls


def test_another_seed_gives_other_weights(tmp_path):
    first, second = LineTask(), LineTask()
    fit(first, loop_settings(), 1, Scratch(tmp_path / "a"))
    fit(second, loop_settings(), 2, Scratch(tmp_path / "b"))
    assert bits(first.network) != bits(second.network)


def test_the_global_generator_is_left_alone(tmp_path):
    task = LineTask()
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    fit(task, loop_settings(steps=3), 1, Scratch(tmp_path))
    assert torch.equal(torch.rand(1), expected)


def test_a_diverged_training_stops_and_says_at_which_step(tmp_path):
    task = LineTask()
    with torch.no_grad():
        task.network[0].weight.fill_(float("nan"))
    with pytest.raises(TrainingError, match="step 0"):
        fit(task, loop_settings(), 1, Scratch(tmp_path))


def test_learning_rate_falls_from_first_to_last():
    settings = loop_settings(steps=11)
    rates = [learning_rate(settings, step) for step in range(11)]
    assert rates[0] == pytest.approx(0.05)
    assert rates[-1] == pytest.approx(0.001)
    assert rates == sorted(rates, reverse=True)


@pytest.mark.parametrize("content", [b"half a checkpoint", b"", pickle.dumps(print, 2)])
def test_a_damaged_checkpoint_counts_as_none(tmp_path, capsys, content):
    scratch = Scratch(tmp_path)
    scratch.save({"step": 1})
    (tmp_path / "checkpoint.pt").write_bytes(content)
    assert scratch.load() is None
    told = capsys.readouterr().err
    assert "beginning again (" in told and "()" not in told
    assert told.count("\n") == 1


def test_the_key_depends_on_every_part():
    keys = {checkpoints.key(a=1, b=2), checkpoints.key(a=1, b=3), checkpoints.key(a=2, b=2)}
    assert len(keys) == 3
    assert checkpoints.key(a=1) == checkpoints.key(a=1)


def test_scratch_is_kept_on_error_and_cleared_on_success(tmp_path):
    with pytest.raises(RuntimeError), checkpoints.opened(tmp_path, "a/b", "k") as scratch:
        scratch.save({"step": 1})
        raise RuntimeError
    with checkpoints.opened(tmp_path, "a/b", "k") as scratch:
        assert scratch.load() == {"step": 1}
    assert not list(tmp_path.iterdir())


def test_a_second_run_waits_for_the_first(tmp_path):
    program = (
        "import sys, time; from pathlib import Path; from shellac.training import checkpoints\n"
        "with checkpoints.opened(Path(sys.argv[1]), 'a', 'k'):\n"
        "    print('in', flush=True); time.sleep(60)\n"
    )
    first = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    second = None
    try:
        assert first.stdout.readline() == "in\n"
        second = subprocess.Popen(
            [sys.executable, "-c", program, str(tmp_path)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert "waiting" in second.stderr.readline()
        os.kill(first.pid, signal.SIGKILL)
        assert second.stdout.readline() == "in\n"
    finally:
        for process in filter(None, (first, second)):
            process.kill()
            process.communicate()


def test_a_judge_keeps_weights_only_if_no_number_rises(tmp_path):
    told = iter([(3.0, 3.0), (2.0, 4.0), (2.0, 3.0), (1.0, 3.1)])
    task = LineTask()
    progress = fit(task, loop_settings(), 1, Scratch(tmp_path), judge=lambda: next(told))
    assert progress.best_step == 30
    assert progress.best_judged == (2.0, 3.0)
    assert progress.best == progress.history[2]["validation_loss"]
    assert len(progress.history) == 4
