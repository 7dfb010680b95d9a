"""Every network through its real configuration: trained a step, saved, loaded, restoring a file."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from sounds import tone

from shellac import audio, config, paths, weights
from shellac.cli import main
from shellac.datasets import corpora
from shellac.degradations.gaps import cut_gaps
from shellac.files import read_csv
from shellac.systems.inpainting import fragments, training
from shellac.systems.inpainting.network import NETWORKS

PROFILES = Path(__file__).resolve().parents[3] / "profiles"
GAP = (7000, 7400)
ENTRIES = ", ".join(f"{name}: {{width: 0.03125}}" for name in NETWORKS)
CHANGES = (
    "data.folder=mine", "compute.threads=1", "inpainting.training.steps=1",
    "inpainting.training.batch_size=2", "inpainting.training.validate_every=1",
    f"inpainting.networks={{{ENTRIES}}}",
)  # fmt: skip


def noise(seconds, seed):
    """Bursts that reach the Nyquist frequency, so that the gate lets a recording pass."""
    rng = np.random.default_rng(seed)
    samples = int(16000 * seconds)
    decay = np.exp(-(np.arange(samples) % 4000) / 400.0)
    return (0.1 * rng.standard_normal(samples) * decay).astype(np.float32)


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    root = tmp_path_factory.mktemp("every")
    shutil.copytree(PROFILES, root / "code" / "profiles")
    (root / "dvc.yaml").touch()
    for number in range(4):
        bright = tone(1.2, 16000, seed=number) + noise(1.2, number)
        audio.write(root / "mine" / "speech" / f"{number}.wav", bright, 16000)
    audio.write(root / "x.wav", cut_gaps(tone(1.0, 16000), [GAP]), 16000, "FLOAT")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SHELLAC_ROOT", str(root))
        patch.chdir(root)
        found = config.apply_profile("folder", list(CHANGES))
        corpora.obtain(found, "folder")
        fragments.build(found)
        yield found


@pytest.mark.parametrize("name", NETWORKS)
def test_it_trains_a_step_is_saved_loaded_and_restores_a_file(settings, name, capsys):
    training.train(settings, name)
    path = weights.trained_path("folder", f"inpainting/{name}")
    state, card = weights.load(path)
    assert card.network == f"inpainting/{name}"
    assert all(torch.isfinite(tensor).all() for tensor in state.values())
    (row,) = read_csv(paths.results("folder", "metrics", "inpainting-training", f"{name}.csv"))
    assert 0 < float(row["loss"]) < 1e6 and 0 < float(row["validation_loss"]) < 1e6

    source, out = paths.root() / "x.wav", paths.root() / name
    command = ["restore", str(source), "-o", str(out), "--system", f"inpainting/{name}"]
    assert main([*command, "--weights", str(path)]) == 0, capsys.readouterr().err
    before, after = (audio.read(file)[0] for file in (source, out / "x.restored.wav"))
    intact = np.ones(before.shape[1], bool)
    intact[slice(*GAP)] = False
    assert np.array_equal(before[:, intact], after[:, intact])
    assert np.abs(after[:, slice(*GAP)]).max() > 1e-3
