"""Training by several processes: their losses are one process's, and their number may change."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from shellac import config, pipeline, weights
from shellac.datasets import corpora
from shellac.errors import UsageError
from shellac.files import read_csv
from shellac.systems.superres import fragments, training
from shellac.training import determinism, processes, sharing

PROGRAM = Path(__file__).with_name("shared_program.py")
SAME = {"rel": 1e-5, "abs": 1e-6}  # sums over rows are rounded in another order


def program():
    spec = importlib.util.spec_from_file_location("shared_program", PROGRAM)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def torchrun(*command):
    """Run two processes; show what they printed where one fails."""
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    done = subprocess.run(
        [*launcher, "--nproc-per-node", "2", *map(str, command)],
        capture_output=True, text=True, check=False, timeout=1800,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Per task (one process's results, what each of two found, what one made of their start).

    The contest was begun by one process and ended by two, the other task the other way round.
    """
    module = program()
    folders = [tmp_path_factory.mktemp("shared") for _ in range(2)]
    for folder in folders:
        for name in module.TASKS:
            (folder / name).mkdir()
    whole = {name: module.trained(name, folders[0] / name) for name in module.TASKS}
    module.trained("contesting", folders[1] / "contesting", stop_at=5)
    torchrun(PROGRAM, folders[1], "contesting@", "estimating@7")
    shared = [torch.load(folders[1] / f"result-{rank}.pt") for rank in range(2)]
    ended = module.trained("estimating", folders[1] / "estimating")
    return whole, shared, ended


def test_two_processes_find_the_losses_of_one(runs):
    whole, shared, _ = runs
    first, second = (each["estimating"][0] for each in shared)
    assert len(first) == 7
    assert first == second
    assert first == pytest.approx(whole["estimating"][0][:7], **SAME)


def test_a_contest_begun_by_one_process_is_ended_by_two(runs):
    whole, shared, _ = runs
    expected, (losses, history, state) = whole["contesting"], shared[0]["contesting"]
    assert losses == pytest.approx(expected[0][5:], **SAME)
    for row, other in zip(history, expected[1], strict=True):
        assert row == pytest.approx(other, **SAME)
    torch.testing.assert_close(state, expected[2], rtol=1e-4, atol=1e-5)


def test_both_processes_end_with_the_same_bits(runs):
    _, (first, second), _ = runs
    assert first["contesting"][1] == second["contesting"][1]
    for one, other in zip(
        first["contesting"][2].values(), second["contesting"][2].values(), strict=True
    ):
        assert torch.equal(one, other)


def test_a_training_begun_by_two_processes_is_ended_by_one(runs):
    whole, _, (losses, history, state) = runs
    expected = whole["estimating"]
    assert losses == pytest.approx(expected[0][7:], **SAME)
    for row, other in zip(history, expected[1], strict=True):
        assert row == pytest.approx(other, **SAME)
    torch.testing.assert_close(state, expected[2], rtol=1e-4, atol=1e-5)


def test_the_command_under_torchrun_leaves_what_it_leaves_alone(folder_root):
    """The network has batch normalisation and dropout."""
    settings = config.apply_profile(
        "folder",
        ["data.folder=mine", "superres.training.steps=3", "superres.training.batch_size=4",
         "superres.training.validate_every=1", "compute.threads=1",
         "superres.networks={audiounet: {width: 0.03125}}"],
    )  # fmt: skip
    corpora.obtain(settings, "folder")
    fragments.build(settings)
    training.train(settings, "audiounet")
    curve = folder_root / "results/folder/metrics/superres-training/audiounet.csv"
    path = weights.trained_path("folder", "superres/audiounet")
    alone, (state, card) = read_csv(curve), weights.load(path)
    curve.unlink()
    path.unlink()
    done = torchrun("-m", "shellac", "train", "superres/audiounet")
    for row, other in zip(read_csv(curve), alone, strict=True):
        assert [*map(float, row.values())] == pytest.approx([*map(float, other.values())], rel=1e-4)
    shared_state, shared_card = weights.load(path)
    assert shared_card == card
    assert shared_state.keys() == state.keys()
    assert done.stdout == ""
    assert len(list((folder_root / "results/folder/records").glob("train-*.json"))) == 1


@pytest.fixture
def second_of_two(monkeypatch):
    for name, value in {"WORLD_SIZE": "2", "RANK": "1", "LOCAL_RANK": "1"}.items():
        monkeypatch.setenv(name, value)


def test_stages_that_several_processes_would_all_do_are_refused(folder_root, second_of_two):
    with pytest.raises(UsageError, match="shellac fragments is for one process"):
        pipeline.fragments("superres")


def test_a_network_whose_rows_depend_on_each_other_is_refused(folder_root, second_of_two):
    legacy = "superres.networks={old: {network: tfilm, mode: legacy, width: 0.03125}}"
    settings = config.apply_profile("folder", ["data.folder=mine", legacy])
    corpora.obtain(settings, "folder")
    fragments.build(settings)
    with pytest.raises(UsageError, match="superres/old: legacy TFiLM .* one process only"):
        training.train(settings, "old")


def test_a_batch_smaller_than_the_processes_is_refused(second_of_two):
    with pytest.raises(UsageError, match="2 processes cannot share a batch of 1"):
        sharing._rows(1)


@pytest.mark.parametrize("count", [2, 3, 7])
def test_rows_are_shared_evenly_and_all(monkeypatch, count):
    monkeypatch.setenv("WORLD_SIZE", str(count))
    found = []
    for rank in range(count):
        monkeypatch.setenv("RANK", str(rank))
        found.append(list(range(16))[sharing._rows(16)])
    assert sum(found, []) == list(range(16))
    assert max(map(len, found)) - min(map(len, found)) <= 1


def test_every_process_has_a_device_of_its_own(monkeypatch, second_of_two):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert determinism.device("auto") == torch.device("cuda:1")
    assert determinism.device("cpu") == torch.device("cpu")


def test_one_process_imports_nothing_and_wraps_nothing(monkeypatch):
    monkeypatch.setenv("RANK", "3")  # as some clusters set it for other reasons
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    network = torch.nn.Linear(2, 2)
    with sharing.shared([network]) as peers:
        assert type(peers) is sharing.Alone
        assert "forward" not in vars(network)
    assert processes.number() == 0
