"""One training loop for all systems: seeded, validated, and resumed to the same bits.

A task's batch is a function of (seed, step) alone and every step draws its randomness from its
own seed, so that a checkpoint needs the step, the weights and the optimisers, and a resumed run
ends bit-identical to an uninterrupted one (CPU, same thread count). Several processes train one
network as :mod:`.sharing` says; how many there are may change between two of its checkpoints.

Most tasks train one network. Networks that are trained against each other are :class:`Player`
objects, each with an optimiser of its own, and their task is a :class:`Contest`.
"""

import copy
import math
import operator
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

import torch
from torch import nn

from shellac.errors import TrainingError
from shellac.training import sharing
from shellac.training.checkpoints import Scratch
from shellac.training.settings import LoopSettings

_MAX_SEED = 2**63
ALONE = "network"  # the one player of a task that is no contest
Rounds = Callable[[tuple[torch.Tensor, ...], int], Iterator[tuple[str, torch.Tensor]]]
Judge = Callable[[], tuple[float, ...]]


class Task(Protocol):
    """What a system brings to the loop."""

    network: nn.Module

    def batch(self, step: int) -> tuple[torch.Tensor, ...]:
        """Return the batch of ``step``, the same one whenever it is asked for."""

    def losses(self, batch: tuple[torch.Tensor, ...]) -> dict[str, torch.Tensor]:
        """Return named losses; ``loss`` is what gets minimised."""

    def validate(self) -> float:
        """Return the validation loss in evaluation mode."""


class Contest(Protocol):
    """What a system brings that trains several networks against each other; else as :class:`Task`.

    ``network`` is the one whose weights are validated and kept.
    """

    network: nn.Module

    def batch(self, step: int) -> tuple[torch.Tensor, ...]:
        """Return the batch of ``step``, the same one whenever it is asked for."""

    def validate(self) -> float:
        """Return the validation loss in evaluation mode."""

    def rounds(
        self, batch: tuple[torch.Tensor, ...], step: int
    ) -> Iterator[tuple[str, torch.Tensor]]:
        """Yield (player, loss) in the order of the updates; the last loss is the one reported.

        A player is updated before the next loss is asked for, which may therefore depend on it.
        """


@dataclass(frozen=True)
class Player:
    """A network, its optimiser, and the learning rate of a step, counted from 0.

    ``clip_norm``: the longest gradient, all parameters joined; None leaves gradients as they are.
    """

    network: nn.Module
    optimiser: torch.optim.Optimizer
    learning_rate: Callable[[int], float]
    clip_norm: float | None = None


@dataclass
class Progress:
    """Where a training stands; all of it goes into a checkpoint."""

    step: int = 0
    best: float = math.inf
    best_step: int = 0
    best_state: dict[str, torch.Tensor] = field(default_factory=dict)
    best_judged: tuple[float, ...] = ()
    history: list[dict[str, float]] = field(default_factory=list)


@contextmanager
def step_randomness(seed: int, step: int) -> Iterator[None]:
    """Give one step its own seed for dropout and noise; leave global generators as they were."""
    with torch.random.fork_rng():
        torch.manual_seed((seed * 1_000_003 + step) % _MAX_SEED)
        yield


def learning_rate(settings: LoopSettings, step: int) -> float:
    """Cosine decay from ``learning_rate`` at step 0 to ``final_learning_rate`` at the last.

    The first ``warm_up_steps`` take a share of it that grows with every step.
    """
    risen = min(1.0, (step + 1) / (settings.warm_up_steps + 1))
    share = step / max(1, settings.steps - 1)
    span = settings.learning_rate - settings.final_learning_rate
    return risen * (settings.final_learning_rate + span * 0.5 * (1 + math.cos(math.pi * share)))


