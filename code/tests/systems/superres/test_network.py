import copy

import pytest
import torch
from torch import nn

from shellac.systems.superres import network
from shellac.systems.superres.afilm import AFiLMUNet
from shellac.systems.superres.network import AudioUNet, TFiLMUNet


def small(kind, **settings):
    torch.manual_seed(1)
    return kind(width=1 / 32, **settings).eval()


NETWORKS = {
    "audiounet": lambda: small(AudioUNet),
    "tfilm": lambda: small(TFiLMUNet),
    "tfilm-legacy": lambda: small(TFiLMUNet, mode="legacy"),
    "afilm": lambda: small(AFiLMUNet),
}


@pytest.fixture(params=NETWORKS)
def net(request):
    return NETWORKS[request.param]()


def noise(*shape, seed=3):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_published_size():
    with torch.device("meta"):
        networks = AudioUNet(), TFiLMUNet()
    assert [sum(p.numel() for p in n.parameters()) for n in networks] == [48_391_214, 47_655_734]
    assert [sum(b.numel() for b in n.buffers()) for n in networks] == [5_643, 0]


def test_output_has_the_shape_of_the_input(net):
    for batch, length in ((1, 1024), (3, 2048)):
        with torch.inference_mode():
            out = net(noise(batch, 1, length))
        assert out.shape == (batch, 1, length)
        assert torch.isfinite(out).all()


@pytest.mark.parametrize("length", [0, 1, 511, 1000, 1984, 8191])
def test_other_lengths_are_refused_by_name(net, length):
    with pytest.raises(ValueError, match=f"{length} samples: .* multiple of {net.multiple}"):
        net(torch.zeros(1, 1, length))


@pytest.mark.parametrize("shape", [(1024,), (1, 1024), (1, 2, 1024), (1, 1, 1, 1024)])
def test_other_shapes_are_refused(net, shape):
    with pytest.raises(ValueError, match=r"takes \(B, 1, T\)"):
        net(torch.zeros(shape))


def test_multiple_is_the_smallest_length_and_needed(net, monkeypatch):
    with torch.inference_mode():
        assert net(noise(1, 1, net.multiple)).shape[-1] == net.multiple
    monkeypatch.setattr(network, "_check_input", lambda x, multiple: None)
    with pytest.raises(RuntimeError), torch.inference_mode():
        net(noise(1, 1, net.multiple + net.multiple // 2))


@pytest.mark.parametrize("width", [0, -1, float("nan")])
def test_impossible_settings_are_refused(width):
    with pytest.raises(ValueError, match="width"):
        AudioUNet(width=width)
    with pytest.raises(ValueError, match="legacy, correct"):
        TFiLMUNet(width=1 / 32, mode="modern")


def test_last_layer_at_zero_leaves_the_input_untouched(net):
    last = net.lastconv if isinstance(net, AudioUNet) else net.last
    for parameter in last.parameters():
        nn.init.zeros_(parameter)
    x = noise(1, 1, 1024)
    assert torch.equal(net(x), x)


def modulated(mode, x, channels=3, block_length=4):
    torch.manual_seed(2)
    film = network.TemporalFiLM(channels, block_length, mode)
    with torch.inference_mode():
        return film(x), film


def test_correct_modulation_scales_each_block_of_each_channel():
    x = noise(2, 3, 20)
    out, film = modulated("correct", x)
    maxima = x.reshape(2, 3, 5, 4).amax(3)  # (B, C, S)
    for b in range(2):
        with torch.inference_mode():
            hidden, _ = film.lstm(maxima[b].T[None])
        mean = (hidden[0, :, :3] + hidden[0, :, 3:]) / 2  # (S, C)
        for c in range(3):
            for t in range(20):
                assert out[b, c, t] == pytest.approx(float(x[b, c, t] * mean[t // 4, c]), abs=1e-6)


def test_legacy_modulation_recurs_over_the_batch_and_interleaves():
    x = noise(2, 3, 20)
    out, film = modulated("legacy", x)
    maxima = x.reshape(2, 3, 5, 4).amax(3).transpose(1, 2)  # (B, S, C): B is the LSTM's time
    with torch.inference_mode():
        hidden, _ = film.lstm(maxima)
    mean = (hidden[..., :3] + hidden[..., 3:]) / 2
    for b in range(2):
        for c in range(3):
            for t in range(20):
                k = c * 20 + t
                factor = mean[b, k // (4 * 3), k % 3]
                assert out[b, c, t] == pytest.approx(float(x[b, c, t] * factor), abs=1e-6)


def test_only_legacy_tfilm_mixes_the_items_of_a_batch():
    x = noise(3, 1, 1024)
    for name, mixes in (
        ("audiounet", False),
        ("tfilm", False),
        ("afilm", False),
        ("tfilm-legacy", True),
    ):
        net = NETWORKS[name]()
        with torch.inference_mode():
            together, alone = net(x), torch.cat([net(item[None]) for item in x])
        added, difference = (alone - x).norm(), (together - alone).norm()
        assert (difference > 1e-3 * added) == mixes, name


def test_down2_reads_the_modulated_signal_in_the_correct_mode_alone():
    for mode, modulated_first in (("correct", True), ("legacy", False)):
        net = small(TFiLMUNet, mode=mode)
        seen = {}
        net.tfilm_d1.register_forward_hook(lambda m, i, out: seen.update(skip=out))  # noqa: B023
        net.down2.register_forward_pre_hook(lambda m, i: seen.update(read=i[0]))  # noqa: B023
        with torch.inference_mode():
            net(noise(1, 1, 512))
        assert torch.equal(seen["skip"], seen["read"]) == modulated_first


def test_both_tfilm_modes_hold_the_same_parameters():
    correct, legacy = NETWORKS["tfilm"](), NETWORKS["tfilm-legacy"]()
    legacy.load_state_dict(correct.state_dict(), strict=True)
    x = noise(1, 1, 512)
    with torch.inference_mode():
        assert not torch.allclose(correct(x), legacy(x))


def test_evaluation_has_no_dropout_and_training_has(net):
    x = noise(2, 1, 2048)
    with torch.no_grad():
        assert torch.equal(net(x), net(x))
        net.train()
        assert not torch.equal(net(x), net(x))


@pytest.mark.parametrize("name", NETWORKS)
def test_a_few_training_steps_lower_the_loss_and_reach_every_parameter(name):
    net = NETWORKS[name]().train()
    before = copy.deepcopy(dict(net.named_parameters()))
    optimiser = torch.optim.Adam(net.parameters(), 1e-2)
    x = noise(4, 1, 1024)
    losses = []
    for _ in range(12):
        optimiser.zero_grad()
        loss = (net(x) - 0.5 * x).square().mean()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.9 * losses[0]
    still = [n for n, p in net.named_parameters() if torch.equal(p, before[n])]
    assert not still
