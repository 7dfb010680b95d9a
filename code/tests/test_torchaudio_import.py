"""torchaudio is imported in one place, and there it works beside any build of torch."""

import re
from pathlib import Path

import torch

from shellac.torchaudio_import import torchaudio

PACKAGE = Path(__file__).resolve().parents[1] / "shellac"


def test_it_computes():
    spectrum = torchaudio.transforms.Spectrogram(n_fft=64)(torch.ones(1, 256))
    assert spectrum.shape[1] == 33


def test_nobody_else_imports_it():
    direct = re.compile(r"^\s*(import torchaudio|from torchaudio[ .])", re.MULTILINE)
    users = [path.name for path in PACKAGE.rglob("*.py") if direct.search(path.read_text("utf-8"))]
    assert not users  # the one place asks importlib


def test_extensions_are_not_asked_for_without_cuda():
    if torch.version.cuda is None:
        assert not torchaudio._extension._IS_TORCHAUDIO_EXT_AVAILABLE
