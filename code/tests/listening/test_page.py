"""Building the test: blind, aligned, complete, the same bytes each time."""

import base64
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from listening_results import PITCHES_HZ, RATE, UNTREATED_HZ, build, write_results
from ruamel.yaml import YAML

import shellac
from shellac import audio, config, paths, pipeline
from shellac.cli import main
from shellac.errors import DataError, UsageError
from shellac.files import sha256, write_json
from shellac.listening import excerpts, historical, page
from shellac.listening.excerpts import Choice
from shellac.listening.loudness import TARGET_LUFS, common_gains, integrated_loudness

ASSETS = Path(shellac.__file__).parent / "listening" / "page"


@pytest.fixture
def results(folder_root):
    write_results()
    return folder_root


def heard(folder, name, tmp_path):
    """Take the FLAC out of a stimulus' script: ((C, T), rate)."""
    script = (folder / "page" / "audio" / f"{name}.js").read_text()
    told = re.fullmatch(r'shellac\.receive\("(\w+)", "([\w+/=]+)"\);\n', script)
    assert told[1] == name
    place = tmp_path / f"{name}.flac"
    place.write_bytes(base64.b64decode(told[2]))
    assert audio.inspect(place).subtype == "PCM_24"
    return audio.read(place)


def pitch_hz(waveform, rate):
    return np.argmax(np.abs(np.fft.rfft(waveform[0]))) * rate / waveform.shape[1]


def test_trials_hold_what_the_standards_ask_for(results, tmp_path):
    key = build(tmp_path / "test")
    mushra = [trial for trial in key["trials"].values() if trial["method"] == "BS.1534-3"]
    assert {trial["track"] for trial in mushra} == {"one", "two"}
    for trial in mushra:
        rated = {name: told["condition"] for name, told in trial["stimuli"].items()}
        opened = rated.pop(trial["open_reference"])
        assert opened == "reference"
        assert sorted(rated.values()) == sorted([*PITCHES_HZ, "anchor_3500_hz", "anchor_7000_hz"])
    (historical,) = (trial for trial in key["trials"].values() if trial["group"] == "historical")
    assert historical["method"] == "BS.2132"
    assert historical["stimuli"][historical["labelled"]]["condition"] == "untreated"
    assert {told["condition"] for told in historical["stimuli"].values()} == {
        "untreated", "superres"
    }  # fmt: skip
    assert historical["start_seconds"] >= 0.9  # not in the silent first second


def test_stimuli_are_as_loud_as_long_and_at_one_rate(results, tmp_path):
    folder = tmp_path / "test"
    key = build(folder)
    for trial in key["trials"].values():
        waves = {}
        for name, told in trial["stimuli"].items():
            waves[told["condition"]], rate = heard(folder, name, tmp_path)
            assert rate == page.SAMPLE_RATE
            assert sha256(folder / "page" / "audio" / f"{name}.js") == told["sha256"]
        assert {wave.shape for wave in waves.values()} == {(1, page.SAMPLE_RATE)}
        for condition, wave in waves.items():
            assert integrated_loudness(wave, rate) == pytest.approx(trial["loudness_lufs"], abs=0.1)
            if condition in PITCHES_HZ:
                assert pitch_hz(wave, rate) == pytest.approx(PITCHES_HZ[condition], abs=2)


def test_a_version_that_cannot_be_louder_lowers_the_others():
    quiet_clicks = np.zeros((1, 2 * RATE), np.float32)
    quiet_clicks[0, ::2000] = 0.9
    steady = 0.5 * np.sin(2 * np.pi * 997 * np.arange(2 * RATE) / RATE)[None]
    gains, loudness = common_gains([quiet_clicks, steady], RATE)
    assert loudness < TARGET_LUFS
    assert gains[0] == pytest.approx(1.0)
    assert integrated_loudness(steady * gains[1], RATE) == pytest.approx(loudness, abs=0.01)
    assert common_gains([np.zeros((1, RATE))], RATE) == ([1.0], None)


