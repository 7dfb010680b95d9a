"""The rules themselves: a harness that cannot fail proves nothing."""

import json
import zlib

import numpy as np
import pytest
from parity import cases, rules, runners, superres
from parity.cases import Case
from parity.runners import check

from shellac import networks

ZERO_BASE = {"in_x": np.array([1.0, 2.0, 4.0], np.float32)}


def distance(rule, got, want, **arrays):
    return rules.mismatch(rule, np.asarray(got), {"out": np.asarray(want), **arrays}, "out")


@pytest.mark.parametrize(
    ("name", "shape", "of_normal"),
    [
        ("a.running_var", (5,), lambda z: 1 + 0.1 * abs(z)),
        ("m/moving_variance", (5,), lambda z: 1 + 0.1 * abs(z)),
        ("a.0.weight", (4, 3, 2), lambda z: z / np.sqrt(6)),
        ("a.weight_g", (4, 1, 1), lambda z: z),
        ("b.gamma", (1, 4, 1, 1), lambda z: z / 2),
        ("a.3.weight", (5,), lambda z: 1 + 0.1 * z),
        ("a.gamma", (5,), lambda z: 1 + 0.1 * z),
        ("a.scale", (5,), lambda z: 1 + 0.1 * z),
        ("lstm.bias_ih_l0", (5,), lambda z: 0.1 * z),
        ("a.running_mean", (), lambda z: 0.1 * z),
    ],
)
def test_fill_follows_the_name_and_the_shape(name, shape, of_normal):
    normal = np.random.default_rng([7, zlib.crc32(name.encode())]).standard_normal(shape)
    got = rules.filled(7, name, shape)
    assert got.dtype == np.float32 and got.shape == shape
    np.testing.assert_allclose(got, of_normal(normal), rtol=1e-6)


def test_fill_depends_on_seed_and_name_alone():
    names = [["a", [3], "float32"], ["b", [3], "float32"], ["n", [], "int64"]]
    forward, backward = rules.checkpoint(names, 1), rules.checkpoint(names[::-1], 1)
    assert all(np.array_equal(forward[name], backward[name]) for name, _, _ in names)
    assert not np.array_equal(forward["a"], forward["b"])
    assert not np.array_equal(forward["a"], rules.filled(2, "a", [3]))
    assert forward["n"] == 0 and forward["n"].dtype == np.int64


def test_relative_compares_norms_over_all_elements():
    assert distance({"relative": 0.1}, [3.0, 4.5], [3.0, 4.0]) == pytest.approx(1.0)
    assert distance({"relative": 0.1}, [[3.0j, 4.5j]], [[3.0j, 4j]]) == pytest.approx(1.0)
    assert distance({"relative": 0.1}, [3.0, 4.6], [3.0, 4.0]) > 1


def test_relative_to_silence_is_an_absolute_limit():
    assert distance({"relative": 0.1}, [0.0, -0.1], [0.0, 0.0]) == pytest.approx(1.0)
    assert distance({"relative": 0.1}, [0.0, 0.0], [0.0, 0.0]) == 0


def test_minus_scores_only_what_was_added_to_the_input():
    rule = {"relative": 0.1, "minus": "in_x"}
    want = ZERO_BASE["in_x"] + np.array([0.0, 3.0, 4.0], np.float32)
    got = want + np.array([0.0, 0.0, 0.5], np.float32)
    assert distance(rule, got, want, **ZERO_BASE) == pytest.approx(1.0)
    assert distance(rule, ZERO_BASE["in_x"] + 0.1, ZERO_BASE["in_x"], **ZERO_BASE) == pytest.approx(
        1.0, rel=1e-5
    )


def test_absolute_compares_the_largest_difference():
    assert distance({"absolute": 0.5}, [1.0, 1.5], [1.0, 2.0]) == 1
    assert distance({"absolute": 0.5}, [1.0, 1.4], [1.0, 2.0]) > 1


def test_exact_forgives_nothing():
    assert distance({"exact": True}, [1, 2], [1, 2]) == 0
    assert distance({"exact": True}, [1.0, 2.0 + 1e-12], [1.0, 2.0]) == np.inf


@pytest.mark.parametrize(
    "rule",
    [{"relative": 1e9}, {"absolute": 1e9}, {"exact": True}, {"relative": 1e9, "minus": "in_x"}],
)
@pytest.mark.parametrize(
    "got",
    [[np.nan, 0, 0], [np.inf, 0, 0], [0, 0], [[0], [0], [0]], 0.0, [complex(0, np.nan), 0, 0]],
)
def test_nan_infinity_and_other_shapes_never_pass(rule, got):
    assert not distance(rule, got, np.zeros(3), **ZERO_BASE) <= 1


