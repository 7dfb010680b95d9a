from dataclasses import replace

import pytest
import torch

from shellac.errors import UsageError
from shellac.systems.inpainting import representation
from shellac.systems.inpainting.representation import REPRESENTATIONS

ALL = pytest.mark.parametrize("name", REPRESENTATIONS)


def noise(samples, items=2):
    return 0.1 * torch.randn(items, samples, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    ("name", "blocks", "side"),
    [("published", 58, 128), ("spectrogram", 58, 128), ("mdct-64", 117, 64), ("mdct-128", 29, 128)],
)
def test_a_clip_of_30_s_gives_the_published_blocks(name, blocks, side):
    form = representation.get(name)
    frames = form.frames(480_000)
    values = torch.zeros(1, frames, form.bins)
    assert form.blocks(values).shape == (blocks, 1, side, side)
    assert form.blocks(values, pad=True).shape[0] == -(-frames // side)


@ALL
def test_frames_and_samples_agree(name):
    form = representation.get(name)
    for frames in (5, 128):
        samples = form.samples(frames)
        assert form.frames(samples) == frames == form.encode(noise(samples)).shape[1]
        assert form.frames(samples + 1) == frames + 1


@ALL
def test_blocks_normalise_and_come_back(name):
    form = representation.get(name)
    values = form.values(form.encode(noise(20000)))
    blocks = form.blocks(values, pad=True)
    level = form.level(blocks)
    normalised = form.normalise(blocks, level)
    assert normalised.min() >= 0
    assert normalised.max() <= 1.001
    again = form.denormalise(normalised, level)
    assert torch.allclose(again, blocks, atol=1e-6 * blocks.abs().max() + 2e-5)
    assert torch.equal(form.join(blocks, 2, values.shape[1]), values)


def test_the_published_scale_is_that_of_the_specification():
    form = representation.get("published")
    blocks = torch.tensor([0.0, 1.0, 127.97928619]).reshape(1, 1, 3, 1)
    wanted = torch.tensor([0.001, 1 / 127.97928619 + 0.001, 1.001])
    assert torch.allclose(form.normalise(blocks, form.level(blocks)).flatten(), wanted)
    other = replace(form, shift=1.0, scale=2.0)
    assert other.normalise(blocks, other.level(blocks))[0, 0, 1, 0] == pytest.approx(1.001)


def test_loudness_does_not_matter_to_the_sound_one():
    form = representation.get("spectrogram")
    blocks = form.blocks(form.values(form.encode(noise(30000))))
    loud = form.normalise(100 * blocks, form.level(100 * blocks))
    assert torch.allclose(loud, form.normalise(blocks, form.level(blocks)), atol=1e-6)
    assert torch.equal(form.normalise(0 * blocks, form.level(0 * blocks)), 0 * blocks)


@ALL
@pytest.mark.parametrize(
    "gaps",
    [[(5000, 5080)], [(0, 1)], [(15999, 16000)], [(64, 65), (128, 129)], [(70, 90), (80, 150)]],
)
def test_the_mask_names_the_frames_that_a_gap_touches(name, gaps):
    form = representation.get(name)
    whole = torch.ones(1, 16000, dtype=torch.float64) + noise(16000, 1)
    cut = whole.clone()
    for start, stop in gaps:
        cut[:, start:stop] = 0
    touched = (form.encode(cut) - form.encode(whole)).abs().amax((0, 2)) > 1e-9
    assert torch.equal(form.mask_frames(gaps, form.frames(16000)), touched)


def test_no_gap_touches_nothing():
    assert not representation.get("spectrogram").mask_frames([], 40).any()


@ALL
def test_true_values_in_the_gap_bring_the_waveform_back(name):
    form = representation.get(name)
    time = torch.arange(16384) / 16000
    whole = 0.3 * torch.sin(2 * torch.pi * 523 * time)[None] + 0.1 * noise(16384, 1)
    gap = (8000, 8160)
    damaged = whole.clone()
    damaged[:, slice(*gap)] = 0
    spectrum = form.encode(damaged)
    mask = form.mask_frames([gap], spectrum.shape[1])
    values = form.values(form.encode(whole))
    values[:, ~mask] = -1  # not to be looked at
    restored = form.decode(values, spectrum, mask, 16384)
    assert restored.shape == whole.shape
    error = (restored - whole)[:, slice(*gap)].square().sum()
    assert 10 * torch.log10(error / whole[:, slice(*gap)].square().sum()) < -12
    assert (restored - whole)[:, 500:7000].abs().max() < 1e-5


def test_an_unknown_representation_is_refused():
    with pytest.raises(UsageError, match="mdct-64"):
        representation.get("cepstrum")


@ALL
def test_the_share_of_a_frame_that_is_missing(name):
    form = representation.get(name)
    gaps = [(3000, 5000), (9000, 9003)]
    missing = torch.zeros(2, 16000, dtype=torch.bool)
    for start, stop in gaps:
        missing[1, start:stop] = True
    share = form.missing_share(missing)
    frames = form.frames(16000)
    assert share.shape == (2, frames)
    assert share[0].abs().max() == 0
    assert share.max() == pytest.approx(1)
    touched = form.mask_frames(gaps, frames)
    assert share[1, ~touched].abs().max() == 0
    assert (share[1, touched] > 0).all()
    # of white noise, that share of a frame's energy is lost
    noise = torch.randn(400, 16000, generator=torch.Generator().manual_seed(0))
    lost = form.encode(noise * missing[1]).abs().square().sum(-1).mean(0)
    whole = form.encode(noise).abs().square().sum(-1).mean(0)
    inner = slice(8, -8)
    assert torch.allclose((lost / whole)[inner], share[1, inner], atol=0.05)
