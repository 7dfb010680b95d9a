"""What ``params.yaml`` says about a training loop."""

from typing import Self

import pydantic

from shellac.config import Strict


class LoopSettings(Strict):
    """How long and how to train.

    ``validate_every`` in steps; ``checkpoint_seconds`` of wall time between checkpoints does not
    influence the result. ``warm_up_steps``: the learning rate rises linearly from 0 over as many;
    ``clip_norm``: the longest gradient, all parameters joined; None leaves gradients as they are.
    """

    steps: int = pydantic.Field(ge=1)
    batch_size: int = pydantic.Field(ge=1)
    learning_rate: float = pydantic.Field(gt=0)
    final_learning_rate: float = pydantic.Field(ge=0)
    validate_every: int = pydantic.Field(ge=1)
    checkpoint_seconds: float = pydantic.Field(ge=0)
    warm_up_steps: int = pydantic.Field(ge=0, default=0)
    clip_norm: float | None = pydantic.Field(gt=0, default=None)

    def steady(self) -> Self:
        """Return the same with a learning rate that does not fall."""
        return self.model_copy(update={"final_learning_rate": self.learning_rate})
