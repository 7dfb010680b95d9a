"""One training run: from nothing, or where a kill left it, to weights, card and course of the loss.

What every system does the same way stands here; its task, and what its card says, come from it.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext

from torch import nn
from tqdm import tqdm

from shellac import paths, weights
from shellac.config import Settings
from shellac.files import write_csv
from shellac.training import checkpoints, processes
from shellac.training.checkpoints import Scratch
from shellac.training.loop import Contest, Judge, Player, Task, fit
from shellac.training.settings import LoopSettings

CURVE_COLUMNS = ("step", "loss", "validation_loss")


def run(
    settings: Settings,
    system: str,
    name: str,
    task: Task | Contest,
    training: LoopSettings,
    card: Callable[[], weights.Card],
    *,
    decisive: Mapping[str, object],
    judge: Judge | None = None,
    players: Mapping[str, Player] | None = None,
    kept: nn.Module | None = None,
) -> None:
    """Train ``task.network``; leave its weights and its curve in the results of the profile.

    Parameters
    ----------
    settings : Settings
    system, name : str
        The entry under training, as ``params.yaml`` names it.
    task, training, judge, players
        As :func:`.loop.fit` takes them.
    card : callable
        Describes the weights; called when ``task.network`` holds those that are kept.
    decisive : mapping
        All that decides the result beside ``training``, ``settings.compute`` and the seed, as JSON
        has it: a checkpoint is taken up only where it is the same.
    kept : Module, optional
        Whose weights are stored; None: ``task.network``.
    """
    run_key = checkpoints.key(
        training=training.model_dump(exclude={"checkpoint_seconds"}),
        compute=settings.compute.model_dump(),
        seed=settings.seed,
        **decisive,
    )
    label = f"train {system}/{name}"
    with (
        _scratch(system, name, run_key) as scratch,
        tqdm(total=training.steps, desc=label, disable=processes.number() > 0 or None) as bar,
    ):

        def report(step: int, loss: float) -> None:
            bar.n = step
            bar.set_postfix(loss=f"{loss:.3g}")

        progress = fit(task, training, settings.seed, scratch, report, judge, players)
        if processes.number():
            return
        state = (kept or task.network).state_dict()
        weights.store(
            weights.trained_path(settings.profile, f"{system}/{name}"),
            {key: tensor.cpu() for key, tensor in state.items()},
            card(),
        )
        curve = paths.results(settings.profile, "metrics", f"{system}-training", f"{name}.csv")
        write_csv(curve, progress.history, CURVE_COLUMNS)


def _scratch(system: str, name: str, run_key: str) -> AbstractContextManager[Scratch | None]:
    """Open the checkpoint; of several processes that train together the first has it."""
    if processes.number():
        return nullcontext()
    return checkpoints.opened(paths.scratch(), f"{system}-{name}", run_key)
