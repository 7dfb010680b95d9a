"""Measure: ``python code/benchmarks/run.py [NAME ...]``, by default every benchmark.

On one thread, each figure beside what it is compared with, in turns and as
medians. Prints a table and writes ``results/<profile>/records/bench.json``.
"""

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence

os.environ["OMP_NUM_THREADS"] = "1"
os.environ["OPENBLAS_NUM_THREADS"] = "1"

import allocation
import babe2_files
import classical
import cqt
import end_to_end
import fragments
import griffin_lim
import historical
import inpainting_gaps
import long_files
import networks
import spline
import synthesis
import torch

from shellac import config, paths
from shellac.allocation import keep_freed_memory
from shellac.errors import ShellacError, UsageError
from shellac.files import write_json

Row = dict[str, object]
BENCHMARKS: dict[str, Callable[[], Iterator[Row]]] = {
    "networks": networks.measure,
    "allocation": allocation.measure,
    "end-to-end": end_to_end.measure,
    "spline": spline.measure,
    "fragments": fragments.measure,
    "griffin-lim": griffin_lim.measure,
    "synthesis": synthesis.measure,
    "long-files": long_files.measure,
    "classical": classical.measure,
    "inpainting-gaps": inpainting_gaps.measure,
    "cqt": cqt.measure,
    "babe2-files": babe2_files.measure,
    "historical": historical.measure,
}


def table(rows: Iterable[Row]) -> Iterator[str]:
    """Yield one line per row: its name, then every figure with its column's name."""
    for row in rows:
        figures = (f"{key} {value:.3g}" for key, value in row.items() if key != "what")
        yield f"{row['what']:<52} " + "  ".join(figures)


def main(names: Sequence[str]) -> None:
    """Run the named benchmarks; raise :class:`UsageError` for a name that there is not."""
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
    write_json(paths.record(config.load().profile, "bench"), results)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except ShellacError as error:
        sys.exit(f"bench: {error}")
