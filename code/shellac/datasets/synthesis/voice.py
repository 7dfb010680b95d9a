"""A singing and speaking voice: a glottal source, noise of consonants, and moving formants.

Source-filter synthesis after Fant (Acoustic Theory of Speech Production, 1960): glottal pulses with
jitter and shimmer, and noise, pass a cascade of resonances that glides from sound to sound. Above
the formants of speech the cascade goes on as that of a neutral tube, so that the voice has its full
band. Vowel formants: Peterson and Barney, J. Acoust. Soc. Am. 24 (1952), scaled by the length of
the tract; the singer's formant: Sundberg, J. Acoust. Soc. Am. 55 (1974).
"""

from dataclasses import dataclass

import numpy as np
from scipy import fft, signal

from shellac.datasets.synthesis import control
from shellac.datasets.synthesis.room import finish, in_room
from shellac.datasets.synthesis.syllables import Syllable, recite, sing

_PERIOD = 4096
_LEVELS_PER_OCTAVE = 4
_LOWEST_HZ, _OCTAVES = 50.0, 5
_WINDOW_SECONDS = 0.023
_FRAMES_AT_ONCE = 256  # bounds the memory, and stays in the cache
_GLIDE_SECONDS = 0.05

VOWELS = {  # F1 to F4 in Hz of a man's tract
    "a": (730, 1090, 2440, 3500), "e": (480, 1900, 2500, 3500), "i": (280, 2250, 2950, 3600),
    "o": (500, 860, 2410, 3300), "u": (310, 870, 2250, 3200), "ae": (660, 1720, 2410, 3500),
    "er": (490, 1350, 1690, 3300), "ah": (640, 1190, 2390, 3400),
}  # fmt: skip
_VOICED = {  # formants and strength of voiced consonants
    "m": ((260, 1050, 2200, 3300), 0.35), "n": ((280, 1650, 2500, 3400), 0.35),
    "l": ((360, 1150, 2700, 3500), 0.5), "r": ((380, 1250, 1600, 3200), 0.5),
    "w": ((300, 650, 2200, 3200), 0.5), "j": ((270, 2300, 3000, 3600), 0.45),
}  # fmt: skip
_HISSED = {  # centre in Hz, width in octaves, strength, seconds
    "s": (7000.0, 0.55, 0.4, 0.09), "sh": (3600.0, 0.6, 0.45, 0.09), "f": (6000.0, 1.6, 0.15, 0.08),
    "t": (4500.0, 0.8, 0.5, 0.03), "k": (2300.0, 0.6, 0.5, 0.04), "p": (900.0, 1.2, 0.4, 0.025),
    "z": (6500.0, 0.6, 0.25, 0.07),
}  # fmt: skip
CONSONANTS = ("", *_VOICED, *_HISSED)
VOICES = ("bass", "tenor", "alto", "soprano", "man speaking", "woman speaking")
_RANGES = {"bass": 45, "tenor": 53, "alto": 58, "soprano": 65}  # lowest key of a singer's melody


@dataclass(frozen=True)
class Throat:
    """One voice."""

    tract: float  # length factor on the formants of a man
    fall_db: float  # of the source per octave, radiation included
    breath_db: float
    jitter: float  # relative, from pulse to pulse
    vibrato_hz: float
    vibrato_cents: float
    ring_db: float  # of the singer's formant near 3 kHz
    bandwidth: float  # factor on the formants' widths
    portamento_seconds: float


def draw_throat(kind: str, rng: np.random.Generator) -> Throat:
    """Draw a voice of one of :data:`VOICES`."""
    tract = {"bass": 0.95, "tenor": 1.04, "alto": 1.13, "soprano": 1.18, "man speaking": 1.0,
             "woman speaking": 1.16}[kind]  # fmt: skip
    speaking = "speaking" in kind
    low = kind in {"bass", "tenor"}
    return Throat(
        tract=tract * float(rng.uniform(0.95, 1.05)),
        fall_db=float(rng.uniform(5.0, 8.0) if speaking else rng.uniform(4.5, 7.0)),
        breath_db=float(rng.uniform(-30.0, -20.0)),
        jitter=float(rng.uniform(0.004, 0.012) if speaking else rng.uniform(0.002, 0.005)),
        vibrato_hz=float(rng.uniform(4.8, 6.4)),
        vibrato_cents=0.0 if speaking else float(rng.uniform(20.0, 70.0)),
        ring_db=float(rng.uniform(6.0, 14.0)) if low else float(rng.uniform(0.0, 6.0)),
        bandwidth=float(rng.uniform(0.9, 1.4)),
        portamento_seconds=0.05 if speaking else float(rng.uniform(0.04, 0.09)),
    )


