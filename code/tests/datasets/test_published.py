"""Every published data set, in miniature, from a real server to its index."""

import hashlib
import io
import json
import shutil
from collections import Counter

import miniatures
import numpy as np
import pytest

from shellac import audio, config
from shellac.datasets import corpora, published
from shellac.datasets.catalogue import CATALOGUE
from shellac.datasets.index import BOTH
from shellac.datasets.layouts import fma
from shellac.download.transfer import Limits
from shellac.errors import DataError
from shellac.files import sha256


def obtain(name, *changes):
    rows = corpora.obtain(config.apply_profile("full", list(changes)), name)
    assert rows == corpora.read_index(config.load(), name)
    used = [row for row in rows if row.used == "yes"]
    assert all(row.path.is_file() and sha256(row.path) == row.sha256 for row in used)
    return rows


def counts(rows):
    return Counter(row.split for row in rows if row.used == "yes")


def test_maestro_keeps_its_table(full_root, changes):
    rows = obtain("maestro", *changes)
    assert counts(rows) == {"train": 6, "validation": 2, "test": 2}
    assert {(row.role, row.channels, row.sample_rate) for row in rows} == {("piano", 2, 44100)}
    assert {row.label for row in rows} == {"2004", "2018"}
    rows = obtain("maestro", *changes, "data.select.maestro=['2018']")
    assert counts(rows) == {"train": 3, "validation": 1, "test": 1}


