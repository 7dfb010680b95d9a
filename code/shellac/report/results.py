"""Reading what the stages left under ``results/<profile>``: checked here once, trusted after."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from shellac import audio, config, paths
from shellac.errors import DataError
from shellac.files import sha256

NUMBER_COLUMNS = ("mean", "low", "high", "tracks")
SUMMARY_COLUMNS = ("role", "method", "metric", *NUMBER_COLUMNS)
PAIRED_COLUMNS = ("role", "low_pass", "method", "against", "metric", *NUMBER_COLUMNS)
INPAINTING_PAIRED_COLUMNS = ("genre", "unit", "method", "against", "metric", *NUMBER_COLUMNS)
DENOISER_PAIRED_COLUMNS = ("role", "snr_db", "method", "against", "metric", *NUMBER_COLUMNS)
DENOISER_COLUMNS = ("role", "track", "sha256", "snr_db", "method", "metric", "value")
BABE2_PAIRED_COLUMNS = ("role", "network", "method", "against", "metric", *NUMBER_COLUMNS)
BABE2_FRECHET_COLUMNS = ("network", "method", "embedding", *NUMBER_COLUMNS)
BABE2_FILTER_COLUMNS = ("network", "track", "hz", "true_db", "ltas_db", "blind_db")
RANK_COLUMNS = ("genre", "unit", "method", "metric", "mean", "rank", "last_rank")
RECORDING_COLUMNS = ("file", "role", "split", "used", "reason", "sample_rate", "samples")
_RECORDING_TEXT = ("file", "role", "split", "used", "reason")
TRAINING_COLUMNS = ("step", "loss", "validation_loss")


@dataclass(frozen=True)
class Excerpt:
    """One excerpt of one track under every condition, sample-aligned.

    ``waveforms`` maps a condition to a mono signal (T,) at ``sample_rate``, as it is heard: each
    brought to one loudness by its own gain in ``gains_db``. ``start_seconds`` is counted in the
    track.
    """

    track: str
    role: str
    sample_rate: int
    start_seconds: float
    waveforms: dict[str, np.ndarray]
    gains_db: dict[str, float]
    sources: tuple[Path, ...]

    @property
    def seconds(self) -> float:
        """Duration in seconds."""
        return len(next(iter(self.waveforms.values()))) / self.sample_rate

    @property
    def title(self) -> str:
        """Track and exact time, for captions and axes."""
        stop = self.start_seconds + self.seconds
        return f"{self.track}, {self.start_seconds:.2f} to {stop:.2f} s"

    def chosen(self, names: Mapping[str, str]) -> "Excerpt":
        """Return the excerpt with some of its conditions only, each under a new name.

        ``names`` maps new names to conditions; those that are not there are left out.
        """
        there = {new: old for new, old in names.items() if old in self.waveforms}
        return replace(
            self,
            waveforms={new: self.waveforms[old] for new, old in there.items()},
            gains_db={new: self.gains_db[old] for new, old in there.items()},
        )

    def unmatched(self) -> dict[str, np.ndarray]:
        """Return the waveforms before their loudness was matched, to compare levels."""
        return {
            name: waveform * 10 ** (-self.gains_db[name] / 20)
            for name, waveform in self.waveforms.items()
        }


def index_paths(profile: str) -> list[Path]:
    """Return the indexes of the corpora that ``params.yaml`` names, in its order."""
    corpora = config.read_tree(paths.params()).get("data", {}).get("corpora", [])
    return [paths.raw(profile, str(name)) / "index.csv" for name in corpora]


def recordings(profile: str) -> pd.DataFrame:
    """Read the indexes of all corpora of a profile into one table with a column ``corpus``."""
    found = []
    for path in index_paths(profile):
        table = _read_csv(
            path, RECORDING_COLUMNS, f"shellac download {path.parent.name}", text=_RECORDING_TEXT
        )
        found.append(table.assign(corpus=path.parent.name))
    if not found:
        raise DataError("params.yaml: data.corpora names no corpus")
    return pd.concat(found, ignore_index=True)


def summary_path(profile: str, task: str) -> Path:
    """Return the place of a task's summary over tracks."""
    return paths.results(profile, "metrics", f"{task}-summary.csv")


