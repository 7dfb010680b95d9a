"""Trainings that tests run in one process and, under torchrun, in several.

As a program: ``shared_program.py FOLDER TASK@[STOP] ...`` trains, with checkpoints in FOLDER/TASK,
and leaves what every process found.
"""

import sys
from pathlib import Path
from typing import NamedTuple

import torch
from torch import nn

from shellac.training.checkpoints import Scratch
from shellac.training.loop import Player, fit
from shellac.training.processes import number
from shellac.training.settings import LoopSettings

ROWS = 5  # which two processes cannot share evenly


def settings_of(steps):
    """Return settings with a checkpoint after every step."""
    return LoopSettings(
        steps=steps, batch_size=ROWS, learning_rate=0.01, final_learning_rate=0.001,
        validate_every=4, checkpoint_seconds=0.0, clip_norm=1.0,
    )  # fmt: skip


class Two(NamedTuple):
    made: torch.Tensor
    absent: None


class Mixing(nn.Module):
    """What looks across rows: batch normalisation, two kinds of dropout, blocks in the rows."""

    def __init__(self):
        super().__init__()
        self.first, self.norm = nn.Conv1d(1, 4, 3, padding=1, bias=False), nn.BatchNorm1d(4)
        self.dropout, self.last = nn.Dropout(0.5), nn.Conv1d(4, 1, 3, padding=1)

    def forward(self, x, noise=None):
        x = x if noise is None else x + noise
        x = self.dropout(self.norm(self.first(x)))
        blocks = x.transpose(1, 2).reshape(2 * len(x), -1, 4)
        return Two(self.last(self.dropout(blocks).reshape(len(x), -1, 4).transpose(1, 2)), None)


class Estimating:
    """A network under a loss that is no mean over rows, with noise drawn beside the network."""

    players = None

    def __init__(self, stop_at=None):
        torch.manual_seed(0)
        self.network, self.stop_at = Mixing(), stop_at

    def batch(self, step):
        if step == self.stop_at:
            raise InterruptedError
        x = torch.randn(ROWS, 1, 16, generator=torch.Generator().manual_seed(step))
        return x, x.cumsum(-1) / 4

    def losses(self, batch):
        x, wanted = batch
        made = self.network(x, 0.1 * torch.randn_like(x)).made
        error = torch.linalg.vector_norm(made - wanted) / torch.linalg.vector_norm(wanted)
        return {"loss": error + made.std()}

    def validate(self):
        x, wanted = self.batch(10_000)
        return nn.functional.mse_loss(self.network(x).made, wanted).item()


class Judging(nn.Module):
    """A discriminator with a parameter that is used outside of :meth:`forward`."""

    def __init__(self):
        super().__init__()
        self.conv, self.scale = nn.Conv1d(1, 2, 4, 2), nn.Parameter(torch.ones(()))

    def forward(self, x):
        hidden = self.conv(x)
        return [(hidden.tanh(), [hidden])]


class Contesting(Estimating):
    """A generator whose loss goes through its discriminator and past it."""

    def __init__(self, stop_at=None):
        super().__init__(stop_at)
        self.judge = Judging()
        self.players = {
            "maker": self._player(self.network, 0.01), "judge": self._player(self.judge, 0.003)
        }  # fmt: skip

    @staticmethod
    def _player(network, rate):
        optimiser = torch.optim.AdamW(network.parameters(), betas=(0.5, 0.9))
        return Player(network, optimiser, lambda step: rate)

    def _scores(self, x):
        return self.judge(x)[0][0] * self.judge.scale

    def rounds(self, batch, step):
        x, wanted = batch
        made = self.network(x, torch.randn_like(x)).made
        both = self._scores(torch.cat((wanted, made.detach())))
        real, false = both.chunk(2)
        yield "judge", (1 - real).square().mean() + false.square().mean()
        smooth = nn.functional.avg_pool1d(made, 3, 1, 1)
        pull = (1 - self._scores(smooth)).square().mean()
        yield "maker", pull + torch.linalg.vector_norm(made - wanted)


TASKS = {"estimating": Estimating, "contesting": Contesting}


def trained(name, folder, steps=12, stop_at=None):
    """Train a task; return its losses since the checkpoint in ``folder``, all rows, and weights."""
    task, losses = TASKS[name](stop_at), []
    try:
        progress = fit(
            task, settings_of(steps), 7, Scratch(Path(folder)),
            lambda step, loss: losses.append(loss), players=task.players,
        )  # fmt: skip
    except InterruptedError:
        return losses, None, None
    return losses, progress.history, task.network.state_dict()


if __name__ == "__main__":
    torch.set_num_threads(1)
    results = {}
    for told in sys.argv[2:]:
        task_name, stop = told.split("@")
        place = Path(sys.argv[1]) / task_name
        results[task_name] = trained(task_name, place, stop_at=int(stop) if stop else None)
    torch.save(results, Path(sys.argv[1]) / f"result-{number()}.pt")
