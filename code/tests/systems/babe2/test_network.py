import json
import math

import pytest
import torch
from parity import cases

from shellac import networks
from shellac.errors import UsageError
from shellac.systems.babe2.network import CQTDiff
from shellac.systems.babe2.network_attention import Attention, RelativePositions, TimeAttention
from shellac.systems.babe2.network_blocks import (
    Downsampler,
    NoiseEmbedding,
    ResBlock,
    RowFeatures,
    Upsampler,
)
from shellac.systems.babe2.published import SETTINGS, _chosen

SMALL = {
    "samples": 4097,
    "sample_rate": 22050,
    "channels": [8, 16, 16],
    "dilated_layers": [1, 2, 3],
    "bins_per_octave": 8,
    "embedding": 24,
}
OPTIONS = {
    "plain": {},
    "compat": {"grid": "compat", "samples": 8192},
    "encoded": {"use_fencoding": True},
    "unplaced": {
        "attention_layers": [1, 0, 0, 0],
        "attention": {"relative": False},
        "window": "hann",
    },
    "attending": {"attention_layers": [0, 1, 0, 1], "attention": {"heads": 2, "bias": True}},
}


def noise(*shape, seed=3):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def opened(seed=0, **changed):
    """A small network whose gates are open, so that every layer counts."""
    torch.manual_seed(seed)
    network = CQTDiff(**{**SMALL, **changed})
    for name, parameter in network.named_parameters():
        if "gate" in name:
            torch.nn.init.normal_(parameter, std=0.3)
    return network


@pytest.mark.parametrize("options", OPTIONS)
def test_gradients_reach_every_parameter_and_the_input(options):
    network = opened(**OPTIONS[options])
    x = noise(2, network.cqt.samples).requires_grad_()
    y = network(x, torch.tensor([[-1.0], [0.5]]))
    assert y.shape == x.shape
    y.square().sum().backward()
    silent = [n for n, p in network.named_parameters() if p.grad is None or not p.grad.any()]
    assert silent == []
    assert x.grad.any(1).all()


@pytest.mark.parametrize("options", OPTIONS)
def test_items_of_a_batch_do_not_meet_and_the_level_counts(options):
    network = opened(**OPTIONS[options]).eval()
    x, levels = noise(2, network.cqt.samples), torch.tensor([[-1.0], [0.5]])
    with torch.inference_mode():
        both = network(x, levels)
        for item in range(2):
            alone = network(x[item : item + 1], levels[item : item + 1])
            torch.testing.assert_close(both[item], alone[0], rtol=1e-4, atol=1e-5)
        assert not torch.allclose(network(x, levels.flip(0)), both, atol=1e-3)


def test_the_output_holds_nothing_below_the_lowest_bin():
    network = opened().eval()
    with torch.inference_mode():
        spectrum = torch.fft.rfft(network(noise(1, 4097), torch.zeros(1, 1)))[0].abs()
    lowest = network.cqt.positions[1] - network.cqt.lengths[1] // 2
    assert spectrum[:lowest].max() < 1e-5 * spectrum.max()
    assert spectrum[lowest + 1] > 1e-3 * spectrum.max()


@pytest.mark.parametrize("frozen", [True, False])
def test_checkpointing_changes_no_gradient_and_keeps_less(frozen):
    network = opened(attention_layers=[1, 0, 0, 1])
    network.requires_grad_(not frozen)
    found, kept = [], []
    for network.checkpointing in (False, True):
        network.zero_grad()
        x = noise(1, 4097).requires_grad_()
        count = []
        with torch.autograd.graph.saved_tensors_hooks(
            lambda t, c=count: c.append(t.numel()) or t, lambda t: t
        ):
            y = network(x, torch.zeros(1, 1))
        y.square().sum().backward()
        grads = [p.grad for p in network.parameters() if p.grad is not None]
        found.append([x.grad, *grads])
        kept.append(sum(count))
    assert kept[1] < kept[0] / 2
    assert len(found[0]) == len(found[1]) > (0 if frozen else 100)
    for one, other in zip(*found, strict=True):
        assert torch.equal(one, other)


def test_a_new_block_passes_its_input_through():
    torch.manual_seed(0)
    block = ResBlock(8, 8, 3, (5, 3), 24)
    x = noise(1, 6, 4, 8)
    with torch.inference_mode():
        y = block(x, noise(1, 24))
    weight = (2 ** -(3 / 2) + 1) / math.sqrt(2)  # each layer and the block divide by sqrt 2
    torch.testing.assert_close(y, weight * x, rtol=1e-4, atol=1e-5)
    state = block.state_dict()
    assert all(not value.any() for name, value in state.items() if name.endswith("bias"))
    assert state["gate.1.weight"].abs().max() <= 1e-7 * math.sqrt(3 / 24)
    assert state["H.0.weight"].abs().max() <= 1 / math.sqrt(8 * 15)


def test_resamplers_are_their_formulas():
    down, up = Downsampler(), Upsampler()
    taps = torch.arange(1.0, 9.0)
    for each in (down, up):
        each.kernel.copy_(taps)
    x = noise(1, 2, 12, 3)
    mirrored = torch.cat((x[:, :, 1:4].flip(2), x, x[:, :, -4:-1].flip(2)), 2)
    wanted = torch.stack(
        [sum(taps[j] * mirrored[:, :, 2 * t + j] for j in range(8)) for t in range(6)], 2
    )
    torch.testing.assert_close(down(x), wanted)
    around = torch.cat((x[:, :, 1:3].flip(2), x, x[:, :, -3:-1].flip(2)), 2)
    spread = torch.zeros(1, 2, 24, 3)
    for s in range(24):
        for t in range(16):
            if 0 <= s + 7 - 2 * t < 8:
                spread[:, :, s] += taps[s + 7 - 2 * t] * around[:, :, t]
    torch.testing.assert_close(up(x), spread)
    gain = Upsampler()(Downsampler()(torch.ones(1, 2, 64, 3)))
    torch.testing.assert_close(gain, torch.full_like(gain, 0.5))


