import torch

from shellac.systems.subpixel import subpixel_shuffle


def test_subpixel_shuffle_takes_the_phase_as_the_slow_index():
    x = torch.arange(12.0).reshape(1, 6, 2)  # 3 channels, 2 phases, 2 samples
    out = subpixel_shuffle(x, 2)
    assert out.shape == (1, 3, 4)
    for c in range(3):
        for t in range(2):
            for phase in range(2):
                assert out[0, c, 2 * t + phase] == x[0, phase * 3 + c, t]
