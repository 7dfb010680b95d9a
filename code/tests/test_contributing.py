"""What REPRODUCING.md says about adding a system and a data set, done in a copy."""

import json
import shutil
import sys
from pathlib import Path

import pytest
from clones import REPOSITORY, copy_sources, run
from sounds import tone

from shellac import audio
from shellac.files import sha256

TOY = Path(__file__).with_name("toy_system")
SECTION = """
gain:
  corpora: []
  roles: [piano]
  networks: {one: {}}
  training: {steps: 100, batch_size: 2, learning_rate: 0.1, final_learning_rate: 0.01,
             validate_every: 50, checkpoint_seconds: 60}
"""
STAGES = """
  gain-fragments:
    cmd: shellac fragments gain
    deps: ['data/raw/${profile}', code/shellac/systems/gain/fragments.py]
    params: [gain.corpora, gain.roles]
    outs: ['data/fragments/${profile}/gain']
  gain-train:
    foreach: ${gain.networks}
    do:
      cmd: shellac train gain/${key}
      deps: ['data/fragments/${profile}/gain', code/shellac/systems/gain]
      params: [seed, compute, gain.training]
      outs: ['results/${profile}/models/gain/${key}.safetensors']
"""
ENTRY = """ENTRIES = (
    _by_hand("toy-songs", "Toy songs", "three tones", "sing", "nobody"),
"""


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    root = tmp_path_factory.mktemp("contributed") / "shellac"
    root.mkdir()
    copy_sources(root)
    run(root, sys.executable, "-m", "dvc", "init", "--no-scm", "--force")
    return root


def shellac(root, *arguments):
    """Run the copy's own code, in the copy."""
    path = {"PYTHONPATH": str(root / "code"), "OMP_NUM_THREADS": "1"}
    return run(root, sys.executable, "-m", "shellac", *map(str, arguments), **path)


def edit(path, before, after):
    text = path.read_text()
    assert text.count(before) == 1
    path.write_text(text.replace(before, after))


def touched(root):
    """Files of the repository that differ in the copy."""
    files = [path for path in root.rglob("*") if path.is_file() and ".dvc" not in path.parts]
    ours = ((path.relative_to(root), path) for path in files)
    return {
        str(name) for name, path in ours
        if (REPOSITORY / name).is_file() and sha256(REPOSITORY / name) != sha256(path)
    }  # fmt: skip


def test_a_system_is_a_folder_a_line_a_section_and_its_stages(copy, tmp_path):
    systems = copy / "code" / "shellac" / "systems"
    shutil.copytree(TOY, systems / "gain", ignore=shutil.ignore_patterns("__pycache__"))
    last = '    "classical": "shellac.systems.classical.system",\n'
    edit(systems / "registry.py", last, last + '    "gain": "shellac.systems.gain.system",\n')
    profile = copy / "code" / "profiles" / "demo.yaml"
    profile.write_text(profile.read_text() + SECTION)
    pipeline = copy / "dvc.yaml"
    pipeline.write_text(pipeline.read_text() + STAGES)
    assert touched(copy) == {
        "code/shellac/systems/registry.py", "code/profiles/demo.yaml", "dvc.yaml",
    }  # fmt: skip

    small = "{pieces: 6, seconds: 2, sample_rate: 44100}"
    shellac(
        copy, "profile", "demo", "--set", "data.corpora=[synthesised-piano]",
        f"data.synthesis={{synthesised-piano: {small}}}", "compute.threads=1",
    )  # fmt: skip
    jobs = json.loads(shellac(copy, "slurm", "gain-train@one", "--dry-run", "--json").stdout)
    assert [job["stage"] for job in jobs] == [
        "download@synthesised-piano", "gain-fragments", "gain-train@one",
    ]  # fmt: skip
    for stage in (("download", "synthesised-piano"), ("fragments", "gain"), ("train", "gain/one")):
        shellac(copy, *stage)
    listed = json.loads(shellac(copy, "systems", "--json").stdout)
    assert "gain/one" in {record["name"] for record in listed}
    sound = 0.2 * tone(1.0, 8000)
    audio.write(tmp_path / "quiet.wav", sound, 8000)
    out = tmp_path / "out"
    shellac(
        copy, "restore", tmp_path / "quiet.wav", "-o", out, "--system", "gain", "--weights",
        "trained", "--device", "cpu",
    )  # fmt: skip
    restored, _ = audio.read(out / "quiet.restored.wav")
    assert restored.std() / sound.std() == pytest.approx(2, rel=0.05)


def test_a_data_set_is_an_entry(copy, tmp_path):
    before = touched(copy)
    catalogue = "code/shellac/datasets/catalogue/singing.py"
    edit(copy / catalogue, "ENTRIES = (\n", ENTRY)
    assert touched(copy) - before == {catalogue}
    songs = tmp_path / "songs"
    for number in range(3):
        audio.write(songs / "ann" / f"{number}.wav", tone(2.0, 16000, seed=number), 16000)
    shellac(
        copy, "profile", "demo", "--set", "data.corpora=[toy-songs]",
        f"data.local.toy-songs={songs}",
    )  # fmt: skip
    assert "3 of 3 used" in shellac(copy, "download", "toy-songs").stdout
