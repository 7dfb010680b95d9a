"""The caller's side of the decoder processes: files that read like ``soundfile.SoundFile``.

Every open file has a process to itself; a process that is done with one takes the next, so that a
corpus of any size costs one start. What a process may do is bounded in memory (address space), in
time (per answer) and in frames; when it dies or goes silent, the file at hand is an error and the
next one gets a new process.
"""

import atexit
import fcntl
import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import numpy as np

from shellac.decoding.worker import HEADER

MEMORY_BYTES = 4 << 30  # of address space, most of which libraries reserve and never touch
ANSWER_SECONDS = 120.0  # for a block of 4 MiB, which takes milliseconds
MAX_FRAMES = 1 << 34  # per file: 27 hours at 176.4 kHz
BLOCK_BYTES = 4 << 20
_PIPE_BYTES = 1 << 20
_MAX_TEXT_BYTES = 1 << 20
_MAX_IDLE = 4
_ATTRIBUTES = ("samplerate", "channels", "frames", "format", "subtype")
_SCRIPT = Path(__file__).with_name("worker.py")


class DecoderError(RuntimeError):
    """The decoder refused a file, crashed on it, or went beyond a limit; the message says which."""


class _Process:
    """One decoder process and the pipes to it."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-P", str(_SCRIPT), str(MEMORY_BYTES)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
        )
        self.pid = self._process.pid
        if hasattr(fcntl, "F_SETPIPE_SZ"):
            with suppress(OSError):  # an unprivileged user's pipes may be limited
                fcntl.fcntl(self._process.stdout, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        self._ready = select.poll()
        self._ready.register(self._process.stdout, select.POLLIN)
        self.sound = True  # every request so far has been answered in full

    def ask(self, request: dict, into: memoryview | None = None) -> bytes | int:
        """Return the answer, or with ``into`` the number of bytes that were written to it."""
        self.sound = False
        deadline = time.monotonic() + ANSWER_SECONDS
        with suppress(BrokenPipeError):  # the answer that does not come says why
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
        header = bytearray(HEADER.size)
        self._receive(memoryview(header), deadline)
        failed, length = HEADER.unpack(header)
        if failed or into is None:
            if length > _MAX_TEXT_BYTES:
                raise DecoderError("the decoder's answer makes no sense")
            answer = bytearray(length)
            self._receive(memoryview(answer), deadline)
            self.sound = True
            if failed:
                raise DecoderError(answer.decode(errors="replace"))
            return bytes(answer)
        if length > len(into):
            raise DecoderError("the decoder's answer makes no sense")
        self._receive(into[:length], deadline)
        self.sound = True
        return length

    def _receive(self, target: memoryview, deadline: float) -> None:
        while len(target):
            left = deadline - time.monotonic()
            if left <= 0 or not self._ready.poll(1000 * left):
                self.stop()
                raise DecoderError(f"the decoder gave no answer for {ANSWER_SECONDS:g} s")
            count = self._process.stdout.readinto(target)
            if not count:
                raise DecoderError(self._death())
            target = target[count:]

    def _death(self) -> str:
        status = self._process.wait()
        self.stop()
        if status < 0:
            return f"the decoder crashed on it ({signal.Signals(-status).name})"
        return f"the decoder ended with status {status}"

    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    def stop(self) -> None:
        """End the process, whatever it is doing."""
        self._process.kill()
        self._process.wait()
        self._process.stdin.close()
        self._process.stdout.close()


class _Pool:
    """Processes that wait for a next file."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: list[_Process] = []

    def take(self) -> _Process:
        with self._lock:
            while self._idle:
                process = self._idle.pop()
                if process.alive():
                    return process
                process.stop()
        return _Process()

    def give_back(self, process: _Process) -> None:
        with self._lock:
            if process.sound and len(self._idle) < _MAX_IDLE:
                self._idle.append(process)
                return
        process.stop()

    def stop(self) -> None:
        while self._idle:
            self._idle.pop().stop()

    def forget(self) -> None:
        """In a forked child: the processes are the parent's, and so are the pipes to them."""
        self.__init__()


_POOL = _Pool()


def stop_idle() -> None:
    """End the processes that wait for a file; the next file gets a new one."""
    _POOL.stop()


atexit.register(stop_idle)
os.register_at_fork(after_in_child=_POOL.forget)


class IsolatedFile:
    """An open recording, decoded elsewhere; the part of ``soundfile.SoundFile`` that is needed.

    ``tags`` names the attributes of text that are wanted. Raises :class:`DecoderError`.
    """

    def __init__(self, path: Path, tags: tuple[str, ...] = ()):
        self._frames_read = 0
        self._process = _POOL.take()
        request = {"do": "open", "path": os.fspath(path), "attributes": [*_ATTRIBUTES, *tags]}
        try:
            told = json.loads(self._process.ask(request))
        except BaseException:
            _POOL.give_back(self._process)
            raise
        self.samplerate: int = told["samplerate"]
        self.channels: int = told["channels"]
        self.frames: int = told["frames"]
        self.format: str = told["format"]
        self.subtype: str = told["subtype"]
        self.tags: dict[str, str] = {tag: told[tag] for tag in tags if told[tag]}

    @property
    def decoder_pid(self) -> int:
        """The process that decodes this file."""
        return self._process.pid

    def read(self, frames: int, dtype: str) -> np.ndarray:
        """Return up to ``frames`` further frames (n, C) as ``float32``, ``int32`` or ``int16``."""
        samples = np.empty((frames, self.channels), dtype)
        bytes_per_frame = self.channels * samples.itemsize
        step, got = max(1, BLOCK_BYTES // bytes_per_frame), 0
        while got < frames:
            wanted = int(min(step, frames - got))
            request = {"do": "read", "frames": wanted, "dtype": dtype}
            target = memoryview(samples[got : got + wanted]).cast("B")
            count = self._process.ask(request, target) // bytes_per_frame
            got += count
            if count < wanted:
                break
        self._frames_read += got
        if self._frames_read > MAX_FRAMES:
            raise DecoderError(f"holds more than {MAX_FRAMES} samples per channel")
        return samples[:got]

    def close(self) -> None:
        """Let the process take another file."""
        try:
            if self._process.sound:
                self._process.ask({"do": "close"})
        except DecoderError:
            self._process.sound = False
        finally:
            _POOL.give_back(self._process)

    def __enter__(self) -> "IsolatedFile":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
