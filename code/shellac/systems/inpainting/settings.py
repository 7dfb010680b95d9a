"""What ``params.yaml`` says under ``inpainting``."""

from typing import Annotated, Literal, Self

import pydantic

from shellac.config import Strict
from shellac.systems.inpainting.catalogue import NETWORKS
from shellac.training.settings import LoopSettings

NetworkName = Annotated[str, pydantic.Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]
Share = Annotated[float, pydantic.Field(ge=0, le=1)]
Milliseconds = Annotated[float, pydantic.Field(gt=0, le=10_000)]
# YAML has lists alone, which a strict model does not take for a pair
Shares = Annotated[tuple[Share, Share], pydantic.Field(strict=False)]
Durations = Annotated[tuple[Milliseconds, Milliseconds], pydantic.Field(strict=False)]


class GapSettings(Strict):
    """How frames are lost; each kind reads its own keys.

    ``scattered``, as published: single frames here and there, their number uniform between two
    shares of a segment. ``contiguous``: gaps of the waveform with durations uniform in ``gap_ms``,
    ``per_second`` of them. ``packet-loss``: packets of ``packet_ms``, a share uniform in ``loss``,
    in bursts of ``burst`` packets in the mean.

    ``filled_draws``: how often contiguous gaps are cut into each recording besides and filled by
    autoregression, for networks that correct it; whatever the kind.
    """

    kind: Literal["scattered", "contiguous", "packet-loss"]
    share: Shares = (0.1, 0.7)
    gap_ms: Durations = (20.0, 60.0)
    per_second: float = pydantic.Field(gt=0, le=100, default=2.0)
    packet_ms: Milliseconds = 20.0
    loss: Shares = (0.05, 0.3)
    burst: float = pydantic.Field(ge=1, default=2.0)
    filled_draws: int = pydantic.Field(ge=0, le=100, default=0)

    @pydantic.model_validator(mode="after")
    def _check(self) -> Self:
        for name in ("share", "gap_ms", "loss"):
            low, high = getattr(self, name)
            if low > high:
                raise ValueError(f"gaps.{name}: the lower bound comes first")
        if self.loss[1] >= 1:
            raise ValueError("gaps.loss: some packets must arrive")
        return self


class NetworkSettings(Strict):
    """One network to train: which, how wide, and what stands before and after it.

    ``network`` names the registered network where the entry's own name does not. ``width`` is
    relative to the published one. ``bn_mode``: ``affine`` as published, where normalisation never
    ran, or ``batch``. ``mask_input`` shows the network which frames are lost.

    ``input``: ``damaged`` as published, lost frames being 0, or ``interpolated``: they are first
    filled by a straight line along time, and the network corrects the line: what it gives is
    added to its input where it does not do so itself. ``autoregressive``: gaps of a waveform are
    filled by autoregression, whose magnitudes the network corrects likewise, under its phases;
    in the representation ``spectrogram``, whichever the others have.
    """

    network: NetworkName | None = None
    width: float = pydantic.Field(gt=0, le=4)
    bn_mode: Literal["affine", "batch"] | None = None
    mask_input: bool = False
    input: Literal["damaged", "interpolated", "autoregressive"] = "damaged"
    slopes: Literal["shared", "positional"] | None = None

    def for_build(self) -> dict[str, object]:
        """Return the arguments that :func:`shellac.networks.build` takes."""
        return self.model_dump(exclude={"network", "input"}, exclude_none=True)


class TrainingSettings(LoopSettings):
    """A training loop's settings and its recipe.

    ``sound``: segments in a new order every epoch, each time with new gaps; the error counts in
    the gaps, since what is intact is put back; the last layer starts near zero where a network
    corrects an interpolation; the learning rate falls along a cosine; the lowest validation loss
    is kept. What corrects autoregression is judged by what is heard, whatever the recipe: its loss
    is the negative SNR of the waveform inside the gaps, in dB.

    ``published``: what TeleMidia/audio_reconstruction does, best on the representation of that
    name. Segments in file order and always with the same gaps, error over the whole segment,
    constant ``learning_rate`` (theirs is 0.001; ``final_learning_rate`` is not read), highest
    validation PSNR kept. Their ``batch_size`` of 58 is one clip of 30 s.

    ``kl_weight`` weighs the Kullback-Leibler term of variational networks; theirs is 1, against
    an error averaged over 16384 cells, so that it dominates.
    """

    recipe: Literal["published", "sound"] = "sound"
    kl_weight: float = pydantic.Field(ge=0, default=1.0)


class WaveformSettings(Strict):
    """Gaps cut into waveforms: durations to test, how many, and on how much sound.

    ``tracks`` test tracks, the first ``seconds`` of each; ``iterations`` of phase reconstruction.
    """

    gap_ms: list[Milliseconds] = pydantic.Field(min_length=1)
    per_second: float = pydantic.Field(gt=0, le=10)
    tracks: int = pydantic.Field(ge=1)
    seconds: float = pydantic.Field(ge=1, le=600)
    iterations: int = pydantic.Field(ge=1)


class EvaluationSettings(Strict):
    """``resamples``: bootstrap draws behind every interval; ``waveform``: gaps in waveforms."""

    resamples: int = pydantic.Field(ge=100)
    waveform: WaveformSettings


class StimuliSettings(Strict):
    """How many test tracks become stimuli, and how long each excerpt is."""

    tracks: int = pydantic.Field(ge=1)
    seconds: float = pydantic.Field(ge=1, le=60)


class InpaintingSettings(Strict):
    """Task, data, networks and training of inpainting.

    Recordings of ``roles`` are taken from ``corpora``, or from all where none is named.
    ``representation``: what networks see, see :mod:`.representation`.
    ``published_layout`` also stores the damaged segments beside the whole ones, as published;
    otherwise gaps are drawn when segments are read, from a seed keyed on recording and segment.
    """

    corpora: list[str]
    roles: list[Literal["piano", "music", "speech"]] = pydantic.Field(min_length=1)
    sample_rate: Literal[16000]
    representation: Literal["spectrogram", "published", "mdct-64", "mdct-128"]
    published_layout: bool
    gaps: GapSettings
    networks: dict[NetworkName, NetworkSettings] = pydantic.Field(min_length=1)
    training: TrainingSettings
    evaluation: EvaluationSettings
    stimuli: StimuliSettings

    @pydantic.model_validator(mode="after")
    def _check(self) -> Self:
        for name, entry in self.networks.items():
            if (entry.network or name) not in NETWORKS:
                raise ValueError(f"networks.{name} needs network: one of {', '.join(NETWORKS)}")
            if entry.input == "autoregressive" and not self.gaps.filled_draws:
                raise ValueError(f"networks.{name} needs gaps.filled_draws: 1 or more")
        return self

    def network_class(self, name: str) -> str:
        """Return the registered name of an entry's network, such as ``inpainting/UNet_v2``."""
        return f"inpainting/{self.networks[name].network or name}"


MODEL = InpaintingSettings
