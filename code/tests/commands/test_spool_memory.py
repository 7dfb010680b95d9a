"""What is freed of one chunk does not stay with the process while the next is restored."""

import subprocess
import sys

import pytest

CHUNKS = """
import sys
from pathlib import Path
import numpy as np
from tqdm import tqdm
from shellac import audio
from shellac.allocation import keep_freed_memory
from shellac.commands.source import Spool, source
keep_freed_memory("small")
path = Path(sys.argv[1])
audio.write(path, np.zeros((1, 3000), np.float32), 44100)
held, stays = [], []
def chunk(start, stop):
    pages = Path("/proc/self/statm").read_text().split()[1]
    held.append(int(pages) * 4096 / 2**20)
    maps = []
    for _ in range(20):
        maps.append(np.ones(2**20))
        stays.append(bytearray(2000))  # keeps the end of the heap where it is
    return np.zeros((1, stop - start), np.float32)
class Nothing:
    def raised_rate(self, rate):
        return None
spool = Spool(path.with_suffix(".raw"), source(audio.inspect(path), Nothing(), "same"), [])
edges = (0, 1000, 2000, 3000)
spool.fill(map(chunk, edges, edges[1:]), tqdm(disable=True), lambda samples: None)
print(*held)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc can be told")
def test_every_chunk_finds_the_memory_that_the_first_found(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", CHUNKS, str(tmp_path / "silence.wav")],
        capture_output=True,
        text=True,
        check=True,
    )
    first, *later = map(float, done.stdout.split())
    assert max(later) < first + 30  # a chunk takes 160
