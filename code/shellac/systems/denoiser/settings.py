"""What ``params.yaml`` says under ``denoiser``."""

from typing import Annotated, Literal, Self, get_args

import pydantic

from shellac.config import Strict
from shellac.training.settings import LoopSettings

Network = Literal["unet_22k", "unet_44k"]
NetworkName = Annotated[str, pydantic.Field(pattern=r"^[a-z][a-z0-9_]*$")]
Range = Annotated[list[float], pydantic.Field(min_length=2, max_length=2)]
SAMPLE_RATES = {"unet_22k": 22050, "unet_44k": 44100}
_OURS = {"network", "input"}


class NetworkSettings(Strict):
    """One network to train: its class, its size, and what it hears.

    ``network`` names the class where the entry's own name does not. ``width`` is relative to the
    published size; ``depth``, ``num_tfc``, ``num_stages``, ``use_sam`` and ``use_fencoding`` are
    those of the published code, and its values where they are not named.

    ``input``: what the network hears. The ``noisy`` recording, of which it gives the clean
    spectrum, as published; or ``classical`` (ours), what the classical system kept of it and what
    it took away, of which it gives a correction (:func:`.preparation.estimates`).
    """

    network: Network | None = None
    width: float = pydantic.Field(gt=0, le=4)
    depth: int | None = pydantic.Field(default=None, ge=1, le=6)
    num_tfc: int | None = pydantic.Field(default=None, ge=1, le=8)
    num_stages: int | None = pydantic.Field(default=None, ge=1, le=2)
    use_sam: bool | None = None
    use_fencoding: bool | None = None
    input: Literal["noisy", "classical"] = "noisy"

    def for_build(self) -> dict[str, object]:
        """Return the arguments that the network class takes."""
        return self.model_dump(exclude=_OURS, exclude_none=True)


class MixingSettings(Strict):
    """How noise is added in training and validation: both uniform, drawn for every segment.

    ``snr_db``: signal-to-noise ratio; ``scale_db``: s of the published factor 10^(s / 10) on both
    signals' *amplitude*.
    """

    snr_db: Range
    scale_db: Range

    @pydantic.model_validator(mode="after")
    def _check(self) -> Self:
        for name in ("snr_db", "scale_db"):
            low, high = getattr(self, name)
            if not low <= high:
                raise ValueError(f"{name} must rise, not {low:g} to {high:g}")
        return self


class TrainingSettings(LoopSettings):
    """A training loop's settings and its recipe.

    ``sound``: every segment counts alike, by the logarithm of its relative squared error; Adam as
    usual, the learning rate rises over ``warm_up_steps``, since a correction starts where it is
    nearly right, and falls along a cosine; noise that is longer than a segment starts anywhere.

    ``published``: what eloimoliner/bwe_historical_recordings does. The mean magnitude of the error
    of real and imaginary parts; Adam with beta1 = 0.5 and beta2 = 0.9; the learning rate (theirs
    is 0.0002) falls to a tenth every ``drop_every`` steps; noise starts at its beginning. Their
    batches of 2, of which 4 are accumulated, are one of 8.

    ``seen_seconds``: length of the stretch of every segment that the network sees, drawn at random;
    at least ``segment_seconds`` shows all of it, as published.

    Both losses are summed over the two stages. Both recipes keep the weights of the lowest
    validation loss, where the published code, which does not validate, keeps those of epoch 29.
    """

    recipe: Literal["published", "sound"] = "sound"
    seen_seconds: float = pydantic.Field(ge=0.25)
    drop_every: int = pydantic.Field(ge=1)


class EvaluationSettings(Strict):
    """How held-out recordings are tested.

    Every item lasts ``seconds``, of which the first ``lead_seconds`` hold noise alone, and is made
    at every ratio of ``snr_db``; ``kept_band_hz`` bounds the band whose own signal-to-noise ratio
    is given; ``resamples``: bootstrap draws behind every interval.
    """

    snr_db: list[float] = pydantic.Field(min_length=1)
    seconds: float = pydantic.Field(ge=1, le=600)
    lead_seconds: float = pydantic.Field(ge=0.25, le=60)
    kept_band_hz: float = pydantic.Field(ge=100)
    resamples: int = pydantic.Field(ge=100)

    @pydantic.model_validator(mode="after")
    def _check(self) -> Self:
        if self.seconds < self.lead_seconds + 0.5:
            raise ValueError("seconds must exceed lead_seconds by half a second of music")
        if len(set(self.snr_db)) < len(self.snr_db):
            raise ValueError("an snr_db is listed twice")
        return self


class StimuliSettings(Strict):
    """How many test tracks become stimuli, how long each excerpt is, and at which ratio."""

    tracks: int = pydantic.Field(ge=1)
    seconds: float = pydantic.Field(ge=1, le=60)
    snr_db: float


class DenoiserSettings(Strict):
    """Task, data, networks and training of the denoiser.

    Clean recordings have one of ``roles``, noise the role ``noise``; both are taken from
    ``corpora``, or from all where none is named. ``segment_seconds`` is the length of a mixture
    in training (5 s as published).
    """

    corpora: list[str]
    roles: list[Literal["piano", "music", "speech"]] = pydantic.Field(min_length=1)
    sample_rate: Literal[22050, 44100]
    segment_seconds: float = pydantic.Field(ge=0.5, le=60)
    mixing: MixingSettings
    networks: dict[NetworkName, NetworkSettings] = pydantic.Field(min_length=1)
    training: TrainingSettings
    evaluation: EvaluationSettings
    stimuli: StimuliSettings

    @pydantic.model_validator(mode="after")
    def _check(self) -> Self:
        for name, entry in self.networks.items():
            network = entry.network or name
            if network not in get_args(Network):
                known = ", ".join(get_args(Network))
                raise ValueError(f"networks.{name} needs network: one of {known}")
            if SAMPLE_RATES[network] != self.sample_rate:
                raise ValueError(
                    f"networks.{name} is for {SAMPLE_RATES[network]} Hz, but sample_rate is"
                    f" {self.sample_rate}"
                )
        if self.evaluation.kept_band_hz >= self.sample_rate / 2:
            raise ValueError("evaluation.kept_band_hz must lie below half the sample_rate")
        return self

    def network_class(self, name: str) -> str:
        """Return the registered name of an entry's class, such as ``denoiser/unet_22k``."""
        return f"denoiser/{self.networks[name].network or name}"


MODEL = DenoiserSettings
