"""Recordings in and out: block reads, atomic block writes, and what makes a file unfit.

Waveforms are float32 arrays of shape (C, T), full scale = 1. Decoding is libsndfile's, in a
process of its own (:mod:`shellac.decoding`), so that a file which crashes it is an error like
another; what it lets pass in silence (cut WAV data, lying sizes, a FLAC whose checksum does not
match, NaN) is refused here by name. Everything streams: a file of any length needs the memory of
one block.
"""

import contextlib
import hashlib
import os
import stat
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from shellac import containers
from shellac.decoding.client import BLOCK_BYTES, DecoderError, IsolatedFile
from shellac.errors import AudioError, OutputError, TruncatedError
from shellac.files import atomic_path

MAX_AMPLITUDE = 1000.0  # beyond this, samples are damage or integers mistaken for floats
BLOCK_SECONDS = 1.0  # libsndfile crashes on longer single writes of some codecs

_LOSSLESS_SUBTYPES = {
    "PCM_S8", "PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE",
    "ALAC_16", "ALAC_20", "ALAC_24", "ALAC_32",
}  # fmt: skip
FLOAT_SUBTYPES = {"FLOAT", "DOUBLE"}
_SUFFIX_FORMATS = {
    ".wav": "WAV", ".flac": "FLAC", ".aif": "AIFF", ".aiff": "AIFF", ".aifc": "AIFF", ".au": "AU",
    ".snd": "AU", ".caf": "CAF", ".w64": "W64", ".rf64": "RF64", ".ogg": "OGG", ".oga": "OGG",
    ".opus": "OGG", ".mp3": "MP3",
}  # fmt: skip
SUFFIXES = frozenset(_SUFFIX_FORMATS)
_TAGS = ("title", "copyright", "artist", "comment", "date", "album", "license", "tracknumber",
         "genre")  # fmt: skip
_FEWEST_FRAMES = 1 << 19  # asked of a decoder at a time, which costs as much as reading many
_CACHED_SAMPLES = 1 << 16  # of all channels, handed on at a time: what follows finds them at hand
_RF64_BYTES = 4_000_000_000
_SAMPLE_BYTES = {"PCM_U8": 1, "PCM_S8": 1, "PCM_16": 2, "PCM_24": 3, "DOUBLE": 8}
_WHOLE_NUMBERS = {"PCM_U8": 8, "PCM_S8": 8, "PCM_16": 16, "PCM_24": 24, "PCM_32": 32,
                  "ALAC_16": 16, "ALAC_20": 20, "ALAC_24": 24, "ALAC_32": 32}  # fmt: skip


@dataclass(frozen=True)
class Facts:
    """What a full decode of a file found.

    ``sample_rate`` in Hz, ``samples`` per channel, ``peak`` and ``rms`` over all channels with
    full scale = 1, ``truncated`` if the file promised more than it holds. ``content``, where asked
    for, is the SHA-256 of the decoded samples with rate and channels: two files of one content
    sound the same, whatever their containers.
    """

    path: Path
    sample_rate: int
    channels: int
    samples: int
    container: str
    subtype: str
    tags: dict[str, str]
    peak: float
    rms: float
    truncated: bool = False
    content: str = ""

    @property
    def seconds(self) -> float:
        """Duration in seconds."""
        return self.samples / self.sample_rate

    @property
    def lossy(self) -> bool:
        """Whether the codec discards information, so that it must not be applied again."""
        return self.subtype not in _LOSSLESS_SUBTYPES


def _reason(error: Exception) -> str:
    """Return libsndfile's own words in one line, without the path that it repeats."""
    return str(error).rsplit(": ", maxsplit=1)[-1].strip().rstrip(".").replace("\n", " ")


def _open(path: Path) -> IsolatedFile:
    path = Path(path)
    try:
        kind = path.stat()
    except OSError as error:
        cause = "no such file" if isinstance(error, FileNotFoundError) else error.strerror
        raise AudioError(f"{path}: {cause}") from error
    if stat.S_ISDIR(kind.st_mode):
        raise AudioError(f"{path}: is a folder, not a recording")
    if not stat.S_ISREG(kind.st_mode):
        raise AudioError(f"{path}: is not a regular file")
    if kind.st_size == 0:
        raise AudioError(f"{path}: the file is empty")
    if not os.access(path, os.R_OK):
        raise AudioError(f"{path}: not allowed to read it")
    try:
        file = IsolatedFile(path.absolute(), _TAGS)
    except DecoderError as error:
        raise AudioError(f"{path}: not a readable recording ({_reason(error)})") from error
    if file.samplerate <= 0 or file.channels <= 0:
        file.close()
        raise AudioError(f"{path}: the header gives no sample rate or no channels")
    return file


