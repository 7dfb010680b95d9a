"""Networks bound to a patch length restore recordings of any length."""

import numpy as np
import pytest
import torch

from shellac.systems.restorer import Member, Restorer
from shellac.systems.superres.afilm import AFiLMUNet
from shellac.systems.superres.restoration import grid, processor
from shellac.weights import Card


class Doubled(torch.nn.Module):
    patch, multiple = 64, 8

    def forward(self, x):
        assert x.shape[1:] == (1, self.patch)
        return 2 * x


@pytest.mark.parametrize("length", [8, 64, 96, 1000])
def test_patches_join_to_what_a_pointwise_network_makes_of_the_whole(length):
    waveform = torch.randn(2, length, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(processor(Doubled())(waveform), 2 * waveform)


def test_chunks_cut_patches_where_the_whole_recording_does():
    torch.manual_seed(0)
    network = AFiLMUNet(width=1 / 32).eval()
    assert grid(network) == network.patch // 2
    edge = network.patch / 16000
    card = Card("superres/afilm", {}, 16000, None, edge, "trained", "none")
    restorer = Restorer(
        [
            Member(
                card, processor(network), network.multiple, torch.device("cpu"), grid=grid(network)
            )
        ]
    )
    waveform = np.random.default_rng(1).standard_normal((1, 64000)).astype(np.float32) * 0.1
    whole = restorer.restore(waveform, 16000, 100.0).waveform
    chunked = restorer.restore(waveform, 16000, 1.03).waveform
    difference = np.sqrt(np.mean((whole - chunked) ** 2) / np.mean(whole**2))
    assert difference < 1e-5
