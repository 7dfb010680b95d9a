"""The sampler where the answer is known, and what it promises to whoever calls it."""

import numpy as np
import pytest
import torch
from systems.babe2.gaussian import RATE, GaussianPrior

from shellac.systems.babe2 import filters, matching, sampler
from shellac.systems.babe2.diffusion import Schedule
from shellac.systems.babe2.filters import Filter, Grid, respond
from shellac.systems.babe2.fitting import FitSettings
from shellac.systems.babe2.operators import (
    Blind,
    Coloured,
    Continued,
    Damaged,
    Kept,
    Uncertainty,
    blended,
)
from shellac.systems.babe2.posterior import LikelihoodGuidance, Posterior, PublishedGuidance

SCHEDULE = Schedule(1e-3, 100.0, 10.0, churn=0.0)
BANDS_HZ = [60, 125, 250, 500, 1000, 2000, 4000, 8000]
HORN = Filter.of(
    {"fref": 1000.0, "fc_p": [2000.0, 9000.0], "fc_m": [400.0, 60.0],
     "A_p": [0.0, -6.0, -80.0], "A_m": [0.0, 6.0, 80.0]}
)  # fmt: skip


def observe(prior, clean, noise, rng, n_fft=1024):
    grid = Grid(RATE, n_fft)
    gain = grid.effective(respond(HORN, grid).magnitude, prior.samples)
    hiss = torch.from_numpy(rng.standard_normal(clean.shape)).float()
    return grid, gain, filters.apply_whole(gain, clean) + noise * hiss


def by_band(power, samples):
    hz = np.fft.rfftfreq(samples, 1 / RATE)
    pairs = zip(BANDS_HZ, BANDS_HZ[1:], strict=False)
    return np.array([power[(hz >= low) & (hz < high)].mean() for low, high in pairs])


def test_draws_have_the_mean_and_the_spread_of_the_posterior(rng):
    prior, noise, count = GaussianPrior(8192), 0.02, 24
    grid, gain, observed = observe(prior, prior.draw(1, rng), noise, rng)
    guidance = LikelihoodGuidance(Uncertainty(1.0, noise, prior.spectrum))
    posterior = Posterior(observed.expand(count, -1), Coloured(HORN, grid, whole=True), guidance)
    start = torch.zeros(count, prior.samples)
    drawn = sampler.sample(prior.estimate, start, SCHEDULE, 50, sampler.Draws(3), posterior)
    drawn = drawn.double().numpy()

    known = gain**2 * prior.spectrum + noise**2
    variance = prior.spectrum * noise**2 / known
    mean = np.fft.irfft(np.fft.rfft(observed[0].numpy()) * prior.spectrum * gain / known)
    found = drawn.mean(axis=0)
    power = [abs(np.fft.rfft(x)) ** 2 / prior.samples for x in (drawn - found, found - mean)]
    spread = by_band(power[0].sum(axis=0) / (count - 1), prior.samples)
    wanted = by_band(variance, prior.samples)
    np.testing.assert_allclose(spread, wanted, rtol=0.12)
    # the mean of draws is off by their spread over their number, and by no more
    assert (by_band(power[1], prior.samples) < 1.5 * wanted / count).all()


def test_more_levels_come_nearer_to_the_posterior(rng):
    prior, noise = GaussianPrior(8192), 0.02
    grid, gain, observed = observe(prior, prior.draw(1, rng), noise, rng)
    guidance = LikelihoodGuidance(Uncertainty(1.0, noise, prior.spectrum))
    wanted = by_band(
        prior.spectrum * noise**2 / (gain**2 * prior.spectrum + noise**2), prior.samples
    )
    excess = []
    for levels in (10, 30):
        posterior = Posterior(observed.expand(8, -1), Coloured(HORN, grid, whole=True), guidance)
        start = torch.zeros(8, prior.samples)
        drawn = sampler.sample(prior.estimate, start, SCHEDULE, levels, sampler.Draws(3), posterior)
        power = abs(np.fft.rfft((drawn - drawn.mean(dim=0)).numpy())) ** 2 / prior.samples
        excess.append(by_band(power.sum(axis=0) / 7, prior.samples) / wanted)
    assert (excess[0] > 1.5).all() and (excess[1] < 1.25).all()


@pytest.mark.parametrize("start_sigma", [None, 30.0])
def test_blind_estimation_recovers_the_filter(rng, start_sigma):
    prior, noise = GaussianPrior(65536), 0.01
    grid, _, observed = observe(prior, prior.draw(8, rng), noise, rng, n_fft=4096)
    doubt = Uncertainty(1.0, noise, prior.spectrum)
    settings = FitSettings(20.0, 11000.0, -80.0, 80.0, wall_above=False, wall_below=False)
    fit = matching.MomentFit(grid, settings, filters.initial(RATE), doubt)
    begin = torch.zeros_like(observed) if start_sigma is None else observed
    sampler.sample(
        prior.estimate, begin, SCHEDULE, 20, sampler.Draws(1),
        Posterior(observed, Blind(fit, observed, whole=True), LikelihoodGuidance(doubt)),
        start_sigma,
    )  # fmt: skip
    inside = (grid.hz >= 100) & (grid.hz <= 8000)
    error = (fit.response().gain_db - respond(HORN, grid).gain_db)[inside]
    assert abs(error).max() < 1.0


def test_without_an_observation_the_prior_itself_is_drawn(rng):
    prior = GaussianPrior(8192)
    start = torch.zeros(16, prior.samples)
    drawn = sampler.sample(prior.estimate, start, SCHEDULE, 30, sampler.Draws(5))
    power = (abs(np.fft.rfft(drawn.numpy())) ** 2 / prior.samples).mean(axis=0)
    wanted = by_band(prior.spectrum, prior.samples)
    np.testing.assert_allclose(by_band(power, prior.samples), wanted, rtol=0.15)