def test_nan_and_infinity_do_not_pass_where_the_reference_holds_them():
    for rule in ({"exact": True}, {"relative": 1.0}, {"absolute": 1.0}):
        assert not distance(rule, [np.inf], [np.inf]) <= 1
        assert not distance(rule, [np.nan], [np.nan]) <= 1


def test_every_output_must_be_computed_unless_it_is_optional():
    description = {
        "outputs": {"out_a": [], "out_b": []},
        "tolerance": {"default": {"relative": 1.0}, "out_b": {"absolute": 1, "optional": True}},
    }
    arrays = {"out_a": np.ones(2), "out_b": np.ones(2)}
    assert rules.mismatches(description, arrays, {}) == {"out_a": np.inf}
    assert rules.mismatches(description, arrays, arrays) == {"out_a": 0, "out_b": 0}
    wrong = rules.mismatches(description, arrays, arrays | {"out_b": np.ones(2) * 9})
    assert wrong["out_b"] > 1


def test_one_perturbed_weight_of_a_network_fails(rng):
    network = networks.build("superres/audiounet", width=0.02).eval()
    arrays = {
        name: rng.standard_normal(shape).astype(np.float32)
        for name, shape in {
            "in_batch": (2, 1, 2048), "in_single": (1, 1, 1024), "in_short": (1, 1, 1024)
        }.items()
    }  # fmt: skip
    names = dict.fromkeys(
        ("out_batch", "out_single", "out_short", "out_batch_item0_alone", "out_tap_down1")
    )
    arrays |= superres.network_outputs(network, arrays, names)
    minus = {n: {"relative": 1e-4, "minus": f"in_{n[4:]}"} for n in ("out_batch", "out_single")}
    case = {"outputs": names, "tolerance": {"default": {"relative": 1e-4}} | minus}

    again = superres.network_outputs(network, arrays, names)
    assert max(rules.mismatches(case, arrays, again).values()) < 0.1
    network.down3[0].weight.data[0, 0, 8] += 1
    wrong = rules.mismatches(case, arrays, superres.network_outputs(network, arrays, names))
    assert wrong["out_batch"] > 1 and wrong["out_single"] > 1
    assert wrong["out_tap_down1"] < 0.1, "the first stage comes before the perturbed weight"


def write_case(folder, model, **arrays):
    description = {
        "case": "made", "model": model, "seed": 1, "settings": {},
        "outputs": {name: [] for name in arrays if name.startswith("out")},
        "tolerance": {"default": {"absolute": 1e-3}},
    }  # fmt: skip
    (folder / "made.json").write_text(json.dumps(description))
    np.savez(folder / "made.npz", **arrays)
    return Case(folder / "made.json")


def test_a_case_passes_fails_skips_or_is_unknown(tmp_path, monkeypatch):
    silence, half = np.zeros((1, 1, 4096)), np.full((1, 1, 4096), 0.5)
    signals = {"in_gt": half, "in_pred": half}
    snr = 20 * np.log10(0.5 / 1e-3)
    good = write_case(tmp_path, "superres_metrics", **signals, out_snr=np.array([snr]))
    assert check(good)["out_snr"] <= 1
    signals["in_pred"] = silence
    bad = write_case(tmp_path, "superres_metrics", **signals, out_snr=np.array([snr]))
    assert check(bad)["out_snr"] > 1
    with pytest.raises(pytest.skip.Exception, match="not built yet"):
        monkeypatch.setattr(runners, "NOT_BUILT", {"a_later_model"})
        check(write_case(tmp_path, "a_later_model"))
    with pytest.raises(pytest.fail.Exception, match="no_such_model"):
        check(write_case(tmp_path, "no_such_model"))


def test_cases_are_found_in_all_named_folders(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / f"case_{folder}.json").write_text("{}")
    named = {cases.VARIABLE: f"{tmp_path / 'a'}:{tmp_path / 'missing'}:{tmp_path / 'b'}"}
    found = list(cases.find(cases.folders(named)))
    assert [path.stem for path in found] == ["case_a", "case_b"]
    default = cases.folders({}, root=tmp_path / "repository")
    assert default == [tmp_path / "shared" / "parity"]
    assert list(cases.find(default)) == []
