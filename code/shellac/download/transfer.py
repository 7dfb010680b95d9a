"""Files over HTTP: resumed, verified by hash, bounded in time and size; whole at their name or not.

What is incomplete lies beside the final name, hidden, until its hash fits. A transfer that was
killed goes on where it stopped; the hash of the whole decides whether that was right. Where no
hash is known, a server must vouch that the file is still the same one (``If-Range``), or the
transfer starts anew.
"""

import re
import shutil
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urljoin, urlsplit
from urllib.request import getproxies, proxy_bypass

import urllib3
from tqdm import tqdm

from shellac.download.partial import Digests, Pace, Partial
from shellac.errors import DataError

_BLOCK = 1 << 18
_PROGRESS_BYTES = 1 << 20  # so much new makes earlier failures forgotten
_SPARE_BYTES = 1 << 24  # of disk, beyond what the file needs
_PASSING_STATUS = {408, 425, 429, 500, 502, 503, 504}
_LONGEST_PAUSE_SECONDS = 60.0
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_LASTING = (
    urllib3.exceptions.LocationValueError,
    urllib3.exceptions.URLSchemeUnknown,
    urllib3.exceptions.SSLError,
)
Answer = urllib3.BaseHTTPResponse


@dataclass(frozen=True)
class Limits:
    """What a transfer may take.

    ``silent_seconds`` without a byte end a connection, and so does a window of ``window_seconds``
    that brings less than ``window_bytes``. A failure that may pass is tried again ``attempts``
    times at each address, with pauses from ``pause_seconds`` on, doubled each time.
    """

    silent_seconds: float = 30.0
    window_seconds: float = 30.0
    window_bytes: int = 30_000
    attempts: int = 5
    pause_seconds: float = 1.0
    redirects: int = 10


@dataclass(frozen=True)
class Wanted:
    """A file: its name, where to get it, and what it must be.

    ``checksums`` maps ``sha256``, ``sha1`` or ``md5`` to hexadecimal digits, all of which must
    fit; ``size`` in bytes where it is known, ``most_bytes`` where it is not.
    """

    name: str
    addresses: tuple[str, ...]
    checksums: Mapping[str, str] = field(default_factory=dict)
    size: int | None = None
    most_bytes: int = 1 << 40


class _PassingError(Exception):
    """A failure that another attempt may not meet."""


class _LastingError(Exception):
    """A failure that this address will give again."""


def fetch(
    wanted: Wanted,
    folder: Path,
    limits: Limits | None = None,
    stop: threading.Event | None = None,
) -> str:
    """Bring one file into ``folder`` and return its SHA-256.

    A file that is there already is hashed and kept. Addresses are tried in their order. ``stop``,
    once set, ends the transfer.

    Raises :class:`DataError` in one line if none gives the right file, if the one that is there
    is a wrong one, if there is no room, or if another process is fetching it; the final name
    then holds nothing, or what it held before.
    """
    target = Path(folder) / wanted.name
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists():
        digests = Digests(wanted.checksums, target)
        if wrong := digests.misfit():
            raise DataError(f"{target}: {wrong}; remove it, and it is fetched again")
        return digests.sha256
    limits, stop, causes = limits or Limits(), stop or threading.Event(), []
    with Partial(target) as partial:
        for address in wanted.addresses:
            try:
                return _persist(wanted, address, partial, limits, stop)
            except (_PassingError, _LastingError) as error:
                causes.append(f"{address}: {error}")
    raise DataError(f"{wanted.name} could not be fetched: {'; '.join(causes) or 'no address'}")


def fetch_all(
    files: Sequence[Wanted], folder: Path, limits: Limits | None = None, together: int = 4
) -> dict[str, str]:
    """Bring several files into ``folder``, ``together`` at a time; return name -> SHA-256.

    Raises as :func:`fetch`; the other transfers then stop where they are, to be resumed.
    """
    stop = threading.Event()
    with ThreadPoolExecutor(together) as pool:
        waiting = [pool.submit(fetch, wanted, folder, limits, stop) for wanted in files]
        try:
            done, _ = wait(waiting, return_when=FIRST_EXCEPTION)
            for each in done:
                each.result()
        except BaseException:
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return {wanted.name: each.result() for wanted, each in zip(files, waiting, strict=True)}


def _persist(
    wanted: Wanted, address: str, partial: Partial, limits: Limits, stop: threading.Event
) -> str:
    """Try one address until it gives the file or there is no more hope."""
    failures, had = 0, partial.size
    while True:
        resumed = partial.size > 0
        try:
            _transfer(wanted, address, partial, limits, stop)
            digests = Digests(wanted.checksums, partial.path)
            if wrong := digests.misfit():
                partial.clear()
                raise (_PassingError if resumed else _LastingError)(wrong)
            partial.finish()
            return digests.sha256
        except _PassingError:
            if partial.size >= had + _PROGRESS_BYTES:
                failures = 0
            had, failures = partial.size, failures + 1
            if failures >= limits.attempts:
                raise
            pause = min(limits.pause_seconds * 2 ** (failures - 1), _LONGEST_PAUSE_SECONDS)
            stop.wait(pause)


