"""What ``params.yaml`` says under ``superres``."""

from typing import Annotated, Literal, Self, get_args

import pydantic

from shellac.config import Strict
from shellac.training.settings import LoopSettings

Network = Literal["audiounet", "tfilm", "afilm"]
NetworkName = Annotated[str, pydantic.Field(pattern=r"^[a-z][a-z0-9_]*$")]
Family = Literal["chebyshev", "butterworth", "sinc", "brickwall", "codec"]
ALIASED = "none"  # stands for a low-pass family where there is no low-pass


class NetworkSettings(Strict):
    """One network to train: its class, its width relative to the published one, the TFiLM mode.

    ``network`` names the class where the entry's own name does not, so that one class can be
    trained in several ways: ``tfilm_legacy: {network: tfilm, mode: legacy, width: 0.0625}``.
    """

    network: Network | None = None
    width: float = pydantic.Field(gt=0, le=4)
    mode: Literal["legacy", "correct"] | None = None

    def for_build(self) -> dict[str, object]:
        """Return the arguments that the network class takes."""
        return self.model_dump(exclude={"network"}, exclude_none=True)


class TrainingSettings(LoopSettings):
    """A training loop's settings and its recipe.

    ``sound``: the last convolution starts near zero, so that training starts at the spline; the
    learning rate falls along a cosine; the weights with the lowest validation loss are kept.

    ``published``: what olvrhhn/audio_super_resolution does. PyTorch's default start everywhere;
    a constant ``learning_rate`` (theirs is 0.003; ``final_learning_rate`` is not read); weights
    are kept when signal-to-noise ratio and log-spectral distance over the validation patches are
    both at least as good as the kept ones'. Split by recording, shuffling by seed and the filter
    before decimation are the sound ones in both: theirs cannot be repeated.
    """

    recipe: Literal["published", "sound"] = "sound"


class EvaluationSettings(Strict):
    """``low_pass``: filters before decimation to test with, the first being that of the main
    table; ``resamples``: bootstrap draws behind every interval.
    """

    low_pass: list[Family] = pydantic.Field(min_length=1)
    resamples: int = pydantic.Field(ge=100)


class StimuliSettings(Strict):
    """How many test tracks become stimuli, and how long each excerpt is."""

    tracks: int = pydantic.Field(ge=1)
    seconds: float = pydantic.Field(ge=1, le=60)


class SuperResolutionSettings(Strict):
    """Task, data, networks and training of super-resolution.

    Recordings of ``roles`` are taken from ``corpora``, or from all where none is named.
    ``dimension`` and ``stride`` are patch length and distance in samples at ``sample_rate``.
    ``training_low_pass`` lists the families of the filter before decimation in training. One is
    used as published, at 0.8 of the new Nyquist rate; of several, each recording gets one, and
    an edge, by a draw. ``low_pass: false`` drops samples without any filter.
    """

    corpora: list[str]
    roles: list[Literal["piano", "music", "speech"]] = pydantic.Field(min_length=1)
    sample_rate: int = pydantic.Field(ge=2000)
    scale: int = pydantic.Field(ge=2, le=16)
    low_pass: bool
    training_low_pass: list[Family] = pydantic.Field(min_length=1)
    dimension: int = pydantic.Field(ge=1024, multiple_of=1024)
    stride: int = pydantic.Field(ge=1)
    networks: dict[NetworkName, NetworkSettings] = pydantic.Field(min_length=1)
    training: TrainingSettings
    evaluation: EvaluationSettings
    stimuli: StimuliSettings

    @pydantic.model_validator(mode="after")
    def _check(self) -> Self:
        for listed in (self.training_low_pass, self.evaluation.low_pass):
            if len(set(listed)) < len(listed):
                raise ValueError("a low-pass family is listed twice")
        for name, network in self.networks.items():
            if network.network is None and name not in get_args(Network):
                raise ValueError(
                    f"networks.{name} needs network: one of {', '.join(get_args(Network))}"
                )
        return self

    def network_class(self, name: str) -> str:
        """Return the registered name of an entry's class, such as ``superres/tfilm``."""
        return f"superres/{self.networks[name].network or name}"

    @property
    def trained_low_pass(self) -> list[str]:
        """Families of the filter before decimation that training has heard."""
        return list(self.training_low_pass) if self.low_pass else [ALIASED]

    @property
    def tested_low_pass(self) -> list[str]:
        """Families that tests use; the first is that of the main table and of stimuli."""
        families = list(self.evaluation.low_pass)
        return families if self.low_pass else [ALIASED, *families]

    @property
    def cutoff_hz(self) -> float:
        """Edge of the low-pass before decimation: what lies above it is missing."""
        from shellac.transforms.decimation import EDGE

        return EDGE * self.sample_rate / (2 * self.scale)


MODEL = SuperResolutionSettings