def posterior_of(prior, observed, operator, noise=0.01):
    guidance = LikelihoodGuidance(Uncertainty(1.0, noise, None))
    return Posterior(observed, operator, guidance)


def test_inpainting_keeps_what_is_there_and_draws_the_gap_from_what_may_be(rng):
    prior, count, gap = GaussianPrior(4096, corner_hz=200.0), 48, slice(2000, 2012)
    clean = prior.draw(1, rng)
    mask = torch.ones(1, prior.samples)
    mask[:, gap] = 0
    posterior = posterior_of(prior, (mask * clean).expand(count, -1), Kept(mask))
    start = torch.zeros(count, prior.samples)
    made = sampler.sample(prior.estimate, start, SCHEDULE, 60, sampler.Draws(2), posterior)
    kept = mask[0] == 1
    assert (made - clean)[:, kept].square().mean() < 1e-3

    # a Gaussian's conditional mean and variance, from its autocorrelation around the gap
    places = np.arange(gap.start - 60, gap.stop + 60)
    lag = np.fft.irfft(prior.spectrum, prior.samples)
    covariance = lag[abs(places[:, None] - places)]
    inside = (places >= gap.start) & (places < gap.stop)
    known = covariance[np.ix_(~inside, ~inside)] + 1e-4 * np.eye((~inside).sum())
    across = np.linalg.solve(known, covariance[np.ix_(~inside, inside)])
    mean = clean[0, places[~inside]].numpy() @ across
    told = covariance[np.ix_(inside, ~inside)] @ across
    variance = np.diag(covariance[np.ix_(inside, inside)] - told)
    drawn = made[:, gap].numpy()
    error = drawn.mean(axis=0) - mean
    assert np.square(error).mean() < 0.1 * variance.mean()
    assert drawn.var(axis=0, ddof=1).mean() == pytest.approx(variance.mean(), rel=0.25)


def test_declipping_raises_peaks_and_keeps_the_rest(rng):
    prior = GaussianPrior(4096, corner_hz=200.0)
    clean = prior.draw(4, rng)
    observed = clean.clamp(-1.2, 1.2)
    posterior = posterior_of(prior, observed, Damaged.clipped(observed, 1.2))
    start = torch.zeros_like(clean)
    made = sampler.sample(prior.estimate, start, SCHEDULE, 40, sampler.Draws(2), posterior)
    beyond = clean.abs() > 1.2
    assert (made - clean)[~beyond].square().mean() < 1e-2
    before, after = ((x - clean)[beyond].square().mean() for x in (observed, made))
    assert after < 0.7 * before


def test_a_segment_goes_on_from_the_one_before(rng):
    prior = GaussianPrior(4096)
    clean = prior.draw(1, rng)
    mask = torch.zeros(1, prior.samples)
    mask[:, :1000] = 1
    grid = Grid(RATE, 1024)
    dull = grid.apply(respond(HORN, grid).tensor(clean), clean)
    seen = blended(mask, clean, dull)
    operator = Continued(mask, Coloured(HORN, grid))
    posterior = Posterior(seen, operator, PublishedGuidance(0.5, least_noise=0.1))
    made = sampler.sample(prior.estimate, seen, SCHEDULE, 30, sampler.Draws(2), posterior, 3.0)
    error = (made - clean).square()[0]
    assert error[:1000].mean() < 0.5 * error[1000:].mean()


def test_the_last_step_takes_the_noise_away():
    seen = []

    def estimate(x, sigma):
        seen.append(sigma[0].item())
        return torch.zeros_like(x)

    schedule = Schedule(0.1, 1.0, 7.0)
    made = sampler.sample(estimate, torch.zeros(1, 64), schedule, 5, sampler.Draws(0))
    assert made.abs().max() < 1e-6  # the published sampler leaves noise of level 0.1
    assert len(seen) == 2 * 5 - 1
    seen.clear()
    sampler.sample(estimate, torch.zeros(1, 64), schedule, 5, sampler.Draws(0), order=1)
    assert len(seen) == 5


def test_a_seed_gives_the_same_draws_and_leaves_global_randomness_alone(rng):
    prior = GaussianPrior(1024)
    state, told = torch.get_rng_state(), []
    runs = [
        sampler.sample(
            prior.estimate, torch.zeros(2, 1024), SCHEDULE, 4, sampler.Draws(*seed),
            report=told.append,
        )
        for seed in ((7, 1), (7, 1), (7, 2))
    ]  # fmt: skip
    assert torch.equal(runs[0], runs[1]) and not torch.equal(runs[0], runs[2])
    assert torch.equal(torch.get_rng_state(), state)
    assert [(each.number, each.total) for each in told[:4]] == [(i, 4) for i in range(1, 5)]
    assert told[3].next_sigma == 0 and torch.equal(told[3].step.x, runs[0])


def test_items_of_a_batch_do_not_influence_each_other(rng):
    prior = GaussianPrior(4096)
    observed = prior.draw(2, rng) * torch.tensor([[1.0], [30.0]])
    grid = Grid(RATE, 1024)

    def pull(seen):
        x = seen.clone().requires_grad_()
        posterior = Posterior(2 * seen, Coloured(HORN, grid), PublishedGuidance(noise="fixed"))
        return posterior.pull(x, prior.estimate(x, x.new_ones(len(x))), 1.0, torch.ones_like(x))

    both, first = pull(observed), pull(observed[:1])
    torch.testing.assert_close(both.guidance[:1], first.guidance, rtol=1e-4, atol=1e-6)