def test_the_skip_stands_behind_the_input_without_being_put_there():
    torch.manual_seed(0)
    block = ResBlock(24, 8, 2, (5, 3), 16)
    x, skip, told = noise(2, 6, 4, 8), noise(2, 6, 4, 16, seed=4), noise(2, 16)
    torch.testing.assert_close(block(x, told, skip), block(torch.cat((x, skip), -1), told))


def test_noise_and_rows_are_told_by_sines_of_fixed_frequencies():
    embedding = NoiseEmbedding(8)
    assert embedding(torch.zeros(3, 1)).shape == (3, 8)
    assert "RFF_freq" not in dict(embedding.named_parameters())
    rows = RowFeatures(16)
    told = rows(torch.zeros(1, 4, 5, 2), first=8)
    assert told.shape == (1, 4, 5, 66)
    turn = 2 * math.pi * rows.RFF_freq[0] * 10 / 16
    torch.testing.assert_close(told[0, 2, 3, 2:34], turn.sin(), rtol=0, atol=1e-4)


def test_relative_positions_fall_into_the_buckets_of_the_formula():
    how = Attention(heads=3, buckets=16, reach=32)
    found = RelativePositions(how).buckets(80, torch.device("cpu"))
    for query, key in ((0, 0), (0, 1), (5, 2), (0, 4), (9, 3), (0, 31), (79, 0), (0, 79)):
        m = key - query
        wanted = 8 * (m >= 0)
        if abs(m) < 4:
            wanted += abs(m)
        else:
            wanted += min(7, 4 + math.floor(math.log(abs(m) / 4) / math.log(32 / 4) * 4))
        assert found[query, key] == wanted
    assert int(found.max()) < 16


def test_attention_is_its_definition():
    torch.manual_seed(0)
    how, rows = Attention(heads=2, buckets=8, reach=16), 3
    attention, x = TimeAttention(8, rows, how), noise(1, rows, 5, 8)
    values = torch.einsum("bftc,hc->bhtf", x, attention.proj_in.weight[:, :, 0, 0])[0]
    merged = values.permute(0, 2, 1).reshape(2 * rows, 5)
    both = attention.qk.weight[:, :, 0] @ merged
    bias = attention.rel_pos(5)[0]
    heads = []
    for h in range(2):
        q, k = (both[2 * rows * h + rows * i :][:rows] for i in range(2))
        scores = (q.T @ k + bias[h]) / math.sqrt(rows)
        heads.append(scores.softmax(1) @ values[h])
    wanted = torch.einsum("htf,ch->ftc", torch.stack(heads), attention.proj_out.weight[:, :, 0, 0])
    torch.testing.assert_close(attention(x)[0], wanted)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"width": 0}, "width is 0"),
        ({"dilated_layers": [1, 2]}, "3 channel counts, 2 numbers of layers"),
        ({"dilated_layers": [1, 0, 2]}, "at least one layer"),
        ({"attention_layers": [1, 1]}, "2 of attention"),
        ({"attention_layers": [1, 1, 1, 1], "attention": {"heads": 0}}, "0 heads"),
        ({"channels": [8, 12, 16]}, "12 channels are not in 8 groups"),
        ({"samples": 30}, "too few for 3 octaves"),
        ({"grid": "neat"}, "grid 'neat'"),
        ({"channels": [8] * 6, "dilated_layers": [1] * 6, "samples": 24576, "sample_rate": 44100,
          "grid": "compat"}, "twice as many as the one below"),
    ],
)  # fmt: skip
def test_settings_that_cannot_be_are_refused(changed, message):
    with pytest.raises(UsageError, match=message):
        networks.build("babe2/cqtdiff_22k", **{**SMALL, **changed})


def test_channels_stay_in_groups_at_every_width():
    for width in (1 / 64, 0.3, 2):
        network = CQTDiff(**SMALL, width=width)
        assert all(n.weight.shape[0] % 8 == 0 for n in network.downs[1][2].H)


def published_cases():
    found = (json.loads(path.read_text()) for path in cases.find(cases.folders()))
    return [case for case in found if case["model"] == "babe2_network"]


@pytest.mark.parametrize("case", published_cases(), ids=lambda case: case["case"])
def test_names_shapes_and_order_are_those_of_the_published_checkpoint(case):
    with torch.device("meta"):
        state = CQTDiff(**_chosen(case["settings"])).state_dict()
    ours = [[n, list(t.shape), str(t.dtype).removeprefix("torch.")] for n, t in state.items()]
    assert ours == case["parameters"]


@pytest.mark.parametrize(
    ("key", "entries", "numbers"),
    [("babe2_piano", 606, 44_498_544), ("babe2_singing", None, 41_373_872)],
)
def test_the_published_configurations_have_the_published_sizes(key, entries, numbers):
    with torch.device("meta"):
        state = CQTDiff(**SETTINGS[key]).state_dict()
    assert entries in (None, len(state))
    assert sum(value.numel() for value in state.values()) == numbers
