"""What a user can do wrong, one class each.

Every command turns a :class:`ShellacError` into one line on stderr and exit status 2; anything
else that escapes is a fault of ours and keeps its traceback.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def one_line(text: object) -> str:
    """Return ``text`` with its line ends made visible: messages may quote any file name."""
    return str(text).replace("\r", "\\r").replace("\n", "\\n")


class ShellacError(Exception):
    """Something that the user can mend; the message says what is wrong and what to do."""


class UsageError(ShellacError):
    """A command was called with options that do not go together, or with an unknown name."""


class ConfigError(ShellacError):
    """``params.yaml`` or a profile holds an unknown key, a wrong type or a value out of range."""


class AudioError(ShellacError):
    """A recording cannot be read, or its samples cannot be trusted."""


class TruncatedError(AudioError):
    """A file holds less of a recording than it promises."""


class OutputError(ShellacError):
    """A result cannot be written where it was asked for."""


class DataError(ShellacError):
    """A corpus is missing, empty or not laid out as it should be."""


class TrainingError(ShellacError):
    """A training cannot go on with the settings it was given."""


class WeightsError(ShellacError):
    """Weights are missing, damaged, or belong to another network."""


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Name the recording at work in an error that does not: networks know only its samples."""
    try:
        yield
    except ShellacError as error:
        if str(path) in str(error):
            raise
        raise type(error)(f"{path}: {error}") from error