class Reader:
    """Sequential block reads of one recording.

    ``read(start, stop)`` returns samples [start, stop) as (C, stop - start) float32; ``start``
    must never go back behind the start of the call before. Only forward decoding is used, since
    seeking is not sample-exact in lossy formats.
    """

    def __init__(self, path: Path, samples: int | None = None):
        self.path = Path(path)
        self._file = _open(self.path)
        self.sample_rate: int = self._file.samplerate
        self.channels: int = self._file.channels
        self.samples: int = self._file.frames if samples is None else samples
        self._kept = np.zeros((self.channels, 0), np.float32)
        self._kept_start = 0

    @property
    def decoder_pid(self) -> int:
        """The process that decodes this recording."""
        return self._file.decoder_pid

    def read(self, start: int, stop: int) -> np.ndarray:
        """Return samples [start, stop); raise :class:`AudioError` where the file ends early."""
        if not self._kept_start <= start <= stop <= self.samples:
            raise ValueError(f"block [{start}, {stop}) is behind the reader or past the end")
        held_until = self._kept_start + self._kept.shape[1]
        parts = [self._kept[:, start - self._kept_start :]]
        while start > held_until:  # skipped in steps: a long way must not need its memory
            step = min(start - held_until, self.sample_rate)
            self._decode(step)
            held_until += step
        if stop > held_until:
            parts.append(self._decode(stop - held_until))
        self._kept = np.concatenate(parts, axis=1)
        self._kept_start = start
        return self._kept[:, : stop - start]

    def _decode(self, count: int) -> np.ndarray:
        try:
            block = self._file.read(count, "float32")
        except DecoderError as error:
            raise AudioError(f"{self.path}: cannot be decoded ({_reason(error)})") from error
        if len(block) < count:
            raise AudioError(f"{self.path}: ends {count - len(block)} samples early")
        return np.ascontiguousarray(block.T)

    def __enter__(self) -> "Reader":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


def inspect(path: Path, allow_truncated: bool = False, content: bool = False) -> Facts:
    """Decode the whole file once, block by block, and say what it is; refuse what is unfit.

    Parameters
    ----------
    path : Path
    allow_truncated : bool
        Accept a file that holds less than its header promises; ``truncated`` then says so.
    content : bool
        Also name the decoded samples by their hash.

    Raises
    ------
    AudioError
        If the file is missing, empty, no audio, damaged or cut; holds no samples; or holds NaN,
        infinite samples or samples beyond ±1000. The message names the file and the cause.
    """
    return _through(_decoded(Path(path), allow_truncated, content, True), lambda _: None)


Decoding = Generator[np.ndarray, None, Facts]


def _through(blocks: Decoding, keep: Callable[[np.ndarray], object]) -> Facts:
    """Hand every block on and return the facts that stand at the end."""
    while True:
        try:
            keep(next(blocks))
        except StopIteration as end:
            return end.value


def _decoded(
    path: Path, allow_truncated: bool = False, content: bool = False, level: bool = False
) -> Decoding:
    """Decode a file once, yielding blocks (n, C); examine it as :func:`inspect` says.

    Without ``level`` nothing is said of its RMS level, which costs as much as all the rest.
    What is wrong with a file may only be known at its end: where this raises, forget the blocks.
    """
    with _open(path) as file:
        promise = containers.promised(path)
        truncated = promise.missing_bytes > 0 or promise.unfinished
        if truncated and not allow_truncated:
            count = promise.missing_bytes
            lost = f"{count} bytes of audio are" if count else "its end is"
            raise TruncatedError(f"{path}: cut short, {lost} missing")
        meter = _Meter(path, file, promise, content, level)
        yield from meter.run(not allow_truncated)
        if meter.samples == 0:
            raise AudioError(f"{path}: holds no samples")
        return Facts(
            path=path,
            sample_rate=file.samplerate,
            channels=file.channels,
            samples=meter.samples,
            container=file.format,
            subtype=file.subtype,
            tags=file.tags,
            peak=meter.peak,
            rms=float(np.sqrt(meter.energy / (meter.samples * file.channels))),
            truncated=truncated or meter.ended_early,
            content=meter.content.hexdigest() if meter.content else "",
        )


