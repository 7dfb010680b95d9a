"""Reading TensorFlow checkpoints, for which TensorFlow is needed; converted once, never again.

TensorFlow is the optional extra ``tensorflow`` of this package and is imported only when such a
checkpoint is read. A checkpoint is a pair of files, ``NAME.index`` and ``NAME.data-*``, that hold
variables by name and no code.
"""

import hashlib
import importlib
from pathlib import Path
from types import ModuleType

import numpy as np

from shellac.errors import UsageError, WeightsError
from shellac.files import sha256

SUFFIX = ".index"
_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"  # how objects were nested: no variable
_VALUE = "/.ATTRIBUTES/VARIABLE_VALUE"
_OPTIMISER = (".OPTIMIZER_SLOT", "optimizer/", "save_counter")
MAX_BYTES = 4_000_000_000


def digest(path: Path) -> str:
    """Return a SHA-256 over all files of the checkpoint whose ``.index`` is ``path``."""
    joined = hashlib.sha256()
    for file in _files(path):
        joined.update(sha256(file).encode())
    return joined.hexdigest()


def read_state(path: Path) -> dict[str, np.ndarray]:
    """Read the variables of the checkpoint whose ``.index`` is ``path``, by TensorFlow's names.

    What an optimiser or a counter left beside them is passed over. Raises :class:`UsageError`
    where TensorFlow is not installed, :class:`WeightsError` for what is no such checkpoint.
    """
    size = sum(file.stat().st_size for file in _files(path))
    if size > MAX_BYTES:
        raise WeightsError(f"{path}: {size} bytes; a checkpoint has at most {MAX_BYTES}")
    reading = _tensorflow(path).train
    try:
        reader = reading.load_checkpoint(str(path.with_suffix("")))
        names = sorted(reader.get_variable_to_shape_map())
        return {name: np.asarray(reader.get_tensor(name)) for name in names if _is_weight(name)}
    except Exception as error:  # a damaged table makes its reader fail in many ways
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise WeightsError(f"{path}: not a readable TensorFlow checkpoint ({reason})") from error


def _is_weight(name: str) -> bool:
    if name == _GRAPH or any(part in name for part in _OPTIMISER):
        return False
    return name.endswith(_VALUE)


def _files(path: Path) -> list[Path]:
    path = Path(path)
    parts = sorted(path.parent.glob(f"{path.stem}.data-*-of-*"))
    if not path.is_file() or not parts:
        raise WeightsError(f"{path}: a TensorFlow checkpoint is NAME.index with NAME.data-* beside")
    return [path, *parts]


def _tensorflow(path: Path) -> ModuleType:
    try:
        return importlib.import_module("tensorflow")
    except ImportError as error:
        raise UsageError(
            f"{path}: a TensorFlow checkpoint is read by TensorFlow, once: install the extra"
            " (pip install 'shellac[tensorflow]') and try again"
        ) from error
