"""Measures of segments against values worked out by hand."""

import math

import pytest
import torch

from shellac.systems.inpainting import segment_metrics as metrics

# two cells of four are 3 and 4, the others 0: ||y|| = 5, max 4
WHOLE = torch.tensor([[3.0, 0.0], [4.0, 0.0]])[None, None]


def test_by_hand():
    restored = torch.tensor([[3.0, 0.0], [2.0, 0.0]])[None, None]  # the error is 2 in one cell of 4
    assert metrics.nrmse(WHOLE, restored).item() == pytest.approx(2 / 5)
    assert metrics.psnr_db(WHOLE, restored, 10.0).item() == pytest.approx(20.0)  # MSE 1 / 100
    assert metrics.peak_psnr_db(WHOLE, restored).item() == pytest.approx(10 * math.log10(16))


def test_a_tracks_scores_are_means_over_segments_and_gain_is_against_the_damaged():
    damaged = WHOLE * torch.tensor([1.0, 0.0])[:, None]  # the 4 is lost: MSE 4
    restored = torch.tensor([[3.0, 0.0], [2.0, 0.0]])[None, None]
    whole = torch.cat([WHOLE, 2 * WHOLE])
    scores = metrics.scores(
        whole, torch.cat([restored, 2 * damaged]), torch.cat([damaged, 2 * damaged]), 10.0
    )
    gain = 10 * math.log10(4)
    assert scores["psnr_gain_db"] == pytest.approx(gain / 2)
    assert scores["nrmse"] == pytest.approx((2 / 5 + 4 / 5) / 2)
    assert scores["psnr_db"] == pytest.approx((20.0 + 20.0 - 10 * math.log10(16)) / 2)


def test_segments_without_error_or_sound_do_not_count():
    silent = torch.zeros_like(WHOLE)
    whole = torch.cat([WHOLE, WHOLE, silent])
    restored = torch.cat([WHOLE, 0.5 * WHOLE, silent])
    scores = metrics.scores(whole, restored, torch.zeros_like(whole), 1.0)
    assert scores["nrmse"] == pytest.approx(0.25)  # of the first two
    assert scores["psnr_db"] == pytest.approx(-10 * math.log10(0.25 * 25 / 4))  # of the second
    assert metrics.scores(silent, silent, silent, 1.0) == {}
