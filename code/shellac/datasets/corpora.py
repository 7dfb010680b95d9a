"""The catalogue of corpora, and the index that each one leaves in ``data/raw/<profile>/<corpus>``.

An index row names a recording, its role, its split and whether it may be used; everything
downstream reads the index and never asks again where a recording came from.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from shellac import audio, paths
from shellac.config import Settings
from shellac.datasets import discs, folder, index, published
from shellac.datasets.catalogue import CATALOGUE
from shellac.datasets.index import Found, Recording
from shellac.errors import ConfigError, DataError
from shellac.files import atomic_folder, read_csv, write_csv

INDEX = "index.csv"
_NUMBERS = {"sample_rate", "channels", "samples"}


@dataclass(frozen=True)
class Corpus:
    """A catalogue entry: what it is, under which licence, and how to obtain it.

    ``obtain(settings, name, target)`` fills the folder ``target`` and returns its recordings.
    """

    summary: str
    licence: str
    obtain: Callable[[Settings, str, Path], list[Recording]]


def _synthesise_piano(settings: Settings, name: str, target: Path) -> list[Recording]:
    from shellac.datasets.synthesis.piano import piano_piece

    return _synthesise(settings, name, target, "piano", piano_piece)


def _synthesise_ensemble(settings: Settings, name: str, target: Path) -> list[Recording]:
    from shellac.datasets.synthesis.ensemble import ensemble_piece
    from shellac.datasets.synthesis.idioms import GENRES

    return _synthesise(settings, name, target, "music", ensemble_piece, GENRES)


def _synthesise_voice(settings: Settings, name: str, target: Path) -> list[Recording]:
    from shellac.datasets.synthesis.voice import VOICES, voice_piece

    return _synthesise(settings, name, target, "speech", voice_piece, VOICES)


def _synthesise_noise(settings: Settings, name: str, target: Path) -> list[Recording]:
    import numpy as np

    from shellac.degradations.record_noise import draw_settings, record_noise

    def noise(seed: int, seconds: float, rate: int) -> np.ndarray:
        rng = np.random.default_rng(seed)
        return record_noise(draw_settings(rng), int(seconds * rate), rate, rng)

    return _synthesise(settings, name, target, "noise", noise)


def _synthesise(
    settings: Settings,
    name: str,
    target: Path,
    role: str,
    make: Callable,
    genres: Sequence[str] = (),
) -> list[Recording]:
    """Make the pieces of one role; where there are genres, ``make`` is told each in turn."""
    try:
        amount = settings.data.synthesis[name]
    except KeyError as error:
        raise ConfigError(f"params.yaml: data.synthesis.{name} is missing") from error
    found = []
    for number in range(amount.pieces):
        own = (genres[number % len(genres)],) if genres else ()
        path = target / f"{'-'.join(own or (role,))}-{number:03d}.flac"
        seed = settings.seed * 100_003 + number
        waveform = make(seed, amount.seconds, amount.sample_rate, *own)
        audio.write(path, waveform, amount.sample_rate, subtype="PCM_16")
        found.append(Found(path, role, *own))
    origin = paths.raw(settings.profile, name).relative_to(paths.root()).as_posix()
    return index.build(settings, origin, target, found, judged=False)


def _adopt_folder(settings: Settings, name: str, target: Path) -> list[Recording]:
    del name, target  # a user's recordings stay where they are
    origin = settings.data.folder
    base = paths.root() / origin
    found = [
        Found(file.path, file.role, group=file.recording, licence=file.licence)
        for file in folder.scan(base)
    ]
    return index.build(settings, origin, base, found, judged=True)


CORPORA: dict[str, Corpus] = {
    "synthesised-piano": Corpus(
        "piano pieces made by this package", "CC0 1.0 (made by a program)", _synthesise_piano
    ),
    "synthesised-ensemble": Corpus(
        "pieces for eight ensembles, each a genre, made by this package",
        "CC0 1.0 (made by a program)", _synthesise_ensemble,
    ),
    "synthesised-voice": Corpus(
        "singing and speech without words, made by this package", "CC0 1.0 (made by a program)",
        _synthesise_voice,
    ),
    "synthesised-noise": Corpus(
        "record surface noise made by this package", "CC0 1.0 (made by a program)",
        _synthesise_noise,
    ),
    "folder": Corpus(
        "your own recordings in data.folder", "as you received them", _adopt_folder
    ),
    "discs": Corpus(
        "the historical recordings that data.discs lists", "each its own", discs.obtain
    ),
    **{
        entry.name: Corpus(entry.title, entry.licence or "none stated", published.obtain)
        for entry in CATALOGUE.values()
    },
}  # fmt: skip


def obtain(settings: Settings, name: str) -> list[Recording]:
    """Fill a corpus's folder under ``data/raw``, whole or not at all, and return its index.

    Raises :class:`DataError` for an unknown corpus or one without a usable recording.
    """
    if name not in CORPORA:
        raise DataError(f"no data set {name!r} is known; there are: {', '.join(CORPORA)}")
    with atomic_folder(paths.raw(settings.profile, name)) as temporary:
        recordings = CORPORA[name].obtain(settings, name, temporary)
        if not any(recording.used == "yes" for recording in recordings):
            raise DataError(f"{name}: not one usable recording was found")
        rows = [asdict(recording) for recording in recordings]
        write_csv(temporary / INDEX, rows, [field.name for field in fields(Recording)])
    return recordings


def read_index(settings: Settings, name: str) -> list[Recording]:
    """Read what :func:`obtain` found; raise :class:`DataError` before it has run."""
    path = paths.raw(settings.profile, name) / INDEX
    if not path.is_file():
        raise DataError(f"corpus {name} is not there yet: run shellac download {name}")
    return [
        Recording(**{key: int(value) if key in _NUMBERS else value for key, value in row.items()})
        for row in read_csv(path)
    ]


def recordings(
    settings: Settings, roles: list[str], split: str, only: Sequence[str] = ()
) -> Iterator[Recording]:
    """Yield the usable recordings of some roles and one split, in a fixed order.

    ``only`` names the corpora to take them from; none stands for all of ``data.corpora``. A
    published list that is validated and tested on is yielded for both splits. Raises
    :class:`DataError` for a corpus that is not among them, or has not been obtained.
    """
    if unknown := set(only) - set(settings.data.corpora):
        raise DataError(
            f"data.corpora does not list {', '.join(sorted(unknown))}, which is asked for"
        )
    for name in settings.data.corpora:
        if only and name not in only:
            continue
        for recording in read_index(settings, name):
            fits = recording.serves(split) if split else not recording.split
            if recording.used == "yes" and recording.role in roles and fits:
                yield recording
