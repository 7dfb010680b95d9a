"""Reading files that ``torch.save`` wrote, as the hostile things that they may be.

A checkpoint is a pickle, and a pickle is a program. Only ``torch.load(weights_only=True)`` reads
one here, after a look at its container: an archive whose records are compressed or claim more than
the file holds is refused before anything is decoded, and tensors are views into the file, so that
sizes which are lies cost no memory. A training state may hold its configuration besides: objects of
the OmegaConf library become empty ones of ours, and none of that library's code is run.
"""

import re
import zipfile
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import torch

from shellac.errors import WeightsError

SUFFIXES = frozenset({".pth", ".pt"})
MAX_BYTES = 4_000_000_000
_MAX_NAME = 200
_MAX_PICKLE_BYTES = 16_000_000  # a state_dict of 200 tensors has one of 20 kB
_MAX_BESIDE = 1_000_000  # numbers in a tensor beside the weights
# What a pickled configuration names besides its own classes: types, as values.
_CONFIGURATION = re.compile(
    r"omegaconf\.[\w.]+|typing\.Any|builtins\.(dict|list|tuple|str|bytes|int|float|bool|object)"
)


def read_state(path: Path) -> dict[str, torch.Tensor]:
    """Read a bare state_dict: names to tensors, on the CPU, nothing else looked at.

    Zip files (torch 1.6 and later) and the older format are read. Raises :class:`WeightsError`, in
    one line, for what is no such file, is damaged, would run code, or holds anything but tensors
    by name.
    """
    path = Path(path)
    archive = _check_container(path)
    return _checked_mapping(path, _loaded(path, archive, configured=False))


def read_training(
    path: Path, weights: str, beside: Collection[str] = ()
) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    """Read parts of a training state: the state_dict called ``weights``, and single tensors.

    Returns it, and those of ``beside`` that are there. Optimiser states and numbers are passed
    over; OmegaConf objects are stripped of all they hold. A bare state_dict is returned as it is.
    Raises :class:`WeightsError`, in one line, as :func:`read_state` does.
    """
    path = Path(path)
    archive = _check_container(path)
    held = _loaded(path, archive, configured=archive)
    if not isinstance(held, dict) or weights not in held:
        return _checked_mapping(path, held), {}
    found = {name: held[name] for name in beside if name in held}
    for name, value in found.items():
        if type(value) is not torch.Tensor or value.numel() > _MAX_BESIDE:
            raise WeightsError(f"{path}: its {name} is no tensor of at most {_MAX_BESIDE} numbers")
    return _checked_mapping(path, held[weights]), found


class _Stripped:
    """Stands for an object of a configuration, and takes nothing of it in."""

    def __new__(cls, *_: Any) -> "_Stripped":
        return super().__new__(cls)

    def __init__(self, *_: Any) -> None:
        super().__init__()

    def __setstate__(self, state: Any) -> None:
        """Leave the state where it is."""


def _empty_mapping(*_: Any) -> dict[Any, Any]:
    return {}


def _loaded(path: Path, archive: bool, configured: bool) -> Any:
    try:
        inert = _inert(path) if configured else []
        with torch.serialization.safe_globals(inert):
            return torch.load(path, map_location="cpu", weights_only=True, mmap=archive)
    except Exception as error:  # a hostile pickle can make its reader fail in any way
        raise WeightsError(
            f"{path}: not a readable PyTorch checkpoint ({_reason(error)})"
        ) from error


def _inert(path: Path) -> list[tuple[Callable[..., Any], str]]:
    """Say what stands for the names of a configuration; any other name stays forbidden."""
    names = torch.serialization.get_unsafe_globals_in_checkpoint(path)
    inert: list[tuple[Callable[..., Any], str]] = [
        (_Stripped, name) for name in names if _CONFIGURATION.fullmatch(name)
    ]
    if "collections.defaultdict" in names:
        inert.append((_empty_mapping, "collections.defaultdict"))
    return inert


def _check_container(path: Path) -> bool:
    """Refuse by size and archive directory; return whether the file is an archive."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            magic = file.read(4)
    except OSError as error:
        raise WeightsError(f"{path}: cannot be read ({error.strerror or error})") from error
    if not 0 < size <= MAX_BYTES:
        raise WeightsError(f"{path}: {size} bytes; a checkpoint has 1 to {MAX_BYTES}")
    if magic != b"PK\x03\x04":
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            records = archive.infolist()
    except Exception as error:  # zipfile lets struct.error, ValueError and others through
        raise WeightsError(
            f"{path}: not a readable PyTorch checkpoint ({_reason(error)})"
        ) from error
    if any(record.compress_type != zipfile.ZIP_STORED for record in records):
        raise WeightsError(f"{path}: holds compressed records, which torch.save never writes")
    if sum(record.file_size for record in records) > size:
        raise WeightsError(f"{path}: its records claim more bytes than the file has")
    pickles = (record.file_size for record in records if record.filename.endswith("/data.pkl"))
    if max(pickles, default=0) > _MAX_PICKLE_BYTES:
        raise WeightsError(f"{path}: its list of tensors is larger than any state_dict's")
    return True


def _checked_mapping(path: Path, held: Any) -> dict[str, torch.Tensor]:
    if not isinstance(held, dict):
        raise WeightsError(
            f"{path}: holds {type(held).__name__}, not a state_dict (names to tensors)"
        )
    for name, value in held.items():
        if isinstance(name, str) and not (len(name) <= _MAX_NAME and name.isprintable()):
            raise WeightsError(f"{path}: holds a tensor with an unprintable or endless name")
        if not isinstance(name, str) or type(value) not in (torch.Tensor, torch.nn.Parameter):
            raise WeightsError(
                f"{path}: holds more than tensors by name ({_short(name)}: "
                f"{type(value).__name__}); save the bare state_dict of the network"
            )
    return dict(held)


def _reason(error: Exception) -> str:
    """Return the first sentence of an error, short: torch's go on over many lines."""
    text = " ".join(str(error).split()) or type(error).__name__
    for end in (". ", " In PyTorch"):
        text = text.partition(end)[0]
    if "Weights only load failed" in text or "Unsupported" in text:
        text = "it holds more than tensors, or is damaged; only tensors are loaded"
    return _short(text)


def _short(value: object, limit: int = 120) -> str:
    text = value if isinstance(value, str) else type(value).__name__
    text = " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 3] + "..."
