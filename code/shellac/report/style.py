"""How figures look: sizes of the printed page, fonts, one look per method, stable bytes.

A method has one :class:`Look` wherever it is drawn, heard or tabulated. The colours differ in
lightness as well as in hue, so that they survive greyscale print and colour-blind readers; line
styles and markers tell the same story a third time.
"""

import contextlib
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl

from shellac.errors import UsageError

# The manuscript is A4 with margins of 18 mm and a gutter of 6 mm: figures are drawn at that size.
COLUMN_INCHES = 84 / 25.4
PAGE_INCHES = 174 / 25.4
LEVEL_COLOURS = "magma"  # of spectrograms: lightness rises with level
MUTED = "#555555"


@dataclass(frozen=True)
class Look:
    """Name and appearance of one method or condition."""

    label: str
    colour: str
    line: str | tuple[int, tuple[int, ...]]
    marker: str


LOOKS = {
    "reference": Look("Reference", "#000000", "-", "s"),
    "low_rate": Look("Low rate", "#a6a6a6", ":", "x"),
    "spline": Look("Cubic spline", "#e3b23c", (0, (1, 1)), "o"),
    "band_copy": Look("Band copy", "#3fa67c", (0, (4, 1, 1, 1)), "^"),
    "audiounet": Look("AudioUNet", "#c8501e", (0, (5, 1.5)), "D"),
    "tfilm": Look("TFiLM U-Net", "#1f4e8c", "-", "v"),
    "tfilm_legacy": Look("TFiLM, published mode", "#155bc8", (0, (3, 1, 1, 1, 1, 1)), "<"),
    "afilm": Look("AFiLM U-Net", "#5a0a5f", (0, (8, 2)), ">"),
}
# Conditions of inpainting: the networks are many, so that one at a time has a look.
INPAINTING_LOOKS = {
    "reference": LOOKS["reference"],
    "damaged": Look("Damaged", "#a6a6a6", ":", "x"),
    "hold": Look("Hold", "#e3b23c", (0, (1, 1)), "o"),
    "linear": Look("Linear interpolation", "#3fa67c", (0, (4, 1, 1, 1)), "^"),
    "autoregressive": Look("Autoregressive", "#c8501e", (0, (5, 1.5)), "D"),
    "autoregressive_two_orders": Look("Autoregressive, two orders", "#5a1d0a", (0, (2, 1)), "P"),
    "network": Look("Network", "#1f4e8c", "-", "v"),
}
DENOISING_LOOKS = {
    "noisy": Look("Noisy", "#a6a6a6", ":", "x"),
    "declicked": Look("Clicks repaired", "#e3b23c", (0, (1, 1)), "o"),
    "classical": Look("Classical", "#3fa67c", (0, (4, 1, 1, 1)), "^"),
    "classical_profile": Look("Classical, given profile", "#c8501e", (0, (5, 1.5)), "D"),
    "unet_22k": Look("Two-stage U-Net", "#1f4e8c", "-", "v"),
    "oracle_mask": Look("Oracle mask", "#555555", (0, (8, 2)), ">"),
    "residual": Look("Residual", "#b0306a", "--", "P"),
}
BANDWIDTH_LOOKS = {
    "reference": LOOKS["reference"],
    "low_passed": Look("Low-passed", "#e3b23c", (0, (1, 1)), "o"),
    "band_copy": LOOKS["band_copy"],
    "audiounet": LOOKS["audiounet"],
    "seanet": Look("SEANet", "#5a0a5f", (0, (8, 2)), ">"),
    "gan": Look("BEHM-GAN", "#1f4e8c", "-", "v"),
    "no_adversary": Look("Without adversary", "#155bc8", (0, (3, 1, 1, 1, 1, 1)), "<"),
    "no_noise": Look("Without noise", "#a6a6a6", ":", "x"),
}
# Generators by what they were trained on.
_MATERIAL_LOOKS = {
    "piano": Look("BEHM-GAN, piano", "#1f4e8c", "-", "v"),
    "strings": Look("BEHM-GAN, strings", "#b0306a", "--", "P"),
    "orchestra": Look("BEHM-GAN, orchestra", "#7a7a7a", "-.", "h"),
}
# Conditions of the generative equaliser.
BABE2_LOOKS = {
    "reference": LOOKS["reference"],
    "input": Look("As heard", "#a6a6a6", ":", "x"),
    "ltas": Look("Spectrum matching", "#e3b23c", (0, (1, 1)), "o"),
    "informed": Look("BABE-2, filter known", "#c8501e", (0, (5, 1.5)), "D"),
    "blind": Look("BABE-2, blind", "#1f4e8c", "-", "v"),
}
# What a listening test adds to the conditions.
LISTENING_LOOKS = {
    "untreated": Look("Untreated transfer", "#9a9a9a", ":", "x"),
    "anchor_7000_hz": Look("Anchor, 7 kHz", "#9a9a9a", "--", "1"),
    "anchor_3500_hz": Look("Anchor, 3.5 kHz", "#c9c9c9", "--", "2"),
}
# Chains of systems in the gallery, by their last member.
SYSTEM_LOOKS = {
    "classical": DENOISING_LOOKS["classical"],
    "denoiser": Look("Denoiser", "#b58a2f", (0, (2, 1)), "P"),
    "behm_gan": Look("BEHM-GAN", "#1f4e8c", "-", "v"),
    "superres": Look("Super-resolution", "#b0306a", "--", "P"),
    "inpainting": Look("Inpainting", "#7a7a7a", "-.", "h"),
    "babe2": Look("BABE-2", "#c8501e", (0, (5, 1.5)), "D"),
}
_FIRST = {name: BANDWIDTH_LOOKS[name] for name in ("reference", "low_passed")}
_ALL_LOOKS = (
    _FIRST
    | INPAINTING_LOOKS
    | BABE2_LOOKS
    | DENOISING_LOOKS
    | LOOKS
    | BANDWIDTH_LOOKS
    | _MATERIAL_LOOKS
    | LISTENING_LOOKS
)
LOW_PASS = {
    "repository": "FIR, 3.5 kHz",
    "paper": "FIR, 3 kHz",
    "long": "Long FIR",
    "chebyshev": "Chebyshev",
    "butterworth": "Butterworth",
    "sinc": "Sinc",
    "brickwall": "Brick wall",
    "codec": "Codec-like",
    "none": "No filter",
}

