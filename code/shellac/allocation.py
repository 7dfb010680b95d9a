"""How this process asks the system for memory, and the most it has held."""

import contextlib
import os
import sys
from pathlib import Path

# glibc's names for what mallopt sets, and what it comes to by itself where arrays are large
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _MMAP_MAX = -1, -3, -4
_USUAL = {_TRIM_THRESHOLD: 2**26, _MMAP_THRESHOLD: 2**25, _MMAP_MAX: 65536}
_KEEPING = {_TRIM_THRESHOLD: 2**31 - 1, _MMAP_MAX: 0}
_TUNABLES, _CACHE = "GLIBC_TUNABLES", "glibc.malloc.tcache_count"
_MERGING = (2, 39)  # the first glibc that merges all by itself


def keep_freed_memory(keep: bool = True) -> bool:
    """Have freed memory handed out again, rather than returned to the system and asked for anew.

    A network frees and asks for maps of hundreds of megabytes at every layer; each time, the
    system would clear every page of them when it is first touched (``benchmarks/allocation.py``
    measures what that costs). For programs that compute and end: what was once needed is kept.
    Return whether the C library can be told; only glibc can. ``keep`` false undoes it.
    """
    import ctypes  # here: a command that only prints its help does without

    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return False
    return all([mallopt(*pair) for pair in (_KEEPING if keep else _USUAL).items()])


def peak_mb() -> float:
    """Return the most memory in MB that this process has held at a time.

    Linux is asked for the mark of this program alone: that of ``getrusage`` is never below what
    the program that started it had held by then.
    """
    try:
        lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
    except (OSError, StopIteration):
        import resource

        unit = 1024**2 if sys.platform == "darwin" else 1024  # of what the systems count in
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def merge_freed_memory() -> None:
    """Start this program again with a heap whose free blocks merge, where they would not.

    PyTorch asks for aligned blocks. What glibc cuts off their ends goes into a cache of small
    blocks, where it cannot merge again with what it was cut from (its bug 30723): a freed block
    is too small for the next one of its size, and the heap grows with every chunk of a recording.
    Without that cache it stays as it is after a few. Only the environment of a process that
    starts can say so; one that says anything of the cache is left as it is.
    """
    tunables = os.environ.get(_TUNABLES, "")
    if _CACHE in tunables or not _leaves_apart():
        return
    without = ":".join(filter(None, (tunables, f"{_CACHE}=0")))
    command = [sys.executable, *sys.orig_argv[1:]]
    with contextlib.suppress(OSError):  # then it needs more memory, and does the same
        os.execve(sys.executable, command, {**os.environ, _TUNABLES: without})


def _leaves_apart() -> bool:
    """Whether the C library is a glibc that keeps small blocks from merging."""
    try:
        name, _, version = (os.confstr("CS_GNU_LIBC_VERSION") or "").partition(" ")
    except (AttributeError, OSError, ValueError):
        return False
    return name == "glibc" and tuple(map(int, version.split(".")[:2])) < _MERGING
