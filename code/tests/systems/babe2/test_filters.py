"""The filter: its response, its gradient, its projection and its two fits."""

import numpy as np
import pytest
import torch

from shellac.systems.babe2 import filters, fitting, matching
from shellac.systems.babe2.filters import PARTS, Filter, Grid, respond
from shellac.systems.babe2.fitting import FitSettings, Statistics
from shellac.systems.babe2.operators import Uncertainty

GRID = Grid(22050, 4096)
SETTINGS = FitSettings(11.0, 11000.0)
SHAPE = Filter.of(
    {"fref": 1003.0, "fc_p": [1999.0, 4010.0], "fc_m": [403.0, 51.0],
     "A_p": [1.0, -7.0, -30.0], "A_m": [-2.0, 9.0, 25.0]}
)  # fmt: skip


def moved(shape, i, by):
    values = shape.values.copy()
    values[i] += by
    return shape.with_values(values)


def test_slopes_are_in_db_per_octave_and_start_at_the_reference():
    gain = respond(SHAPE, GRID)
    octave = np.interp([1003.0, 1999.0, 2800.0, 300.0], GRID.hz, gain.gain_db)
    assert octave[0] == pytest.approx(0, abs=0.1)
    assert octave[1] == pytest.approx(np.log2(1999 / 1003), abs=0.1)
    assert octave[2] - octave[1] == pytest.approx(-7 * np.log2(2800 / 1999), abs=0.1)
    # A_m counts towards low frequencies: -2 dB per octave of log2(f / f_ref), which is negative
    wanted = -2 * np.log2(403 / 1003) + 9 * np.log2(300 / 403)
    assert octave[3] == pytest.approx(wanted, abs=0.1)
    assert gain.magnitude[0] == 0


def test_a_filter_without_colour_leaves_signals_alone(rng):
    x = torch.from_numpy(rng.standard_normal((2, 10001))).float()
    flat = torch.ones(GRID.n_fft // 2 + 1)
    torch.testing.assert_close(GRID.apply(flat, x), x, rtol=1e-4, atol=1e-4)


def test_the_effective_response_is_what_frames_do_to_noise(rng):
    x = torch.from_numpy(rng.standard_normal((40, 16384)))
    response = respond(SHAPE, GRID)
    made = GRID.apply(response.tensor(x), x)
    powers = [(abs(np.fft.rfft(each.numpy())) ** 2).mean(axis=0) for each in (made, x)]
    found = powers[0] / powers[1]
    wanted = GRID.effective(response.magnitude, 16384) ** 2
    hz = np.fft.rfftfreq(16384, 1 / 22050)
    for low, high in ((60, 200), (400, 1500), (2000, 4000), (4500, 6000)):
        band = (hz >= low) & (hz < high)
        assert 10 * np.log10(found[band].mean() / wanted[band].mean()) == pytest.approx(0, abs=0.5)


@pytest.mark.parametrize("gradient", ["gradient", "jacobian"])
def test_derivatives_agree_with_differences(rng, gradient):
    weights = rng.standard_normal(len(GRID.hz))
    response = respond(SHAPE, GRID)
    if gradient == "gradient":
        found = response.gradient(weights)
    else:
        found = weights @ matching.jacobian_db(response)
    for i in range(len(SHAPE.values)):
        step = 1e-3  # no bin lies so near to a corner
        pair = [weights @ respond(moved(SHAPE, i, s), GRID).gain_db for s in (step, -step)]
        assert found[i] == pytest.approx((pair[0] - pair[1]) / (2 * step), rel=1e-5, abs=1e-6)


def test_the_collapse_penalty_has_the_gradient_it_says():
    value, gradient = fitting.collapse(SHAPE, SETTINGS)
    assert value > 0
    for i in range(len(SHAPE.values)):
        pair = [fitting.collapse(moved(SHAPE, i, s), SETTINGS)[0] for s in (1e-4, -1e-4)]
        assert gradient[i] == pytest.approx((pair[0] - pair[1]) / 2e-4, rel=1e-4, abs=1e-9)


def test_corners_are_put_in_order_and_inside_their_bounds():
    wild = Filter.of({"fref": 30000.0, "fc_p": [5.0, 1e6], "fc_m": [900.0, 1e6],
                      "A_p": [99.0, -99.0, 1.0], "A_m": [0.0, 50.0, 0.0]})  # fmt: skip
    tame = fitting.project(wild, SETTINGS)
    parts = tame.parts()
    corners = [*parts["fc_m"][::-1], *parts["fref"], *parts["fc_p"]]
    assert corners == sorted(corners)
    assert min(corners) >= 11.0 and max(corners) <= 11000.0
    assert parts["A_p"].tolist() == [40.0, -40.0, -80.0] and parts["A_m"][-1] == 80.0
    assert np.isfinite(respond(tame, GRID).gain_db).all()


@pytest.mark.parametrize("rate", [4000, 8000, 22050, 44100])
def test_the_first_guess_fits_every_rate(rate):
    shape = filters.initial(rate)
    settings = FitSettings(11.0, rate / 2)
    np.testing.assert_array_equal(fitting.project(shape, settings).values, shape.values)


def test_both_fits_find_a_filter_that_is_in_the_family(rng):
    spectrum = np.abs(rng.standard_normal((1, 60, 2049))) / (1 + GRID.hz[0] * np.arange(2049) / 500)
    truth = Filter.of({"fref": 900.0, "fc_p": [2200.0, 8000.0], "fc_m": [450.0, 70.0],
                       "A_p": [0.0, -9.0, -80.0], "A_m": [0.0, 8.0, 80.0]})  # fmt: skip
    wanted = respond(truth, GRID)
    clean = torch.from_numpy(spectrum)
    heard = clean * torch.from_numpy(wanted.magnitude)
    start = filters.initial(22050)
    inside = (GRID.hz > 100) & (GRID.hz < 7000)

    published = fitting.Fit(GRID, SETTINGS, start)
    before = fitting.reduce(clean, heard, "sqrt").cost(respond(start, GRID))
    for _ in range(8):
        published.listen(clean, heard, 0.0)
    after = fitting.reduce(clean, heard, "sqrt").cost(published.response())
    assert after < 0.2 * before

    ours = matching.MomentFit(GRID, SETTINGS, start, Uncertainty(1.0, 0.0))
    for _ in range(3):
        ours.listen(clean, heard, 1e-6)
    assert abs(ours.response().gain_db - wanted.gain_db)[inside].max() < 0.5


def test_the_statistics_hold_all_that_the_cost_needs(rng):
    x, y = (torch.from_numpy(np.abs(rng.standard_normal((2, 5, 2049)))) for _ in range(2))
    response = respond(SHAPE, GRID)
    found = fitting.reduce(x, y, "sqrt").cost(response)
    weight = np.sqrt(np.arange(2049) / 2048)
    error = weight * (response.magnitude * x.numpy() - y.numpy())
    assert found == pytest.approx(np.linalg.norm(error), rel=1e-9)
    assert isinstance(fitting.reduce(x, y, "linear"), Statistics)


def test_parts_are_views_under_the_published_names():
    assert tuple(SHAPE.parts()) == PARTS
    assert Filter.of(SHAPE.parts()).values.tolist() == SHAPE.values.tolist()
