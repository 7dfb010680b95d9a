"""Synthesised corpora: seconds of sound per second of CPU, and how far apart their spectra lie."""

import itertools
import time
from collections.abc import Callable, Iterator

import numpy as np
from scipy import signal

from shellac.datasets.synthesis.ensemble import ensemble_piece
from shellac.datasets.synthesis.idioms import GENRES
from shellac.datasets.synthesis.piano import piano_piece
from shellac.datasets.synthesis.voice import VOICES, voice_piece
from shellac.degradations.record_noise import draw_settings, record_noise

SAMPLE_RATE = 44100
_EDGES_HZ = 62.5 * 2.0 ** (np.arange(25) / 3)


def noise(seed: int, seconds: float) -> np.ndarray:
    """Make record noise (T,) by the settings that a seed draws."""
    rng = np.random.default_rng(seed)
    return record_noise(draw_settings(rng), int(seconds * SAMPLE_RATE), SAMPLE_RATE, rng)


MAKERS: dict[str, Callable[[int, float], np.ndarray]] = {
    "piano": lambda seed, seconds: piano_piece(seed, seconds, SAMPLE_RATE),
    "ensemble": lambda seed, seconds: ensemble_piece(
        seed, seconds, SAMPLE_RATE, GENRES[seed % len(GENRES)]
    ),
    "voice": lambda seed, seconds: voice_piece(
        seed, seconds, SAMPLE_RATE, VOICES[seed % len(VOICES)]
    ),
    "record noise": noise,
}


def long_term_db(x: np.ndarray) -> np.ndarray:
    """Return the mean levels (24,) of the third octaves from 62.5 Hz to 16 kHz over the whole."""
    frequency_hz, power = signal.welch(x, SAMPLE_RATE, nperseg=8192)
    bands = [
        power[(frequency_hz >= low) & (frequency_hz < high)].mean()
        for low, high in itertools.pairwise(_EDGES_HZ)
    ]
    return 10 * np.log10(np.array(bands) / power.mean())


def measure(audio_seconds: float = 20.0, pieces: int = 16) -> Iterator[dict[str, object]]:
    """Yield one row per corpus.

    ``times_real_time`` is per core; ``nearest_db`` and ``median_db`` are the RMS differences of
    the long-term spectra of two pieces, over all pairs; ``spread_db`` is the standard deviation
    of a third octave's level over the pieces, in the mean over third octaves.
    """
    for name, make in MAKERS.items():
        make(0, 1.0)  # imports and plans are not the corpus's
        start = time.process_time()
        made = [make(seed, audio_seconds) for seed in range(pieces)]
        seconds = time.process_time() - start
        levels = [long_term_db(x) for x in made]
        apart = [np.sqrt(np.square(a - b).mean()) for a, b in itertools.combinations(levels, 2)]
        yield {
            "what": f"{name}, {pieces} x {audio_seconds:g} s",
            "cpu_seconds": seconds,
            "times_real_time": pieces * audio_seconds / seconds,
            "nearest_db": float(min(apart)),
            "median_db": float(np.median(apart)),
            "spread_db": float(np.std(levels, axis=0).mean()),
        }
