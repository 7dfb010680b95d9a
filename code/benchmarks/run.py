"""Measure: ``python code/benchmarks/run.py [--keep] [NAME ...]``, by default every benchmark.

On one thread, each figure beside what it is compared with, in turns and as
medians. Prints a table and writes ``results/<profile>/records/bench.json``; with ``--keep`` also
``results/campaigns/benchmarks/NAME.csv``, which are in git.
"""

import argparse
import os
import platform
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain

os.environ["OMP_NUM_THREADS"] = "1"
os.environ["OPENBLAS_NUM_THREADS"] = "1"

from shellac.allocation import keep_freed_memory, start_tuned

if __name__ == "__main__":
    start_tuned()  # before what takes seconds to import

import allocation
import babe2_files
import classical
import cqt
import end_to_end
import filter_fit
import fragments
import griffin_lim
import historical
import inpainting_gaps
import long_files
import machine
import networks
import operators
import segments
import spline
import synthesis
import torch

from shellac import config, paths
from shellac.errors import ShellacError, UsageError
from shellac.files import write_csv, write_json

Row = dict[str, object]
BENCHMARKS: dict[str, Callable[[], Iterator[Row]]] = {
    "machine": machine.measure,
    "networks": networks.measure,
    "operators": operators.measure,
    "allocation": allocation.measure,
    "end-to-end": end_to_end.measure,
    "spline": spline.measure,
    "fragments": fragments.measure,
    "griffin-lim": griffin_lim.measure,
    "synthesis": synthesis.measure,
    "long-files": long_files.measure,
    "segments": segments.measure,
    "classical": classical.measure,
    "inpainting-gaps": inpainting_gaps.measure,
    "cqt": lambda: chain(cqt.measure(), filter_fit.measure()),
    "babe2-files": babe2_files.measure,
    "historical": historical.measure,
}


def table(rows: Iterable[Row]) -> Iterator[str]:
    """Yield one line per row: its name, then every figure with its column's name."""
    for row in rows:
        figures = (f"{key} {value:.3g}" for key, value in row.items() if key != "what")
        yield f"{row['what']:<52} " + "  ".join(figures)


def keep(name: str, rows: Sequence[Row]) -> None:
    """Write a benchmark's rows, and where they were measured, to what is kept in git."""
    folder = paths.results("campaigns", "benchmarks")
    write_csv(folder / f"{name}.csv", rows, list(dict.fromkeys(key for row in rows for key in row)))
    write_json(folder / f"{name}.json", {
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "python": platform.python_version(),
        "torch": torch.__version__,
    })  # fmt: skip
    write_json(folder / "about.json", {"command": "python code/benchmarks/run.py --keep"})


def main(arguments: Sequence[str]) -> None:
    """Run the named benchmarks; raise :class:`UsageError` for a name that there is not."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--keep", action="store_true", help="write results/campaigns/benchmarks")
    options = parser.parse_args(arguments)
    names = options.names
    if unknown := sorted(set(names) - set(BENCHMARKS)):
        raise UsageError(f"no benchmark {unknown[0]!r}; there are: {', '.join(BENCHMARKS)}")
    keep_freed_memory()  # as the command line does
    torch.set_num_threads(1)
    results: dict[str, list[Row]] = {}
    for name in names or BENCHMARKS:
        results[name] = []
        for row in BENCHMARKS[name]():
            results[name].append(row)
            print(*table([row]), flush=True)
        if options.keep:
            keep(name, results[name])
    write_json(paths.record(config.load().profile, "bench"), results)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except ShellacError as error:
        sys.exit(f"bench: {error}")
