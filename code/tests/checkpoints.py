"""Checkpoints as ``torch.save`` writes them: good ones in tiny files, and hostile ones."""

import pickle
import struct
import zipfile
from pathlib import Path

import torch

from shellac.systems.behm_gan.network import Generator
from shellac.systems.denoiser.network import Denoiser
from shellac.systems.superres.published import BUILDERS

_BUILDERS = {**BUILDERS, "denoiser": lambda: Denoiser("22k"), "behm_generator": Generator}


def layout(key: str) -> dict[str, torch.Tensor]:
    """The full-size names and shapes over one stored number each: kilobytes on disk."""
    with torch.device("meta"):
        wanted = _BUILDERS[key]().state_dict()
    return {
        name: torch.full((1,) * value.ndim, 0.01).to(value.dtype).expand(value.shape)
        for name, value in wanted.items()
    }


class _Runs:
    def __init__(self, mark: Path):
        self.mark = mark

    def __reduce__(self):
        return Path.touch, (self.mark,)


def _changed(change):
    def make(path):
        state = layout("superres_audiounet")
        change(state)
        torch.save(state, path)

    return make


def _rewritten(path, state, pickled=lambda data: data, compression=zipfile.ZIP_STORED):
    torch.save(state, path)
    with zipfile.ZipFile(path) as archive:
        records = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in records.items():
            archive.writestr(name, pickled(data) if name.endswith("/data.pkl") else data)


def _cut(path):
    torch.save(layout("superres_audiounet"), path)
    path.write_bytes(path.read_bytes()[:5000])


def _code_in_old_format(path):
    path.write_bytes(pickle.dumps(_Runs(path.parent / "ran"), protocol=2))


def _claims_petabytes(data):
    """Claim 2e15 bytes: the storage and the tensor of 4 numbers have 5e14 each."""
    number = b"\x8a\x07" + struct.pack("<Q", 5 * 10**14)[:7]
    return (
        data.replace(b"K\x04Q", number + b"Q")
        .replace(b"K\x04t", number + b"t")
        .replace(b"K\x04\x85", number + b"\x85")
    )


def _old_format_of_huge_storage(path):
    torch.save({"w": torch.zeros(3)}, path, _use_new_zipfile_serialization=False)
    data = path.read_bytes()
    path.write_bytes(data.replace(b"K\x03", b"J" + struct.pack("<i", 2**31 - 1)))


HOSTILE = {
    "code.pth": lambda path: torch.save({"a": _Runs(path.parent / "ran")}, path),
    "code_in_old_format.pth": _code_in_old_format,
    "another_width.pth": _changed(lambda s: s.update({"up1.0.bias": torch.zeros(9)})),
    "missing.pth": _changed(lambda s: s.pop("down1.0.weight")),
    "extra.pth": _changed(lambda s: s.update(extra=torch.zeros(1))),
    "terminal_codes.pth": _changed(lambda s: s.update({"\x1b[2J": torch.zeros(1)})),
    "nan.pth": _changed(lambda s: s.update({"up1.0.bias": torch.full((4,), float("nan"))})),
    "list.pth": lambda path: torch.save([torch.zeros(1)], path),
    "training_state.pt": lambda path: torch.save({"epoch": 3, "model": {}}, path),
    "unknown.pth": lambda path: torch.save({"weight": torch.zeros(3)}, path),
    "cut.pth": _cut,
    "compressed.pth": lambda path: _rewritten(
        path, layout("superres_audiounet"), compression=zipfile.ZIP_DEFLATED
    ),
    "petabytes.pth": lambda path: _rewritten(path, {"w": torch.zeros(4)}, _claims_petabytes),
    "huge_in_old_format.pth": _old_format_of_huge_storage,
    "wide.pth": _changed(
        lambda s: s.update({"up1.0.bias": torch.zeros(1).expand(10**6, 10**6, 10**3)})
    ),
    "text.pth": lambda path: path.write_text("<html>quota exceeded</html>\n" * 40),
    "empty.pth": lambda path: path.write_bytes(b""),
}


def _spoilt(change):
    """Like :func:`_changed`, of any published layout."""

    def make(path, key):
        state = layout(key)
        change(state, next(name for name in state if name.endswith("bias")))
        torch.save(state, path)

    return make


# Eight kinds that every system must refuse, in its own layout: name -> (path, layout's key)
KINDS = {
    "code": lambda path, key: torch.save({**layout(key), "a": _Runs(path.parent / "ran")}, path),
    "wrong_shape": _spoilt(lambda state, name: state.update({name: torch.zeros(9)})),
    "missing_name": _spoilt(lambda state, name: state.pop(name)),
    "extra_name": _spoilt(lambda state, name: state.update({f"{name}_": torch.zeros(1)})),
    "nan": _spoilt(
        lambda state, name: state.update({name: torch.full(state[name].shape, float("nan"))})
    ),
    "truncated": lambda path, key: (
        torch.save(layout(key), path),
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    ),
    "bomb": lambda path, key: _rewritten(
        path, layout(key), _claims_petabytes, zipfile.ZIP_DEFLATED
    ),
    "text": lambda path, key: path.write_text("<html>rate limit exceeded</html>\n" * 40),
}


def make_hostile(folder: Path, name: str) -> Path:
    """Make one kind of hostile checkpoint under its own name."""
    path = folder / name
    HOSTILE[name](path)
    return path
