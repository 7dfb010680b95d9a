"""Checkpoints of other people: tensors by name come out, everything else is refused."""

import pytest
import torch

from shellac import torch_files
from shellac.errors import WeightsError


@pytest.mark.parametrize("zipped", [True, False])
def test_both_formats_of_torch_save_are_read(tmp_path, zipped):
    state = {"a.weight": torch.arange(6.0).reshape(2, 3), "a.count": torch.tensor(7)}
    path = tmp_path / "w.pth"
    torch.save(state, path, _use_new_zipfile_serialization=zipped)
    read = torch_files.read_state(path)
    assert list(read) == list(state)
    assert all(torch.equal(read[name], value) for name, value in state.items())


def test_a_folder_or_nothing_is_named(tmp_path):
    for path in (tmp_path, tmp_path / "none.pth"):
        with pytest.raises(WeightsError, match=path.name):
            torch_files.read_state(path)


def test_a_list_of_tensors_beyond_any_state_dict_is_refused(tmp_path, monkeypatch):
    torch.save({"a": torch.zeros(1)}, tmp_path / "w.pth")
    monkeypatch.setattr(torch_files, "_MAX_PICKLE_BYTES", 50)
    with pytest.raises(WeightsError, match="list of tensors"):
        torch_files.read_state(tmp_path / "w.pth")
    monkeypatch.setattr(torch_files, "MAX_BYTES", 100)
    with pytest.raises(WeightsError, match="bytes"):
        torch_files.read_state(tmp_path / "w.pth")
