"""What training minimises."""

import numpy as np
import torch

from shellac.systems.babe2.losses import TrainingLoss, a_curve, a_filter


def test_the_a_curve_is_that_of_the_standard():
    # IEC 61672-1, table 3, in dB
    told = {31.5: -39.4, 100: -19.1, 1000: 0.0, 2000: 1.2, 4000: 1.0, 10000: -2.5}
    found = 20 * np.log10(a_curve(np.array(list(told))))
    np.testing.assert_allclose(found, list(told.values()), atol=0.15)


def test_the_filter_follows_the_curve_where_its_length_lets_it():
    taps = a_filter(16000).numpy()
    np.testing.assert_allclose(taps, taps[::-1], atol=1e-7)
    gain = abs(np.fft.rfft(taps, 1600))  # every 10 Hz
    hz = np.array([500, 1000, 2000, 4000, 6000])
    np.testing.assert_allclose(20 * np.log10(gain[hz // 10] / a_curve(hz)), 0, atol=0.5)


def test_plain_loss_is_the_mean_square(rng):
    error = torch.from_numpy(rng.standard_normal((3, 500))).float()
    loss = TrainingLoss(False, False, 16000, 0)
    assert not loss.state_dict()
    torch.testing.assert_close(loss(error, torch.zeros(3, 1)), error.square().mean())


def test_a_weighting_spares_what_is_not_heard():
    time = torch.arange(16000) / 16000
    low, middle = (torch.sin(2 * torch.pi * hz * time)[None] for hz in (40.0, 2000.0))
    loss = TrainingLoss(True, False, 16000, 0)
    level = torch.zeros(1, 1)
    assert loss(low, level) < 0.1 * loss(middle, level)


def test_level_weights_come_to_even_out_the_levels():
    levels = torch.tensor([[-1.0], [0.0], [1.0]])
    size = torch.tensor([[0.1], [1.0], [10.0]]).expand(3, 50)
    loss = TrainingLoss(False, True, 16000, 3)
    torch.testing.assert_close(loss(size, levels), size.square().mean())  # begins as the plain one
    optimiser = torch.optim.Adam(loss.parameters(), 0.02)
    for _ in range(500):
        optimiser.zero_grad()
        loss(size, levels).backward()
        optimiser.step()
    u = loss.levels(torch.zeros(3), levels)
    torch.testing.assert_close(u, size[:, 0].square().log(), atol=0.1, rtol=0)
    loss.eval()
    torch.testing.assert_close(loss(size, levels), size.square().mean())


def test_a_seed_gives_the_same_features_and_leaves_global_randomness_alone():
    state = torch.get_rng_state()
    made = [TrainingLoss(False, True, 16000, seed).state_dict() for seed in (1, 1, 2)]
    assert torch.equal(torch.get_rng_state(), state)
    name = "levels.RFF_freq"
    assert torch.equal(made[0][name], made[1][name])
    assert not torch.equal(made[0][name], made[2][name])


def test_gradients_reach_the_network_through_both_options():
    error = torch.randn(2, 300, requires_grad=True)
    TrainingLoss(True, True, 8000, 0)(error, torch.zeros(2, 1)).backward()
    assert torch.isfinite(error.grad).all() and error.grad.abs().max() > 0
