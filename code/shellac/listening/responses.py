"""What listeners answered: JSON and CSV of the page, CSV of webMUSHRA, checked against the key."""

import csv
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import pydantic

from shellac.errors import DataError
from shellac.listening.excerpts import REFERENCE, UNTREATED
from shellac.listening.page import FORMAT, VERSION

_ENDINGS = (".json", ".csv")
_HASH_DIGITS = 16  # of the test's hash, all that webMUSHRA is told of it
# webMUSHRA rates the reference under this name
_WEBMUSHRA_REFERENCE = "reference"


@dataclass(frozen=True)
class Response:
    """One listener's complete answers: ``scores`` by trial and condition, 0 to 100."""

    session: str
    listener: str
    scores: dict[str, dict[str, int]]


class OtherTest(DataError):
    """Answers to another test than the key's, or to an earlier build of it."""


class _Model(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(frozen=True)


Score = Annotated[int, pydantic.Field(ge=0, le=100)]


class _Rating(_Model):
    stimulus: str
    score: Annotated[Score, pydantic.Strict()]


class _Trial(_Model):
    trial: str
    ratings: list[_Rating]


class _Record(_Model):
    format: str
    version: int
    test: str
    session: str = pydantic.Field(min_length=1)
    listener: str = ""
    trials: list[_Trial]


class _Row(_Model):
    session_test_id: str
    session_uuid: str = pydantic.Field(min_length=1)
    trial_id: str
    rating_stimulus: str
    rating_score: Score
    listener: str = ""


def read_key(path: Path) -> dict[str, Any]:
    """Read the analyst's key; raise :class:`DataError` where it is none."""
    try:
        key = json.loads(Path(path).read_text(encoding="utf-8"))
        known = key["format"] == f"{FORMAT}-key" and key["version"] == VERSION
    except FileNotFoundError as error:
        raise DataError(
            f"{path}: no such file; build the test first, or name its key.json with --key"
        ) from error
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise DataError(f"{path}: is no key of a listening test") from error
    if not known:
        raise DataError(f"{path}: is no key of a listening test that this version reads")
    return key


def read_all(places: Sequence[Path], key: dict[str, Any]) -> list[Response]:
    """Read all responses in files and folders, each session once, in order of session.

    Raises :class:`DataError` naming the first file that cannot be read, belongs to another test,
    is incomplete, or tells of a session otherwise than another file does.
    """
    found: dict[str, Response] = {}
    for path in _files(places):
        for response in _read(path, key):
            other = found.setdefault(response.session, response)
            if other.scores != response.scores:
                raise DataError(f"{path}: answers of session {response.session} differ from those"
                                " in another file; remove one of the two")  # fmt: skip
    return [found[session] for session in sorted(found)]


def collected(folder: Path, key: dict[str, Any]) -> tuple[list[Response], list[Path], list[Path]]:
    """Read what was put into a folder: responses, their files, and files of another test.

    A folder that does not exist holds none. What belongs to another test, such as an earlier
    build of this one, is passed over; raises as :func:`read_all` for anything else.
    """
    ours, others = [], []
    for path in _files([folder] if folder.is_dir() else []):
        try:
            _read(path, key)
            ours.append(path)
        except OtherTest:
            others.append(path)
    return read_all(ours, key), ours, others


def _files(places: Iterable[Path]) -> list[Path]:
    found: list[Path] = []
    for place in map(Path, places):
        if place.is_dir():
            found += sorted(path for path in place.iterdir() if path.suffix.lower() in _ENDINGS)
        elif not place.exists():
            raise DataError(f"{place}: no such file or folder")
        elif place.suffix.lower() in _ENDINGS:
            found.append(place)
        else:
            raise DataError(f"{place}: answers are .json or .csv files, or folders of them")
    return list(dict.fromkeys(found))


def _read(path: Path, key: dict[str, Any]) -> list[Response]:
    read = _read_json if path.suffix.lower() == ".json" else _read_csv
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            records = read(file)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error
    except pydantic.ValidationError as error:
        fault = error.errors()[0]
        place = ".".join(map(str, fault["loc"])) or "the whole"
        raise DataError(f"{path}: no answers to a listening test ({place}: {fault['msg']})"
                        ) from error  # fmt: skip
    except (ValueError, csv.Error) as error:
        raise DataError(f"{path}: no answers to a listening test ({error})") from error
    try:
        return [_checked(record, key) for record in records]
    except DataError as error:
        raise type(error)(f"{path}: {error}") from None


def _read_json(file: Iterable[str]) -> list[_Record]:
    return [_Record.model_validate(json.loads("".join(file)))]


def _read_csv(file: Iterable[str]) -> list[_Record]:
    """Gather the rows of each session; one file may hold many."""
    sessions: dict[tuple[str, str, str], dict[str, list[_Rating]]] = {}
    for told in csv.DictReader(file):
        row = _Row.model_validate(told)
        trials = sessions.setdefault((row.session_test_id, row.session_uuid, row.listener), {})
        rating = _Rating(stimulus=row.rating_stimulus, score=row.rating_score)
        trials.setdefault(row.trial_id, []).append(rating)
    if not sessions:
        raise ValueError("it has no rows")
    return [
        _Record(
            format=FORMAT,
            version=VERSION,
            test=test,
            session=session,
            listener=listener,
            trials=[_Trial(trial=name, ratings=ratings) for name, ratings in trials.items()],
        )
        for (test, session, listener), trials in sessions.items()
    ]


def _checked(record: _Record, key: dict[str, Any]) -> Response:
    """Translate names into conditions; every stimulus of every trial must be rated once."""
    if record.format != FORMAT or record.version != VERSION:
        raise DataError(f"its format is {record.format!r}, version {record.version}; this version"
                        f" reads {FORMAT!r}, version {VERSION}")  # fmt: skip
    if record.test not in (key["test"], key["test"][:_HASH_DIGITS]):
        raise OtherTest("answers of another test than the key's")
    trials = {trial.trial: trial for trial in record.trials}
    if len(trials) != len(record.trials):
        raise DataError("a trial occurs twice")
    if unknown := set(trials) - set(key["trials"]):
        raise DataError(f"trial {min(unknown)} is none of the test's")
    if missing := set(key["trials"]) - set(trials):
        raise DataError(f"incomplete: {len(missing)} of {len(key['trials'])} trials are missing")
    scores = {name: _scores(trials[name], key["trials"][name]) for name in key["trials"]}
    return Response(record.session, record.listener, scores)


def _scores(trial: _Trial, described: dict[str, Any]) -> dict[str, int]:
    opened = REFERENCE if "open_reference" in described else UNTREATED
    conditions = {
        name: stimulus["condition"]
        for name, stimulus in described["stimuli"].items()
        if name != described.get("open_reference")
    } | {_WEBMUSHRA_REFERENCE: opened}
    scores: dict[str, int] = {}
    for rating in trial.ratings:
        condition = conditions.get(rating.stimulus)
        if condition is None:
            raise DataError(f"trial {trial.trial} has no stimulus {rating.stimulus!r}")
        if condition in scores:
            raise DataError(f"trial {trial.trial} rates {rating.stimulus} twice")
        scores[condition] = rating.score
    if missing := set(conditions.values()) - set(scores):
        raise DataError(f"trial {trial.trial} leaves {len(missing)} stimuli unrated")
    return scores
