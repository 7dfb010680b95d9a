"""Fragments: the published layout, the truth about their sources, the same bytes again."""

import json

import numpy as np
import pytest
import torch

from shellac import audio, config, paths
from shellac.datasets import corpora
from shellac.errors import DataError
from shellac.files import read_csv, sha256
from shellac.systems.inpainting import fragments, representation
from shellac.systems.inpainting.segments import Segments, normalisation

SEGMENTS = 5  # of 128 frames in 3 s
ALONE = (
    "data.folder=mine", "inpainting.gaps.filled_draws=0",
    "inpainting.networks={UNet_v2: {width: 0.125}}",
)  # fmt: skip


@pytest.fixture
def built(folder_root):
    return build()


def build(*changes):
    settings = config.apply_profile("folder", [*ALONE, *changes])
    corpora.obtain(settings, "folder")
    fragments.build(settings)
    return settings, paths.fragments("folder", "inpainting")


def test_layout_is_the_published_one(built):
    _, folder = built
    assert {path.name for path in folder.iterdir()} == {
        "train_y.npy", "train.index.csv", "validation_y.npy", "validation.index.csv",
        "normalisation.json",
    }  # fmt: skip
    array = np.load(folder / "train_y.npy", mmap_mode="r")
    assert array.shape == (2 * SEGMENTS, 128, 128, 1) and array.dtype == np.float32
    shift, scale = normalisation(folder)
    both = np.load(folder / "validation_y.npy").max()
    assert shift == 0.0
    assert scale == pytest.approx(max(array.max(), both))


def test_every_segment_is_where_its_index_says(built):
    settings, folder = built
    task, form = settings.systems["inpainting"], representation.get("spectrogram")
    sources = {row.sha256: row for row in corpora.recordings(settings, task.roles, "train")}
    rows = read_csv(folder / "train.index.csv")
    array = np.load(folder / "train_y.npy")
    assert [int(row["segment"]) for row in rows] == list(range(len(array)))
    assert [int(row["place"]) for row in rows] == 2 * list(range(SEGMENTS))
    for row in (rows[0], rows[7]):
        waveform, rate = audio.read(sources[row["sha256"]].path)
        assert rate == 16000 and row["role"] == row["genre"] == "speech"
        frames = form.values(form.encode(torch.from_numpy(waveform)))[0].numpy()
        first = int(row["offset"]) // form.hop
        found = array[int(row["segment"]), ..., 0]
        assert np.array_equal(found, frames[first : first + 128])


def test_gaps_are_drawn_when_read_and_the_same_at_every_reading(built):
    settings, folder = built
    task = settings.systems["inpainting"]
    one, again = (Segments(folder, "train", task, settings.seed) for _ in range(2))
    numbers = np.array([3, 0, 8])
    whole, lost = one.rows(numbers)
    assert torch.equal(lost, again.rows(numbers)[1])
    assert torch.equal(lost[1], one.rows(np.array([0]))[1][0])  # whoever is in the batch beside it
    assert not torch.equal(lost, one.rows(numbers, 1)[1])
    assert not torch.equal(lost, Segments(folder, "train", task, 1).rows(numbers)[1])
    assert torch.equal(whole[0, 0], torch.from_numpy(np.load(folder / "train_y.npy")[3, ..., 0]))


def test_the_published_layout_holds_the_damaged_segments_beside_the_whole_ones(folder_root):
    settings, folder = build("inpainting.published_layout=true")
    whole, damaged = (np.load(folder / f"train_{name}.npy")[..., 0] for name in "yX")
    segments = Segments(folder, "train", settings.systems["inpainting"], settings.seed)
    lost = segments.rows(np.arange(len(segments)))[1].numpy()
    assert np.array_equal(damaged, whole * ~lost[..., None])


def test_mdct_blocks_have_their_own_shape_and_a_shift(folder_root):
    _, folder = build("inpainting.representation=mdct-64")
    array = np.load(folder / "train_y.npy", mmap_mode="r")
    assert array.shape[1:] == (64, 64, 1)
    told = json.loads((folder / "normalisation.json").read_text())
    assert told["shift"] > 0
    assert told["scale"] > told["shift"]


def test_building_again_gives_the_same_bytes_and_leaves_nothing_else(built):
    settings, folder = built
    before = {path.name: sha256(path) for path in folder.iterdir()}
    fragments.build(settings)
    assert {path.name: sha256(path) for path in folder.iterdir()} == before
    assert {path.name for path in folder.parent.iterdir()} == {"inpainting", ".inpainting.lock"}


def test_a_killed_build_takes_up_its_shards(built, monkeypatch):
    settings, folder = built
    before, read = {path.name: sha256(path) for path in folder.iterdir()}, []
    original = fragments.mono_at

    def failing(recording, rate):
        read.append(recording.sha256)
        if len(read) == 2:
            raise KeyboardInterrupt
        return original(recording, rate)

    serial = settings.model_copy(
        update={"compute": settings.compute.model_copy(update={"threads": 1})}
    )
    monkeypatch.setattr(fragments, "mono_at", failing)
    with pytest.raises(KeyboardInterrupt):
        fragments.build(serial)
    assert {path.name: sha256(path) for path in folder.iterdir()} == before  # the old ones stand
    fragments.build(serial)
    assert read.count(read[0]) == 1  # its shard was still there
    assert {path.name: sha256(path) for path in folder.iterdir()} == before


def test_too_little_material_is_told(folder_root):
    for path in (folder_root / "mine" / "speech").iterdir():
        waveform, rate = audio.read(path)
        audio.write(path, waveform[:, :7000], rate)
    with pytest.raises(DataError, match="long enough for train"):
        build("data.gate.min_seconds=0.1")
    assert not paths.fragments("folder", "inpainting").exists()


def test_missing_and_damaged_fragments_are_told(built):
    settings, folder = built
    task = settings.systems["inpainting"]
    index = folder / "train.index.csv"
    index.write_text("\n".join(index.read_text().splitlines()[:-1]) + "\n")
    with pytest.raises(DataError, match="lists other segments"):
        Segments(folder, "train", task, 1)
    (folder / "validation_y.npy").write_bytes(b"nothing")
    with pytest.raises(DataError, match="run shellac fragments"):
        Segments(folder, "validation", task, 1)