def fit(
    task: Task | Contest,
    settings: LoopSettings,
    seed: int,
    scratch: Scratch | None,
    report: Callable[[int, float], None] = lambda step, loss: None,
    judge: Judge | None = None,
    players: Mapping[str, Player] | None = None,
) -> Progress:
    """Train ``task.network`` and leave the weights of the best validation in it.

    Parameters
    ----------
    task : Task or Contest
    settings : LoopSettings
    seed : int
        Of batches' randomness and dropout.
    scratch : Scratch or None
        Holds the checkpoint of an unfinished run with the same key, which is taken up; the first
        of several processes has it.
    report : callable
        Called with (step, loss) after each step.
    judge : callable, optional
        Replaces the validation loss in choosing weights: returns numbers, lower is better, and
        weights are kept if none of them is higher than the kept ones'.
    players : mapping of name to Player, optional
        The networks of a contest, ``task.network`` among them, or ``network``, the one of a task,
        with an optimiser of its own. None trains ``task.network`` with Adam at
        :func:`learning_rate`.

    Returns
    -------
    Progress
        ``history`` has one row per validation: step, mean loss since the row before,
        validation_loss.
    """
    rounds = task.rounds if hasattr(task, "rounds") else _single_round(task)
    players = players or {ALONE: _alone(task.network, settings)}
    with sharing.shared(player.network for player in players.values()) as peers:
        progress = _run(task, settings, seed, scratch, report, judge, players, rounds, peers)
    task.network.load_state_dict(progress.best_state)
    return progress


def _run(
    task: Task | Contest,
    settings: LoopSettings,
    seed: int,
    scratch: Scratch | None,
    report: Callable[[int, float], None],
    judge: Judge | None,
    players: Mapping[str, Player],
    rounds: Rounds,
    peers: sharing.Alone,
) -> Progress:
    """Make all steps that are left, with ``peers`` or alone."""
    progress, since_validation = Progress(), []
    if kept := peers.first(scratch.load if scratch else dict):
        for name, player in players.items():
            player.network.load_state_dict(kept["networks"][name])
            player.optimiser.load_state_dict(kept["optimisers"][name])
        progress, since_validation = Progress(**kept["progress"]), kept["since_validation"]
    saved_at = time.monotonic()
    while progress.step < settings.steps:
        loss = _step(task, rounds, players, peers, seed, progress.step)
        since_validation.append(loss)
        progress.step += 1
        report(progress.step, loss)
        if progress.step % settings.validate_every == 0 or progress.step == settings.steps:
            _validate(task, progress, since_validation, judge, peers)
            since_validation = []
        if peers.writes and time.monotonic() - saved_at >= settings.checkpoint_seconds:
            scratch.save(_snapshot(players, progress, since_validation))
            saved_at = time.monotonic()
    return progress


def _alone(network: nn.Module, settings: LoopSettings) -> Player:
    optimiser = torch.optim.Adam(network.parameters(), lr=settings.learning_rate)
    return Player(network, optimiser, partial(learning_rate, settings), settings.clip_norm)


def _single_round(task: Task) -> Rounds:
    return lambda batch, step: iter([(ALONE, task.losses(batch)["loss"])])


def _step(
    task: Task | Contest,
    rounds: Rounds,
    players: Mapping[str, Player],
    peers: sharing.Alone,
    seed: int,
    step: int,
) -> float:
    for player in players.values():
        player.network.train()
    with step_randomness(seed, step):
        for name, loss in rounds(task.batch(step), step):
            player = players[name]
            for group in player.optimiser.param_groups:
                group["lr"] = player.learning_rate(step)
            player.optimiser.zero_grad(set_to_none=True)
            loss.backward()
            peers.merge(player.network)
            if player.clip_norm is not None:
                nn.utils.clip_grad_norm_(player.network.parameters(), player.clip_norm)
            player.optimiser.step()
    value = loss.item()
    if not math.isfinite(value):
        raise TrainingError(f"the loss is {value} at step {step}: lower the learning rate")
    return value


def _validate(
    task: Task,
    progress: Progress,
    losses: list[float],
    judge: Judge | None,
    peers: sharing.Alone,
) -> None:
    task.network.eval()

    def judged_now() -> tuple[float, tuple[float, ...]]:
        with torch.inference_mode():
            value = task.validate()
            return value, judge() if judge else (value,)

    value, judged = peers.first(judged_now)
    row = {"step": progress.step, "loss": sum(losses) / len(losses), "validation_loss": value}
    progress.history.append(row)
    kept = progress.best_judged or (math.inf,) * len(judged)
    better = value < progress.best if judge is None else all(map(operator.le, judged, kept))
    if better:
        progress.best, progress.best_step, progress.best_judged = value, progress.step, judged
        progress.best_state = copy.deepcopy(task.network.state_dict())


def _snapshot(
    players: Mapping[str, Player], progress: Progress, since: list[float]
) -> dict[str, Any]:
    return {
        "networks": {name: player.network.state_dict() for name, player in players.items()},
        "optimisers": {name: player.optimiser.state_dict() for name, player in players.items()},
        "progress": dict(vars(progress)),
        "since_validation": since,
    }
