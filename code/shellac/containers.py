"""What audio containers promise in their headers: sizes and checksums that decoders ignore.

libsndfile reads a WAV whose data chunk is cut without a word, and does not check the MD5 that
every FLAC carries. Only headers are read here, never more than a few kilobytes.
"""

import hashlib
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

UNKNOWN_LENGTH = 2**62  # libsndfile's frame count for streams without a length is near 2**63
_STREAMED = 0xFFFFFFFF  # size field of a WAV that was written to a pipe
_MAX_CHUNKS = 1000
_W64_RIFF = bytes.fromhex("726966662e91cf11a5d628db04c10000")


@dataclass(frozen=True)
class Promise:
    """What a header says the file holds beyond what its decoder checks.

    ``missing_bytes``: audio bytes that the container announces but the file lacks.
    ``unfinished``: an Ogg stream without its last page.
    ``flac_md5``: MD5 of the decoded audio (empty where none is stored), over little-endian
    samples of ``bits`` bits.
    """

    missing_bytes: int = 0
    unfinished: bool = False
    flac_md5: bytes = b""
    bits: int = 0


def promised(path: Path) -> Promise:
    """Read the promises of a WAV, RF64, W64, AIFF, AU, FLAC or Ogg header; others make none."""
    size, missing = path.stat().st_size, 0
    with path.open("rb") as file:
        magic = file.read(16)
        file.seek(12)
        if magic[:4] in (b"RIFF", b"RF64") and magic[8:12] == b"WAVE":
            missing = _riff_missing(file, size)
        elif magic[:4] == b"FORM" and magic[8:11] == b"AIF":
            missing = _chunk_missing(file, size, b"SSND", ">")
        elif magic[:4] == b".snd":
            offset, length = struct.unpack(">II", magic[4:12])
            missing = max(0, offset + (0 if length == _STREAMED else length) - size)
        elif magic == _W64_RIFF:
            missing = _w64_missing(file, size)
        elif magic[:4] == b"fLaC":
            file.seek(4)
            return _flac_promise(file)
        elif magic[:4] == b"OggS":
            return Promise(unfinished=not _ogg_ends(file, size))
    return Promise(missing_bytes=missing)


def _ogg_ends(file: BinaryIO, size: int) -> bool:
    """Whether the last Ogg page carries the end-of-stream flag (RFC 3533, section 6)."""
    file.seek(max(0, size - 70_000))  # a page has at most 65,307 bytes
    tail = file.read()
    last = tail.rfind(b"OggS")
    return 0 <= last < len(tail) - 5 and bool(tail[last + 5] & 4)


def _riff_missing(file: BinaryIO, size: int) -> int:
    long_size = 0
    for _ in range(_MAX_CHUNKS):
        header = file.read(8)
        if len(header) < 8:
            return 0
        name, length = struct.unpack("<4sI", header)
        start = file.tell()
        if name == b"ds64":
            fields = file.read(16)
            if len(fields) == 16:
                long_size = struct.unpack("<QQ", fields)[1]
        if name == b"data":
            if length == _STREAMED:
                length = long_size or size - start
            return max(0, start + length - size) or _hidden(file, start + length, size)
        file.seek(start + length + length % 2)
    return 0


def _hidden(file: BinaryIO, end: int, size: int) -> int:
    """Count the bytes behind the data chunk that are no chunks: then its size is a lie."""
    file.seek(end + end % 2)
    header = file.read(8)
    if len(header) < 8 or header[:3] in (b"TAG", b"ID3"):  # padding, or a tagger's appendix
        return 0
    name, length = struct.unpack("<4sI", header)
    is_chunk = all(32 <= byte < 127 for byte in name) and file.tell() + length <= size + 1
    return 0 if is_chunk else size - end


def _w64_missing(file: BinaryIO, size: int) -> int:
    file.seek(40)  # behind the GUIDs of riff and wave
    for _ in range(_MAX_CHUNKS):
        header = file.read(24)
        if len(header) < 24:
            return 0
        start, length = file.tell() - 24, struct.unpack("<Q", header[16:])[0]
        if header[:4] == b"data":
            return max(0, start + length - size)
        file.seek(start + max(24, length + -length % 8))
    return 0


def _chunk_missing(file: BinaryIO, size: int, wanted: bytes, order: str) -> int:
    for _ in range(_MAX_CHUNKS):
        header = file.read(8)
        if len(header) < 8:
            return 0
        name, length = struct.unpack(f"{order}4sI", header)
        start = file.tell()
        if name == wanted:
            return max(0, start + length - size)
        file.seek(start + length + length % 2)
    return 0


def _flac_promise(file: BinaryIO) -> Promise:
    header = file.read(4)
    info = file.read(34)
    if len(info) < 34 or header[0] & 0x7F != 0:  # STREAMINFO must be the first block
        return Promise()
    packed = int.from_bytes(info[10:18], "big")  # rate 20, channels 3, bits 5, samples 36
    bits = (packed >> 36 & 0x1F) + 1
    md5 = info[18:34]
    return Promise(flac_md5=md5 if any(md5) else b"", bits=bits)


class FlacChecksum:
    """Compares decoded samples with the MD5 in a FLAC header."""

    def __init__(self, promise: Promise):
        self._want, self._bits = promise.flac_md5, promise.bits
        self._md5 = hashlib.md5(usedforsecurity=False)

    def update(self, block: np.ndarray) -> None:
        """Add a block of left-justified int32 samples, shape (n, C)."""
        samples = block >> (32 - self._bits)
        width = (self._bits + 7) // 8
        raw = np.ascontiguousarray(samples.astype("<i4")).view(np.uint8).reshape(-1, 4)
        self._md5.update(np.ascontiguousarray(raw[:, :width]).tobytes())

    def matches(self) -> bool:
        """Whether all blocks together are what the encoder saw."""
        return self._md5.digest() == self._want
