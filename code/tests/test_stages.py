"""The stages of ``dvc.yaml`` as they are told: those that DVC finds, with its needs."""

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from shellac import stages
from shellac.errors import DataError

REPOSITORY = Path(__file__).resolve().parents[2]


def named(described):
    return {stage.name: stage for stage in described}


def test_every_stage_of_the_pipeline_that_the_settings_call_for_is_told(described):
    written = YAML(typ="safe").load((REPOSITORY / "dvc.yaml").read_text("utf-8"))["stages"]
    assert list(named(described)) == [name for name in written if name in named(described)]
    assert set(written) - set(named(described)) == {
        name for name in written if name.startswith("pretrained-")
    }


def test_a_stage_reads_what_others_write(described, demo):
    found = named(described)
    assert found["download"].items == tuple(demo.data.corpora)
    assert found["download"].reads == ()
    assert found["superres-train"].reads == ("download", "superres-fragments")
    assert found["superres-train"].items == tuple(demo.systems["superres"].networks)
    assert "notebooks/01-super-resolution.ipynb" in found["superres-notebook"].files
    assert found["superres-train"].seeded
    assert not found["superres-notebook"].seeded
    assert not any("$" in name for stage in described for name in stage.files)


def test_the_manuscript_rests_on_every_system_and_its_deps_hold_every_output(described):
    reads = {stage.name: stage.reads for stage in described}
    needed = stages.needed(reads, reads["manuscript"])
    assert {"download", "denoiser-train", "babe2-stimuli", "inpainting-notebook"} <= needed
    assert not {"manuscript", "gallery", "quickstart-notebook"} & needed
    body = YAML(typ="safe").load((REPOSITORY / "dvc.yaml").read_text("utf-8"))
    deps = [dep.replace("${profile}", "demo") for dep in body["stages"]["manuscript"]["deps"]]
    outputs = [output for stage in described if stage.name in needed for output in stage.outputs]
    uncovered = [o for o in outputs if not any(f"{o}/".startswith(f"{dep}/") for dep in deps)]
    assert not uncovered  # else the printed hashes could be older than the outputs


@pytest.mark.filterwarnings("ignore:_NoneStep:DeprecationWarning")  # DVC's
def test_the_needs_are_those_that_dvc_finds(described, tmp_path):
    from dvc.repo import Repo

    Repo.init(tmp_path, no_scm=True).close()
    graph = stages.graph()
    found = {}
    for name, needs in graph.items():
        needs = {need.partition("@")[0] for need in needs}
        found.setdefault(name.partition("@")[0], set()).update(needs)
    assert found == {stage.name: set(stage.reads) for stage in described}
    items = {f"{stage.name}@{item}" for stage in described for item in stage.items}
    assert set(graph) == items | {stage.name for stage in described if not stage.items}
    place = {name: number for number, name in enumerate(graph)}
    assert all(place[need] < place[name] for name, needs in graph.items() for need in needs)


def test_what_a_stage_rests_on_is_found_over_any_number_of_others():
    needs = {"a": [], "b": ["a"], "c": ["b"], "d": ["b", "c"], "e": []}
    assert stages.needed(needs, ["c"]) == {"a", "b", "c"}
    assert stages.needed(needs, ["d", "e"]) == set(needs)
    assert stages.needed(needs, []) == set()


def test_a_pipeline_that_dvc_refuses_is_a_plain_error(demo, tmp_path):
    with pytest.raises(DataError, match="dvc cannot tell the stages"):
        stages.graph()  # no DVC there
