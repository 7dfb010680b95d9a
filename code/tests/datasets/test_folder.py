"""The folder corpus: roles by folder or by table, and what is wrong is named."""

import pytest
import shared_audio

from shellac.datasets.folder import CLEAN_ROLES, scan
from shellac.errors import DataError


def put(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    return folder


def manifest(folder, *lines, header="file,role"):
    (folder / "MANIFEST.csv").write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return folder


def found(folder):
    return [(file.path.relative_to(folder).as_posix(), file.role) for file in scan(folder)]


def test_sub_folders_give_roles_at_any_depth(tmp_path):
    put(tmp_path, "speech/b.WAV", "piano/deep/er/a.flac", "noise/n.ogg", "historical/h.mp3")
    assert found(tmp_path) == [
        ("historical/h.mp3", "historical"),
        ("noise/n.ogg", "noise"),
        ("piano/deep/er/a.flac", "piano"),
        ("speech/b.WAV", "speech"),
    ]


def test_what_is_no_audio_is_ignored_and_counted(tmp_path):
    put(tmp_path, "piano/a.wav", "piano/cover.jpg", "README.md", "piano/.hidden.wav",
        ".cache/x.wav", "drums/notes.txt")  # fmt: skip
    scanned = scan(tmp_path)
    assert len(scanned) == 1
    assert scanned.ignored == 4  # the hidden folder is not entered


def test_recordings_without_a_table_are_known_by_content(tmp_path):
    put(tmp_path, "piano/a.wav", "piano/b.wav")
    (tmp_path / "music").mkdir()
    (tmp_path / "music" / "copy.wav").write_bytes((tmp_path / "piano/a.wav").read_bytes())
    keys = {file.path.name: file.recording for file in scan(tmp_path)}
    assert keys["a.wav"] == keys["copy.wav"] != keys["b.wav"]


@pytest.mark.parametrize("name", ["a.wav", "drums/a.wav", "Piano/a.wav"])
def test_audio_without_a_known_role_is_refused(tmp_path, name):
    put(tmp_path, "piano/x.wav", name)
    if name == "Piano/a.wav" and (tmp_path / "piano/a.wav").exists():
        pytest.skip("this file system does not tell upper from lower case")
    with pytest.raises(DataError, match="known role") as told:
        scan(tmp_path)
    assert name in str(told.value)


def test_a_table_decides_roles_and_recordings(tmp_path):
    put(tmp_path, "x/1.wav", "x/2.wav", "3.flac", "unlisted.wav", "notes.txt")
    manifest(
        tmp_path,
        "x/2.wav,music,live,", "x/1.wav,music,live,k", "3.flac,noise,,", "notes.txt,noise",
        header="file,role,recording,title",
    )  # fmt: skip
    scanned = scan(tmp_path)
    assert found(tmp_path) == [("3.flac", "noise"), ("x/1.wav", "music"), ("x/2.wav", "music")]
    assert scanned[1].recording == scanned[2].recording == "live"
    assert len(scanned[0].recording) == 64
    assert scanned.ignored == 1


def test_a_table_may_name_licences(tmp_path):
    put(tmp_path, "a.wav", "b.wav")
    manifest(tmp_path, "a.wav,piano,CC BY 4.0", "b.wav,piano,", header="file,role,licence")
    assert [file.licence for file in scan(tmp_path)] == ["CC BY 4.0", ""]


def test_source_sha256_serves_as_recording(tmp_path):
    put(tmp_path, "a.wav")
    manifest(tmp_path, "a.wav,piano,abc", header="file,role,source_sha256")
    assert scan(tmp_path)[0].recording == "abc"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("../outside.wav,piano", "out of the folder"),
        ("/etc/hostname,piano", "out of the folder"),
        ("link.wav,piano", "out of the folder"),
        ("gone.wav,piano", "missing"),
        ("sub,piano", "missing"),
        ("a.wav,drums", "drums"),
        ("a.wav", "role"),
        (",piano", "no file"),
        ("ok.wav,music", "line 2 already"),
        ("./ok.wav,piano", "line 2 already"),
        ("a\0.wav,piano", "zero byte"),
    ],
)
def test_a_wrong_line_is_named(tmp_path, line, words):
    folder = tmp_path / "corpus"
    put(tmp_path, "outside.wav", "corpus/ok.wav", "corpus/a.wav", "corpus/sub/b.wav")
    (folder / "link.wav").symlink_to(tmp_path / "outside.wav")
    manifest(folder, "ok.wav,piano", line)
    with pytest.raises(DataError, match=words) as told:
        scan(folder)
    assert "\n" not in str(told.value)
    if "\0" not in line:
        assert "MANIFEST.csv, line 3" in str(told.value)


def test_links_out_of_the_folder_are_refused(tmp_path):
    put(tmp_path, "outside.wav", "corpus/piano/ok.wav")
    (tmp_path / "corpus/piano/link.wav").symlink_to(tmp_path / "outside.wav")
    with pytest.raises(DataError, match="link.wav leads out"):
        scan(tmp_path / "corpus")


def test_missing_empty_and_garbled_are_named(tmp_path):
    with pytest.raises(DataError, match="no such folder"):
        scan(tmp_path / "nowhere")
    with pytest.raises(DataError, match="no recordings"):
        scan(tmp_path)
    manifest(tmp_path, "a.wav,piano", header="name,role")
    with pytest.raises(DataError, match="column file"):
        scan(tmp_path)
    (tmp_path / "MANIFEST.csv").write_bytes(b"file,role\n\xff\xfe.wav,piano\n")
    with pytest.raises(DataError, match="UTF-8"):
        scan(tmp_path)
    (tmp_path / "MANIFEST.csv").write_bytes(b"")
    with pytest.raises(DataError, match="lacks the column"):
        scan(tmp_path)


def test_a_link_to_nothing_is_named(tmp_path):
    put(tmp_path, "piano/a.wav")
    (tmp_path / "piano/b.wav").symlink_to(tmp_path / "piano/gone")
    with pytest.raises(DataError, match=r"b\.wav"):
        scan(tmp_path)


def test_the_real_recordings_are_listed_with_their_sources():
    folder = shared_audio.require()
    scanned = scan(folder)
    rows = shared_audio.rows()
    assert len(scanned) == len(rows) == 33
    assert sum(file.role in CLEAN_ROLES for file in scanned) == 24
    cylinder = [file.recording for file in scanned if "edison" in file.path.name]
    assert len(cylinder) == 3
    assert len(set(cylinder)) == 1