class _Meter:
    """One pass over a file: counts, levels, non-finite samples, and the FLAC checksum."""

    def __init__(
        self,
        path: Path,
        file: IsolatedFile,
        promise: containers.Promise,
        content: bool,
        level: bool,
    ):
        self.path, self.file, self.level = path, file, level
        self.samples, self.peak, self.energy = 0, 0.0, 0.0
        self.bad, self.first_bad = 0, -1
        self.ended_early = False
        self.checksum = containers.FlacChecksum(promise) if promise.flac_md5 else None
        shape = f"{file.samplerate} {file.channels}\n".encode()
        self.content = hashlib.sha256(shape) if content else None

    def run(self, strict: bool) -> Iterator[np.ndarray]:
        # a decoder that fails gives nothing of the block: small ones lose little of a cut file
        most = max(1, BLOCK_BYTES // (4 * self.file.channels))
        whole_block = min(max(_FEWEST_FRAMES, int(BLOCK_SECONDS * self.file.samplerate)), most)
        block_size = whole_block if strict else 4096
        part_size = max(1, _CACHED_SAMPLES // self.file.channels)
        # whole numbers are what libsndfile would make the same floats of: 16 bits are half as much
        # to hand over, and the checksum is that of whole numbers
        bits = 32 if self.checksum else 16 if self.file.subtype == "PCM_16" else 0
        dtype = f"int{bits}" if bits else "float32"
        for block in self._blocks(block_size, dtype, strict):
            if self.checksum:
                self.checksum.update(block)
            for start in range(0, len(block), part_size):
                part = block[start : start + part_size]
                if bits:
                    part = np.multiply(part, np.float32(2.0 ** (1 - bits)), dtype=np.float32)
                self._measure(part)
                yield part
        if self.bad:
            raise AudioError(
                f"{self.path}: {self.bad} samples are NaN, infinite or beyond ±{MAX_AMPLITUDE:g},"
                f" the first at sample {self.first_bad}"
            )
        if self.checksum and not self.ended_early and not self.checksum.matches():
            raise AudioError(f"{self.path}: damaged, its audio does not match its own MD5 checksum")

    def _blocks(self, size: int, dtype: str, strict: bool) -> Iterator[np.ndarray]:
        while True:
            try:
                block = self.file.read(size, dtype)
            except DecoderError as error:
                self._stop(strict, f"cannot be decoded ({_reason(error)})")
                return
            if len(block) == 0:
                break
            yield block
        # compressed streams only: PCM containers were measured by their chunk sizes
        if self.samples < self.file.frames < containers.UNKNOWN_LENGTH:
            missing = self.file.frames - self.samples
            self._stop(strict, f"ends {missing} samples before the length in its header")

    def _stop(self, strict: bool, cause: str) -> None:
        self.ended_early = True
        if strict:
            raise AudioError(f"{self.path}: {cause}")

    def _measure(self, block: np.ndarray) -> None:
        if self.content:
            self.content.update(np.ascontiguousarray(block, "<f4"))
        peak = float(np.maximum(block.max(initial=0.0), -block.min(initial=0.0)))
        if not peak <= MAX_AMPLITUDE:  # also true for NaN
            wrong = ~(np.abs(block) <= MAX_AMPLITUDE).all(axis=1)
            if self.first_bad < 0:
                self.first_bad = self.samples + int(np.argmax(wrong))
            self.bad += int(wrong.sum())
        else:
            self.peak = max(self.peak, peak)
            if self.level:
                flat = block.astype(np.float64).ravel()
                self.energy += float(flat @ flat)
        self.samples += len(block)


def read(path: Path) -> tuple[np.ndarray, int]:
    """Read a whole recording; return (waveform (C, T) float32, sample rate in Hz).

    Raises :class:`AudioError` for everything that :func:`inspect` refuses.
    """
    parts: list[np.ndarray] = []
    facts = _through(_decoded(Path(path)), lambda block: parts.append(block.T))
    return np.concatenate(parts, axis=1), facts.sample_rate


def read_mono(path: Path) -> tuple[np.ndarray, int]:
    """Read a whole recording as the mean of its channels: ((T,) float32, sample rate in Hz).

    Raises as :func:`read`, and needs the memory of one channel.
    """
    parts: list[np.ndarray] = []
    facts = _through(_decoded(Path(path)), lambda block: parts.append(_mean(block)))
    return np.concatenate(parts), facts.sample_rate


def mono_blocks(path: Path) -> Iterator[np.ndarray]:
    """Yield what :func:`read_mono` returns block by block, (n,) each; raise as it does.

    What is wrong with a file may only be known at its end: where this raises, forget the blocks.
    """
    return map(_mean, _decoded(Path(path)))


def _mean(block: np.ndarray) -> np.ndarray:
    # numpy adds rows far faster than it adds the few numbers of each row
    return block[:, 0] if block.shape[1] == 1 else np.ascontiguousarray(block.T).mean(axis=0)


def output_format(facts: Facts, wanted: str = "same") -> tuple[str, str, str]:
    """Choose (container, subtype, suffix) for a result derived from ``facts``.

    ``wanted`` is ``same``, ``wav`` or ``flac``. A lossy input is never coded twice: it becomes
    24-bit FLAC. More than 8 channels do not fit into FLAC and become WAV.
    """
    suffix = facts.path.suffix
    if (
        wanted == "same"
        and not facts.lossy
        and soundfile.check_format(facts.container, facts.subtype)
    ):
        return facts.container, facts.subtype, suffix
    subtype = "PCM_24" if facts.lossy else facts.subtype
    if wanted == "wav" or facts.channels > 8:
        fits = soundfile.check_format("WAV", subtype)
        return "WAV", subtype if fits else "PCM_24", ".wav"
    fits = subtype in {"PCM_16", "PCM_24"}
    return "FLAC", subtype if fits else "PCM_24", ".flac"


@contextlib.contextmanager
def writer(
    path: Path,
    sample_rate: int,
    channels: int,
    *,
    container: str | None = None,
    subtype: str = "PCM_24",
    samples: int = 0,
    tags: dict[str, str] | None = None,
) -> Iterator["BlockWriter"]:
    """Open a recording for block writes; it appears at ``path`` whole or not at all.

    ``samples`` (per channel), where known, decides whether WAV must become RF64. Raises
    :class:`OutputError` where the place cannot be written or the format does not fit.
    """
    path = Path(path)
    container = container or _SUFFIX_FORMATS.get(path.suffix.lower())
    if container is None:
        raise OutputError(f"{path}: no audio format is known by this ending (use .wav or .flac)")
    if container == "WAV" and samples * channels * _SAMPLE_BYTES.get(subtype, 4) > _RF64_BYTES:
        container = "RF64"
    with atomic_path(path) as temporary:
        try:
            with soundfile.SoundFile(
                os.fsencode(temporary), "w", sample_rate, channels, subtype, format=container
            ) as file:
                for tag, text in (tags or {}).items():
                    with contextlib.suppress(soundfile.LibsndfileError, RuntimeError):
                        setattr(file, tag, text)
                yield BlockWriter(file)
        except (soundfile.LibsndfileError, TypeError, ValueError) as error:
            raise OutputError(f"cannot write {path}: {_reason(error)}") from error


class BlockWriter:
    """Appends blocks to an open recording."""

    def __init__(self, file: soundfile.SoundFile):
        self._file = file
        self._step = max(1, int(BLOCK_SECONDS * file.samplerate))
        self._bits = _WHOLE_NUMBERS.get(file.subtype)

    def append(self, block: np.ndarray) -> None:
        """Append samples of shape (C, n), full scale = 1, to the nearest number of the format."""
        for start in range(0, block.shape[1], self._step):
            part = np.ascontiguousarray(block[:, start : start + self._step].T)
            self._file.write(_rounded(part, self._bits) if self._bits else part)


def _rounded(block: np.ndarray, bits: int) -> np.ndarray:
    """Return the nearest whole numbers of ``bits``, in the upper bits of int32; ends are clamped.

    libsndfile rounds for FLAC alone. Elsewhere it cuts: half a step of offset, and parts of a
    recording that no longer add up to it.
    """
    steps = 2.0 ** (bits - 1)
    numbers = np.clip(np.rint(block * np.float64(steps)), -steps, steps - 1)
    return numbers.astype(np.int32) << (32 - bits)


def write(
    path: Path, waveform: np.ndarray, sample_rate: int, subtype: str = "PCM_24", **options: object
) -> None:
    """Write a whole waveform of shape (C, T) or (T,), atomically; see :func:`writer`."""
    waveform = np.atleast_2d(waveform)
    with writer(
        path, sample_rate, len(waveform), subtype=subtype, samples=waveform.shape[1], **options
    ) as blocks:
        blocks.append(waveform)