def test_nothing_that_listeners_get_tells_a_condition(results, tmp_path):
    key = build(tmp_path / "test", title="</script><b>Title</b>")
    told = "".join(
        path.read_text() for path in (tmp_path / "test" / "page").glob("*") if path.is_file()
    )
    words = {told["condition"] for trial in key["trials"].values()
             for told in trial["stimuli"].values()}  # fmt: skip
    for word in words - {"reference", "untreated"}:
        assert word not in told
    assert "</script><b>" not in told
    test = (tmp_path / "test" / "page" / "test.js").read_text()
    shown = json.loads(test.removeprefix("shellac.test = ").removesuffix(";\n"))
    assert shown["title"] == "</script><b>Title</b>"
    for trial in shown["trials"]:
        assert trial["stimuli"] == sorted(trial["stimuli"])
        assert trial["reference"] not in trial["stimuli"]


def test_the_same_results_give_the_same_bytes(results, tmp_path):
    for name in "ab":
        build(tmp_path / name)
    files = [
        {path.relative_to(tmp_path / name): sha256(path)
         for path in (tmp_path / name).rglob("*") if path.is_file()}
        for name in "ab"
    ]  # fmt: skip
    assert files[0] == files[1]


def test_too_many_conditions_are_drawn_the_same_in_every_trial():
    names = [f"network_{number}" for number in range(14)]
    kept, left_out = excerpts._chosen(names, "superres", Choice(seed=1))
    assert len(kept) == excerpts.MAX_SYSTEMS
    assert sorted(kept + list(left_out)) == sorted(names)
    assert excerpts._chosen(names, "superres", Choice(seed=1)) == (kept, left_out)
    assert any(excerpts._chosen(names, "superres", Choice(seed=seed))[0] != kept
               for seed in range(2, 6))  # fmt: skip
    with pytest.raises(UsageError, match="14 conditions"):
        excerpts._chosen(names, "superres", Choice(seed=1, conditions=tuple(names)))


def test_excerpts_may_be_listed(results, tmp_path):
    listed = tmp_path / "list.csv"
    listed.write_text("recording,start_seconds\nhistorical/disc.wav,1.25\n")
    starts = excerpts.read_starts(listed)
    key = build(tmp_path / "test", "historical", starts=starts)
    assert [trial["start_seconds"] for trial in key["trials"].values()] == [1.25]
    with pytest.raises(UsageError, match=r"disc\.wav: all versions last from 0\.0 to 3\.0 s"):
        build(tmp_path / "test", "historical", starts={"historical/disc.wav": 2.5})
    listed.write_text("recording,start_seconds\nhistorical/disc.wav,-1\n")
    with pytest.raises(UsageError, match=r"list\.csv"):
        excerpts.read_starts(listed)
    listed.write_text("file,from\n")
    with pytest.raises(UsageError, match=r"list\.csv"):
        excerpts.read_starts(listed)


def test_recordings_of_one_stem_are_heard_with_their_own_restorations(results):
    disc = results / "mine" / "historical" / "disc.wav"
    audio.write(disc.with_suffix(".flac"), audio.read(disc)[0] / 2, RATE)
    pipeline.download("folder")
    folder = paths.results("folder", "restored", "superres", "historical")
    shutil.rmtree(folder)
    halves = {"disc.wav": 0.4, "disc.flac": 0.2}
    for name, level in halves.items():
        wave = np.full((1, 3 * RATE), level, np.float32)
        audio.write(folder / name / f"disc.restored{Path(name).suffix}", wave, RATE)
    found = excerpts.trials(config.load(), ["historical"], Choice(seed=3, seconds=0.5))
    heard = {trial.track: trial.versions["superres"].mean() for trial in found}
    assert heard == pytest.approx({f"historical/{name}": halves[name] for name in halves})


def test_more_channels_than_ears_are_heard_as_one(results, tmp_path):
    disc = results / "mine" / "historical" / "disc.wav"
    audio.write(disc, np.repeat(audio.read(disc)[0], 3, axis=0), RATE)
    pipeline.download("folder")
    key = build(tmp_path / "test", "historical")
    (trial,) = key["trials"].values()
    for name, told in trial["stimuli"].items():
        wave, rate = heard(tmp_path / "test", name, tmp_path)
        assert wave.shape == (1, page.SAMPLE_RATE)
        if told["condition"] == "untreated":
            assert pitch_hz(wave, rate) == pytest.approx(UNTREATED_HZ, abs=2)


