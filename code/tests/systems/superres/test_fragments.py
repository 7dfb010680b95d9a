"""Fragments: the published layout, the truth about their sources, the same bytes again."""

import h5py
import numpy as np
import pytest
from sounds import tone

from shellac import audio, config, paths
from shellac.datasets import corpora
from shellac.errors import DataError
from shellac.files import read_csv, sha256
from shellac.systems.superres import fragments
from shellac.transforms.spline import upsample


@pytest.fixture
def built(folder_root):
    settings = config.load()
    corpora.obtain(settings, "folder")
    fragments.build(settings)
    return settings, paths.fragments("folder", "superres")


def test_layout_is_the_published_one(built):
    _, folder = built
    assert {path.name for path in folder.iterdir()} == {
        f"folder-{split}.4.16000.8192.4096{suffix}"
        for split in ("train", "val")
        for suffix in (".h5", ".index.csv")
    }
    with h5py.File(folder / "folder-train.4.16000.8192.4096.h5") as file:
        assert set(file) == {"data", "label"}
        # two of four recordings train, 3 s each: ten patches of 8192 at stride 4096
        for dataset in file.values():
            assert dataset.shape == (20, 8192, 1)
            assert dataset.dtype == np.float32
            assert dataset.chunks is None
            assert dataset.compression is None


def test_every_patch_is_where_its_index_says(built):
    settings, folder = built
    task = settings.systems["superres"]
    path = folder / "folder-train.4.16000.8192.4096.h5"
    sources = {row.sha256: row for row in corpora.recordings(settings, task.roles, "train")}
    rows = read_csv(path.with_suffix(".index.csv"))
    with h5py.File(path) as file:
        assert len(rows) == len(file["data"])
        for row in (rows[0], rows[7], rows[-1]):
            whole, patch, offset = sources[row["sha256"]], int(row["patch"]), int(row["offset"])
            label = fragments.mono_at(whole, 16000)[offset : offset + 8192]
            assert np.array_equal(file["label"][patch, :, 0], label)


def test_data_is_the_spline_through_every_fourth_sample_of_the_low_passed(built):
    settings, folder = built
    with h5py.File(folder / "folder-train.4.16000.8192.4096.h5") as file:
        data = file["data"][0, :, 0].astype(np.float64)
    again = upsample(data[::4], 4)[: len(data)]
    inside = slice(400, -400)  # the ends of a patch are not the ends of its recording
    assert np.abs(again - data)[inside].max() < 1e-5


def test_of_several_filters_each_recording_draws_its_own_from_seed_and_content(folder_root):
    settings = config.apply_profile(
        "folder",
        ["data.folder=mine", "superres.training_low_pass=[chebyshev, butterworth, sinc, codec]"],
    )
    task = settings.systems["superres"]
    drawn = [fragments.drawn_low_pass(task, 1, f"{number:064x}"[::-1]) for number in range(200)]
    assert {family for family, _ in drawn} == set(task.training_low_pass)
    edges = np.array([edge for _, edge in drawn])
    assert 0.6 <= edges.min() < 0.65 and 0.9 < edges.max() <= 0.95
    assert drawn[7] == fragments.drawn_low_pass(task, 1, f"{7:064x}"[::-1])
    assert drawn != [
        fragments.drawn_low_pass(task, 2, f"{number:064x}"[::-1]) for number in range(200)
    ]
    corpora.obtain(settings, "folder")
    fragments.build(settings)
    folder = paths.fragments("folder", "superres")
    path = folder / "folder-train.4.16000.8192.4096.h5"
    first = read_csv(path.with_suffix(".index.csv"))[0]
    assert (first["low_pass"], float(first["edge"])) == fragments.drawn_low_pass(
        task, settings.seed, first["sha256"]
    )
    (source,) = [
        row for row in corpora.recordings(settings, task.roles, "train")
        if row.sha256 == first["sha256"]
    ]  # fmt: skip
    wanted, _ = fragments.pair(source, task, first["low_pass"], float(first["edge"]))
    with h5py.File(path) as file:
        assert np.array_equal(file["data"][0, :, 0], wanted[:8192])


def test_one_filter_keeps_the_published_edge(built):
    _, folder = built
    rows = read_csv(folder / "folder-train.4.16000.8192.4096.index.csv")
    assert {(row["low_pass"], row["edge"]) for row in rows} == {("chebyshev", "0.8")}


@pytest.mark.parametrize("family", ["chebyshev", "butterworth", "sinc", "codec", "none"])
def test_long_recordings_are_filtered_stretch_by_stretch(folder_root, family, monkeypatch):
    changes = ["data.folder=mine", "superres.scale=3", "superres.sample_rate=12000"]
    if family == "none":
        changes.append("superres.low_pass=false")
    else:
        changes.append(f"superres.training_low_pass=[{family}]")
    settings = config.apply_profile("folder", changes)
    task = settings.systems["superres"]
    audio.write(folder_root / "mine" / "speech" / "long.wav", tone(9.0, 16000), 16000)
    rows = corpora.obtain(settings, "folder")
    (long,) = [row for row in rows if row.file.endswith("long.wav")]
    monkeypatch.setattr(fragments, "SEGMENT", 20_000)
    monkeypatch.setattr(fragments, "CONTEXT", 6_000)
    blocks = list(fragments.training_blocks(long, task, settings.seed))
    assert len(blocks) == 7
    whole = fragments.training_pair(long, task, settings.seed)
    for got, want in zip(zip(*blocks, strict=True), whole, strict=True):
        np.testing.assert_allclose(np.concatenate(got), want, atol=2e-7)


def test_building_again_gives_the_same_bytes_and_leaves_nothing_else(built):
    settings, folder = built
    before = {path.name: sha256(path) for path in folder.iterdir()}
    fragments.build(settings)
    assert {path.name: sha256(path) for path in folder.iterdir()} == before
    assert {path.name for path in folder.parent.iterdir()} == {"superres", ".superres.lock"}


def test_too_little_material_is_told(folder_root):
    settings = config.apply_profile(
        "folder", ["data.folder=mine", "superres.dimension=65536", "superres.stride=4096"]
    )
    corpora.obtain(settings, "folder")
    with pytest.raises(DataError, match="long enough for train"):
        fragments.build(settings)
    assert not paths.fragments("folder", "superres").exists()