_FONT = "DejaVu Sans"  # comes with matplotlib: the same on every machine
_RC = {
    "font.family": _FONT,
    "font.size": 7,
    "axes.titlesize": 7,
    "axes.labelsize": 7,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.labelsize": 6.5,
    "ytick.labelsize": 6.5,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "legend.fontsize": 6.5,
    "legend.frameon": False,
    "lines.linewidth": 1.0,
    "lines.markersize": 3,
    "grid.linewidth": 0.4,
    "grid.color": "#dddddd",
    "figure.dpi": 150,
    "savefig.dpi": 300,
    "savefig.bbox": None,  # the size is the printed size: nothing is cropped or grown
    "pdf.fonttype": 42,
    "pdf.compression": 9,
    "svg.fonttype": "path",
    "svg.hashsalt": "shellac",
}


@contextlib.contextmanager
def context() -> Iterator[None]:
    """Draw and save under the project's settings alone, whatever the user's own are."""
    _use_own_fonts()
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_RC)
        yield


@functools.cache
def _use_own_fonts() -> None:
    """Take matplotlib's own fonts alone: a system's are other versions, of other bytes.

    Its list of them is kept per user, and need not name them all.
    """
    from matplotlib import font_manager

    font_manager.fontManager.ttflist = []
    for face in sorted(Path(mpl.get_data_path(), "fonts", "ttf").glob("*.ttf")):
        font_manager.fontManager.addfont(face)


def look(method: str) -> Look:
    """Return the look of a method; raise :class:`UsageError` if it has none yet."""
    try:
        return _ALL_LOOKS[method]
    except KeyError:
        raise UsageError(
            f"no look for method {method!r}: add it to shellac/report/style.py "
            f"(known: {', '.join(_ALL_LOOKS)})"
        ) from None


def label(method: str) -> str:
    """Return what a method is called: its look's name, or its own, written with spaces."""
    return _ALL_LOOKS[method].label if method in _ALL_LOOKS else method.replace("_", " ")


def drawing_order(method: str) -> int:
    """Return the place of a method among others; raise :class:`UsageError` if it has no look."""
    look(method)
    return list(_ALL_LOOKS).index(method)


def low_pass(family: str) -> str:
    """Return how a low-pass family is called in figures and tables."""
    try:
        return LOW_PASS[family]
    except KeyError:
        raise UsageError(
            f"no name for low-pass family {family!r}: add it to shellac/report/style.py"
        ) from None
