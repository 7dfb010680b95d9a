"""``shellac degrade``: what time and machines do to sound, with a record of what was done."""

from typing import Any

import numpy as np

from shellac import __version__, audio
from shellac.commands.inputs import Job, check_length
from shellac.degradations.recipes import RECIPES
from shellac.errors import AudioError, UsageError
from shellac.files import sha256, write_json

_MIN_RATE = 8000


def check_recipe(recipe: str) -> None:
    """Raise :class:`UsageError` for an unknown recipe."""
    if recipe not in RECIPES:
        raise UsageError(f"no recipe {recipe!r}; there are: {', '.join(RECIPES)}")


def degrade(job: Job, recipe: str, seed: int) -> dict[str, Any]:
    """Degrade one recording; write it and what was applied; return the latter.

    The random draws depend on the seed and on the recording's content, so that two recordings of
    one run are not damaged alike. The result keeps length, rate and channels; where it would clip
    an integer format it is scaled as a whole, and the record says by how much.
    """
    check_recipe(recipe)
    facts = audio.inspect(job.source)
    if facts.sample_rate < _MIN_RATE:
        raise AudioError(f"{job.source}: recipes need {_MIN_RATE} Hz or more, not"
                         f" {facts.sample_rate}")  # fmt: skip
    waveform, sample_rate = audio.read(job.source)
    content = sha256(job.source)
    rng = np.random.default_rng([seed, int(content[:8], 16)])
    degraded, applied = RECIPES[recipe](waveform, sample_rate, rng)
    container, subtype, suffix = audio.output_format(facts)
    check_length(job, suffix)
    peak = float(np.abs(degraded).max())
    gain = 1.0 / peak if peak > 1.0 and subtype not in audio.FLOAT_SUBTYPES else 1.0
    target = job.output("degraded", suffix)
    audio.write(
        target, degraded * np.float32(gain), sample_rate, subtype,
        container=container, tags=facts.tags,
    )  # fmt: skip
    record = {
        "shellac": __version__,
        "input": {"file": job.source.name, "sha256": content},
        "outputs": {"degraded": target.name},
        "sha256": {"degraded": sha256(target)},
        "recipe": recipe,
        "seed": seed,
        "applied": applied,
        "gain": gain,
    }
    write_json(job.description, record)
    return record
