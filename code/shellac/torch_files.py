"""Reading files that ``torch.save`` wrote, as the hostile things that they may be.

A checkpoint is a pickle, and a pickle is a program. Only ``torch.load(weights_only=True)`` reads
one here, after a look at its container: an archive whose records are compressed or claim more than
the file holds is refused before anything is decoded, and tensors are views into the file, so that
sizes which are lies cost no memory.
"""

import zipfile
from pathlib import Path
from typing import Any

import torch

from shellac.errors import WeightsError

SUFFIXES = frozenset({".pth", ".pt"})
MAX_BYTES = 4_000_000_000
_MAX_NAME = 200
_MAX_PICKLE_BYTES = 16_000_000  # a state_dict of 200 tensors has one of 20 kB


def read_state(path: Path) -> dict[str, torch.Tensor]:
    """Read a bare state_dict: names to tensors, on the CPU, nothing else looked at.

    Zip files (torch 1.6 and later) and the older format are read. Raises :class:`WeightsError`, in
    one line, for what is no such file, is damaged, would run code, or holds anything but tensors
    by name.
    """
    path = Path(path)
    archive = _check_container(path)
    try:
        held = torch.load(path, map_location="cpu", weights_only=True, mmap=archive)
    except Exception as error:  # a hostile pickle can make its reader fail in any way
        raise WeightsError(
            f"{path}: not a readable PyTorch checkpoint ({_reason(error)})"
        ) from error
    return _checked_mapping(path, held)


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
