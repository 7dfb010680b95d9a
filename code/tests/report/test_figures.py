import itertools
import subprocess
import sys
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from fontTools.ttLib import TTFont
from matplotlib.colors import to_rgb

from shellac.errors import UsageError
from shellac.report import figures, players, provenance, results, style, tables
from shellac.report.results import Excerpt

SAMPLE_RATE = 16000
# Machado, Oliveira, Fernandes (2009), full severity, on linear RGB
COLOUR_BLIND = {
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "none": np.eye(3),
}


PALETTES = (style.LOOKS, style.INPAINTING_LOOKS, style.BANDWIDTH_LOOKS)
NAMES = ("superres", "inpainting", "bandwidth extension")


@pytest.fixture
def waveforms(rng):
    reference = 0.1 * rng.standard_normal(SAMPLE_RATE)
    names = ("reference", "spline", "band_copy", "audiounet", "tfilm")
    return {name: reference / (1 + place) for place, name in enumerate(names)}


@pytest.fixture
def curves():
    steps = np.arange(1, 51)
    table = pd.DataFrame({"step": steps, "loss": 1.0 / steps, "validation_loss": np.nan})
    table.loc[9::10, "validation_loss"] = 1.2 / steps[9::10]
    return {"audiounet": table, "tfilm": table.assign(loss=table["loss"] / 2)}


def lab(colour, matrix):
    linear = np.array([c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour])
    seen = np.clip(np.array(matrix) @ linear, 0, 1)
    to_xyz = [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
    x, y, z = np.cbrt(np.maximum(to_xyz @ seen / [0.95047, 1.0, 1.08883], 0.008856))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("looks", PALETTES, ids=NAMES)
@pytest.mark.parametrize("vision", COLOUR_BLIND)
def test_methods_are_told_apart_by_every_eye(vision, looks):
    seen = [lab(to_rgb(look.colour), COLOUR_BLIND[vision]) for look in looks.values()]
    assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2)) > 12


@pytest.mark.parametrize("looks", PALETTES, ids=NAMES)
def test_methods_are_told_apart_in_greyscale(looks):
    lightness = sorted(lab(to_rgb(look.colour), np.eye(3))[0] for look in looks.values())
    assert np.diff(lightness).min() > 6


def test_a_method_without_a_look_is_refused_by_name():
    with pytest.raises(UsageError, match="mystery"):
        style.look("mystery")


def test_a_full_scale_sine_reads_zero_db_at_its_frequency():
    time = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    found = figures.level(np.sin(2 * np.pi * 1000 * time), SAMPLE_RATE)
    assert found.top_db == pytest.approx(0.0, abs=0.05)
    assert found.frequency_hz[found.db.mean(axis=1).argmax()] == pytest.approx(1000, abs=8)


