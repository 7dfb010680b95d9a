"""The tables of the manuscript's own: corpora, networks and stages, as the repository has them."""

import json

from shellac import lock
from shellac.commands import inventory
from shellac.stages import Stage


def toy():
    def stage(name, *reads, outputs=()):
        return Stage(name, "-", False, (), outputs, reads, ())

    return [stage("a"), stage("x-b", "a"), stage("x-c", "a", "x-b"), stage("d", "x-c", "a", "x-b")]


def test_the_graph_leaves_out_ways_over_a_third_stage():
    table = inventory.graph(toy()).set_index("stage")
    assert table["layer"].to_dict() == {"a": 0, "x-b": 1, "x-c": 2, "d": 3}
    assert table["lane"].to_dict() == {"a": "", "x-b": "x", "x-c": "x", "d": ""}
    after = {name: json.loads(text) for name, text in table["after"].items()}
    assert after == {"a": [], "x-b": ["a"], "x-c": ["x-b"], "d": ["x-c"]}


def test_hashes_are_those_of_the_lock(described, demo, tmp_path):
    table = inventory.listed(demo, described)
    assert set(table["hash"]) == {"not recorded"}
    output = "data/fragments/demo/superres"
    recorded = {"superres-fragments": {"outs": [{"path": output, "md5": "0123456789abcdef.dir"}]}}
    (tmp_path / lock.NAME).write_text(json.dumps({"stages": recorded}))
    table = inventory.listed(demo, described)
    assert table.set_index("writes").loc[output, "hash"] == "01234567"
    assert set(table.loc[table["writes"] != output, "hash"]) == {"not recorded"}
    assert set(table.loc[table["writes"] == output, "seed"]) == {demo.seed}
    assert "superres-train@tfilm" in set(table["stage"])


def test_the_catalogue_states_what_licence_there_is():
    table = inventory.catalogue().set_index("name")
    assert table.loc["musicnet", "licence"] == "CC BY 4.0"
    assert table.loc["gramophone-noise", "licence"] == "none stated"
    assert (table["citation"] != "").all()
