"""The authors' checkpoints as weights of ours: read once, strictly, and kept as safetensors.

What is converted lies in the cache under the SHA-256 of the file that it came from, so a
checkpoint is unpickled, checked and measured once, wherever it lies and whatever its name.
"""

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from shellac import paths, tensorflow_files, torch_files, weights
from shellac.errors import WeightsError
from shellac.files import sha256
from shellac.systems import registry


def is_checkpoint(path: Path) -> bool:
    """Whether the name says that ``torch.save`` or TensorFlow wrote the file, or nothing at all.

    Some authors publish their checkpoints without an ending. Of TensorFlow's pair of files it is
    the ``.index`` that is named.
    """
    suffixes = {*torch_files.SUFFIXES, tensorflow_files.SUFFIX, ""}
    return Path(path).suffix.lower() in suffixes


def converted_path(digest: str) -> Path:
    """Where the conversion of the file with this SHA-256 lies, or will lie."""
    return paths.cache() / "converted" / f"{digest}.safetensors"


def convert(path: Path, system: str, accepted: Collection[str]) -> Path:
    """Return the weights that a published checkpoint holds, converted at the first call.

    Parameters
    ----------
    path : Path
        A bare state_dict in the authors' layout, what the system's ``published`` module reads, or
        the ``.index`` of a TensorFlow checkpoint.
    system : str
        The system whose networks are tried; its ``published`` module recognises them by their
        parameter names.
    accepted : collection of str
        Networks, by full name, that may be in it.

    Raises
    ------
    WeightsError
        In one line, for everything that is not exactly such a checkpoint of an accepted network;
        nothing is then left in the cache.
    """
    tensorflow = Path(path).suffix.lower() == tensorflow_files.SUFFIX
    digest = tensorflow_files.digest(Path(path)) if tensorflow else sha256(path)
    target = converted_path(digest)
    try:
        found = weights.load(target)[1].network
    except WeightsError:  # not converted yet, or damaged since
        published = registry.part(system, "published")
        if hasattr(published, "read"):
            state, extra = published.read(path)
        else:
            read = tensorflow_files.read_state if tensorflow else torch_files.read_state
            state, extra = read(path), {}
        key = published.recognise(state, str(path))
        found = published.NETWORKS[key]
        _check_accepted(path, found, accepted)
        try:
            network = published.load(key, state, {})
        except WeightsError as error:
            raise WeightsError(f"{path}: {error}") from error
        card = published.card(key, network, digest)
        card = replace(card, extra={**card.extra, **extra})
        weights.store(target, network.state_dict(), card)
    _check_accepted(path, found, accepted)
    return target


def _check_accepted(path: Path, found: str, accepted: Collection[str]) -> None:
    if found not in accepted:
        raise WeightsError(f"{path}: holds {found}, not {' or '.join(accepted)}")
