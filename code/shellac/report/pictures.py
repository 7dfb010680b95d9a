"""Spectrogram pictures of recordings of any length, measured block by block."""

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.lib.stride_tricks import sliding_window_view
from scipy.signal.windows import hann

from shellac.files import atomic_path
from shellac.report import figures, style
from shellac.report.figures import HOP_LENGTH, N_FFT, Level

MAX_COLUMNS = 1200  # more than a page shows: neighbouring frames of long recordings are averaged
_SMALLEST_POWER = 1e-20


class Meter:
    """Measures the spectrogram of a recording that comes in blocks, for drawing.

    Frames as in :func:`shellac.report.figures.level`; the power of all channels is averaged, and
    that of neighbouring frames so that there are at most :data:`MAX_COLUMNS`.
    """

    def __init__(self, samples: int, sample_rate: int):
        self._sample_rate = sample_rate
        self.seconds = samples / sample_rate
        self._frames = max(1, 1 + (samples - N_FFT) // HOP_LENGTH)
        self._per_column = -(-self._frames // MAX_COLUMNS)
        columns = -(-self._frames // self._per_column)
        self._power = np.zeros((columns, N_FFT // 2 + 1))
        self._count = np.zeros(columns)
        self._window = hann(N_FFT, sym=False)
        self._pending: np.ndarray | None = None
        self._done = 0

    def append(self, block: np.ndarray) -> None:
        """Take the next samples, (C, n)."""
        block = np.asarray(block, dtype=np.float64)
        pending = block if self._pending is None else np.concatenate((self._pending, block), axis=1)
        if pending.shape[1] >= N_FFT:
            frames = sliding_window_view(pending, N_FFT, axis=1)[:, ::HOP_LENGTH]
            self._add(frames)
            pending = pending[:, frames.shape[1] * HOP_LENGTH :]
        self._pending = pending

    def _add(self, frames: np.ndarray) -> None:
        spectra = np.fft.rfft(frames * (2 / self._window.sum() * self._window))
        power = np.mean(spectra.real**2 + spectra.imag**2, axis=0)
        columns = (self._done + np.arange(len(power))) // self._per_column
        np.add.at(self._power, columns, power)
        np.add.at(self._count, columns, 1)
        self._done += len(power)

    def level(self) -> Level:
        """Return the spectrogram of all that came; a recording shorter than a frame is padded."""
        if self._done == 0 and self._pending is not None:
            missing = N_FFT - self._pending.shape[1]
            self._add(np.pad(self._pending, ((0, 0), (0, missing)))[:, np.newaxis])
        mean = self._power / np.maximum(self._count, 1)[:, np.newaxis]
        hop = HOP_LENGTH / self._sample_rate
        left = N_FFT / 2 / self._sample_rate - hop / 2
        seconds = (left, left + len(mean) * self._per_column * hop)
        frequency_hz = np.fft.rfftfreq(N_FFT, 1 / self._sample_rate)
        return Level(frequency_hz, seconds, 10 * np.log10(np.maximum(mean.T, _SMALLEST_POWER)))


def measure(waveform: np.ndarray, sample_rate: int) -> Level:
    """Return the spectrogram of a whole waveform (C, T), for drawing."""
    meter = Meter(waveform.shape[1], sample_rate)
    meter.append(waveform)
    return meter.level()


def spectrograms(
    levels: Mapping[str, Level], seconds: float, title: str, top_db: float | None = None
) -> Figure:
    """Draw spectrograms one below the other, over the same seconds and on one dB scale.

    Parameters
    ----------
    levels : mapping of panel title to Level
    seconds : float
        Length of the recording; all panels begin at 0.
    title : str
        Above the first panel; taken literally.
    top_db : float or None
        Upper end of the scale; None takes the loudest bin of the first panel.
    """
    top_db = next(iter(levels.values())).top_db if top_db is None else top_db
    with style.context():
        size = (style.PAGE_INCHES, 0.6 + 1.7 * len(levels))
        figure = Figure(figsize=size, layout="constrained")
        panels = list(figure.subplots(len(levels), 1, squeeze=False).flat)
        for axes, (name, drawn) in zip(panels, levels.items(), strict=True):
            image = figures.spectrogram(axes, drawn, top_db)
            axes.set_xlim(0, seconds)
            axes.set_ylim(0, drawn.frequency_hz[-1] / 1000)
            axes.set_ylabel("Frequency (kHz)")
            axes.set_title(name, loc="left", pad=3)
        panels[-1].set_xlabel("Time (s)")
        bar = figure.colorbar(image, ax=panels, aspect=40, pad=0.01, fraction=0.03)
        bar.set_label("Level (dB re loudest bin of the first)" if len(levels) > 1 else "Level (dB)")
        bar.outline.set_visible(False)
        plain = " ".join(title.split())
        figure.suptitle(plain, fontsize=7, x=0.01, ha="left", parse_math=False)
    return figure


def response(hz: Sequence[float], gain_db: Sequence[float], title: str) -> Figure:
    """Draw the gain in dB of a filter over frequencies above 0 Hz."""
    with style.context():
        figure = Figure(figsize=(style.PAGE_INCHES, 2.4), layout="constrained")
        axes = figure.subplots()
        axes.semilogx(hz, gain_db)
        top = max(gain_db)
        axes.set_xlim(max(20.0, min(hz)), max(hz))
        axes.set_ylim(top - 60, top + 5)
        axes.set_xlabel("Frequency (Hz)")
        axes.set_ylabel("Estimated gain (dB)")
        plain = " ".join(title.split())
        figure.suptitle(plain, fontsize=7, x=0.01, ha="left", parse_math=False)
    return figure


def thumbnail(
    level: Level,
    seconds: float,
    sample_rate: int,
    top_db: float,
    inches: tuple[float, float] = (2.4, 0.8),
) -> Figure:
    """Draw one spectrogram without axes, from 0 to half of ``sample_rate``, to stand in a page."""
    with style.context():
        figure = Figure(figsize=inches, dpi=150, facecolor="black")
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_axis_off()
        figures.spectrogram(axes, level, top_db)
        axes.set_xlim(0, seconds)
        axes.set_ylim(0, sample_rate / 2000)
    return figure


def save(figure: Figure, path: Path) -> None:
    """Write a picture as PDF or PNG, atomically and byte-stable; raises :class:`OutputError`."""
    undated = {"CreationDate": None} if Path(path).suffix == ".pdf" else {}
    with style.context(), atomic_path(path) as temporary, warnings.catch_warnings():
        # a file name may have letters that the font lacks: they are drawn as boxes
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        figure.savefig(temporary, metadata=undated, dpi=figure.dpi)
