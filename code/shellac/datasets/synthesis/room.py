"""The way from the strings to the microphone: soundboard, early reflections, decaying tail."""

import numpy as np
from scipy import fft, signal

_TAIL_BANDS_HZ = (250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0)
T60_SECONDS = (0.25, 1.6)
_SHELVES_HZ = (200.0, 3000.0)
_SHELF_DB = 4.0


def soundboard_response(rng: np.random.Generator, sample_rate: int) -> np.ndarray:
    """Draw an impulse response (L,) of a board: the direct sound and a few dozen damped modes.

    The modes give every instrument its own colour of some decibels between 70 Hz and 4 kHz.
    """
    modes = 70
    time = np.arange(int(0.12 * sample_rate)) / sample_rate
    limit_hz = min(4000.0, 0.4 * sample_rate)
    frequency_hz = np.sort(70.0 * (limit_hz / 70.0) ** rng.random(modes))
    decay_seconds = rng.uniform(0.012, 0.04, modes) * (200.0 / frequency_hz) ** 0.3
    gain = rng.normal(0.0, 1.0, modes) / (decay_seconds * sample_rate)
    wave = np.sin(2 * np.pi * frequency_hz[:, None] * time)
    response = (0.5 * gain[:, None] * wave * np.exp(-time / decay_seconds[:, None])).sum(axis=0)
    response[0] += 1.0
    return response


def _tail(rng: np.random.Generator, sample_rate: int, t60_seconds: float) -> np.ndarray:
    """Draw a diffuse tail (L,) of unit energy; the treble dies away faster than the bass."""
    length = int(1.1 * t60_seconds * sample_rate)
    spectrum = fft.rfft(rng.standard_normal(length))
    frequency_hz = fft.rfftfreq(length, 1.0 / sample_rate)
    time = np.arange(length) / sample_rate
    tilt = rng.uniform(0.25, 0.5)
    edges = (0.0, *(band for band in _TAIL_BANDS_HZ if band < sample_rate / 2), np.inf)
    tail = np.zeros(length)
    for low, high in zip(edges[:-1], edges[1:], strict=True):
        centre_hz = max(low * 1.4, 180.0)
        seconds = t60_seconds * (500.0 / max(centre_hz, 500.0)) ** tilt
        weight = (500.0 / max(centre_hz, 500.0)) ** 0.4
        inside = (frequency_hz >= low) & (frequency_hz < high)
        band = fft.irfft(np.where(inside, spectrum, 0.0), length)
        tail += weight * band * np.exp(-6.91 * time / seconds)
    rise = int(0.012 * sample_rate)
    tail[:rise] *= np.linspace(0.0, 1.0, rise)
    return tail / np.sqrt(np.square(tail).sum())


def room_response(
    rng: np.random.Generator, sample_rate: int, t60_seconds: tuple[float, float] = T60_SECONDS
) -> np.ndarray:
    """Draw an impulse response (L,) from instrument to microphone; the direct sound is 1 at 0.

    By default from a dry studio (0.25 s) to a small hall (1.6 s): sparse early reflections of the
    six walls and their images, then a diffuse tail.
    """
    shortest, longest = t60_seconds
    tail = _tail(rng, sample_rate, float(shortest * (longest / shortest) ** rng.random()))
    response = 10 ** (rng.uniform(-16.0, -5.0) / 20) * tail
    response[0] += 1.0
    delays_seconds = np.sort(0.003 + 0.06 * rng.random(14) ** 1.5)
    for delay in delays_seconds:
        at = int(delay * sample_rate)
        gain = 0.35 * rng.uniform(0.4, 1.0) * rng.choice((-1.0, 1.0)) * 0.004 / (0.004 + delay)
        response[at : at + 2] += 0.5 * gain  # two taps: walls absorb treble
    return response


def place(dry: np.ndarray, rng: np.random.Generator, sample_rate: int) -> np.ndarray:
    """Return the sound (T,) of dry strings (T,) heard over a drawn soundboard and room."""
    board = soundboard_response(rng, sample_rate)
    response = signal.fftconvolve(board, room_response(rng, sample_rate))
    return signal.oaconvolve(dry, response.astype(dry.dtype))[: len(dry)]


def soundboard(dry: np.ndarray, rng: np.random.Generator, sample_rate: int) -> np.ndarray:
    """Return the sound (T,) of dry strings (T,) over a drawn board, without a room."""
    board = soundboard_response(rng, sample_rate).astype(dry.dtype)
    return signal.oaconvolve(dry, board)[: len(dry)]


def _microphone(response: np.ndarray, rng: np.random.Generator, sample_rate: int) -> np.ndarray:
    """Return a response (L,) with bass and treble raised or lowered by some decibels."""
    size = fft.next_fast_len(2 * len(response), real=True)
    frequency_hz = fft.rfftfreq(size, 1.0 / sample_rate)
    gain = np.ones(len(frequency_hz), np.complex128)
    for corner_hz, below in zip(_SHELVES_HZ, (True, False), strict=True):
        step = 10 ** (rng.uniform(-_SHELF_DB, _SHELF_DB) / 20)
        s = 1j * frequency_hz / corner_hz
        low, high = (step, 1.0) if below else (1.0, step)
        gain *= (low + high * s) / (1 + s)
    return fft.irfft(fft.rfft(response, size) * gain, size)[: len(response)]


def in_room(
    dry: np.ndarray,
    rng: np.random.Generator,
    sample_rate: int,
    t60_seconds: tuple[float, float] = T60_SECONDS,
) -> np.ndarray:
    """Return the sound (T,) of players or a singer (T,) in a drawn room, before a microphone."""
    response = _microphone(room_response(rng, sample_rate, t60_seconds), rng, sample_rate)
    return signal.oaconvolve(dry, response.astype(dry.dtype))[: len(dry)]


def finish(heard: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return float32 (T,) with a microphone's faint noise and a peak between 0.5 and 0.9."""
    peak = float(np.abs(heard).max(initial=0.0)) or 1.0
    microphone_db = rng.uniform(-92.0, -80.0)
    heard = heard / peak + 10 ** (microphone_db / 20) * rng.standard_normal(len(heard))
    return (heard * rng.uniform(0.5, 0.9)).astype(np.float32)
