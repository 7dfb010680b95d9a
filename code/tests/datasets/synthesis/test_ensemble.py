"""The ensembles: eight genres that differ, full band, clean, and the same for the same seed."""

import numpy as np
import pytest
from scipy import signal

from shellac import config
from shellac.datasets import gate
from shellac.datasets.synthesis.ensemble import ensemble_piece
from shellac.datasets.synthesis.idioms import GENRES

RATE = 44100


@pytest.fixture(scope="module")
def pieces():
    return {genre: ensemble_piece(5, 5.0, RATE, genre) for genre in GENRES}


def third_octaves_db(x):
    frequency_hz, power = signal.welch(x, RATE, nperseg=8192)
    edges = 125.0 * 2.0 ** (np.arange(22) / 3)
    return 10 * np.log10([
        power[(frequency_hz >= low) & (frequency_hz < high)].mean() / power.mean()
        for low, high in zip(edges[:-1], edges[1:], strict=True)
    ])  # fmt: skip


def test_there_are_eight_genres():
    assert len(GENRES) == 8


@pytest.mark.parametrize("genre", GENRES)
def test_shape_level_and_type(pieces, genre):
    piece = pieces[genre]
    assert piece.shape == (5 * RATE,)
    assert piece.dtype == np.float32
    assert np.isfinite(piece).all()
    assert 0.49 < np.abs(piece).max() < 0.91
    assert -32 < 20 * np.log10(piece.std()) < -10
    assert abs(piece.mean()) < 0.003


def test_every_piece_passes_the_gate(pieces, folder_root):
    settings = config.load().data.gate
    for genre, piece in pieces.items():
        found = gate.examine(piece[None], RATE)
        assert gate.verdict(found, settings) is None, genre
        assert found.bandwidth_hz > 14000  # between the partials of few players it is dark
        assert found.clipped_fraction == 0


def test_every_genre_fills_the_band(pieces):
    for genre, piece in pieces.items():
        frequency_hz, power = signal.welch(piece, RATE, nperseg=4096)
        share = power[(frequency_hz > 12000) & (frequency_hz < 16000)].sum() / power.sum()
        assert -65 < 10 * np.log10(share) < -18, genre


def test_no_two_pieces_share_their_long_term_spectrum(pieces):
    again = [ensemble_piece(6, 5.0, RATE, genre) for genre in GENRES[:2]]
    levels = [third_octaves_db(piece) for piece in [*pieces.values(), *again]]
    apart = [
        np.sqrt(np.square(first - second).mean())
        for i, first in enumerate(levels)
        for second in levels[:i]
    ]
    assert min(apart) > 1.5
    assert np.median(apart) > 4.0


def test_the_seed_decides_everything():
    first = ensemble_piece(7, 1.5, RATE, "swing-combo")
    assert np.array_equal(ensemble_piece(7, 1.5, RATE, "swing-combo"), first)
    assert not np.array_equal(ensemble_piece(8, 1.5, RATE, "swing-combo"), first)


@pytest.mark.parametrize("genre", GENRES)
@pytest.mark.parametrize("sample_rate", [8000, 96000])
def test_any_rate_and_length(genre, sample_rate):
    for seconds in (0.001, 0.6):
        x = ensemble_piece(1, seconds, sample_rate, genre)
        assert x.shape == (round(seconds * sample_rate),)
        assert np.isfinite(x).all()
