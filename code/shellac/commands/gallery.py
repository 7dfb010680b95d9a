"""The gallery: every system on the same seconds, on one page that switches while it plays.

Recordings of the test split are made old discs and, once more, given gaps, so that there is an
original to hear; historical recordings come as they are. All versions of an item are equally loud.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from shellac import audio, paths
from shellac.commands.restore import Options, load
from shellac.config import Settings
from shellac.datasets import corpora
from shellac.datasets.index import Recording
from shellac.degradations import draws
from shellac.degradations.recipes import RECIPES
from shellac.errors import naming
from shellac.files import atomic_folder
from shellac.listening.loudness import common_gains
from shellac.listening.stimuli import excerpt_start
from shellac.report import gallery, pictures, style
from shellac.report.gallery import Item, Version
from shellac.systems import registry
from shellac.systems.restorer import Restorer
from shellac.training import determinism

TITLE = "The same seconds through every system"
_ROLES = ["piano", "music", "speech"]
_ORIGINAL, _HEARD = "currentColor", "#9a9a9a"
_PICTURE_INCHES = (8.0, 2.0)
_TOLD = {"gramophone": "made an old disc", "gaps": "given gaps"}


@dataclass(frozen=True)
class _Scene:
    """Seconds of a recording, (C, T), with what was done to them and the chains they go through."""

    recording: Recording
    title: str
    about: str
    original: np.ndarray | None
    heard: np.ndarray
    sample_rate: int
    gaps: list[tuple[int, int]] | None
    chains: list[str]


def build(settings: Settings) -> None:
    """Restore, draw and write the page with all that it shows, as the profile's gallery."""
    determinism.pin(settings.compute)
    chosen = settings.gallery
    restorers = {
        chain: _restorer(settings, chain) for chain in (*chosen.chains, *chosen.gap_chains)
    }
    with atomic_folder(paths.results(settings.profile, "gallery")) as folder:
        items = [
            _item(folder, f"{number:02}", scene, restorers)
            for number, scene in enumerate(_scenes(settings))
        ]
        about = [
            "Networks of the profile " + settings.profile + ", each by itself or in a chain."
            " All versions of an item are aligned in time and equally loud (ITU-R BS.1770).",
            "What is generated was invented: it is plausible, not what was played.",
        ]
        gallery.write(folder / "index.html", TITLE, about, items)


def _restorer(settings: Settings, chain: str) -> Restorer:
    names, weights = [], []
    for name in chain.split(","):
        learns = registry.system(name).build is not None
        names.append(registry.trained_network(settings, name) if learns else name)
        weights += ["trained"] * learns
    options = Options(tuple(names), tuple(weights), settings.compute.device, seed=settings.seed)
    return load(options)[0]


def _scenes(settings: Settings) -> Iterator[_Scene]:
    chosen = settings.gallery
    for recording in _first(settings, _ROLES, "test", chosen.recordings):
        original, rate, rng = _excerpt(recording, chosen.seconds, settings.seed)
        for recipe, chains in (("gramophone", chosen.chains), ("gaps", chosen.gap_chains)):
            if chains:
                heard, applied = RECIPES[recipe](original, rate, rng)
                about = f"{recording.role}, {_TOLD[recipe]}"
                gaps = applied.get("gaps")
                title = Path(recording.file).stem
                yield _Scene(recording, title, about, original, heard, rate, gaps, chains)
    for disc in _first(settings, ["historical"], "", chosen.historical):
        heard, rate, _ = _excerpt(disc, chosen.seconds, settings.seed)
        title = disc.label or Path(disc.file).stem
        about = "as it came; there is no original"
        yield _Scene(disc, title, about, None, heard, rate, None, chosen.chains)


def _first(settings: Settings, roles: list[str], split: str, count: int) -> list[Recording]:
    """Return as many recordings, of different roles as far as there are."""
    found = list(corpora.recordings(settings, roles, split))
    seen: dict[str, int] = {}
    turns = []
    for place, recording in enumerate(found):
        turn = seen[recording.role] = seen.get(recording.role, -1) + 1
        turns.append((turn, place))
    return [found[place] for _, place in sorted(turns)[:count]]


def _excerpt(
    recording: Recording, seconds: float, seed: int
) -> tuple[np.ndarray, int, np.random.Generator]:
    waveform, rate = audio.read(recording.path)
    length = min(waveform.shape[1], round(seconds * rate))
    rng = draws.generator(seed, recording.sha256, 0)
    start = excerpt_start(waveform.mean(axis=0), length, rng)
    return waveform[:, start : start + length], rate, rng


def _item(folder: Path, name: str, scene: _Scene, restorers: Mapping[str, Restorer]) -> Item:
    versions = {"Input": (scene.heard, _HEARD)}
    if scene.original is not None:
        versions["Original"] = (scene.original, _ORIGINAL)
    for chain in scene.chains:
        with naming(scene.recording.path):
            restored = restorers[chain].restore(scene.heard, scene.sample_rate, gaps=scene.gaps)
        members = [style.SYSTEM_LOOKS[each] for each in chain.split(",")]
        label = ", then ".join(look.label for look in members)
        versions[label] = (restored.waveform, members[-1].colour)
    gains, _ = common_gains([waveform for waveform, _ in versions.values()], scene.sample_rate)
    seconds = scene.heard.shape[1] / scene.sample_rate
    shown, top_db = [], None
    # FLAC does not hold any number of channels
    _, _, suffix = audio.output_format(audio.inspect(scene.recording.path), "flac")
    for (label, (waveform, colour)), gain in zip(versions.items(), gains, strict=True):
        sound, picture = (f"{name}-{len(shown)}{end}" for end in (suffix, ".png"))
        loud = waveform * np.float32(gain)
        audio.write(folder / sound, loud, scene.sample_rate)
        level = pictures.measure(loud, scene.sample_rate)
        top_db = level.top_db if top_db is None else top_db
        drawn = pictures.thumbnail(level, seconds, scene.sample_rate, top_db, _PICTURE_INCHES)
        pictures.save(drawn, folder / picture)
        shown.append(Version(label, colour, sound, picture))
    return Item(scene.title, scene.about, seconds, tuple(shown))
