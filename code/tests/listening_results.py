"""Results to build a listening test from: two tracks in three versions, one restored disc."""

import shutil
from pathlib import Path

import numpy as np
from sounds import tone

from shellac import audio, config, paths, pipeline
from shellac.files import write_json
from shellac.listening import page
from shellac.listening.excerpts import Choice
from shellac.listening.stimuli import MANIFEST, write_item

REPOSITORY = Path(__file__).resolve().parents[2]
RATE = 16000
SECONDS = 1.0
# of each version's tone; the reference has partials that the anchors lose
PITCHES_HZ = {"reference": 700.0, "spline": 1100.0, "tfilm": 1600.0}
UNTREATED_HZ, RESTORED_HZ = 900.0, 2100.0


def sine(pitch_hz: float, seconds: float = SECONDS, rate: int = RATE) -> np.ndarray:
    """A tone (T,) of amplitude 0.3."""
    time = np.arange(int(seconds * rate)) / rate
    return (0.3 * np.sin(2 * np.pi * pitch_hz * time)).astype(np.float32)


def _versions() -> dict[str, np.ndarray]:
    made = {name: sine(pitch_hz) for name, pitch_hz in PITCHES_HZ.items()}
    made["reference"] += 0.3 * sine(5000.0) + 0.3 * sine(7300.0)
    return made


def make_root(folder: Path) -> None:
    """Make ``folder``, which SHELLAC_ROOT must name, a compendium with these results alone."""
    shutil.copytree(REPOSITORY / "code" / "profiles", folder / "code" / "profiles")
    (folder / "dvc.yaml").touch()
    (folder / "mine").mkdir()
    config.apply_profile("folder", [f"data.folder={folder / 'mine'}"])
    write_results()


def write_results() -> None:
    """Write stimuli of super-resolution, and one historical recording restored by it."""
    folder = paths.results("folder", "stimuli", "superres")
    items = [
        write_item(folder, track, "piano", _versions(), RATE, SECONDS, seed=1)
        for track in ("one", "two")
    ]
    write_json(folder / MANIFEST, {"system": "superres", "items": items})
    audio.write(paths.root() / "mine" / "historical" / "disc.wav", _disc(UNTREATED_HZ), RATE)
    pipeline.download("folder")
    restored = paths.results("folder", "restored", "superres", "historical")
    audio.write(restored / "disc.restored.wav", _disc(RESTORED_HZ), RATE)


def _disc(pitch_hz: float) -> np.ndarray:
    """Three seconds, of which the first is silent, with a little of everything."""
    wave = sine(pitch_hz, 3.0) + 0.01 * tone(3.0, RATE)[0]
    wave[:RATE] = 0
    return wave


def build(folder: Path, *groups: str, title: str = "Listening test", **options: object) -> dict:
    """Build the test in ``folder`` from the results above and return its key."""
    choice = Choice(seed=3, seconds=1.0, **options)
    return page.build(config.load(), groups, folder, choice, page.Wording(title))
