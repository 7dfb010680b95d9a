import ctypes
import subprocess
import sys

import pytest

from shellac import allocation

# memory that is freed and asked for again is touched without a fault where it was kept
FAULTS = """
import resource, sys
import numpy as np
from shellac.allocation import keep_freed_memory
kept = keep_freed_memory(sys.argv[1] == "keep")
def touch():
    np.empty(64 * 2**20, np.uint8).fill(1)
touch()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(4):
    touch()
print(kept, resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(keep):
    done = subprocess.run(
        [sys.executable, "-c", FAULTS, keep], capture_output=True, text=True, check=True
    )
    told, count = done.stdout.split()
    return told, int(count)


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc can be told")
def test_freed_memory_is_touched_without_a_fault():
    told, kept = faults("keep")
    assert told == "True"
    assert kept < faults("return")[1] / 10


PEAK = "from shellac.allocation import peak_mb; print(peak_mb())"


def told_mb(program):
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return float(done.stdout)


def test_the_most_memory_is_that_of_this_program_alone():
    held = bytearray(300 * 2**20)
    held[:: 2**12] = bytes(len(held[:: 2**12]))  # touched: this program holds it
    alone = told_mb(PEAK)
    assert alone < 200
    assert told_mb(f"x = bytearray(b'1' * (100 * 2**20)); del x; {PEAK}") > alone + 95


def test_another_c_library_is_left_alone(monkeypatch):
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())
    assert not allocation.keep_freed_memory()