def test_frames_stand_where_they_were_taken():
    waveform = np.zeros(SAMPLE_RATE)
    waveform[SAMPLE_RATE // 2] = 1.0
    found = figures.level(waveform, SAMPLE_RATE)
    loudest = np.flatnonzero(found.db.max(axis=0) > found.top_db - 1)
    left, right = found.seconds
    centres = left + (np.arange(found.db.shape[1]) + 0.5) * (right - left) / found.db.shape[1]
    assert centres[loudest].mean() == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("length", [1, 300, 1024, 1025])
def test_short_and_silent_signals_have_a_spectrogram(length):
    found = figures.level(np.zeros(length), SAMPLE_RATE)
    assert found.db.shape[1] >= 1
    assert np.isfinite(found.db).all()


def test_panels_share_scale_and_mark_the_cut(waveforms):
    figure = figures.spectrogram_comparison(waveforms, SAMPLE_RATE, 2000.0, start_seconds=3.0)
    images = [axes for axes in figure.axes if axes.images]
    assert len(images) == len(waveforms)
    assert {axes.images[0].get_clim() for axes in images} == {(-figures.RANGE_DB, 0.0)}
    for axes in images:
        assert 2.0 in [line.get_ydata()[0] for line in axes.lines]  # kHz
        assert axes.get_xlim() == (3.0, 4.0)
        assert axes.images[0].get_extent()[3] == SAMPLE_RATE / 2000
    titles = [axes.get_title(loc="left") for axes in images]
    assert titles == [style.look(name).label for name in waveforms]
    assert "dB" in figure.axes[-1].get_ylabel()


def test_levels_are_relative_to_the_reference(waveforms):
    figure = figures.spectrogram_comparison(waveforms, SAMPLE_RATE, 2000.0)
    reference, spline = (axes.images[0].get_array() for axes in figure.axes[:2])
    assert reference.max() == pytest.approx(0.0)
    assert spline.max() == pytest.approx(-6.02, abs=0.01)


def test_a_missing_network_leaves_no_empty_panel(waveforms):
    del waveforms["audiounet"]
    figure = figures.spectrogram_comparison(waveforms, SAMPLE_RATE, 2000.0)
    assert sum(bool(axes.images) for axes in figure.axes) == 4
    assert all(axes.images or axes.lines or axes.collections for axes in figure.axes)


def test_more_networks_get_more_panels(waveforms):
    waveforms |= {"tfilm_legacy": waveforms["tfilm"], "afilm": waveforms["tfilm"]}
    figure = figures.spectrogram_comparison(waveforms, SAMPLE_RATE, 2000.0)
    assert sum(bool(axes.images) for axes in figure.axes) == 7


@pytest.mark.parametrize("count", [1, 5])
def test_a_page_of_spectrograms_shows_each_below_its_own_top(waveforms, count):
    shown = dict(list(waveforms.items())[:count])
    page = figures.spectrogram_page(shown, SAMPLE_RATE, title="a page", notice="made by rule")
    panels = [axes for axes in page.axes if axes.get_title(loc="left")]
    assert [axes.get_title(loc="left") for axes in panels] == list(shown)
    for axes in panels:
        assert axes.images[0].get_array().max() == pytest.approx(0.0)
        assert axes.images[0].get_extent()[3] == pytest.approx(SAMPLE_RATE / 2000)


def test_filters_stand_side_by_side_with_the_unseen_ones_shaded(house):
    table = tables.paired(results.paired("demo", "superres"), ["chebyshev"], notice="Beware.")
    figure = figures.low_pass_comparison(table, notice="Beware.")
    assert len(figure.axes) == 2
    for axes in figure.axes:
        assert len(axes.patches) == 3
        assert len(axes.containers) == 4  # the networks; the baselines are the lines at 0
    labels = [label.get_text() for label in figure.axes[-1].get_xticklabels()]
    assert labels[0] == "Chebyshev\n(seen)"
    assert labels[-1] == "Codec-like\n(unseen)"
    assert figure.get_supxlabel() == "Beware."


def test_training_curves_show_both_losses_in_the_networks_colours(curves):
    figure = figures.training_curves(curves, notice="Beware.")
    axes = figure.axes[0]
    assert [line.get_color() for line in axes.lines[::2]] == [style.look(n).colour for n in curves]
    assert len(axes.lines[1].get_xdata()) == 5  # validated steps only
    assert axes.get_yscale() == "log"
    assert figure.get_supxlabel() == "Beware."


def test_a_users_own_matplotlib_settings_do_not_show(curves):
    with mpl.rc_context({"font.size": 30, "lines.linewidth": 9}):
        figure = figures.training_curves(curves)
        assert figure.axes[0].xaxis.label.get_size() == 7
        assert mpl.rcParams["font.size"] == 30


def test_players_hold_every_condition_with_time_and_notice(waveforms):
    gains = dict.fromkeys(waveforms, -6.0)
    heard = Excerpt("sonata <1>", "piano", SAMPLE_RATE, 3.0, waveforms, gains, ())
    shown = players.comparison(heard, 2000.0, 0.5, "Beware.").data
    assert shown.count("<audio") == shown.count("<img") == len(waveforms)
    assert "sonata &lt;1&gt;, 3.00 to 3.50 s. Beware." in shown
    assert all(style.look(name).colour in shown for name in waveforms)
    undone = heard.unmatched()["spline"]
    assert np.allclose(undone, waveforms["spline"] * 10 ** (6 / 20))


@pytest.mark.parametrize("profile", ["demo", "folder"])
def test_a_notice_stays_inside_the_figure(curves, profile):
    figure = figures.training_curves(curves, notice=provenance.notice(profile))
    figure.canvas.draw()
    notice = figure._supxlabel.get_window_extent()
    assert notice.x0 >= 0
    assert notice.x1 <= figure.bbox.x1


def test_a_font_of_the_system_changes_no_byte(tmp_path):
    code = """
import hashlib, io, sys
from matplotlib import font_manager
from matplotlib.figure import Figure
from shellac.report import style
if len(sys.argv) > 1:  # as where the system has the same font, of another version
    font_manager.fontManager.addfont(sys.argv[1])
    entries = font_manager.fontManager.ttflist
    entries.insert(0, entries.pop())
else:  # as where the user's list was made without matplotlib's own
    font_manager.fontManager.ttflist = font_manager.fontManager.ttflist[:1]
with style.context():
    figure, file = Figure(), io.BytesIO()
    axes = figure.subplots()
    axes.set_title("Bandwidth")
    axes.set_xscale("log")  # powers of ten ask for the fonts of formulas
    figure.savefig(file, format="pdf", metadata={"CreationDate": None})
print(hashlib.sha256(file.getvalue()).hexdigest())
"""
    font = TTFont(Path(mpl.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf")
    font.save(tmp_path / "DejaVuSans.ttf")  # with today's date
    one, other = (
        subprocess.run([sys.executable, "-c", code, *given], capture_output=True, text=True,
                       check=True)
        for given in ([], [str(tmp_path / "DejaVuSans.ttf")])
    )  # fmt: skip
    assert one.stdout == other.stdout
    assert one.stderr == other.stderr == ""  # no font missed
