"""What a chain takes out of historical recordings: ``historical.py INPUT... -o OUT --system S``.

Restores them as ``shellac restore`` does, with the same options (``--weights``, ``--strength``,
``--mono``, ``--pictures``), and tells of every recording what can be told without a reference: how
far the residual follows the programme, clicks a minute and levels in octaves before and after.
Prints a table and writes it as ``OUT/historical.json`` and ``OUT/historical.csv``. As one of the
benchmarks, without arguments, a synthesised piece on a synthesised disc goes through ``classical``.
"""

import argparse
import shlex
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from shellac import audio
from shellac.commands.inputs import Job, collect
from shellac.commands.restore import Options, Session
from shellac.datasets.synthesis.piano import piano_piece
from shellac.degradations.record_noise import draw_settings, record_noise
from shellac.errors import ShellacError
from shellac.files import write_csv, write_json
from shellac.reference_free import MEASURES, band_levels_db, measures

_RATE = 22050
_NOISE_DB = -15.0


def rows(jobs: Sequence[Job], session: Session) -> Iterator[dict[str, object]]:
    """Restore every recording; yield what there is to tell of it."""
    for job in jobs:
        told = session.run(job)
        gain = told["gain"]
        made = {kind: audio.read(job.folder / told["outputs"][kind]) for kind in told["outputs"]
                if kind in ("restored", "residual")}  # fmt: skip
        restored, rate = made["restored"]
        residual = made["residual"][0]
        heard = restored + residual
        levels = {
            when: band_levels_db(x / gain, rate)
            for when, x in (("before", heard), ("after", restored), ("residual", residual))
        }
        bands = {
            f"{when} {band}": level for when, each in levels.items() for band, level in each.items()
        }
        yield {
            "what": job.source.stem,
            **measures(heard, restored, residual, rate),
            **bands,
            "seconds": heard.shape[1] / rate,
            "real_time": heard.shape[1] / rate / told["seconds"],
        }


def measure(seconds: int = 20) -> Iterator[dict[str, object]]:
    """Yield the row of a synthesised disc through ``classical``."""
    rng = np.random.default_rng(0)
    music = np.ravel(piano_piece(0, seconds, _RATE)).astype(np.float64)
    noise = np.ravel(record_noise(draw_settings(rng), len(music), _RATE, rng))
    noise *= 10 ** (_NOISE_DB / 20) * np.sqrt(np.mean(music**2) / np.mean(noise**2))
    heard = 0.5 * (music + noise) / np.abs(music + noise).max()
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "synthesised disc.wav"
        audio.write(source, heard[None].astype(np.float32), _RATE, "FLOAT")
        session = Session(Options(("classical",), device="cpu"))
        yield from rows([Job(source, Path(folder) / "out")], session)


def main(arguments: Sequence[str]) -> None:
    """Read the command line."""
    from run import table  # which imports this module

    parser = argparse.ArgumentParser(
        prog="historical.py", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("inputs", nargs="+", type=Path)
    parser.add_argument("-o", "--out", required=True, type=Path)
    parser.add_argument("--system", default="classical")
    parser.add_argument("--weights", action="append", default=[])
    parser.add_argument("--strength", type=float, default=1.0)
    parser.add_argument("--mono")
    parser.add_argument("--pictures", action="store_true")
    chosen = parser.parse_args(arguments)
    options = Options(
        systems=tuple(chosen.system.split(",")),
        weights=tuple(chosen.weights),
        strength=chosen.strength,
        mono=chosen.mono,
        pictures=chosen.pictures,
    )
    jobs, _ = collect(chosen.inputs, chosen.out)
    found = []
    for row in rows(jobs, Session(options)):
        found.append(row)
        print(*table([row]), flush=True)
    about = {
        "command": f"python code/benchmarks/historical.py {shlex.join(arguments)}",
        "measures": dict(MEASURES),
    }
    write_json(chosen.out / "historical.json", {**about, "rows": found})
    keys = list(dict.fromkeys(key for row in found for key in row if key != "real_time"))
    rounded = [{key: _rounded(row.get(key, "")) for key in keys} for row in found]
    write_csv(chosen.out / "historical.csv", rounded, keys)


def _rounded(value: object) -> object:
    return round(value, 3) if isinstance(value, float) else value


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except ShellacError as error:
        sys.exit(f"historical: {error}")
