"""What ``params.yaml`` says under ``babe2``."""

from typing import Annotated, Literal, Self

import pydantic

from shellac.config import Strict
from shellac.training.settings import LoopSettings

NetworkName = Annotated[str, pydantic.Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]
Count = Annotated[int, pydantic.Field(ge=1, le=4096)]
# YAML has lists alone, which a strict model does not take for a pair
Pair = Annotated[tuple[float, float], pydantic.Field(strict=False)]


class NetworkSettings(Strict):
    """One network to train; by octave, the highest first, ``channels`` and ``dilated_layers``."""

    network: Literal["cqtdiff_22k", "cqtdiff_44k"] = "cqtdiff_22k"
    channels: list[Count] = pydantic.Field(min_length=2, max_length=12)
    dilated_layers: list[Count] = pydantic.Field(min_length=2, max_length=12)
    bins_per_octave: int = pydantic.Field(ge=4, le=256)
    embedding: int = pydantic.Field(ge=8, le=1024)
    grid: Literal["clean", "compat"] = "clean"

    def for_build(self) -> dict[str, object]:
        """Return the arguments that :func:`shellac.networks.build` takes besides the segment."""
        return self.model_dump(exclude={"network"})


class DiffusionSettings(Strict):
    """Scale and noise: ``sigma_data`` is the standard deviation of clean recordings.

    ``levels``: how training levels are drawn, ``published`` or ``log-normal`` (of ln(sigma /
    sigma_data), ``mean`` and ``std``), between ``sigma_min`` and ``sigma_max``.
    """

    sigma_data: float = pydantic.Field(gt=0)
    sigma_min: float = pydantic.Field(gt=0)
    sigma_max: float = pydantic.Field(gt=0)
    levels: Literal["published", "log-normal"]
    mean: float = -0.5
    std: float = pydantic.Field(gt=0, default=1.6)


class TrainingSettings(LoopSettings):
    """A training loop's settings, the moving average of weights, and where to begin.

    ``average_rate`` is reached after ``average_ramp`` examples; ``gain_db``: the level of every
    example is drawn between plus and minus as much. ``start_from``: weights to go on from
    (fine-tuning on the recordings of one singer, or of one instrument); empty begins afresh.
    ``a_weighted`` weighs errors by the A-curve, ``level_weights`` learns a weight for every level
    of noise; see :mod:`.losses`.
    """

    average_rate: float = pydantic.Field(ge=0, lt=1)
    average_ramp: int = pydantic.Field(ge=0)
    gain_db: float = pydantic.Field(ge=0, le=20)
    start_from: str = ""
    a_weighted: bool = False
    level_weights: bool = False

    @property
    def loss_options(self) -> tuple[bool, bool]:
        """The options of :class:`.losses.TrainingLoss`."""
        return self.a_weighted, self.level_weights


class SamplingSettings(Strict):
    """How restorations are sampled with what was trained here; see :class:`.prior.Sampling`.

    Levels (``start_sigma``, ``least_sigma``, ``least_noise``, ``observation_noise``) are relative
    to sigma_data. Without ``least_sigma`` the last level above 0 is the least of training.
    """

    steps: int = pydantic.Field(ge=2, le=1000)
    order: Literal[1, 2]
    start_sigma: float = pydantic.Field(gt=0)
    least_sigma: float | None = pydantic.Field(gt=0, default=None)
    rho: float = pydantic.Field(ge=1)
    churn: float = pydantic.Field(ge=0)
    guidance: Literal["published", "likelihood"]
    xi: float = pydantic.Field(gt=0)
    least_noise: float = pydantic.Field(ge=0)
    observation_noise: float = pydantic.Field(gt=0)


class EvaluationSettings(Strict):
    """``tracks`` test tracks, a segment of each, under ``filters`` drawn from the family.

    ``steps`` of the sampler; ``corner_hz``, ``slope_db``: ranges of the corner above which a filter
    falls, and of its slope in dB per octave; ``noise_db``: noise of the observation under its
    level; ``resamples``: bootstrap draws behind every interval.
    """

    tracks: int = pydantic.Field(ge=1)
    steps: int = pydantic.Field(ge=2, le=1000)
    corner_hz: Pair
    slope_db: Pair
    noise_db: float = pydantic.Field(ge=0, le=120)
    resamples: int = pydantic.Field(ge=100)


class StimuliSettings(Strict):
    """How many test tracks become stimuli, and how long each excerpt is.

    Sampling takes minutes for a minute of sound: of historical recordings, ``historical_seconds``
    from the middle of each are restored, and of ``historical_recordings`` of them at most.
    """

    tracks: int = pydantic.Field(ge=1)
    seconds: float = pydantic.Field(ge=1, le=60)
    historical_seconds: float = pydantic.Field(ge=1, default=10.0)
    historical_recordings: int = pydantic.Field(ge=0, default=6)


class Babe2Settings(Strict):
    """Task, data, networks and training of the generative equaliser.

    ``samples`` is the length of a segment; ``corpora`` names those of ``data.corpora`` to train on,
    none stands for all. ``levelled``: every recording is brought to the standard deviation
    ``diffusion.sigma_data``; otherwise it stays as it is, as published for piano.
    """

    corpora: list[str]
    roles: list[Literal["piano", "music", "speech"]] = pydantic.Field(min_length=1)
    sample_rate: int = pydantic.Field(ge=4000, le=48_000)
    samples: int = pydantic.Field(ge=1024, le=1_000_000)
    levelled: bool
    diffusion: DiffusionSettings
    networks: dict[NetworkName, NetworkSettings] = pydantic.Field(min_length=1)
    training: TrainingSettings
    sampling: SamplingSettings
    evaluation: EvaluationSettings
    stimuli: StimuliSettings

    @pydantic.model_validator(mode="after")
    def _check(self) -> Self:
        noise = self.diffusion
        if not self.least_sigma < self.sampling.start_sigma * noise.sigma_data <= noise.sigma_max:
            raise ValueError(
                "sampling.start_sigma must lie between the least level (sampling.least_sigma, or"
                " sigma_min) and sigma_max"
            )
        for name in ("corner_hz", "slope_db"):
            low, high = getattr(self.evaluation, name)
            if not 0 < low <= high:
                raise ValueError(f"evaluation.{name}: the lower bound comes first, above 0")
        return self

    @property
    def least_sigma(self) -> float:
        """The last level above 0 of restorations, in the scale of the signals."""
        noise, relative = self.diffusion, self.sampling.least_sigma
        return noise.sigma_min if relative is None else relative * noise.sigma_data

    def network_class(self, name: str) -> str:
        """Return the registered name of an entry's network."""
        return f"babe2/{self.networks[name].network}"

    def for_build(self, name: str) -> dict[str, object]:
        """Return all arguments of :func:`shellac.networks.build` for an entry."""
        segment = {"samples": self.samples, "sample_rate": self.sample_rate}
        return {**segment, **self.networks[name].for_build()}


MODEL = Babe2Settings
