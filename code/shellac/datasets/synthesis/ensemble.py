"""Eight ensembles, each a genre of its own: an idiom, its instruments, a room.

Everything of an instrument is drawn per piece (body, bow or reed, vibrato, pitch), so that two
pieces of one genre are played by two bands.
"""

import numpy as np

from shellac.datasets.synthesis.arranging import arrange
from shellac.datasets.synthesis.drums import Kit
from shellac.datasets.synthesis.idioms import GENRES, IDIOMS
from shellac.datasets.synthesis.instruments import (
    DRUMS,
    LEVEL_DB,
    PIANO,
    draw_pluck,
    draw_timbre,
    is_plucked,
)
from shellac.datasets.synthesis.piano import Strings, draw_instrument, perform
from shellac.datasets.synthesis.plucked import PluckedStrings
from shellac.datasets.synthesis.room import finish, in_room, soundboard
from shellac.datasets.synthesis.score import Note
from shellac.datasets.synthesis.tones import Player

_T60_SECONDS = {"organ-chorale": (1.5, 3.0), "brass-band": (0.3, 2.0)}


def _play(
    name: str, notes: list[Note], samples: int, a4_hz: float, sample_rate: int,
    rng: np.random.Generator,
) -> np.ndarray:  # fmt: skip
    if name == DRUMS:
        return Kit(sample_rate, rng).play(notes, samples)
    if name == PIANO:
        instrument = draw_instrument(rng)
        strings = Strings(instrument, sample_rate, rng)
        return soundboard(
            perform(notes, strings, samples, instrument.damper_seconds), rng, sample_rate
        )
    if is_plucked(name):
        pluck = draw_pluck(name, a4_hz, rng)
        strings = PluckedStrings(pluck, sample_rate, rng)
        return strings.body(perform(notes, strings, samples, pluck.damper_seconds))
    return Player(draw_timbre(name, rng), sample_rate, rng).play(notes, samples, a4_hz)


def ensemble_piece(
    seed: int, seconds: float, sample_rate: int = 44100, genre: str = GENRES[0]
) -> np.ndarray:
    """Compose and play a piece for one of eight ensembles.

    Parameters
    ----------
    seed : int
        Decides everything but the genre: notes, players, instruments, room, microphone.
    seconds : float
    sample_rate : int
        In Hz.
    genre : str
        One of :data:`GENRES`.

    Returns
    -------
    float32 (T,), T = round(seconds * sample_rate), peak between 0.5 and 0.9
    """
    rng = np.random.default_rng([seed, GENRES.index(genre)])
    samples = round(seconds * sample_rate)
    a4_hz = float(rng.uniform(430.0, 448.0))
    dry = np.zeros(samples, np.float32)
    for name, notes in arrange(IDIOMS[genre], seconds, rng).items():
        sound = _play(name, notes, samples, a4_hz, sample_rate, rng)
        sounding = np.square(sound[np.abs(sound) > 1e-4 * np.abs(sound).max(initial=1e-9)])
        level = np.sqrt(sounding.mean()) if len(sounding) else 1.0
        gain_db = LEVEL_DB.get(name, 0.0) + rng.normal(0.0, 1.5)
        dry += np.float32(10 ** (gain_db / 20) / level) * sound
    heard = in_room(dry, rng, sample_rate, _T60_SECONDS.get(genre, (0.25, 1.6)))
    return finish(heard, rng)
