"""``params.yaml`` as typed settings; an unknown or ill-typed key is an error that names it.

``code/profiles/demo.yaml`` is the complete configuration; every other profile states only its
differences. ``params.yaml`` is always the result of :func:`apply_profile`, comments included.
"""

import os
from pathlib import Path
from typing import Annotated, Any, Literal

import pydantic
from ruamel.yaml import YAML, YAMLError

from shellac import paths
from shellac.errors import ConfigError
from shellac.files import write_text

BASE_PROFILE = "demo"
Precision = Literal["full", "tf32", "bf16"]  # what they are: shellac.precision


class Strict(pydantic.BaseModel):
    """Base of all settings: frozen, no unknown keys, no silent conversion of types."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True, strict=True)


class ComputeSettings(Strict):
    """Where, with how many threads and how precisely to compute: all are part of the result."""

    threads: int = pydantic.Field(ge=1, le=256)
    device: str = pydantic.Field(pattern=r"^(auto|cpu|cuda(:\d+)?|mps)$")
    precision: Precision


class SplitSettings(Strict):
    """Shares of a role's source recordings that are held out."""

    validation: float = pydantic.Field(ge=0, lt=0.5)
    test: float = pydantic.Field(gt=0, lt=0.5)


class GateSettings(Strict):
    """What a clean training target must reach; see ``shellac.datasets.gate``."""

    min_bandwidth_hz: float = pydantic.Field(ge=0)
    max_noise_floor_db: float
    max_clipped_fraction: float = pydantic.Field(ge=0, le=1)
    min_seconds: float = pydantic.Field(ge=0.1)


class SynthesisSettings(Strict):
    """How much a synthesised corpus holds."""

    pieces: int = pydantic.Field(ge=1, le=100_000)
    seconds: float = pydantic.Field(ge=1, le=3600)
    sample_rate: int = pydantic.Field(ge=8000, le=192_000)


Checksum = Annotated[str, pydantic.Field(pattern=r"^(md5:\w{32}|sha1:\w{40}|sha256:\w{64})$")]


class DiscSettings(Strict):
    """A recording to be restored: where it is published, and under which licence.

    ``sha256`` of the file; empty: pinned at its first download.
    """

    address: str = pydantic.Field(pattern=r"^https?://\S+$")
    title: str
    licence: str = pydantic.Field(min_length=1)
    sha256: str = pydantic.Field(pattern=r"^([0-9a-f]{64})?$")


class ChainSettings(Strict):
    """A chain of systems, and ``published:NAME`` for every one of them that has weights."""

    system: str = pydantic.Field(min_length=1)
    weights: list[str]


class PretrainedSettings(Strict):
    """What restores historical recordings without training, and what is told of it.

    ``weights`` are fetched by name, ``chains`` restore every recording of the role
    ``historical``, ``reports`` names what is made of that: ``recordings`` is all there is.
    """

    weights: list[str]
    chains: dict[Annotated[str, pydantic.Field(pattern=r"^[a-z0-9_-]+$")], ChainSettings]
    reports: list[Literal["recordings"]] = pydantic.Field(max_length=1)
    excerpt_seconds: float = pydantic.Field(ge=1, le=600)


class DataSettings(Strict):
    """Which corpora there are, where they come from, and how recordings are judged and split.

    ``mirror``: address of a folder that holds the published files under their names, asked
    instead of the public addresses. By data set, ``local``: a folder with its files or with the
    unpacked set; ``select``: the labels wanted of it (speakers, genres, ensembles, years; none
    given: all). By file, ``checksums``: ``sha256:...`` that the user vouches for instead of the
    catalogue's. ``discs`` is what the corpus of that name consists of.
    """

    corpora: list[str] = pydantic.Field(min_length=1)
    folder: str
    mirror: str = pydantic.Field(pattern=r"^(https?://\S+)?$")
    local: dict[str, str]
    select: dict[str, list[str]]
    checksums: dict[str, Checksum]
    discs: dict[Annotated[str, pydantic.Field(pattern=r"^[\w-]+$")], DiscSettings]
    splits: SplitSettings
    gate: GateSettings
    synthesis: dict[str, SynthesisSettings]


class GallerySettings(Strict):
    """What the gallery shows: ``seconds`` of as many recordings, through chains of systems.

    ``recordings``: of the test split, made old discs for ``chains`` and given gaps for
    ``gap_chains``; ``historical``: recordings of that role, as they are. A chain is written as
    ``shellac restore --system`` takes it; no chains at all leave the gallery out.
    """

    seconds: float = pydantic.Field(ge=1, le=60)
    recordings: int = pydantic.Field(ge=0)
    historical: int = pydantic.Field(ge=0)
    chains: list[str]
    gap_chains: list[str]


class Settings(Strict):
    """The whole of ``params.yaml``; ``systems`` holds each system's own settings by name."""

    profile: str = pydantic.Field(pattern=r"^[a-z][a-z0-9_-]*$")
    seed: int = pydantic.Field(ge=0, lt=2**32)
    compute: ComputeSettings
    data: DataSettings
    pretrained: PretrainedSettings
    gallery: GallerySettings
    systems: dict[str, Any]


