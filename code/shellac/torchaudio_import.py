"""The one place that imports torchaudio.

The public torchaudio wheel holds extensions linked against CUDA. Beside a CPU build of torch they
cannot be loaded and ``import torchaudio`` fails, although everything used here is plain Python.
There the import is repeated while the lookup of extension files finds none.
"""

import importlib
import sys
from pathlib import Path
from types import ModuleType
from unittest import mock

import torch


def _is_torchaudio(folder: Path) -> bool:
    return "torchaudio" in folder.parts


def load() -> ModuleType:
    """Import torchaudio, with or without a CUDA build of torch."""
    try:
        return importlib.import_module("torchaudio")
    except OSError:
        if torch.version.cuda is not None:
            raise
    for name in [name for name in sys.modules if name.split(".")[0] == "torchaudio"]:
        del sys.modules[name]
    real_glob = Path.glob

    def glob(folder: Path, *args: object, **kwargs: object) -> list[Path]:
        return [] if _is_torchaudio(folder) else list(real_glob(folder, *args, **kwargs))

    with mock.patch.object(Path, "glob", glob):
        return importlib.import_module("torchaudio")


torchaudio = load()
