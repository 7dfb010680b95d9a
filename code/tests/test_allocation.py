import ctypes
import os
import subprocess
import sys

import pytest

from shellac import allocation

CACHE, HUGE = "glibc.malloc.tcache_count", "glibc.malloc.hugetlb"

# memory that is freed and asked for again is touched without a fault where it was kept
FAULTS = """
import resource, sys
import numpy as np
from shellac.allocation import keep_freed_memory
how, mb = sys.argv[1], int(sys.argv[2])
kept = keep_freed_memory(how)
def touch():
    np.empty(mb * 2**20, np.uint8).fill(1)
touch()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(4):
    touch()
print(kept, resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(how, mb=64):
    done = subprocess.run(
        [sys.executable, "-c", FAULTS, how, str(mb)], capture_output=True, text=True, check=True
    )
    told, count = done.stdout.split()
    return told, int(count)


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc can be told")
def test_freed_memory_is_touched_without_a_fault():
    told, kept = faults("all")
    assert told == "True"
    assert kept < faults("usual")[1] / 10


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc can be told")
def test_only_large_blocks_are_returned():
    told, large = faults("small")
    assert told == "True"
    assert large > 10 * faults("small", mb=8)[1]
    assert large > 10 * faults("all")[1]


RETURNED = """
import numpy as np
from pathlib import Path
from shellac.allocation import keep_freed_memory, return_freed_memory
keep_freed_memory("small")
def held_mb():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20
blocks, between = [], []  # what stays between them keeps the end of the heap where it is
for _ in range(20):
    blocks.append(np.ones(2**20))
    between.append(bytearray(2000))
before = held_mb()
blocks.clear()
freed = held_mb()
return_freed_memory()
print(before - freed, before - held_mb())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc can be told")
def test_what_lies_free_between_what_stays_is_returned(tmp_path):
    freed, returned = map(float, program(RETURNED, tmp_path).split())
    assert freed < 16
    assert returned > 140


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
    assert not allocation.keep_freed_memory("small")
    allocation.return_freed_memory()


# aligned blocks and small ones, as chunks of several lengths ask for: how far the heap grows, in
# sizes of all large blocks that are ever held at once
HEAP = """
import ctypes, random, sys
from shellac.allocation import keep_freed_memory, start_tuned
if sys.argv[1] == "merge":
    start_tuned()
keep_freed_memory()
libc, address = ctypes.CDLL(None), ctypes.c_void_p
libc.malloc.restype = libc.sbrk.restype = address
libc.malloc.argtypes, libc.free.argtypes = [ctypes.c_size_t], [address]
draw, small, begin, most = random.Random(0), [], libc.sbrk(0), 0
def large(size):
    place = address()
    libc.posix_memalign(ctypes.byref(place), ctypes.c_size_t(64), ctypes.c_size_t(size))
    return place.value, size
for chunk in range(400):
    held = []
    for step in range(12):
        held.append(large(draw.choice((20, 10, 5, 2)) * 500_000 + 64 * draw.randrange(64)))
        most = max(most, sum(size for place, size in held))
        if len(held) > 3:
            libc.free(held.pop(draw.randrange(3))[0])
        small.append(libc.malloc(draw.choice((24, 40, 56, 72, 88))))
        if len(small) > 40:
            libc.free(small.pop(draw.randrange(40)))
    for place, size in held:
        libc.free(place)
print((libc.sbrk(0) - begin) / most, sys.argv[1:])
"""


def program(text, tmp_path, *arguments, **environment):
    path = tmp_path / "program.py"
    path.write_text(text)
    kept = {key: value for key, value in os.environ.items() if key != "GLIBC_TUNABLES"}
    done = subprocess.run(
        [sys.executable, path, *arguments],
        env={**kept, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


@pytest.mark.skipif(CACHE not in allocation._tunables(), reason="this C library merges by itself")
def test_the_heap_does_not_grow_with_the_number_of_chunks(tmp_path):
    merged, apart = (program(HEAP, tmp_path, how, "tëxt") for how in ("merge", "leave"))
    assert merged.endswith("['merge', 'tëxt']\n")
    assert float(merged.split()[0]) < 2.2
    assert float(apart.split()[0]) > 1.5 * float(merged.split()[0])


TUNABLES = """
import os
from shellac.allocation import start_tuned
start_tuned()
print(os.environ.get("GLIBC_TUNABLES"))
"""


@pytest.mark.skipif(len(allocation._tunables()) < 2, reason="this C library needs less")
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("glibc.malloc.perturb=0", f"glibc.malloc.perturb=0:{CACHE}=0:{HUGE}=1"),
        (f"{CACHE}=7", f"{CACHE}=7:{HUGE}=1"),
        (f"{CACHE}=7:{HUGE}=0", f"{CACHE}=7:{HUGE}=0"),
    ],
)
def test_what_the_user_tells_the_allocator_stands(tmp_path, before, after):
    assert program(TUNABLES, tmp_path, GLIBC_TUNABLES=before) == after + "\n"


@pytest.mark.parametrize(
    ("library", "told"),
    [
        ("glibc 2.31", {CACHE: 0}),
        ("glibc 2.36", {CACHE: 0, HUGE: 1}),
        ("glibc 2.39", {HUGE: 1}),
        ("musl 1.2", {}),
        (None, {}),
    ],
)
def test_each_c_library_is_told_what_it_lacks(monkeypatch, library, told):
    monkeypatch.setattr(os, "confstr", lambda name: library)
    assert allocation._tunables() == told


def test_a_system_that_tells_no_c_library_is_left_alone(monkeypatch):
    def unknown(name):
        raise ValueError(name)

    monkeypatch.setattr(os, "confstr", unknown)
    assert allocation._tunables() == {}