def test_a_system_that_restored_an_excerpt_alone_sets_where_all_are_heard(results, tmp_path):
    rate, beginning = 16000, 1.5
    folder = paths.results("folder", "restored", "babe2")
    disc, _ = audio.read(results / "mine" / "historical" / "disc.wav")
    part = disc[:, round(beginning * rate) : round((beginning + 0.75) * rate)]
    audio.write(folder / "historical" / "disc.restored.wav", part, rate)
    excerpt = {"file": "historical/disc.wav", "start_seconds": beginning}
    write_json(folder / historical.LIST, {"recordings": 1, "excerpts": [excerpt]})
    (trial,) = excerpts.trials(config.load(), ["historical"], Choice(seed=3, seconds=0.5))
    assert set(trial.versions) == {"untreated", "superres", "babe2"}
    assert beginning <= trial.start_seconds <= beginning + 0.25
    assert np.array_equal(trial.versions["babe2"], trial.versions["untreated"])
    (folder / historical.LIST).unlink()
    with pytest.raises(DataError, match=r"disc\.restored\.wav: differs in length"):
        list(excerpts.trials(config.load(), ["historical"], Choice(seed=3)))


def test_a_changed_stimulus_is_refused_and_the_old_test_stays(results, tmp_path):
    build(tmp_path / "test")
    before = (tmp_path / "test" / "key.json").read_bytes()
    changed = next(paths.results("folder", "stimuli", "superres").glob("*.flac"))
    changed.write_bytes(b"something else")
    with pytest.raises(DataError, match=changed.name):
        build(tmp_path / "test")
    assert (tmp_path / "test" / "key.json").read_bytes() == before


def test_answers_beside_a_test_are_not_removed(results, tmp_path):
    build(tmp_path / "test", "historical")
    (tmp_path / "test" / "responses.csv").write_text("precious")
    with pytest.raises(UsageError, match=r"responses\.csv"):
        build(tmp_path / "test", "historical")
    assert (tmp_path / "test" / "responses.csv").read_text() == "precious"


def test_the_export_for_webmushra_is_complete(results, tmp_path):
    settings = config.load()
    key = page.build(
        settings, ["superres"], tmp_path / "test", Choice(seed=3), page.Wording(), True
    )
    tree = YAML(typ="safe").load((tmp_path / "test" / "webmushra" / "shellac.yaml").read_text())
    kind, *pages = tree["pages"][1]
    assert kind == "random"
    assert {each["id"] for each in pages} == set(key["trials"])
    for each in pages:
        named = key["trials"][each["id"]]["stimuli"]
        conditions = sorted(named[name]["condition"] for name in each["stimuli"])
        assert conditions == ["anchor_3500_hz", "anchor_7000_hz", "spline", "tfilm"]
        for place in [each["reference"], *each["stimuli"].values()]:
            inside = tmp_path / "test" / "webmushra" / Path(place).relative_to("configs")
            assert audio.inspect(inside).subtype == "PCM_24"


def test_the_command_builds_and_tells_where(results, capsys):
    consent = results / "consent.txt"
    consent.write_text("First\nline.\n\nSecond.\n")
    assert main(["listening-test", "build", "superres", "--json", "--consent", str(consent)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["trials"] == {"superres": 2}
    assert Path(told["page"]) == paths.results("folder", "listening-test", "page", "index.html")
    assert Path(told["key"]).is_file()
    shown = Path(told["page"]).with_name("test.js").read_text()
    assert '"First line.",\n  "Second."' in shown


@pytest.mark.parametrize(
    ("arguments", "cause"),
    [
        (["denoiser"], "denoiser"),
        (["--conditions", "nothing"], "none of these"),
        (["--seconds", "0.2"], "0.2"),
        (["--excerpts", "missing.csv"], "missing.csv"),
        (["--consent", "missing.txt"], "missing.txt"),
        (["-o", "dvc.yaml"], "dvc.yaml"),
    ],
)
def test_what_a_user_can_do_wrong_is_one_line(results, capsys, arguments, cause):
    assert main(["listening-test", "build", *arguments]) == 2
    told = capsys.readouterr().err
    assert re.search(cause, told)
    assert told.count("\n") == 1


def test_without_stimuli_the_user_is_told_to_make_them(folder_root, capsys):
    assert main(["listening-test", "build"]) == 2
    assert "make all" in capsys.readouterr().err


def test_the_pages_own_files_are_small_and_need_nobody():
    assert {path.suffix for path in ASSETS.iterdir()} == {".html", ".css", ".js"}
    for path in ASSETS.iterdir():
        text = path.read_text()
        assert text.count("\n") <= 450
        assert not re.search(r"https?://|@import|type=.module", text)