def summary(profile: str, task: str, group: str = "role", **where: str) -> pd.DataFrame:
    """Read a task's summary over tracks; :class:`DataError` if it is missing or malformed.

    ``where`` keeps the rows whose columns have these values, such as ``low_pass="chebyshev"`` and
    ``unit="file"``, and drops those columns. ``group`` is the file's column that groups tracks;
    it is called ``role`` in the result.
    """
    path = summary_path(profile, task)
    columns = (group, *SUMMARY_COLUMNS[1:], *where)
    table = _read_csv(path, columns, made_by=f"shellac evaluate {task}")
    table = table.rename(columns={group: "role"})
    for column, value in where.items():
        table = table[table[column] == value].drop(columns=column)
    if table.duplicated([name for name in table.columns if name not in NUMBER_COLUMNS]).any():
        raise DataError(f"{path}: says the same cell twice; evaluate again")
    return table.reset_index(drop=True)


def scores_path(profile: str, task: str) -> Path:
    """Return the place of a task's scores, one row per track, method and metric."""
    return paths.results(profile, "metrics", f"{task}.csv")


def cutoff_hz(profile: str, task: str, track: str, low_pass: str) -> float:
    """Return the cut-off in Hz that a track was tested at; :class:`DataError` if it was not."""
    columns = ("track", "low_pass", "cutoff_hz")
    table = _read_csv(scores_path(profile, task), columns, f"shellac evaluate {task}")
    found = table.loc[(table["track"] == track) & (table["low_pass"] == low_pass), "cutoff_hz"]
    if found.empty:
        raise DataError(f"{scores_path(profile, task)}: no {track} under {low_pass}")
    return float(found.iloc[0])


def paired_path(profile: str, task: str) -> Path:
    """Return the place of a task's paired differences between methods."""
    return paths.results(profile, "metrics", f"{task}-paired.csv")


def paired(profile: str, task: str, columns: tuple[str, ...] = PAIRED_COLUMNS) -> pd.DataFrame:
    """Read a task's paired differences; :class:`DataError` if missing or malformed."""
    return _read_csv(paired_path(profile, task), columns, f"shellac evaluate {task}")


def denoised_path(profile: str) -> Path:
    """Return the place of the denoiser's scores, track by track."""
    return paths.results(profile, "metrics", "denoiser.csv")


def denoised(profile: str) -> pd.DataFrame:
    """Read the denoiser's scores, track by track; :class:`DataError` if missing or malformed."""
    return _read_csv(
        denoised_path(profile), DENOISER_COLUMNS, "shellac evaluate denoiser", text=("snr_db",)
    )


def ranks_path(profile: str, task: str) -> Path:
    """Return the place of a task's ranks."""
    return paths.results(profile, "metrics", f"{task}-ranks.csv")


def ranks(profile: str, task: str) -> pd.DataFrame:
    """Read a task's ranks, best first; :class:`DataError` if missing or malformed."""
    return _read_csv(ranks_path(profile, task), RANK_COLUMNS, f"shellac evaluate {task}")


def babe2_path(profile: str, what: str) -> Path:
    """Return the place of ``frechet`` or ``filters`` of the generative equaliser."""
    return paths.results(profile, "metrics", f"babe2-{what}.csv")


def frechet(profile: str) -> pd.DataFrame:
    """Read the generative equaliser's distances of sets; :class:`DataError` if missing."""
    path = babe2_path(profile, "frechet")
    return _read_csv(path, BABE2_FRECHET_COLUMNS, "shellac evaluate babe2")


def filters(profile: str) -> pd.DataFrame:
    """Read true and estimated responses in dB; :class:`DataError` if missing."""
    path = babe2_path(profile, "filters")
    return _read_csv(path, BABE2_FILTER_COLUMNS, "shellac evaluate babe2")


def excerpts(profile: str, system: str) -> list[str]:
    """Say which seconds of which historical recordings a system restored; empty: none at all."""
    path = paths.results(profile, "restored", system, "excerpts.json")
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        lines = [
            f"{each['file']}: {each['start_seconds']:.2f} to"
            f" {each['start_seconds'] + each['seconds']:.2f} s of {each['of_seconds']:.2f} s"
            for each in told["excerpts"]
        ]
        return [*lines, f"{len(lines)} of {told['recordings']} recordings"] if lines else []
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path}: not readable; run shellac stimuli {system}") from error