def parse(tree: object, where: str) -> Settings:
    """Check a configuration tree; raise :class:`ConfigError` with every fault in one line."""
    from shellac.systems import registry

    if not isinstance(tree, dict):
        raise ConfigError(f"{where}: not a mapping of settings")
    own = {name: tree[name] for name in registry.learning() if name in tree}
    common = {key: value for key, value in tree.items() if key not in own}
    systems = {
        name: _checked(registry.settings_model(name), value, where, (name,))
        for name, value in own.items()
    }
    return _checked(Settings, {**common, "systems": systems}, where)


def _checked(model: type[Strict], value: object, where: str, below: tuple[str, ...] = ()) -> Any:
    try:
        return model.model_validate(value)
    except pydantic.ValidationError as error:
        raise ConfigError(f"{where}: {_faults(error, below)}") from error


def _faults(error: pydantic.ValidationError, below: tuple[str, ...]) -> str:
    def told(fault: dict[str, Any]) -> str:
        place = ".".join(str(part) for part in (*below, *fault["loc"]))
        if fault["type"] == "extra_forbidden":
            return f"unknown key {place}"
        return f"{place}: {fault['msg'][0].lower()}{fault['msg'][1:]}"

    return "; ".join(told(fault) for fault in error.errors())


def _parsed(text: str) -> Any:
    """Read YAML 1.2, as DVC does: to YAML 1.1 ``1e-5`` is a word."""
    return YAML(typ="safe", pure=True).load(text)


def read_tree(path: Path) -> dict[str, Any]:
    """Read a YAML mapping; raise :class:`ConfigError` where it is none."""
    try:
        tree = _parsed(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: no such file") from error
    except (OSError, UnicodeDecodeError, YAMLError) as error:
        words = " ".join(str(error).split())
        raise ConfigError(f"{path.name}: not readable as YAML ({words})") from error
    if not isinstance(tree, dict):
        raise ConfigError(f"{path.name}: not a mapping of settings")
    return tree


def load(path: Path | None = None) -> Settings:
    """Read and check ``params.yaml`` (or another file of its form)."""
    path = path or paths.params()
    return parse(read_tree(path), path.name)


def profile_names() -> list[str]:
    """Names of the profiles that ``shellac profile`` knows."""
    return sorted(file.stem for file in paths.profiles().glob("*.yaml"))


def apply_profile(name: str, changes: list[str] | None = None) -> Settings:
    """Rewrite ``params.yaml`` from a profile and ``KEY=VALUE`` changes; return the settings.

    Nothing is written unless the result is a valid configuration. Raises :class:`ConfigError`.
    """
    from io import StringIO

    names = profile_names()
    if name not in names:
        raise ConfigError(f"no profile {name!r}; there are: {', '.join(names)}")
    keeper = YAML()  # keeps the comments of the base profile
    keeper.width = 100
    tree = keeper.load(_source(BASE_PROFILE).read_text(encoding="utf-8"))
    if name != BASE_PROFILE:
        _overlay(tree, read_tree(_source(name)))
    for change in changes or []:
        _set(tree, change)
    plain = StringIO()
    keeper.dump(tree, plain)
    settings = parse(_parsed(plain.getvalue()), "params.yaml")
    if not paths.params().exists() or paths.params().read_bytes() != plain.getvalue().encode():
        write_text(paths.params(), plain.getvalue())
    return settings


def _source(name: str) -> Path:
    return paths.profiles() / f"{name}.yaml"


# A mapping of named things (networks, corpora) is replaced by an overlay, not merged into it.
_REPLACED = {"networks", "synthesis", "chains", "discs"}
_OPEN = {"local", "select", "checksums"}  # mappings of the user's own names, which --set may add


def _overlay(tree: dict[str, Any], differences: dict[str, Any]) -> None:
    for key, value in differences.items():
        if isinstance(value, dict) and isinstance(tree.get(key), dict) and key not in _REPLACED:
            _overlay(tree[key], value)
        else:
            tree[key] = value


def _set(tree: dict[str, Any], change: str) -> None:
    name, equals, text = change.partition("=")
    if not equals:
        raise ConfigError(f"--set takes KEY=VALUE, not {change!r}")
    *parents, last = name.split(".")
    for key in parents:
        tree = tree.get(key) if isinstance(tree, dict) else None
    open_ended = bool(parents) and parents[-1] in _OPEN
    if not isinstance(tree, dict) or not (last in tree or open_ended):
        raise ConfigError(f"--set: there is no key {name} in params.yaml")
    if name == "data.folder" or parents == ["data", "local"]:
        tree[last] = _relative_to_root(name, text)
        return
    try:
        tree[last] = _parsed(text)
    except YAMLError as error:
        raise ConfigError(f"--set {name}: {text!r} is no YAML value") from error


def _relative_to_root(name: str, text: str) -> str:
    folder = Path(text).expanduser()
    if not folder.is_dir():
        raise ConfigError(f"{name}: there is no folder {text}")
    if folder.is_absolute():
        return str(folder)
    # not resolved: a link stays the name that the user gave
    return Path(os.path.relpath(folder.absolute(), paths.root())).as_posix()
