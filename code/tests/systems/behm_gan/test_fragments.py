"""Fragments: clean segments, the truth about their sources, the same bytes again."""

import numpy as np
import pytest

from shellac import config, paths
from shellac.datasets import corpora
from shellac.datasets.mono import mono_at
from shellac.errors import DataError
from shellac.files import read_csv, sha256
from shellac.systems.behm_gan import fragments
from shellac.systems.behm_gan.segments import Segments

PER_TRACK = 15  # segments of 0.2 s in 3 s


def test_every_segment_is_where_its_index_says(prepared):
    settings = prepared()
    task, folder = settings.systems["behm_gan"], paths.fragments("folder", "behm_gan")
    assert {path.name for path in folder.iterdir()} == {
        "train.npy", "train.index.csv", "validation.npy", "validation.index.csv",
    }  # fmt: skip
    sources = {row.sha256: row for row in corpora.recordings(settings, task.roles, "train")}
    rows = read_csv(folder / "train.index.csv")
    stored = np.load(folder / "train.npy", mmap_mode="r")
    assert stored.shape == (2 * PER_TRACK, task.segment) and stored.dtype == np.float32
    for row in (rows[0], rows[PER_TRACK + 2]):
        whole = mono_at(sources[row["sha256"]], task.sample_rate)
        offset = int(row["offset"])
        wanted = whole[offset : offset + task.segment]
        assert np.array_equal(stored[int(row["segment"])], wanted)


def test_segments_come_in_the_order_asked_for_and_of_the_material_alone(prepared):
    prepared()
    folder = paths.fragments("folder", "behm_gan")
    index = folder / "train.index.csv"
    whole = Segments(folder, "train")
    rows = whole.rows(np.array([4, 0, 17]))
    for got, place in zip(rows, (4, 0, 17), strict=True):
        assert np.array_equal(got, whole.rows(np.array([place]))[0])
    second = max(whole.sources, key=index.read_text().index)
    lines = index.read_text().splitlines()
    half = [
        line.replace("speech,speech,,", "speech,speech,cello,") for line in lines[PER_TRACK + 1 :]
    ]
    index.write_text("\n".join([*lines[: PER_TRACK + 1], *half]) + "\n")
    cello = Segments(folder, "train", ["cello"])
    assert len(cello) == PER_TRACK and cello.sources == {second}
    assert np.array_equal(cello.rows(np.array([2])), whole.rows(np.array([PER_TRACK + 2])))
    assert len(Segments(folder, "train", ["cello", "speech"])) == 2 * PER_TRACK
    assert whole.peak() >= cello.peak() > 0
    with pytest.raises(DataError, match="has the role, genre or label harp"):
        Segments(folder, "train", ["harp"])


def test_building_again_gives_the_same_bytes_and_leaves_nothing_else(prepared):
    settings, folder = prepared(), paths.fragments("folder", "behm_gan")
    before = {path.name: sha256(path) for path in folder.iterdir()}
    fragments.build(settings)
    assert {path.name: sha256(path) for path in folder.iterdir()} == before
    assert not list(folder.parent.glob(".behm_gan.*.partial"))


def test_too_little_material_is_told(folder_root):
    settings = config.apply_profile(
        "folder", ["data.folder=mine", "behm_gan.roles=[speech]", "behm_gan.segment_seconds=4"]
    )
    corpora.obtain(settings, "folder")
    with pytest.raises(DataError, match="long enough for train"):
        fragments.build(settings)
    assert not paths.fragments("folder", "behm_gan").exists()


def test_missing_and_damaged_fragments_are_told(prepared):
    prepared()
    folder = paths.fragments("folder", "behm_gan")
    index = folder / "train.index.csv"
    index.write_text("\n".join(index.read_text().splitlines()[:-1]) + "\n")
    with pytest.raises(DataError, match="lists other segments"):
        Segments(folder, "train")
    (folder / "validation.npy").write_bytes(b"nothing")
    with pytest.raises(DataError, match="run shellac fragments"):
        Segments(folder, "validation")
