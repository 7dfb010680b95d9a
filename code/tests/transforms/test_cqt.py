import numpy as np
import pytest
import torch

from shellac.transforms import cqt
from shellac.transforms.cqt import CQT

# octaves, bins per octave, Hz, samples: real lengths at both rates, odd ones too
REAL = [
    (7, 64, 22050, 184184),
    (7, 64, 22050, 23023),
    (7, 64, 22050, 70001),
    (8, 32, 44100, 262144),
    (8, 32, 44100, 99999),
    (8, 32, 44100, 32768),
]
SMALL = [(4, 16, 22050, 8192), (3, 5, 44100, 1001), (2, 1, 22050, 64), (6, 8, 44100, 24576)]


def noise(*shape, dtype=torch.float32):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0), dtype=dtype)


def distance(x, y):
    return float(torch.linalg.vector_norm(x - y) / torch.linalg.vector_norm(y))


@pytest.mark.parametrize("grid", REAL, ids=str)
def test_the_clean_grid_reconstructs_perfectly_at_real_lengths(grid):
    transform, x = CQT(*grid, grid="clean"), noise(2, grid[3])
    found = transform.synthesise(transform.analyse(x))
    assert distance(found, transform.in_band(x)) < 1e-6
    assert distance(found + transform.out_of_band(x), x) < 1e-6


@pytest.mark.parametrize("window", cqt.WINDOWS)
@pytest.mark.parametrize("grid", SMALL, ids=str)
def test_the_clean_grid_reconstructs_to_double_precision(grid, window):
    transform = CQT(*grid, window=window, grid="clean")
    x = noise(3, 1, grid[3], dtype=torch.float64)
    octaves = transform.analyse(x)
    shapes = [(3, 1, grid[1], size) for size in transform.sizes]
    assert [octave.shape for octave in octaves] == shapes
    assert [2 * size for size in transform.sizes[:-1]] == list(transform.sizes[1:])
    found = transform.synthesise(octaves) + transform.out_of_band(x)
    assert distance(found, x) < 1e-13


@pytest.mark.parametrize("grid", REAL, ids=str)
def test_the_published_grid_nearly_reconstructs_at_real_lengths(grid):
    transform, x = CQT(*grid), noise(1, grid[3])
    found = transform.synthesise(transform.analyse(x))
    assert 1e-4 < distance(found, transform.in_band(x)) < 6e-3
    assert distance(transform.in_band(x) + transform.out_of_band(x), x) < 1e-6


@pytest.mark.parametrize("grid", cqt.GRIDS)
@pytest.mark.parametrize("samples", [40, 43])
def test_gradients_are_exact_and_can_be_taken_twice(grid, samples):
    transform = CQT(2, 4, 22050, samples, grid=grid)
    x = noise(2, samples, dtype=torch.float64).requires_grad_()
    octaves = [each.detach().requires_grad_() for each in transform.analyse(x)]
    assert torch.autograd.gradcheck(lambda y: tuple(transform.analyse(y)), x)
    assert torch.autograd.gradcheck(lambda *c: transform.synthesise(list(c)), octaves)
    assert torch.autograd.gradcheck(transform.in_band, x)
    assert torch.autograd.gradgradcheck(
        lambda y: transform.synthesise(transform.analyse(y)).square().sum(), x
    )