def test_musicnet_draws_validation_from_train_by_composition(full_root, changes):
    rows = obtain("musicnet", *changes)
    told = counts(rows)
    assert told["test"] == 2
    assert told["train"] + told["validation"] == 12
    assert 0 < told["validation"] < 6
    by_work = {}
    for row in rows:
        number = (int(row.path.stem) - 1727) // 3
        by_work.setdefault(number // 2, set()).add(row.split)
    assert all(len(splits) == 1 for splits in by_work.values())
    assert Counter(row.role for row in rows) == {"piano": 8, "music": 6}


@pytest.mark.parametrize(
    ("subset", "ensembles"),
    [("[piano]", {"Solo Piano"}), ("[strings]", {"String Quartet"}),
     ("['Wind Quintet', piano]", {"Wind Quintet", "Solo Piano"})],
)  # fmt: skip
def test_musicnet_by_ensemble(full_root, changes, subset, ensembles):
    rows = obtain("musicnet", *changes, f"data.select.musicnet={subset}")
    assert {row.label for row in rows} == ensembles


def test_gramophone_noise_is_split_by_recording(full_root, changes):
    rows = obtain("gramophone-noise", *changes)
    assert counts(rows) == {"train": 4, "validation": 2, "test": 2}
    assert {row.role for row in rows} == {"noise"}


def test_the_table_of_noises_is_never_run(full_root, changes, site):
    code = "__import__('pathlib').Path('ran').touch() or []"
    rows = [("recording", "segments", "largest_segment", "split"), ("disc", code, "a.wav", "train")]
    packed = miniatures.zipped({"info.csv": miniatures.table(*rows)})
    site.put("/Gramophone_Record_Noise_Dataset.zip", packed)
    with pytest.raises(DataError, match="no list of file names"):
        obtain("gramophone-noise", changes[0], vouch("Gramophone_Record_Noise_Dataset.zip", packed))
    assert not (full_root / "ran").exists()


def vouch(name, content):
    return f"data.checksums={{'{name}': 'sha256:{hashlib.sha256(content).hexdigest()}'}}"


def test_vctk_one_speaker_as_published(full_root, changes):
    rows = obtain("vctk", *changes)  # the profile selects p225
    assert counts(rows) == {"train": 16, BOTH: 8}
    held = {int(row.path.stem[5:8]) for row in rows if row.split == BOTH}
    assert held == {355, 356, 357, 358, 359, 363, 365, 366}
    assert all(row.file.endswith("_mic1.flac") for row in rows)
    settings = config.load()
    for split in ("validation", "test"):
        assert len(list(corpora.recordings(settings, ["speech"], split, ["vctk"]))) == 8


def test_vctk_many_speakers_as_published(full_root, changes):
    rows = obtain("vctk", *changes, "data.select.vctk=[]")
    assert {row.label for row in rows if row.split == BOTH} == {"p347", "p376"}
    assert {row.label for row in rows if row.split == "train"} == {
        "p225", "p226", "p227", "p280", "s5",
    }  # fmt: skip


def test_vctk_080_is_accepted_as_a_local_copy(full_root, changes, site):
    for name, content in miniatures.vctk_files("0.80").items():
        path = full_root / "copy" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    rows = obtain("vctk", "data.local.vctk=copy")
    assert counts(rows) == {"train": 16, BOTH: 8}
    assert rows[0].file.startswith("VCTK-Corpus/wav48/p225/")
    assert site.requests == []


@pytest.mark.parametrize("kind", ["au", "wav"])
def test_gtzan_as_published_and_the_damaged_clip_is_listed(full_root, changes, kind):
    content = miniatures.gtzan(kind)["genres.tar.gz"]
    (full_root / "mine").mkdir()
    (full_root / "mine" / "genres.tar.gz").write_bytes(content)
    own = ["data.local.gtzan=mine", "data.select.gtzan=[]", vouch("genres.tar.gz", content)]
    rows = obtain("gtzan", *own)
    blues = [row for row in rows if row.genre == "blues"]
    assert counts(blues) == {"train": 16, BOTH: 4}
    (damaged,) = [row for row in rows if row.used == "no"]
    assert "jazz.00054" in damaged.file
    assert damaged.reason


def test_fma_has_published_splits_and_licences(full_root, changes):
    rows = obtain("fma-small", *changes)
    assert len(rows) == 40
    assert counts(rows) == {"train": 24, "validation": 8, "test": 8}
    assert {row.licence for row in rows} == {f"CC BY {number}" for number in range(4)}
    assert Counter(row.genre for row in rows) == dict.fromkeys(miniatures.GENRES, 5)
    assert len(obtain("fma-medium", *changes)) == 60


def test_fma_for_inpainting_has_the_published_counts_by_genre(full_root, changes, monkeypatch):
    monkeypatch.setitem(fma.TEST_COUNTS, "Jazz", 7)
    rows = obtain("fma-inpainting", *changes)
    by_genre = {genre: counts(row for row in rows if row.genre == genre)
                for genre in (*miniatures.GENRES, "Jazz", "Blues")}  # fmt: skip
    assert by_genre["Rock"] == {"train": 4, "validation": 1}
    assert by_genre["International"] == {"train": 4, "validation": 1, "test": 5}
    assert by_genre["Jazz"] == {"test": 7}  # of ten
    assert by_genre["Blues"] == {"test": 5}
    again = obtain("fma-inpainting", *changes)
    assert again == rows
    assert obtain("fma-inpainting", *changes, "seed=1") != rows


def test_the_published_counts_are_those_of_the_paper():
    assert sum(fma.TEST_COUNTS.values()) == 5583
    assert len(fma.TEST_COUNTS) == 16


def test_vocalset_holds_out_the_published_singers(full_root, changes):
    rows = obtain("vocalset", *changes)
    assert {row.label for row in rows if row.split == "test"} == {"female2"}
    by_singer = {singer: {row.split for row in rows if row.label == singer}
                 for singer in miniatures.SINGERS}  # fmt: skip
    assert all(len(splits) == 1 for splits in by_singer.values())
    alone = obtain("vocalset", *changes, "data.select.vocalset=[male2]")
    assert set(counts(alone)) == {"train", "validation", "test"}


def test_beethoven_is_split_by_sonata_with_licences(full_root, changes):
    rows = obtain("beethoven", *changes)
    assert len(rows) == 32
    assert counts(rows) == {"train": 20, "validation": 4, "test": 8}
    assert all(row.licence.startswith("http://creativecommons.org") for row in rows)


def test_beethovens_published_arrays_become_recordings(full_root, changes, archives):
    rows = obtain("beethoven-published", *changes)
    assert counts(rows) == {"train": 5, "validation": 3, "test": 2}
    waveform, rate = audio.read(rows[0].path)
    assert rate == 16000
    expected = np.load(io.BytesIO(archives["music_train.npy"]))[0]
    assert np.abs(waveform[0] - expected).max() <= 2.0**-23
    assert {row.split: row.file for row in rows}["test"] == "test/00001.flac"


def test_arrays_of_objects_are_refused(full_root, changes, site):
    copy = full_root / "copy"
    copy.mkdir()
    for split in ("train", "valid", "test"):
        np.save(copy / f"music_{split}.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(DataError, match="no readable array"):
        obtain("beethoven-published", "data.local.beethoven-published=copy")


def test_singing_nobody_can_fetch_says_how_to_get_it_and_takes_a_copy(full_root, changes):
    with pytest.raises(DataError, match=r"set `data\.local\.opencpop=FOLDER`"):
        obtain("opencpop", *changes)
    for number in range(4):
        path = full_root / "copy" / f"singer {number}" / "song" / "a.wav"
        path.parent.mkdir(parents=True)
        path.write_bytes(miniatures.sound(number))
    rows = obtain("opencpop", "data.local.opencpop=copy")
    assert {row.label for row in rows} == {f"singer {number}" for number in range(4)}


def test_without_a_licence_nothing_is_fetched_from_public_addresses(full_root):
    for name in ("gtzan", "gramophone-noise"):
        with pytest.raises(DataError, match="states no licence.*data.local"):
            obtain(name)
    assert not (full_root / "data" / "published").exists() or not list(
        (full_root / "data" / "published").rglob("*.partial")
    )


def test_a_wrong_archive_is_not_used(full_root, changes):
    with pytest.raises(DataError, match="announces"):  # the catalogue knows the size
        obtain("vocalset", changes[0])
    with pytest.raises(DataError, match="its md5 is"):
        obtain("gtzan", changes[0])
    assert not list((full_root / "data" / "raw" / "full").iterdir())


def test_an_archive_already_on_the_disk_is_used_and_not_fetched(full_root, changes, site, archives):
    place = full_root / "data" / "published" / "vocalset"
    place.mkdir(parents=True)
    (place / "VocalSet11.zip").write_bytes(archives["VocalSet11.zip"])
    obtain("vocalset", *changes)
    assert site.requests == []


def test_a_second_time_nothing_is_fetched_even_without_the_archive(full_root, changes, site):
    first = obtain("vocalset", *changes)
    (full_root / "data" / "published" / "vocalset" / "VocalSet11.zip").unlink()
    asked = len(site.requests)
    assert obtain("vocalset", *changes) == first
    assert len(site.requests) == asked


def test_another_version_replaces_the_one_before(full_root, changes, site):
    obtain("vocalset", *changes)
    content = miniatures.zipped({f"FULL/male1/a/b/{n}.wav": miniatures.sound(n) for n in range(3)})
    (full_root / "data" / "published" / "vocalset" / "VocalSet11.zip").unlink()
    site.put("/VocalSet11.zip", content)
    rows = obtain("vocalset", changes[0], vouch("VocalSet11.zip", content))
    assert {row.label for row in rows} == {"male1"}
    assert len(list((full_root / "data" / "published" / "vocalset" / "unpacked").iterdir())) == 1


def test_a_corpus_that_is_not_listed_is_told(full_root):
    settings = config.apply_profile("full")
    with pytest.raises(DataError, match="does not list vocalset"):
        list(corpora.recordings(settings, ["piano"], "train", ["vocalset"]))


def test_an_unknown_hash_is_pinned_at_the_first_download(full_root, changes, site):
    mirror = changes[0]
    rows = obtain("beethoven-published", mirror)
    place = full_root / "data" / "published" / "beethoven-published"
    assert set(json.loads((place / "pins.json").read_text())) == {
        "music_train.npy", "music_valid.npy", "music_test.npy",
    }  # fmt: skip
    (place / "music_test.npy").unlink()
    assert obtain("beethoven-published", mirror) == rows
    (place / "music_test.npy").unlink()
    site.put("/music_test.npy", site.files["/music_valid.npy"])
    with pytest.raises(DataError, match=r"music_test\.npy.*its sha256 is"):
        obtain("beethoven-published", mirror)
    assert not (place / "music_test.npy").exists()


@pytest.mark.parametrize("name", ["../up.ogg", "a/b.ogg", ".hidden.ogg"])
def test_an_item_that_names_other_places_is_refused(full_root, changes, site, name):
    item = CATALOGUE["beethoven"].items[0]
    listed = {"files": [{"name": name, "size": "1", "sha1": "0" * 40}], "metadata": {}}
    site.put(f"/{item}/item.json", json.dumps(listed).encode())
    with pytest.raises(DataError, match="may not"):
        obtain("beethoven", *changes)


def test_a_layout_that_is_another_is_told(full_root, changes, site):
    (full_root / "copy" / "x").mkdir(parents=True)
    for name in sorted(set(CATALOGUE) - {"opensinger"}):
        with pytest.raises(DataError, match="there is no|holds no recording"):
            obtain(name, f"data.local.{name}=copy", "data.select={}")


def test_a_missing_server_is_one_line(full_root, site):
    settings = config.apply_profile("full", ["data.mirror=http://127.0.0.1:9"])
    with pytest.raises(DataError, match=r"genres\.tar\.gz could not be fetched"):
        published.obtain(settings, "gtzan", full_root / "x", Limits(attempts=1))


def test_sets_that_share_archives_fetch_them_once(full_root, changes, site):
    obtain("fma-medium", *changes)
    obtain("fma-inpainting", *changes)
    asked = [path for path, _ in site.requests]
    assert sorted(asked) == ["/fma_medium.zip", "/fma_metadata.zip"]
    shutil.rmtree(full_root / "data" / "published" / "fma" / "unpacked")
    obtain("fma-medium", *changes)
    assert len(site.requests) == 2  # the archives lay there still
