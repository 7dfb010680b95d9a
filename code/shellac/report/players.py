"""What notebooks show and play: figures, and every condition of an excerpt beside its sound."""

import base64
import html
import io

import numpy as np
import soundfile
from IPython.display import HTML, Audio, Image
from matplotlib.figure import Figure

from shellac.report import figures, style
from shellac.report.results import Excerpt

_ROW = (
    '<tr><td style="background:{colour};width:0.8em"></td>'
    '<td style="text-align:left;padding:0 1em">{label}</td>'
    '<td><img alt="spectrogram, {label}" src="data:image/png;base64,{picture}"/></td>'
    "<td>{player}</td></tr>"
)


def picture(figure: Figure) -> Image:
    """Return a figure as it will be saved, for the screen."""
    return Image(data=_png(figure, dpi=130), format="png")


def comparison(excerpt: Excerpt, cutoff_hz: float | None, seconds: float, notice: str = "") -> HTML:
    """Return a table of players for the first ``seconds`` of an excerpt, 16-bit, embedded.

    The recordings are level-matched and aligned already; they are played as they are. The
    caption holds track, exact time and, if given, the notice. ``cutoff_hz`` is marked, if given.
    """
    length = min(int(seconds * excerpt.sample_rate), round(excerpt.seconds * excerpt.sample_rate))
    top_db = figures.level(excerpt.waveforms["reference"][:length], excerpt.sample_rate).top_db
    rows = [
        _row(name, waveform[:length], excerpt.sample_rate, cutoff_hz, top_db)
        for name, waveform in sorted(
            excerpt.waveforms.items(), key=lambda item: style.drawing_order(item[0])
        )
    ]
    stop = excerpt.start_seconds + length / excerpt.sample_rate
    caption = f"{excerpt.track}, {excerpt.start_seconds:.2f} to {stop:.2f} s. {notice}"
    return HTML(
        f'<table><caption style="text-align:left">{html.escape(caption)}</caption>'
        f"{''.join(rows)}</table>"
    )


def _row(
    name: str, waveform: np.ndarray, sample_rate: int, cutoff_hz: float | None, top_db: float
) -> str:
    look = style.look(name)
    drawn = figures.thumbnail(waveform, sample_rate, cutoff_hz, top_db)
    return _ROW.format(
        colour=look.colour,
        label=html.escape(look.label),
        picture=base64.b64encode(_png(drawn)).decode("ascii"),
        player=Audio(data=_wav(waveform, sample_rate))._repr_html_(),
    )


def _png(figure: Figure, dpi: int = 100) -> bytes:
    written = io.BytesIO()
    with style.context():
        figure.savefig(written, format="png", dpi=dpi)
    return written.getvalue()


def _wav(waveform: np.ndarray, sample_rate: int) -> bytes:
    written = io.BytesIO()
    soundfile.write(written, waveform, sample_rate, format="WAV", subtype="PCM_16")
    return written.getvalue()