def record(profile: str, *parts: str) -> dict:
    """Read a record, such as times; empty where there is none, since nothing may depend on it."""
    path = paths.record(profile, *parts)
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def segments_path(profile: str) -> Path:
    """Return the place of the segments that inpainting's evaluation keeps as examples."""
    return paths.results(profile, "metrics", "inpainting-segments.npz")


def segments(profile: str) -> dict[str, np.ndarray]:
    """Read the example segments: condition -> magnitudes (S, N, F), and ``lost`` (S, N)."""
    path = segments_path(profile)
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except FileNotFoundError as error:
        raise DataError(f"{path}: not there yet; run shellac evaluate inpainting") from error
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: not readable ({error}); evaluate inpainting again") from error


def training_paths(profile: str, task: str) -> list[Path]:
    """Return the training records of a task's networks, in order of their names."""
    return sorted(paths.results(profile, "metrics", f"{task}-training").glob("*.csv"))


def training(profile: str, task: str) -> dict[str, pd.DataFrame]:
    """Read the training record of every network of a task; raise :class:`DataError` if none."""
    found = training_paths(profile, task)
    if not found:
        raise DataError(f"results/{profile}: no training record of {task}; train it first")
    made_by = f"shellac train {task}"
    return {path.stem: _read_csv(path, TRAINING_COLUMNS, made_by) for path in found}


def campaign(name: str) -> dict:
    """Read what a long run kept in git says of itself; :class:`DataError` if there is none.

    Its tables are read as those of the profile ``campaigns/<name>``.
    """
    path = paths.results("campaigns", name, "about.json")
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: not the description of a campaign ({error})") from error


def excerpt(profile: str, task: str, index: int = 0) -> Excerpt:
    """Read the ``index``-th excerpt of a task's stimuli.

    Raises :class:`DataError` where the manifest or a recording is missing, where a recording is
    not the one that the manifest names, or where the conditions are not sample-aligned.
    """
    manifest = paths.results(profile, "stimuli", task, "manifest.json")
    try:
        item = json.loads(manifest.read_text(encoding="utf-8"))["items"][index]
        conditions = {name: _Condition(manifest, c) for name, c in item["conditions"].items()}
        facts = str(item["track"]), str(item["role"])
        sample_rate, start_seconds = int(item["sample_rate"]), float(item["start_seconds"])
    except FileNotFoundError as error:
        raise DataError(f"{manifest}: no stimuli yet; run shellac stimuli {task}") from error
    except IndexError as error:
        raise DataError(f"{manifest}: there is no excerpt {index}") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{manifest}: not a stimulus manifest ({error!r})") from error
    heard = {name: condition.heard() for name, condition in conditions.items()}
    waveforms = {name: wave for name, (wave, rate) in heard.items() if rate == sample_rate}
    if len({len(wave) for wave in waveforms.values()}) != 1:
        raise DataError(f"{manifest}: the conditions of excerpt {index} differ in length")
    gains_db = {name: conditions[name].gain_db for name in waveforms}
    sources = (manifest, *(conditions[name].path for name in sorted(conditions)))
    return Excerpt(*facts, sample_rate, start_seconds, waveforms, gains_db, sources)


class _Condition:
    """One recording of a manifest."""

    def __init__(self, manifest: Path, entry: dict):
        self.path = manifest.parent / entry["file"]
        self.gain_db = float(entry.get("gain_db", 0.0))
        self._expected = entry["sha256"]

    def heard(self) -> tuple[np.ndarray, int]:
        """Return (mono waveform, sample rate) if the file is the one that the manifest names."""
        if self.path.is_file() and sha256(self.path) != self._expected:
            raise DataError(
                f"{self.path}: not the recording that its manifest names; build it again"
            )
        waveform, rate = audio.read(self.path)
        return waveform.mean(axis=0), rate


def _read_csv(
    path: Path, columns: tuple[str, ...], made_by: str, text: tuple[str, ...] = ()
) -> pd.DataFrame:
    """Read a CSV; columns named in ``text`` are strings, empty where the cell is."""
    try:
        table = pd.read_csv(path, dtype=dict.fromkeys(text, str))
    except FileNotFoundError as error:
        raise DataError(f"{path}: not there yet; run {made_by}") from error
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: not a readable table ({error})") from error
    if missing := [name for name in columns if name not in table.columns]:
        raise DataError(f"{path}: lacks the columns {', '.join(missing)}; run {made_by}")
    return table.fillna(dict.fromkeys(text, ""))