@pytest.mark.parametrize("grid", cqt.GRIDS)
@pytest.mark.parametrize("samples", [1024, 1023])
def test_coefficients_and_inverse_are_the_sums_of_the_definition(grid, samples):
    transform = CQT(3, 6, 22050, samples, grid=grid)
    x = noise(samples, dtype=torch.float64).numpy()
    spectrum, total = np.fft.rfft(x), np.zeros(samples // 2 + 1, complex)
    octaves = transform.analyse(torch.from_numpy(x))
    lengths, centres = transform.lengths, transform.positions
    sizes = np.repeat(transform.sizes, 6)
    frame = definition_of_the_frame(lengths, centres, sizes, samples, grid)
    for k, size in enumerate(sizes):
        length, z = lengths[k + 1], np.zeros(size, complex)
        for offset in range(-(length // 2), length - length // 2):
            z[offset % size] = spectrum[centres[k + 1] + offset] * window(offset, length)
        row = octaves[k // 6][k % 6].numpy()
        np.testing.assert_allclose(row, np.fft.ifft(z), atol=1e-12)
        for offset in range(-(length // 2), length - length // 2):
            m = centres[k + 1] + offset
            total[m] += np.fft.fft(row)[offset % size] * window(offset, length) / frame[m] * size
    found = transform.synthesise(octaves).numpy()
    np.testing.assert_allclose(found, np.fft.irfft(total, samples), atol=1e-12)


def window(offset, length):
    turned = np.pi * ((offset % length - length // 2) % length) / length
    return np.i0(abs(np.sin(turned))) / (2 * np.i0(1))


def definition_of_the_frame(lengths, centres, sizes, samples, grid):
    """Sum M g^2 over all windows: on the clean grid each window and its mirror have one size."""
    bins = len(sizes)
    mirrored = [lengths[1], *sizes[:-1]] if grid == "compat" else sizes
    every = np.concatenate(([lengths[0]], sizes, sizes[-1:], mirrored[::-1]))
    frame = np.zeros(samples)
    kept = range(2 * bins + 2) if grid == "compat" else range(bins + 2)
    for k in kept:
        for offset in range(-(lengths[k] // 2), lengths[k] - lengths[k] // 2):
            frame[(centres[k] + offset) % samples] += every[k] * window(offset, lengths[k]) ** 2
    return frame


def test_a_sine_is_loudest_in_its_own_row():
    transform = CQT(5, 12, 22050, 22050, grid="clean")
    hertz = 22050 / 2 * 2.0 ** (-5 + (2 * 12 + 7) / 12)
    x = torch.sin(2 * torch.pi * hertz / 22050 * torch.arange(22050))
    octaves = transform.analyse(x)
    loudness = torch.cat([octave.abs().mean(-1) * octave.shape[-1] for octave in octaves])
    assert int(loudness.argmax()) == 2 * 12 + 7


def test_items_of_a_batch_do_not_meet():
    transform, x = CQT(4, 16, 22050, 8192), noise(2, 3, 8192)
    for item, octave in zip(transform.analyse(x[1, 2]), transform.analyse(x), strict=True):
        torch.testing.assert_close(octave[1, 2], item)
    whole = transform.synthesise(transform.analyse(x))
    torch.testing.assert_close(whole[0, 1], transform.synthesise(transform.analyse(x[0, 1])))


def test_shorter_recordings_are_filtered_as_if_zeros_followed():
    transform, x = CQT(4, 16, 22050, 8192), noise(1, 5000)
    padded = torch.nn.functional.pad(x, (0, 3192))
    torch.testing.assert_close(transform.in_band(x), transform.in_band(padded)[:, :5000])
    assert distance(transform.in_band(x) + transform.out_of_band(x), x) < 1e-6


def test_tables_are_shared_and_serve_gradients_after_inference():
    x = noise(1, 4096)
    with torch.inference_mode():
        CQT(3, 7, 22050, 4096).analyse(x)
    first, second = (CQT(3, 7, 22050, 4096)._tables(x) for _ in range(2))
    assert first is second
    y = x.clone().requires_grad_()
    sum(octave.abs().sum() for octave in CQT(3, 7, 22050, 4096).analyse(y)).backward()
    assert y.grad.abs().sum() > 0


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"grid": "neat"}, "grid 'neat'"),
        ({"window": "boxcar"}, "window 'boxcar'"),
        ({"octaves": 0}, "are no transform"),
        ({"octaves": 12}, "too few for 12 octaves: at least 16384"),
    ],
)
def test_settings_that_cannot_be_are_refused(changed, message):
    settings = {"octaves": 4, "bins_per_octave": 16, "sample_rate": 22050, "samples": 8192}
    with pytest.raises(ValueError, match=message):
        CQT(**{**settings, **changed})


def test_segments_of_another_length_are_refused():
    transform = CQT(4, 16, 22050, 8192)
    with pytest.raises(ValueError, match="must have 8192 samples, not 8191"):
        transform.analyse(noise(1, 8191))
    with pytest.raises(ValueError, match="fewer than 8193"):
        transform.in_band(noise(1, 8193))
