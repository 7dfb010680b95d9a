"""How this process asks the system for memory, and the most it has held."""

import contextlib
import os
import sys
from collections.abc import Callable
from pathlib import Path

# glibc's names for what mallopt sets, and what it comes to by itself where arrays are large
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _MMAP_MAX = -1, -3, -4
_USUAL = {_TRIM_THRESHOLD: 2**26, _MMAP_THRESHOLD: 2**25, _MMAP_MAX: 65536}
_KEPT = {_TRIM_THRESHOLD: 2**31 - 1}
_LARGE_APART = {**_USUAL, **_KEPT, _MMAP_THRESHOLD: 2**24}
_KEEPING = {"all": {**_KEPT, _MMAP_MAX: 0}, "small": _LARGE_APART, "usual": _USUAL}
_TUNABLES = "GLIBC_TUNABLES"
_CACHE, _HUGE = "glibc.malloc.tcache_count", "glibc.malloc.hugetlb"
_MERGING, _HUGE_PAGES = (2, 39), (2, 35)  # the first glibc that merges; that asks for huge pages


def keep_freed_memory(blocks: str = "all") -> bool:
    """Have freed memory handed out again, rather than returned to the system and asked for anew.

    A network frees and asks for maps of hundreds of megabytes at every layer; each time, the
    system would clear every page of them when it is first touched (``benchmarks/allocation.py``
    measures what that costs). For programs that compute and end: what was once needed is kept.

    ``small`` returns blocks of 16 MB or more, for recordings of any length: small blocks that stay
    between large ones let the heap grow well above what is held at a time, by how much is left to
    chance. Large blocks in mappings of their own leave it no gaps; in huge pages
    (:func:`start_tuned`) clearing them costs little, but in a virtual machine that gives what lies
    free back to its host (``benchmarks/machine.py``). What is left of the heap's growth,
    :func:`return_freed_memory` ends. ``usual`` undoes both. Return whether the C library can be
    told; only glibc can.
    """
    mallopt = _of_glibc("mallopt")
    return mallopt is not None and all([mallopt(*pair) for pair in _KEEPING[blocks].items()])


def return_freed_memory() -> None:
    """Return to the system what lies free now, wherever in the heap; only glibc can.

    Between two chunks of a recording: each then finds the heap as the one before did.
    """
    if trim := _of_glibc("malloc_trim"):
        trim(0)


def _of_glibc(name: str) -> Callable[..., int] | None:
    import ctypes  # here: a command that only prints its help does without

    try:
        return getattr(ctypes.CDLL(None), name)
    except (AttributeError, OSError, TypeError):
        return None


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


def start_tuned() -> None:
    """Start this program again with the heap that long recordings need, where it is not so yet.

    PyTorch asks for aligned blocks. What glibc cuts off their ends goes into a cache of small
    blocks, where it cannot merge again with what it was cut from (its bug 30723): a freed block
    is too small for the next one of its size, and the heap grows with every chunk of a recording.
    Without that cache it stays as it is after a few. And memory in huge pages is cleared in a
    fraction of the time, where the system gives them to who asks. Only the environment of a
    process that starts can say so; what it says already stands.
    """
    told = os.environ.get(_TUNABLES, "")
    wanted = [f"{name}={value}" for name, value in _tunables().items() if name not in told]
    if not wanted:
        return
    command = [sys.executable, *sys.orig_argv[1:]]
    tunables = ":".join(filter(None, (told, *wanted)))
    with contextlib.suppress(OSError):  # then it needs more memory, and does the same
        os.execve(sys.executable, command, {**os.environ, _TUNABLES: tunables})


def _tunables() -> dict[str, int]:
    """What this C library is to be told: nothing where it is no glibc."""
    try:
        name, _, version = (os.confstr("CS_GNU_LIBC_VERSION") or "").partition(" ")
    except (AttributeError, OSError, ValueError):
        return {}
    if name != "glibc":
        return {}
    release = tuple(map(int, version.split(".")[:2]))
    without_cache = {_CACHE: 0} if release < _MERGING else {}
    return without_cache | ({_HUGE: 1} if release >= _HUGE_PAGES else {})
