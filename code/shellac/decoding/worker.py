"""The decoder's own process: run as a script, it answers requests on its standard input.

A request is one line of JSON. An answer is a status byte, a length (8 bytes, little-endian) and as
many bytes: JSON or samples where the status is 0, the reason in UTF-8 where it is 1. Nothing of
this package is imported, so that starting costs little, and what could harm is given up before
the first file: no file can be written, memory is bounded, a crash leaves no core.
"""

import json
import os
import resource
import struct
import sys

import soundfile

HEADER = struct.Struct("<BQ")


def _limit(memory_bytes: int) -> None:
    for what, most in (
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(what)[1]
        least = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (least, least))


def _open(request: dict) -> tuple[soundfile.SoundFile, bytes]:
    file = soundfile.SoundFile(os.fsencode(request["path"]))
    told = {name: getattr(file, name) for name in request["attributes"]}
    return file, json.dumps(told).encode()


def _serve(answers: int) -> None:
    file = None
    for line in sys.stdin.buffer:
        request = json.loads(line)
        status, parts = 0, [b""]
        try:
            if request["do"] == "open":
                file, told = _open(request)
                parts = [told]
            elif request["do"] == "read":
                block = file.read(request["frames"], dtype=request["dtype"], always_2d=True)
                parts = [memoryview(block).cast("B")] if len(block) else [b""]
            else:
                file.close()
        except (soundfile.LibsndfileError, RuntimeError, TypeError, ValueError) as error:
            status, parts = 1, [str(error).encode()]
        except MemoryError:
            status, parts = 1, [b"it asks for more memory than a decoder may have"]
        _send(answers, HEADER.pack(status, len(parts[0])), *parts)


def _send(answers: int, *parts: bytes | memoryview) -> None:
    for part in parts:
        rest = memoryview(part)
        while rest:
            rest = rest[os.write(answers, rest) :]


if __name__ == "__main__":
    _limit(int(sys.argv[1]))
    to_parent = os.dup(1)  # decoders that print must not do so among the answers
    os.dup2(2, 1)
    _serve(to_parent)
