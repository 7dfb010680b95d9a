"""``shellac generate``: what a trained prior takes for music, without a recording."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tqdm import tqdm

from shellac import audio, weights
from shellac.errors import OutputError, UsageError
from shellac.files import sha256, write_json
from shellac.systems import conversion, registry
from shellac.training import determinism

_LEVEL = 0.1  # standard deviation of what is written, of full scale
_LONGEST_SECONDS = 24 * 3600.0


def generate(
    out: Path,
    system: str,
    chosen: str | None,
    seconds: float | None = None,
    device: str = "auto",
    seed: int = 0,
    quality: str | None = None,
    steps: int | None = None,
    tell: Callable[[str], object] = lambda line: print(line, file=sys.stderr),
) -> dict[str, Any]:
    """Write ``OUT/generated-SEED.wav`` (mono, float) and a description beside it; return that.

    ``seconds`` None is one segment of the network; the rest is as in
    :class:`.restore.Options`. Raises :class:`UsageError` for what cannot be.
    """
    found, network = registry.find(system)
    restoration = registry.part(found.name, "restoration")
    if not hasattr(restoration, "generator"):
        raise UsageError(f"{system} generates nothing without a recording: babe2 does")
    if seconds is not None and not 0 < seconds <= _LONGEST_SECONDS:
        raise UsageError(f"--seconds must lie above 0 and up to {_LONGEST_SECONDS:g}")
    if out.exists() and not out.is_dir():
        raise OutputError(f"{out}: is a file, not a folder for results")
    named = path = weights.find(chosen, network.name)
    if conversion.is_checkpoint(named):
        path = conversion.convert(named, found.name, list(found.networks))
    state, card = weights.load(path)
    if card.network not in found.networks:
        raise UsageError(f"{path}: holds {card.network}, which is no network of {found.name}")
    prior = restoration.prior_of(state, card, determinism.device(device))
    sampling = restoration.sampling_for(card, quality, steps)
    rate = prior.sample_rate
    samples = prior.samples if seconds is None else max(1, round(seconds * rate))
    made = registry.part(found.name, "generation")
    segments = len(made.cuts(samples, prior.samples, int(sampling.overlap * prior.samples)))
    tell(f"{samples / rate:.2f} s in {segments} segments, {sampling.evaluations} evaluations each")
    place = out / f"generated-{seed}.wav"
    with (
        tqdm(total=segments * sampling.steps, desc="steps", unit="step", disable=None) as bar,
        audio.writer(place, rate, 1, container="WAV", subtype="FLOAT", samples=samples) as writer,
    ):
        for block in made.generated(prior, sampling, samples, seed, lambda told: bar.update(1)):
            writer.append(_LEVEL * block[None])
    description = {
        "generated": "by a diffusion model, out of nothing; no recording was heard",
        "output": place.name,
        "sha256": sha256(place),
        "samples": samples,
        "sample_rate": rate,
        "seed": seed,
        "steps": sampling.steps,
        "order": sampling.order,
        "weights": {"network": card.network, "file": named.name, "sha256": sha256(path),
                    "origin": card.origin, "licence": card.licence, "profile": card.profile},
    }  # fmt: skip
    write_json(place.with_suffix(".json"), description)
    return description