def _transfer(
    wanted: Wanted, address: str, partial: Partial, limits: Limits, stop: threading.Event
) -> None:
    """Append to the partial file what is missing of it; raise for anything but a whole body."""
    headers = {"Accept-Encoding": "identity"}
    if partial.size and (wanted.checksums or partial.validator):
        headers["Range"] = f"bytes={partial.size}-"
        if not wanted.checksums:
            headers["If-Range"] = partial.validator
    else:
        partial.clear()
    with _answer(address, headers, limits) as answer:
        if answer.status == 416 and partial.size:
            if wanted.checksums and not Digests(wanted.checksums, partial.path).misfit():
                return  # killed between the last byte and the final name
            partial.clear()
            raise _PassingError("it does not hold what was fetched before")
        start = _start(answer, partial)
        total = _announced(answer, start, wanted)
        partial.keep_validator(answer.headers)
        _ask_for_room(partial.path.parent, (total or 0) - start, wanted.name)
        most = wanted.size or total or wanted.most_bytes
        with tqdm(
            total=total,
            initial=start,
            desc=wanted.name,
            unit="B",
            unit_scale=True,
            disable=None,
        ) as bar:
            for block in _blocks(answer, limits, stop):
                if partial.size + len(block) > most:
                    partial.clear()
                    raise _LastingError(f"sends more than {most} bytes")
                partial.append(block)
                bar.update(len(block))
    if total is not None and partial.size < total:
        raise _PassingError(f"ends after {partial.size} of {total} bytes")


@contextmanager
def _answer(address: str, headers: Mapping[str, str], limits: Limits) -> Iterator[Answer]:
    """Yield the answer behind all redirections; tell lasting failures from passing ones."""
    try:
        for _ in range(limits.redirects + 1):
            if urlsplit(address).scheme not in {"http", "https"}:
                raise _LastingError(f"leads to {address[:200]!r}, which is no web address")
            # redirections are followed here: a library would read their bodies, however long
            answer = _manager(address).request(
                "GET",
                address,
                headers=headers,
                timeout=urllib3.Timeout(limits.silent_seconds),
                retries=False,
                redirect=False,
                preload_content=False,
            )
            try:
                if not (to := answer.get_redirect_location()):
                    yield answer
                    return
                address = urljoin(address, to)
            finally:
                answer.close()
        raise _LastingError(f"redirects more than {limits.redirects} times")
    except _LASTING as error:
        raise _LastingError(_words(error)) from error
    except urllib3.exceptions.HTTPError as error:
        raise _PassingError(_words(error)) from error


def _manager(address: str) -> urllib3.PoolManager:
    """Return what talks to a server, through the proxy that the environment names, if any."""
    parts = urlsplit(address)
    proxy = getproxies().get(parts.scheme)
    if not proxy or parts.hostname in _LOOPBACK or proxy_bypass(parts.hostname or ""):
        return urllib3.PoolManager()
    return urllib3.ProxyManager(proxy)


def _words(error: Exception) -> str:
    """Return the reason of a network error in one line, without the names of objects."""
    text = " ".join(str(error).split())
    return re.sub(r"^.*Connection\S*: ", "", text)[:200] or type(error).__name__


def _start(answer: Answer, partial: Partial) -> int:
    """Return the offset at which the body belongs, which is the partial file's end."""
    status = answer.status
    if status == 206 and partial.size:
        told = re.match(r"bytes (\d+)-", answer.headers.get("Content-Range", ""))
        if not told or int(told[1]) != partial.size:
            partial.clear()
            raise _PassingError("sends another part than was asked for")
        return partial.size
    if status == 200:
        partial.clear()  # the whole, whether or not a part was asked for
        return 0
    kind = _PassingError if status in _PASSING_STATUS else _LastingError
    raise kind(f"answers {status} {answer.reason}")


def _announced(answer: Answer, start: int, wanted: Wanted) -> int | None:
    """Return the size of the whole file as the server has it; refuse what cannot be right."""
    length = answer.headers.get("Content-Length", "")
    if not length.isdecimal():
        if not wanted.checksums and "Transfer-Encoding" not in answer.headers:
            raise _LastingError("announces no length, and no checksum is known")
        return wanted.size
    total = start + int(length)
    if wanted.size is not None and total != wanted.size:
        raise _LastingError(f"announces {total} bytes, {wanted.size} are expected")
    if total > wanted.most_bytes:
        raise _LastingError(f"announces {total} bytes, {wanted.most_bytes} are the most")
    return total


def _ask_for_room(folder: Path, needed: int, name: str) -> None:
    free = shutil.disk_usage(folder).free
    if free < needed + _SPARE_BYTES:
        raise DataError(
            f"{name}: needs {needed / 1e9:.2f} GB more in {folder}, where {free / 1e9:.2f} GB"
            " are free"
        )


def _blocks(answer: Answer, limits: Limits, stop: threading.Event) -> Iterator[bytes]:
    """Yield the body as it comes; raise where it comes too slowly."""
    pace = Pace(limits.window_seconds, limits.window_bytes)
    while block := answer.read1(_BLOCK, decode_content=False):
        yield block
        if stop.is_set():
            raise _LastingError("stopped")
        if pace.too_slow(len(block)):
            raise _PassingError(
                f"too slow: less than {limits.window_bytes} bytes in {limits.window_seconds:g} s"
            )
