"""Stimuli: the same seconds of a test track in every version, aligned in time and loudness."""

import hashlib
from pathlib import Path

import numpy as np

from shellac import audio, paths
from shellac.config import Settings
from shellac.files import atomic_folder, sha256, write_json
from shellac.listening.loudness import alignment_gain

MANIFEST = "manifest.json"


def excerpt_start(reference: np.ndarray, length: int, rng: np.random.Generator) -> int:
    """Draw the start of an excerpt among those at least as loud as the median one."""
    last = max(0, len(reference) - length)
    starts = np.unique(np.linspace(0, last, 40).astype(int))
    energy = np.array([np.square(reference[start : start + length]).mean() for start in starts])
    return int(rng.choice(starts[energy >= np.median(energy)]))


def opaque_name(seed: int, track: str, condition: str) -> str:
    """Return a file name that does not tell an assessor which condition it is."""
    return hashlib.sha256(f"{seed}/{track}/{condition}".encode()).hexdigest()[:16] + ".flac"


def write_item(
    folder: Path,
    track: str,
    role: str,
    versions: dict[str, np.ndarray],
    sample_rate: int,
    seconds: float,
    seed: int,
) -> dict[str, object]:
    """Write one excerpt of every version, (T,) each and equally long, and describe it.

    All versions share the start; each gets its own gain to one loudness (BS.1770), so that none
    is preferred for being louder. 24-bit FLAC.
    """
    reference = versions["reference"]
    length = min(len(reference), int(seconds * sample_rate))
    rng = np.random.default_rng([seed, int(hashlib.sha256(track.encode()).hexdigest()[:8], 16)])
    start = excerpt_start(reference, length, rng)
    conditions = {}
    for condition, waveform in versions.items():
        excerpt = waveform[None, start : start + length]
        gain = alignment_gain(excerpt, sample_rate)
        name = opaque_name(seed, track, condition)
        audio.write(folder / name, excerpt * np.float32(gain), sample_rate)
        conditions[condition] = {
            "file": name,
            "sha256": sha256(folder / name),
            "gain_db": round(20 * float(np.log10(gain)), 3),
        }
    return {
        "track": track,
        "role": role,
        "sample_rate": sample_rate,
        "start_seconds": round(start / sample_rate, 6),
        "seconds": round(length / sample_rate, 6),
        "conditions": conditions,
    }


def build(settings: Settings, system: str) -> None:
    """Build the stimuli of one system from its test tracks."""
    from shellac.systems import registry

    chosen = settings.systems[system].stimuli
    with atomic_folder(paths.results(settings.profile, "stimuli", system)) as folder:
        items = [
            write_item(folder, track, role, versions, rate, chosen.seconds, settings.seed)
            for track, role, versions, rate in registry.part(system, "evaluation").versions(
                settings
            )
        ]
        write_json(folder / MANIFEST, {"system": system, "items": items})
