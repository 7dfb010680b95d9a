"""Networks in bfloat16: near what they compute in single precision, and nothing else is changed."""

import copy

import pytest
import torch

from shellac import networks, precision
from shellac.errors import UsageError

SIZES = {
    "superres/tfilm": ({"width": 1 / 16}, (1, 1, 8192)),
    "superres/audiounet": ({"width": 1 / 16}, (1, 1, 8192)),
    "superres/afilm": ({"width": 1 / 16}, (1, 1, 8192)),
    "denoiser/unet_22k": ({"width": 1 / 8}, (1, 2, 111, 513)),
    "denoiser/unet_44k": ({"width": 1 / 8}, (1, 2, 111, 1025)),
    "behm_gan/unet": ({"width": 1 / 8}, (1, 2, 111, 513)),
    "behm_gan/audiounet": ({"width": 1 / 16}, (1, 1, 8192)),
    "behm_gan/seanet": ({"width": 1 / 16}, (1, 1, 8192)),
    "inpainting/Res_UNet_v2": ({"width": 1 / 8}, (2, 1, 128, 128)),
    "inpainting/SE_ResNet": ({"width": 1 / 8}, (2, 1, 128, 128)),
}
MOST_DB = -35.0


@pytest.fixture(autouse=True)
def full():
    yield
    precision.use("full")


def built(name, how):
    precision.use(how)
    return networks.build(name, seed=0, **SIZES[name][0])


def drawn(name):
    return torch.rand(SIZES[name][1], generator=torch.Generator().manual_seed(1)) - 0.5


def first(result):
    return result[0] if isinstance(result, list | tuple) else result


@pytest.mark.parametrize("name", SIZES)
def test_a_network_returns_nearly_the_same(name):
    full, lowered = (built(name, how).eval() for how in ("full", "bf16"))
    assert full.state_dict().keys() == lowered.state_dict().keys()
    x = drawn(name)
    with torch.inference_mode():
        expected, found = first(full(x)), first(lowered(x))
    assert found.dtype == torch.float32
    distance = (found - expected).norm() / expected.norm()
    assert 1e-7 < distance < 10 ** (MOST_DB / 20)


@pytest.mark.parametrize("name", ["superres/tfilm", "denoiser/unet_22k", "behm_gan/seanet"])
def test_gradients_point_the_same_way(name):
    gradients = []
    for how in ("full", "bf16"):
        network = built(name, how).train()
        first(network(drawn(name))).square().mean().backward()
        of_all = [p.grad.flatten() for p in network.parameters() if p.grad is not None]
        assert all(each.dtype == torch.float32 for each in of_all)
        gradients.append(torch.cat(of_all))
    assert torch.cosine_similarity(*gradients, 0) > 0.99


def test_a_copy_has_weights_of_its_own():
    network = built("superres/audiounet", "bf16").eval()
    other = copy.deepcopy(network)
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.zero_()
        x = drawn("superres/audiounet")
        assert not torch.equal(network(x), other(x))
        assert type(network).__name__ == type(other).__name__ == "AudioUNet"


def test_a_network_that_has_to_be_whole_is():
    precision.use("bf16")
    network = networks.build("babe2/cqtdiff_22k", samples=32768, width=1 / 16).eval()
    precision.use("full")
    other = networks.build("babe2/cqtdiff_22k", samples=32768, width=1 / 16).eval()
    x, level = torch.randn(1, 32768), torch.zeros(1, 1)
    with torch.inference_mode():
        assert torch.equal(network(x, level), other(x, level))


def test_products_on_a_gpu_are_whole_unless_told():
    for how, lowered in (("tf32", True), ("full", False)):
        precision.use(how)
        assert torch.backends.cuda.matmul.allow_tf32 == lowered
        assert torch.backends.cudnn.allow_tf32 == lowered


def test_another_precision_is_told():
    with pytest.raises(UsageError, match="no precision 'fp8'; there are: full, tf32, bf16"):
        precision.use("fp8")
