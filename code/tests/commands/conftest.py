"""Small weights on disk, so that commands run as users run them."""

import pytest

from shellac import networks, weights
from shellac.weights import Card


@pytest.fixture(scope="session")
def small_weights(tmp_path_factory):
    """Freshly drawn weights of a narrow AudioUNet, stored with their card."""
    settings = {"width": 0.0625}
    network = networks.build("superres/audiounet", seed=3, **settings).eval()
    card = Card(
        network="superres/audiounet", settings=settings, sample_rate=16000, level=0.5,
        edge_seconds=0.35, origin="trained", licence="none", profile="test",
        trained_on=("0" * 64,), extra={"scale": 4, "low_pass": True},
    )  # fmt: skip
    path = tmp_path_factory.mktemp("weights") / "audiounet.safetensors"
    weights.store(path, network.state_dict(), card)
    return path


@pytest.fixture
def restore(small_weights, capsys):
    """Run ``shellac restore`` in this process; return (status, output, error)."""
    from shellac.cli import main

    def run(*arguments):
        status = main(["restore", "--system", "superres", "--weights", str(small_weights),
                       *map(str, arguments)])  # fmt: skip
        told = capsys.readouterr()
        return status, told.out, told.err

    return run