@dataclass
class _Tracks:
    """Curves at the control rate, (N + 1,) each; ``formant_hz`` is (N + 1, 4)."""

    pitch_hz: np.ndarray
    voicing: np.ndarray
    hiss: np.ndarray
    hiss_hz: np.ndarray
    hiss_octaves: np.ndarray
    formant_hz: np.ndarray


def _held(times: np.ndarray, starts: list[float], values: np.ndarray) -> np.ndarray:
    """Return at ``times`` the value that started last."""
    index = np.clip(np.searchsorted(np.array(starts), times, side="right") - 1, 0, None)
    return values[index]


def _smooth(curve: np.ndarray, seconds: float, sample_rate: int) -> np.ndarray:
    """Return (N,) or (N, K) curves glided over ``seconds``."""
    width = max(3, int(seconds * sample_rate / control.HOP) | 1)
    kernel = np.hanning(width + 2)[1:-1]
    padded = np.pad(curve, [(width // 2, width // 2)] + [(0, 0)] * (curve.ndim - 1), mode="edge")
    kernel = (kernel / kernel.sum()).reshape(-1, *[1] * (curve.ndim - 1))
    return signal.oaconvolve(padded, kernel, mode="valid", axes=0)


def _tracks(
    syllables: list[Syllable], throat: Throat, samples: int, rate: int, rng: np.random.Generator
) -> _Tracks:
    times = control.times(samples, rate)
    starts, formants, voicing = [0.0], [VOWELS["ah"]], [0.0]
    hiss = np.zeros(len(times))
    hiss_hz, hiss_octaves = np.full(len(times), 5000.0), np.full(len(times), 1.0)
    for syllable in syllables:
        at, vowel_at = syllable.start_seconds, syllable.start_seconds
        if syllable.consonant in _VOICED:
            shape, strength = _VOICED[syllable.consonant]
            starts.append(at)
            formants.append(shape)
            voicing.append(strength * syllable.strength)
            vowel_at = at + 0.07
        elif syllable.consonant in _HISSED:
            centre_hz, octaves, strength, length = _HISSED[syllable.consonant]
            starts.append(at)
            formants.append(VOWELS[syllable.vowel])
            voicing.append(0.15 * syllable.strength if syllable.consonant == "z" else 0.0)
            begin = at + 0.03
            shape = np.clip((times - begin) / 0.012, 0, 1) * np.clip(
                (begin + length - times) / 0.02, 0, 1
            )
            hiss += strength * syllable.strength * shape
            near = (times > begin - 0.03) & (times < begin + length + 0.03)
            hiss_hz[near], hiss_octaves[near] = centre_hz, octaves
            vowel_at = begin + length
        for part, vowel in enumerate((syllable.vowel, syllable.glide)):
            if vowel:
                starts.append(vowel_at + part * 0.55 * (syllable.stop_seconds - vowel_at))
                formants.append(VOWELS[vowel])
                voicing.append(syllable.strength)
        starts.append(max(syllable.stop_seconds, starts[-1] + 0.03))
        formants.append(formants[-1])
        voicing.append(0.0)
    order = np.argsort(starts, kind="stable")
    starts = list(np.array(starts)[order])
    formant_hz = throat.tract * np.array(formants, float)[order]
    return _Tracks(
        pitch_hz=_pitch(syllables, throat, times, rate, rng),
        voicing=_smooth(_held(times, starts, np.array(voicing)[order]), 0.035, rate),
        hiss=hiss,
        hiss_hz=hiss_hz,
        hiss_octaves=hiss_octaves,
        formant_hz=_smooth(_held(times, starts, formant_hz), _GLIDE_SECONDS, rate),
    )


def _pitch(
    syllables: list[Syllable],
    throat: Throat,
    times: np.ndarray,
    rate: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """Return the fundamental (N + 1,) in Hz: glides, vibrato, drift, jitter."""
    starts = [0.0, *(syllable.start_seconds for syllable in syllables)]
    octaves = [np.log2(syllable.pitch_hz) for syllable in syllables] or [np.log2(_LOWEST_HZ)]
    level = _held(times, starts, np.array([octaves[0], *octaves]))
    fall = _held(times, starts, np.array([0.0, *(syllable.fall for syllable in syllables)]))
    since = times - _held(times, starts, np.array(starts))
    level = _smooth(level + fall * np.clip(since, 0.0, 1.0), throat.portamento_seconds, rate)
    speed_hz = throat.vibrato_hz * (1 + 0.07 * control.wander(rng, len(times), 200.0))
    turn = 2 * np.pi * np.cumsum(speed_hz) * control.HOP / rate
    growing = np.clip((since - 0.15) / 0.4, 0.0, 1.0)
    cents = throat.vibrato_cents * _smooth(growing, 0.1, rate) * np.sin(turn)
    cents = cents + 6.0 * control.wander(rng, len(times), 60.0)
    jitter = throat.jitter * rng.standard_normal(len(times))
    return np.clip(2.0 ** (level + cents / 1200.0) * (1 + jitter), _LOWEST_HZ, 1400.0)


def _glottis(
    tracks: _Tracks, throat: Throat, samples: int, rate: int, rng: np.random.Generator
) -> np.ndarray:
    """Return the pulses (samples,): tables by pitch, each with the harmonics its pitch allows."""
    count = _LEVELS_PER_OCTAVE * _OCTAVES
    tables = []
    for level in range(count):
        top_hz = _LOWEST_HZ * 2.0 ** ((level + 1) / _LEVELS_PER_OCTAVE)
        number = np.arange(1, max(2, int(0.46 * rate / top_hz)))
        number = number[number < _PERIOD // 4]
        amplitude = number ** (-throat.fall_db / 6.02) / np.sqrt(1 + (number / 3.0) ** -2)
        tables.append(control.period(amplitude, -0.5 * np.pi - 0.3 * np.log(number), _PERIOD))
    stacked = np.array(tables)
    phase = control.cycles(tracks.pitch_hz, rate, samples) * np.float32(_PERIOD)
    highest = np.maximum(tracks.pitch_hz[:-1], tracks.pitch_hz[1:])
    level = np.clip(np.floor(_LEVELS_PER_OCTAVE * np.log2(highest / _LOWEST_HZ)), 0, count - 1)
    index = phase.astype(np.int64)
    phase -= index
    index &= _PERIOD - 1
    index += np.repeat(level.astype(np.int64) * (_PERIOD + 1), control.HOP)[:samples]
    flat = stacked.reshape(-1)
    wave = flat[index]
    wave += phase * (flat[index + 1] - wave)
    shimmer = 1.0 + 6 * throat.jitter * rng.standard_normal(len(tracks.voicing))
    return wave * control.raised(tracks.voicing * shimmer, samples)


def _resonances(formant_hz: np.ndarray, throat: Throat, frequency_hz: np.ndarray) -> np.ndarray:
    """Return the response (N, F) of a tract with four moving formants (N, 4) and all above."""
    square, line = frequency_hz**2, 1j * frequency_hz
    response = np.ones((len(formant_hz), len(frequency_hz)), np.complex64)
    for k, width_hz in enumerate((70.0, 90.0, 130.0, 190.0)):
        centre = formant_hz[:, k : k + 1].astype(np.float32)
        wide = np.float32(throat.bandwidth * width_hz)
        response *= centre**2 / (centre**2 - square + wide * line).astype(np.complex64)
    fixed = np.ones(len(frequency_hz), np.complex128)
    above_hz = throat.tract * 4500.0
    while above_hz < frequency_hz[-1] * 4:  # those above the band still lift its upper end
        width_hz = throat.bandwidth * (200.0 + 0.02 * (above_hz - 4500.0))
        fixed *= above_hz**2 / (above_hz**2 - square + width_hz * line)
        above_hz += throat.tract * 1000.0
    ring = 10 ** (throat.ring_db / 20) - 1.0
    fixed *= 1 + ring / (1 + ((frequency_hz - 2900.0 * throat.tract**0.5) / 450.0) ** 2)
    return response * fixed.astype(np.complex64)


def _speak(
    tracks: _Tracks, throat: Throat, samples: int, rate: int, rng: np.random.Generator
) -> np.ndarray:
    """Return the dry voice (samples,): source and noise, filtered frame by frame."""
    window = 1 << round(np.log2(_WINDOW_SECONDS * rate))
    hop = window // 4
    pulses = _glottis(tracks, throat, samples, rate, rng)
    noise = rng.standard_normal(samples, dtype=np.float32)
    breath = 10 ** (throat.breath_db / 20) * tracks.voicing
    pulses += control.raised(breath, samples) * np.diff(noise, prepend=noise[:1])
    noise *= control.raised(tracks.hiss, samples)
    frames = samples // hop + 4
    padded = np.zeros((2, (frames + 4) * hop), np.float32)
    padded[:, window - hop : window - hop + samples] = pulses, noise
    cut = np.lib.stride_tricks.sliding_window_view(padded, window, axis=1)[:, ::hop][:, :frames]
    taper = (0.5 * signal.get_window("hann", window)).astype(np.float32)
    centre = (np.arange(frames) - 3) * hop + window // 2
    at = np.clip(centre // control.HOP, 0, len(tracks.hiss) - 1)
    out = np.zeros((frames + 7) * hop, np.float32)
    for start in range(0, frames, _FRAMES_AT_ONCE):
        some = slice(start, min(start + _FRAMES_AT_ONCE, frames))
        wave = _filtered(cut[:, some] * taper, tracks, at[some], throat, rate)
        for k in range(8):  # each eighth of every frame falls on a place of its own
            place = slice((k + some.start) * hop, (k + some.stop) * hop)
            out[place] += wave[:, k * hop : (k + 1) * hop].reshape(-1)
    return out[window - hop : window - hop + samples]


def _filtered(
    cut: np.ndarray, tracks: _Tracks, at: np.ndarray, throat: Throat, rate: int
) -> np.ndarray:
    """Return frames (N, 2 L) of source and noise (2, N, L) as the throat has them ``at`` (N,)."""
    n_fft = 2 * cut.shape[-1]
    spectrum = fft.rfft(cut, n_fft)
    frequency_hz = fft.rfftfreq(n_fft, 1.0 / rate).astype(np.float32)
    total = spectrum[0] * _resonances(tracks.formant_hz[at], throat, frequency_hz)
    octave = np.log2(np.maximum(frequency_hz, 20.0)) - np.log2(tracks.hiss_hz[at])[:, None]
    shape = 1.0 / (1.0 + (octave / tracks.hiss_octaves[at][:, None]) ** 4)
    return fft.irfft(total + spectrum[1] * shape.astype(np.float32), n_fft)


def voice_piece(
    seed: int, seconds: float, sample_rate: int = 44100, kind: str = VOICES[0]
) -> np.ndarray:
    """Sing or recite without words, with a voice and in a room of its own.

    Parameters
    ----------
    seed : int
        Decides everything but the kind: text, tune, voice, room, microphone.
    seconds : float
    sample_rate : int
        In Hz.
    kind : str
        One of :data:`VOICES`.

    Returns
    -------
    float32 (T,), T = round(seconds * sample_rate), peak between 0.5 and 0.9
    """
    rng = np.random.default_rng([seed, 100 + VOICES.index(kind)])
    samples = round(seconds * sample_rate)
    throat = draw_throat(kind, rng)
    sounds = tuple(VOWELS), CONSONANTS
    if kind in _RANGES:
        syllables = sing(seconds, _RANGES[kind], sounds, rng)
    else:
        middle_hz = (
            rng.uniform(95.0, 135.0) if kind.startswith("man") else rng.uniform(170.0, 230.0)
        )
        syllables = recite(seconds, middle_hz, sounds, rng)
    tracks = _tracks(syllables, throat, samples, sample_rate, rng)
    dry = _speak(tracks, throat, samples, sample_rate, rng)
    longest = 0.6 if "speaking" in kind else 1.8
    return finish(in_room(dry, rng, sample_rate, (0.15, longest)), rng)
