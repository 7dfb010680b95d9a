import json

import pytest

from shellac.degradations.gap_list import read_gaps
from shellac.errors import UsageError

GAPS = [(1600, 2400), (16000, 16800)]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("gaps.csv", "start,end\n0.1,0.15\n1.0,1.05\n"),
        ("gaps.txt", "# my ears\n\n1.0, 1.05, click\n 0.1 , 0.15\n"),
        ("gaps.csv", "1.0,1.02\n0.1,0.15\r\n1.02,1.05\n"),
        ("gaps.json", "[[0.1, 0.15], [1, 1.05]]"),
        ("gaps.json", '{"gaps": [{"start": 0.1, "end": 0.15}, {"start": 1.0, "end": 1.05}]}'),
    ],
)
def test_lists_of_seconds_become_samples(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    assert read_gaps(tmp_path / name, 16000, 32000) == GAPS


def test_the_record_of_degrade_is_a_list_of_gaps(tmp_path, capsys):
    from sounds import write_good

    from shellac.cli import main

    source = write_good(tmp_path / "x.wav", seconds=2.0)
    assert main(["degrade", str(source), "-o", str(tmp_path / "o"), "--recipe", "gaps"]) == 0
    told = json.loads((tmp_path / "o" / "x.json").read_text())
    found = read_gaps(tmp_path / "o" / "x.json", 16000, 32000)
    assert found == [tuple(gap) for gap in told["applied"]["gaps"]]


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("g.csv", "start,end\n0.1,0.2\n0.4\n", "g.csv:3: expected start and end"),
        ("g.csv", "0.1,0.2\nfoo,bar\n", "g.csv:2: 'foo', 'bar' are no two numbers"),
        ("g.csv", "0.2,0.1\n", "g.csv:1: a gap from 0.2 to 0.1 s"),
        ("g.csv", "-0.2,0.1\n", "g.csv:1: a gap from -0.2"),
        ("g.csv", "nan,0.1\n", "g.csv:1: a gap from nan"),
        ("g.csv", "0.1,2.5\n", "ends at 2.5 s, but the recording lasts 2 s"),
        ("g.csv", "# nothing\n", "lists no gap"),
        ("g.json", "[[0.1, 0.15],\n[1, oops]]", "g.json:2: not JSON"),
        ("g.json", "{}", "expected a list"),
        ("g.json", "[[0.1, 0.15], [0.3]]", "g.json: gap 2: expected"),
        ("g.json", '[["0.1", 0.15]]', "g.json: gap 1: expected"),
        ("g.json", "[[true, 0.15]]", "g.json: gap 1: expected"),
        ("g.json", "[" * 100_000, "not JSON"),
        ("g.json", f"[[1e999, {10**400}]]", "gap 1"),
    ],
)
def test_faults_are_told_by_line(tmp_path, name, text, told):
    (tmp_path / name).write_text(text)
    with pytest.raises(UsageError) as error:
        read_gaps(tmp_path / name, 16000, 32000)
    assert told in str(error.value)


def test_a_gap_that_is_too_long_is_refused(tmp_path):
    (tmp_path / "g.csv").write_text("1,3.5\n")
    with pytest.raises(UsageError, match="2 s at most"):
        read_gaps(tmp_path / "g.csv", 16000, 160_000)


def test_what_is_no_list_is_refused(tmp_path):
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(UsageError):
            read_gaps(path, 16000, 32000)
    (tmp_path / "g.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="no text"):
        read_gaps(tmp_path / "g.csv", 16000, 32000)
