"""Splits: whole recordings, the same for any order, and someone in every split."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shellac.datasets.splits import assign
from shellac.errors import DataError

FRACTIONS = {"train": 0.8, "validation": 0.1, "test": 0.1}


def keys(count, per_recording=1):
    return {f"file{i}": f"recording{i // per_recording}" for i in range(count)}


@settings(max_examples=60, deadline=None)
@given(
    recordings=st.dictionaries(st.text(max_size=8), st.sampled_from("abcdefgh"), max_size=30),
    seed=st.integers(0, 2**31),
    data=st.data(),
)
def test_recordings_stay_whole_and_order_is_nothing(recordings, seed, data):
    split_of = assign(recordings, FRACTIONS, seed)
    assert set(split_of) == set(recordings)
    for recording in set(recordings.values()):
        assert len({split_of[key] for key, its in recordings.items() if its == recording}) == 1
    shuffled = dict(data.draw(st.permutations(list(recordings.items()))))
    assert assign(shuffled, FRACTIONS, seed) == split_of
    groups, splits = len(set(recordings.values())), set(split_of.values())
    assert ("train" in splits) == (groups >= 1)
    assert ("test" in splits) == (groups >= 2)
    assert ("validation" in splits) == (groups >= 3)


@pytest.mark.parametrize(
    ("count", "expected"),
    [(1, (1, 0, 0)), (2, (1, 0, 1)), (3, (1, 1, 1)), (10, (8, 1, 1)), (100, (80, 10, 10))],
)
def test_counts_follow_the_shares(count, expected):
    splits = list(assign(keys(count), FRACTIONS, 0).values())
    assert tuple(splits.count(name) for name in ("train", "validation", "test")) == expected


def test_excerpts_count_as_their_recording():
    split_of = assign(keys(40, per_recording=4), FRACTIONS, 1)
    assert sorted(list(split_of.values()).count(name) for name in FRACTIONS) == [4, 4, 32]


def test_the_seed_changes_the_drawing():
    drawn = {tuple(assign(keys(20), FRACTIONS, seed).items()) for seed in range(5)}
    assert len(drawn) == 5


def test_every_role_is_represented():
    recordings = keys(30)
    roles = {key: ("piano", "music", "speech")[i % 3] for i, key in enumerate(recordings)}
    split_of = assign(recordings, FRACTIONS, 3, roles)
    for role in ("piano", "music", "speech"):
        present = {split_of[key] for key in recordings if roles[key] == role}
        assert present == {"train", "validation", "test"}


def test_a_recording_in_two_roles_never_meets_itself_across_splits():
    recordings = {f"a{i}": f"r{i}" for i in range(12)} | {f"b{i}": f"r{i}" for i in range(12)}
    roles = {key: "piano" if key[0] == "a" else "music" for key in recordings}
    split_of = assign(recordings, FRACTIONS, 3, roles)
    assert all(split_of[f"a{i}"] == split_of[f"b{i}"] for i in range(12))
    more = recordings | {f"c{i}": f"s{i}" for i in range(5)}
    roles |= {f"c{i}": "piano" for i in range(5)}
    backwards = dict(reversed(more.items()))
    assert assign(more, FRACTIONS, 3, roles) == assign(backwards, FRACTIONS, 3, roles)


def test_a_share_of_zero_is_respected_but_training_is_not_starved():
    all_train = {"train": 1.0, "validation": 0.0, "test": 0.0}
    assert set(assign(keys(10), all_train, 0).values()) == {"train"}
    mostly_test = {"train": 0.01, "validation": 0.0, "test": 0.99}
    assert list(assign(keys(10), mostly_test, 0).values()).count("train") == 1


@pytest.mark.parametrize(
    "fractions",
    [
        {"train": 0.9, "test": 0.1},
        {"train": 0.9, "validation": 0.1, "test": 0.1},
        {"train": 1.2, "validation": -0.1, "test": -0.1},
        {"train": 0.0, "validation": 0.5, "test": 0.5},
    ],
)
def test_shares_that_make_no_sense_are_refused(fractions):
    with pytest.raises(DataError, match="split fractions"):
        assign(keys(5), fractions, 0)
