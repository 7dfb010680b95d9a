"""What ``params.yaml`` says under ``behm_gan``."""

from typing import Annotated, Literal, Self, get_args

import pydantic

from shellac.config import Strict
from shellac.training.settings import LoopSettings

Network = Literal["unet", "audiounet", "seanet"]
NetworkName = Annotated[str, pydantic.Field(pattern=r"^[a-z][a-z0-9_]*$")]
Bank = Literal["repository", "paper", "long"]
TestFilter = Literal[
    "repository", "paper", "long", "chebyshev", "butterworth", "sinc", "brickwall", "codec"
]
# YAML has lists alone, which a strict model does not take for a pair
Decibels = Annotated[float, pydantic.Field(ge=-60, le=60)]
DecibelRange = Annotated[tuple[Decibels, Decibels], pydantic.Field(strict=False)]


class NetworkSettings(Strict):
    """One network to train: which, how large, on what, and under which losses.

    ``network`` names the class where the entry's own name does not. ``width`` is relative to the
    published one; ``depth`` and ``num_tfc`` are the generator's (published: 6 and 3). ``material``
    lists roles, genres or labels (ensembles) of recordings to train on; none stands for all.
    ``adversary``: discriminators join after the first phase. ``noise``: the network hears faint
    noise, in training and after it. ``loss`` of the signal itself: ``spectral``, at four
    resolutions, or ``mse``, of samples.
    """

    network: Network | None = None
    width: float = pydantic.Field(gt=0, le=4)
    depth: int | None = pydantic.Field(ge=1, le=6, default=None)
    num_tfc: int | None = pydantic.Field(ge=1, le=8, default=None)
    material: list[str] = []
    adversary: bool = True
    noise: bool = True
    loss: Literal["spectral", "mse"] = "spectral"

    def for_build(self) -> dict[str, object]:
        """Return the arguments that the network class takes."""
        return self.model_dump(include={"width", "depth", "num_tfc"}, exclude_none=True)


class AdversarySettings(Strict):
    """The second phase: from step ``from_step``, counted from 0, on.

    ``width`` of the discriminators relative to the published one, their ``updates`` before each of
    the generator's, ``weight`` of the generator's adversarial loss, and both learning rates.
    """

    from_step: int = pydantic.Field(ge=0)
    width: float = pydantic.Field(gt=0, le=4)
    updates: int = pydantic.Field(ge=1, le=16)
    weight: float = pydantic.Field(ge=0)
    learning_rate: float = pydantic.Field(gt=0)
    generator_learning_rate: float = pydantic.Field(gt=0)


class TrainingSettings(LoopSettings):
    """A training loop's settings, and the recipe.

    ``sound``: every segment has a filter of its own; networks add to what they are given above
    ``kept_hz`` and leave the rest as it is, their last layer starting near zero; the learning rate
    falls along a cosine until the second phase; recordings are brought to the level of training,
    so that the faint noise lies at a known distance below them.

    ``published``: what eloimoliner/bwe_historical_recordings does, with ``steps`` 300000,
    ``adversary.from_step`` 10000, ``learning_rate`` 1e-4 and ``adversary.generator_learning_rate``
    1e-5. One filter for a batch; the network gives the whole signal; learning rates are constant
    (``final_learning_rate`` is not read); weights of the last step.

    Weights that met an adversary are those of the last step in both; else ``sound`` keeps the
    lowest validation loss. ``gain_db``: segments are made louder by a draw between these two
    (published: -12 and 8). ``signal_weight`` is that of the loss of the signal itself;
    ``validation_segments``, spread over all there are, are validated on.
    """

    recipe: Literal["published", "sound"] = "sound"
    kept_hz: float = pydantic.Field(gt=0)
    gain_db: DecibelRange
    signal_weight: float = pydantic.Field(gt=0)
    validation_segments: int = pydantic.Field(ge=1)
    adversary: AdversarySettings


class EvaluationSettings(Strict):
    """``low_pass``: filters to test with, the first being that of the main table: one of the banks
    of training, else a family of :mod:`shellac.degradations.lowpass`.

    ``seconds`` from the beginning of every test track; ``resamples`` behind every interval.
    """

    low_pass: list[TestFilter] = pydantic.Field(min_length=1)
    seconds: float = pydantic.Field(ge=1)
    resamples: int = pydantic.Field(ge=100)


class StimuliSettings(Strict):
    """How many test tracks become stimuli, and how long each excerpt is."""

    tracks: int = pydantic.Field(ge=1)
    seconds: float = pydantic.Field(ge=1, le=60)


class BehmGanSettings(Strict):
    """Task, data, networks and training of bandwidth extension.

    Recordings of ``roles`` are taken from ``corpora``, or from all where none is named.
    ``low_pass``: from which of :data:`.degradation.BANKS` training draws its filters;
    ``repository`` and ``paper`` are the two published readings, ``long`` is ours. ``noise_rms`` of
    what networks hear beside the recording, full scale = 1.
    """

    corpora: list[str]
    roles: list[Literal["piano", "music", "speech"]] = pydantic.Field(min_length=1)
    sample_rate: Literal[22050]
    segment_seconds: float = pydantic.Field(ge=0.1, le=60)
    low_pass: list[Bank] = pydantic.Field(min_length=1)
    noise_rms: float = pydantic.Field(ge=0, le=0.1)
    networks: dict[NetworkName, NetworkSettings] = pydantic.Field(min_length=1)
    training: TrainingSettings
    evaluation: EvaluationSettings
    stimuli: StimuliSettings

    @pydantic.model_validator(mode="after")
    def _check(self) -> Self:
        for listed in (self.low_pass, self.evaluation.low_pass):
            if len(set(listed)) < len(listed):
                raise ValueError("a low-pass family is listed twice")
        if self.training.gain_db[0] > self.training.gain_db[1]:
            raise ValueError("training.gain_db: the lower bound comes first")
        if self.training.kept_hz >= self.sample_rate / 2:
            raise ValueError(f"training.kept_hz must be below {self.sample_rate / 2:g} Hz")
        for name, entry in self.networks.items():
            if (entry.network or name) not in get_args(Network):
                raise ValueError(
                    f"networks.{name} needs network: one of {', '.join(get_args(Network))}"
                )
            if self.network_class(name) != "behm_gan/unet" and (entry.depth or entry.num_tfc):
                raise ValueError(f"networks.{name}: depth and num_tfc are those of unet alone")
        return self

    @property
    def segment(self) -> int:
        """Samples of a training segment."""
        return round(self.segment_seconds * self.sample_rate)

    def network_class(self, name: str) -> str:
        """Return the registered name of an entry's class, such as ``behm_gan/unet``."""
        return f"behm_gan/{self.networks[name].network or name}"

    def noise_of(self, name: str) -> float:
        """Return the RMS of the noise that an entry's network hears."""
        return self.noise_rms if self.networks[name].noise else 0.0


MODEL = BehmGanSettings
